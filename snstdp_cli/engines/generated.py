"""What we change in the C++ sources that Brian 2 generates.

The statements stay Brian 2's; only the loops around them are others, which run over the same elements in the same
order. Each function takes a source and returns it changed, or as it is where it does not have the form that is looked
for, such as that of another version of Brian 2 (the forms are those of 2.9 to 2.11).
"""

from __future__ import annotations

import re

#: Neurons that are tested at once for whether any of them fires.
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
#: A run of fewer synapses is not worth a second loop.
_LONG_RUN = 8


def find_spikes_in_blocks(source: str) -> str:
    """Let a thresholder look at blocks of neurons, and at each neuron only where a block has one that fires.

    The test of a block has no branch, so that the compiler makes it one of many neurons at a time.
    """

    def rewrite(found: re.Match[str]) -> str:
        condition = found["condition"].replace("&&", "&").replace("||", "|")
        if re.search(r"\b_count\b|\w\(", found["read"] + condition):
            return found[0]
        each = f"{{{found['read']}const char _cond = {found['condition']};{found['write']}}}"
        return (
            f"{found['count']}size_t _block = 0;\n"
            f"    for (; _block + {_BLOCK} <= (size_t)N; _block += {_BLOCK})\n    {{\n"
            f"        int _any = 0;\n"
            f"        for (size_t _idx = _block; _idx < _block + {_BLOCK}; _idx++)\n"
            f"        {{{found['read']}_any |= {condition};\n        }}\n"
            f"        if (_any)\n"
            f"        for (size_t _idx = _block; _idx < _block + {_BLOCK}; _idx++)\n        {each}\n"
            f"    }}\n"
            f"    for (size_t _idx = _block; _idx < (size_t)N; _idx++)\n    {each}{found['rest']}"
        )

    return _THRESHOLD.sub(rewrite, source)


def walk_runs(source: str) -> str:
    """Let a propagation loop walk the queue's pieces in place of a list of synapses.

    A run belongs to one neuron, whose synapses on others stand in the others' order and are no two on the same: where
    last minus first is their number less one, the targets of a run lie side by side, and the loop may be vectorized.
    """
    found = _PROPAGATION.search(source)
    end = _closing_brace(source, found.end()) if found else -1
    if found is None or end < 0:
        return source
    body = source[found.end() : end]
    loops = [
        "if (_due.list)",
        f"for (int32_t _k = 0; _k < _due.length; _k++) {{ const size_t _idx = _due.list[_k];{body}}}",
    ]
    if target := _TARGET.search(body):
        targets = target["targets"]
        side_by_side = body.replace(target[0], "const int32_t _postsynaptic_idx = _target + (int32_t)(_idx - _first);")
        loops += [
            f"else if (_due.length >= {_LONG_RUN} && {targets}[_last] - {targets}[_first] == _due.length - 1) {{",
            f"const int32_t _target = {targets}[_first];",
            "#ifdef __clang__\n#pragma clang loop vectorize(assume_safety)\n#else\n#pragma GCC ivdep\n#endif",
            f"for (size_t _idx = _first; _idx <= _last; _idx++) {{{side_by_side}}}\n}}",
        ]
    loops += ["else", f"for (size_t _idx = _first; _idx <= _last; _idx++) {{{body}}}"]
    opening = (
        f"const std::vector<CSpikeQueue::Piece>& _pieces = {found['pathway']}.queue[0]->pieces();{found['between']}"
        "for (size_t _piece = 0; _piece < _pieces.size(); _piece++)\n{\n"
        "const CSpikeQueue::Piece _due = _pieces[_piece];\n"
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


def _closing_brace(source: str, start: int) -> int:
    """Return where the block ends that is open at `start`, or -1."""
    depth = 1
    for at in range(start, len(source)):
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        if depth == 0:
            return at
    return -1
