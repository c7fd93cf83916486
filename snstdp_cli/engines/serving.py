"""Let a program run chunk after chunk: what Brian 2's `main` does once is done for each request (`requests.h`)."""

from __future__ import annotations

import re
from pathlib import Path

from snstdp_cli.errors import EngineError
from snstdp_cli.network.names import CLOCK, EXC_SPIKES, INPUTS, PIXELS, SHOWN
from snstdp_cli.network.protocol import NO_STEP

REQUESTS_HEADER = Path(__file__).with_name("requests.h")
#: The variables of each monitor, which are read after a chunk and emptied before the next.
MONITORS = {EXC_SPIKES: ("t", "i"), SHOWN: ("t", "example", "attempt")}
#: Sent with every request: no input waits for its next spike. No spike is under way between two chunks.
FRESH_INPUTS = f"{INPUTS}.next_step={NO_STEP}"
_RUN = re.compile(r"(?P<run>set_from_command_line\(args\);.*?)(?P<end>\n\s*\}\s*brian_end\(\);)", re.DOTALL)


def give_images(path: Path) -> str:
    """Return what a request says of the file of a chunk's images."""
    return f"{PIXELS}.values={path}"


def serve_requests(main: str) -> str:
    """Return the program with a loop around its run.

    Each request sets the clock to 0: the steps at which spikes arrived are 32-bit numbers, and a chunk counts from its
    start.

    Raises
    ------
    EngineError
        If this is not the form of the versions of Brian 2 that are known (2.9 to 2.11).
    """
    if len(_RUN.findall(main)) != 1:
        raise EngineError("this version of Brian 2 writes a program that snstdp does not know; use --engine runtime")
    rewind = [f"_array_{CLOCK}_timestep[0] = 0;", f"_array_{CLOCK}_t[0] = 0.0;", "network.t=0.0;"]
    for monitor, variables in MONITORS.items():
        rewind.append(f"_array_{monitor}_N[0] = 0;")
        rewind += [f"_dynamic_array_{monitor}_{name}.clear();" for name in variables]
    opening = "\n".join(["while (snstdp::requests.next(args))\n{", *rewind])
    closing = "\n_write_arrays();\nsnstdp::requests.answer();\n}\nreturn 0;"
    served = _RUN.sub(lambda found: f"{opening}\n{found['run']}{closing}{found['end']}", main)
    return f'#include "{REQUESTS_HEADER.name}"\n{served}'
