"""What we change in the C++ sources that Brian 2 generates.

The statements stay Brian 2's; only the loops around them are others, which run over the same elements in the same
order. Each function takes a source and returns it changed, or as it is where it does not have the form that is looked
for, such as that of another version of Brian 2 (the forms are those of 2.9 to 2.11).
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: Neurons that are tested at once for which of them fire, a bit for each.
_BLOCK = 32

_THRESHOLD = re.compile(
    r"(?P<count>long _count = 0;\s*)"
    r"(?P<loop>for\(size_t _idx=0; _idx<N; _idx\+\+\)\s*\{"
    r"(?P<read>.*?)const char _cond = (?P<condition>[^;]*);(?P<write>\s*if\s*\(_cond\) \{.*?\}\s*)\})"
    r"(?P<rest>\s*\w+\[N\] = _count;)",
    re.DOTALL,
)
_PROPAGATION = re.compile(
    r"std::vector<int> \*_spiking_synapses = (?P<pathway>\w+)\.peek\(\);\s*"
    r"const int _num_spiking_synapses = _spiking_synapses->size\(\);(?P<between>\s*\{?\s*)"
    r"for\(int _spiking_synapse_idx=0;\s*_spiking_synapse_idx<_num_spiking_synapses;\s*_spiking_synapse_idx\+\+\)"
    r"\s*\{\s*"
    r"const size_t _idx = \(\*_spiking_synapses\)\[_spiking_synapse_idx\];"
)
_TARGET = re.compile(r"const int32_t _postsynaptic_idx = (?P<targets>\w+)\[_idx\];")
_UPDATER = re.compile(r"for\(int _idx=0; _idx<_N; _idx\+\+\)")
_ROUNDED = re.compile(r"\bconst double \w+ = (?:single|truth|quotient)\(")
_HELD_TRUTH = re.compile(r"const int64_t (\w+) = int_\(")
_LINKED = re.compile(r"(?P<read>const \w+ (?P<name>\w+) = _ptr_array_\w+)\[_(?P=name)_indices\];")
_PATHWAY = re.compile(
    r"(network\.add\(&_clock, )(_run_(\w+)_push_spikes)\);\s*network\.add\(&_clock, _run_\3_codeobject\);"
)
_WRITTEN = re.compile(
    r"    ofstream (?P<stream>outfile_\w+);\n    (?P=stream)\.open\(results_dir \+ \"(?P<file>\w+)\".*?\n"
    r"    \} else\n    \{\n.*?\n    \}\n",
    re.DOTALL,
)
#: A run of fewer synapses is not worth a second loop.
_LONG_RUN = 64


def find_spikes_in_blocks(source: str) -> str:
    """Let a thresholder look at blocks of neurons, and at each neuron only where a block has one that fires.

    The test of a block has no branch, so that the compiler makes it one of many neurons at a time; who fires is a bit
    of its answer. Of neurons, which fire rarely, two blocks are first asked for whether any of them does. A chunk has
    fewer than 2**31 steps (`Experiment`), which are compared as 32-bit numbers. Only rounding may be called in a test.
    """

    def rewrite(found: re.Match[str]) -> str:
        condition = found["condition"].replace("&&", "&").replace("||", "|")
        condition = condition.replace("t_in_timesteps", "(int32_t)t_in_timesteps")
        read = found["read"]
        if re.search(r"\b_count\b|(?<!\bsingle)(?<=\w)\(", read + condition):
            return found[0]
        return (
            f"{found['count']}size_t _block = 0;\n"
            f"    for (; _block + {_BLOCK} <= (size_t)N; _block += {_BLOCK})\n    {{\n"
            f"{_ask_two_blocks(read, condition) if re.search('double|float', read) else ''}"
            f"        uint32_t _fire = 0;\n"
            f"        for (int _bit = 0; _bit < {_BLOCK}; _bit++)\n"
            f"        {{const size_t _idx = _block + _bit;{read}_fire |= (uint32_t)({condition}) << _bit;\n"
            f"        }}\n"
            f"        for (; _fire; _fire &= _fire - 1)\n"
            f"        {{const size_t _idx = _block + __builtin_ctz(_fire); const char _cond = 1;{found['write']}}}\n"
            f"    }}\n"
            f"    for (size_t _idx = _block; _idx < (size_t)N; _idx++)\n"
            f"    {{{read}const char _cond = {found['condition']};{found['write']}}}{found['rest']}"
        )

    return _THRESHOLD.sub(rewrite, source)


def _ask_two_blocks(read: str, condition: str) -> str:
    """Return what goes on behind the next block if nobody fires in the two; the answer is as wide as a number."""
    answer = "int32_t" if "float" in read else "int64_t"
    return (
        f"        if (_block % {2 * _BLOCK} == 0 && _block + {2 * _BLOCK} <= (size_t)N)\n        {{\n"
        f"            {answer} _any = 0;\n"
        f"            for (size_t _idx = _block; _idx < _block + {2 * _BLOCK}; _idx++)\n"
        f"            {{{read}_any |= ({answer})({condition});\n            }}\n"
        f"            if (!_any) {{ _block += {_BLOCK}; continue; }}\n        }}\n"
    )


def keep_truth_as_number(source: str) -> str:
    """Let a state updater hold 0 or 1, by which it multiplies, as the number that is multiplied.

    Brian 2 holds the truth of a condition as an integer, which would be converted for each neuron.
    """
    loop = _UPDATER.search(source)
    if loop is None:
        return source
    before, statements = source[: loop.start()], source[loop.start() :]
    names = _HELD_TRUTH.findall(statements)
    if len(names) + statements.count("* int_(") != statements.count("int_("):
        return source
    for name in names:
        factor = len(re.findall(rf"\b{name} \*|\* {name}\b", statements))
        if len(re.findall(rf"\b{name}\b", statements)) != 1 + factor:
            return source
    statements = _HELD_TRUTH.sub(r"const double \1 = _number(", statements).replace("* int_(", "* _number(")
    return f"{before}const auto _number = [](bool truth) {{ return truth ? 1.0 : 0.0; }};\n    {statements}"


def hold_single_numbers(source: str) -> str:
    """Let what was rounded to single precision be held in it, where Brian 2 holds it in double precision."""

    def rewrite(found: re.Match[str]) -> str:
        end = _closing(source, found.end(), "()")
        return found[0].replace("double", "float", 1) if source[end + 1 : end + 2] == ";" else found[0]

    return _ROUNDED.sub(rewrite, source)


def know_the_only_element(source: str) -> str:
    """Let a variable that is linked to an array of one element be read there, once, and not by each neuron's index."""

    def rewrite(found: re.Match[str]) -> str:
        alone = f"const size_t _num{found['name']} = 1;" in source
        return f"{found['read']}[0];" if alone else found[0]

    return _LINKED.sub(rewrite, source)


