"""Leave out neurons that rest: what their step makes of their state is that state, to the last bit.

An inhibitory neuron comes to rest some time after its partner's last spike, and few are woken by an image. Neurons are
told apart by blocks. A block whose step changed nothing twice is left out, by the step and by the thresholder, until
something else writes to one of its neurons: the step would leave it as it is, and the threshold was asked about this
very state. A chunk begins with all blocks awake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from snstdp_cli.network.names import CLOCK

#: Neurons that rest or are awake together; as many as a thresholder tests at once.
BLOCK = 32
_AWAKE = 2
#: Included by the code objects that change.
HEADER = "awake.h"
_LOOP = re.compile(
    r"for\(int _idx=0; _idx<_N; _idx\+\+\)\s*\{(?P<body>.*?)(?P<write>(?:\s*_ptr_array_\w+\[_idx\] = \w+;)+)\s*\}",
    re.DOTALL,
)
_WRITTEN = re.compile(r"_ptr_array_(\w+)\[_idx\] = (\w+);")
_ARRAY = re.compile(r"_ptr_array_(\w+)\b")
_POINTER = re.compile(r"(double|float)\* *\w* *_ptr_array_(\w+) =")
_SIZE = re.compile(r"const int64_t N = (\d+);")
_THRESHOLD_LOOP = re.compile(rf"for \(; _block \+ {BLOCK} <= \(size_t\)N; _block \+= {BLOCK}\)\s*\{{")


def leave_out_resting(sources: Mapping[str, str], group: str) -> dict[str, str]:
    """Return the texts that change, if a group's neurons depend on nothing but their own state, and a header for them.

    Parameters
    ----------
    sources
        The text of each code object.
    group
        Name of the neurons.

    Returns
    -------
    Code objects by name, and the header; nothing if the sources do not have the form that is looked for, or neurons of
    the group cannot rest.
    """
    updater, thresholder = f"{group}_stateupdater_codeobject", f"{group}_spike_thresholder_codeobject"
    if not {updater, thresholder} <= set(sources):
        return {}
    loop, size = _LOOP.search(sources[updater]), _SIZE.search(sources[updater])
    tested = _THRESHOLD_LOOP.search(sources[thresholder])
    if loop is None or size is None or tested is None:
        return {}
    state = dict(_WRITTEN.findall(loop["write"]))
    is_single = {array for kind, array in _POINTER.findall(sources[updater]) if kind == "float"} >= set(state)
    own = {*state, f"{group}__spikespace"}
    if not set(_ARRAY.findall(sources[updater])) | set(_ARRAY.findall(sources[thresholder])) <= own:
        return {}
    awake = f"snstdp::awake_{group}"
    changed = {
        updater: sources[updater].replace(loop[0], _step_of_blocks(loop, state, awake, is_single)),
        thresholder: sources[thresholder].replace(
            tested[0], f"{tested[0]}\n    if (!{awake}[_block / {BLOCK}]) continue;\n"
        ),
    }
    write = re.compile(rf"(_ptr_array_(?:{'|'.join(state)})\[([^;=]*?)\] [-+*/]?= )")
    for name, source in sources.items():
        written = [] if name in changed else [index for _, index in write.findall(source)]
        if not all(re.fullmatch(r"\w+", index) for index in written):
            return {}
        if written:
            changed[name] = write.sub(rf"{awake}[\2 / {BLOCK}] = {_AWAKE}; \1", source)
    blocks = -(-int(size[1]) // BLOCK)
    header = f"#pragma once\nnamespace snstdp {{ inline unsigned char awake_{group}[{blocks}]; }}\n"
    including = {
        name: f'#include <cstdint>\n#include <cstring>\n#include "{HEADER}"\n{changed[name]}' for name in changed
    }
    return {**including, HEADER: header}


def _step_of_blocks(loop: re.Match[str], state: Mapping[str, str], awake: str, is_single: bool) -> str:
    """Return the updater's loop over the neurons as one over blocks that are awake."""
    number, bits = ("float", "int32_t") if is_single else ("double", "int64_t")
    moved = " | ".join(f"(_bits({name}) ^ _bits(_ptr_array_{array}[_idx]))" for array, name in state.items())
    step = f"{{{loop['body']}_moved |= {moved};{loop['write']}\n}}"
    return (
        f"const auto _bits = []({number} number)\n"
        f"    {{ {bits} bits; std::memcpy(&bits, &number, sizeof bits); return bits; }};\n"
        f"    if (_array_{CLOCK}_timestep[0] == 0) std::memset({awake}, {_AWAKE}, sizeof {awake});\n"
        f"    {bits} _moved = 0;\n"
        "    int _block = 0;\n"
        f"    for (; _block + {BLOCK} <= _N; _block += {BLOCK})\n    {{\n"
        f"        unsigned char& _awake = {awake}[_block / {BLOCK}];\n"
        "        if (!_awake) continue;\n"
        "        _moved = 0;\n"
        f"        for (int _idx = _block; _idx < _block + {BLOCK}; _idx++) {step}\n"
        f"        _awake = _moved ? {_AWAKE} : _awake - 1;\n"
        "    }\n"
        f"    for (int _idx = _block; _idx < _N; _idx++) {step}"
    )