def skip_idle_pathways(main: str) -> str:
    """Let the main loop run a pathway's statements only in steps in which a spike arrives on it."""
    together = r"\1[] { \2(); if (brian::\3.queue[0]->due()) _run_\3_codeobject(); });"
    return _PATHWAY.sub(together, main)


def write_only(objects: str, files: Collection[str]) -> str:
    """Let a program write the results that are read, and not every array that it has."""
    begin = objects.find("void _write_arrays()")
    end = objects.find("\n}\n", begin) + 1
    if begin < 0 or not set(files) <= {found["file"] for found in _WRITTEN.finditer(objects, begin, end)}:
        return objects
    wanted = _WRITTEN.sub(lambda found: found[0] if found["file"] in files else "", objects[begin:end])
    return objects[:begin] + wanted + objects[end:]


def walk_runs(source: str) -> str:
    """Let a propagation loop walk the queue's pieces in place of a list of synapses.

    A run belongs to one neuron, whose synapses on others stand in the others' order and are no two on the same: where
    last minus first is their number less one, the targets of a run lie side by side, and the loop may be vectorized.
    A list belongs to one postsynaptic neuron where the pathway's sources are the synapses' targets.
    """
    found = _PROPAGATION.search(source)
    end = _closing(source, found.end(), "{}") if found else -1
    if found is None or end < 0:
        return source
    body = source[found.end() : end]
    listed = "for (int32_t _k = 0; _k < _due.length; _k++) {{ const size_t _idx = _due.list[_k];{body}}}"
    loops = ["if (_due.list)", listed.format(body=body)]
    if target := _TARGET.search(body):
        targets = target["targets"]
        of_target = body.replace(target[0], "const int32_t _postsynaptic_idx = _target;")
        loops = [
            f"if (_due.list && _due.first == 0 && (const int32_t*){found['pathway']}.sources.data() == {targets}) {{",
            f"const int32_t _target = {targets}[_due.list[0]];",
            f"{listed.format(body=of_target)}\n}}\nelse {loops[0]}",
            *loops[1:],
        ]
        # An index of 64 bits: at one of 32, which might overflow, compilers gather and scatter each element.
        side_by_side = body.replace(target[0], "const size_t _postsynaptic_idx = _target + (_idx - _first);")
        loops += [
            f"else if (_due.length >= {_LONG_RUN} && {targets}[_last] - {targets}[_first] == _due.length - 1) {{",
            f"const size_t _target = {targets}[_first];",
            "#ifdef __clang__\n#pragma clang loop vectorize(assume_safety)\n#else\n#pragma GCC ivdep\n#endif",
            f"for (size_t _idx = _first; _idx <= _last; _idx++) {{{side_by_side}}}\n}}",
        ]
    loops += ["else", f"for (size_t _idx = _first; _idx <= _last; _idx++) {{{body}}}"]
    opening = (
        f"CSpikeQueue& _queue = *{found['pathway']}.queue[0];{found['between']}"
        "for (size_t _piece = 0; _piece < _queue.due();)\n{\n"
        "const CSpikeQueue::Piece _due = _queue.next(_piece);\n"
        "const size_t _first = _due.first, _last = _first + _due.length - 1;\n"
    )
    return source[: found.start()] + opening + "\n".join(loops) + "\n" + source[end:]


def ask_clock_once(network: str) -> str:
    """Return Brian 2's main loop without the question for the time after each step, a system call; the last one stays.

    Nothing in the loop reads the answer, which Brian 2 reports when a run has ended. Brian 2 asks otherwise from 2.10
    on, where the source is returned as it is.
    """
    asked = re.compile(r"current = std::clock\(\);(?=\s*elapsed_realtime)")
    declared = "std::clock_t start, current;"
    if declared not in network or len(asked.findall(network)) != 1:
        return network
    network = network.replace(declared, "std::clock_t start, current = 0;")
    return asked.sub("if (!clock || !clock->running()) current = std::clock();", network)


def know_the_only_clock(network: str) -> str:
    """Return Brian 2's main loop without the search for an object's clock where there is one clock for all."""
    search = "if (curclocks.find(obj_clock) != curclocks.end())"
    begin = "Network::_globally_running = true;"
    if network.count(search) != 1 or network.count(begin) != 1:
        return network
    network = network.replace(search, "if (_one_clock || curclocks.find(obj_clock) != curclocks.end())")
    return network.replace(begin, f"const bool _one_clock = clocks.size() == 1;\n    {begin}")


def _closing(source: str, start: int, brackets: str) -> int:
    """Return where the bracket is closed that is open at `start`, or -1."""
    depth = 1
    for at in range(start, len(source)):
        depth += (source[at] == brackets[0]) - (source[at] == brackets[1])
        if depth == 0:
            return at
    return -1
