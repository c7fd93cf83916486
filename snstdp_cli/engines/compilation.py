"""From Brian 2's generated C++ sources to a program, quickly.

Brian 2 writes a source file for each code object; most of the compiler's time would go into reading the same headers
sixty times. Here the code objects are joined into a few units, each in a namespace of its own, which are compiled side
by side, and what runs once, such as reading and writing the arrays, into another, which is hardly optimized. Brian's
queue of delayed spikes is replaced by ours (`run_queue.h`), its loops by faster ones (`generated`), and the one run of
its program by one for each request (`serving`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from snstdp_cli.engines import resting
from snstdp_cli.engines.compiler import (
    COMPILER_FLAGS,
    compiler_flags,
    compiler_version,
    find_compiler,
    processor_features,
    run_compilers,
)
from snstdp_cli.engines.constants import read_numbers_at_start
from snstdp_cli.engines.generated import (
    ask_clock_once,
    find_spikes_in_blocks,
    hold_single_numbers,
    keep_truth_as_number,
    know_the_only_clock,
    know_the_only_element,
    skip_idle_pathways,
    walk_runs,
    write_only,
)
from snstdp_cli.engines.serving import REQUESTS_HEADER, serve_requests
from snstdp_cli.network.names import INH

__all__ = [
    "COMPILER_FLAGS",
    "PARENT_VARIABLE",
    "QUEUE_HEADER",
    "compile_sources",
    "compiler_flags",
    "compiler_version",
    "find_compiler",
    "processor_features",
]

QUEUE_HEADER = Path(__file__).with_name("run_queue.h")
#: Names the process that started the program; the program ends with it.
PARENT_VARIABLE = "SNSTDP_PARENT"
_GUARD = """\
#ifdef __linux__
#include <csignal>
#include <cstdlib>
#include <sys/prctl.h>
#include <unistd.h>
namespace {
struct Guard {
    Guard() {
        const char* parent = std::getenv("SNSTDP_PARENT");
        if (parent == nullptr) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != std::atol(parent)) _exit(1);
    }
} guard;
}
#endif
"""
_UNITS = 2
#: The loop over the steps, and what it calls, are compiled with the code objects.
_LOOP = ("network.cpp", "main.cpp")
#: Optimizing what runs once costs more than it gains. The last -O counts.
_RUNS_ONCE = "-O1"
_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<].*[">])', re.MULTILINE)


def compile_sources(sources: Path, compiler: str, results: Collection[str], numbers: Mapping[str, float]) -> Path:
    """Compile the project that Brian 2 wrote to `sources`; return the program.

    Parameters
    ----------
    results
        Names of the files that the program writes at its end; those of other arrays are left out.
    numbers
        The numbers that the sources were written with; the program reads others when it starts.

    Raises
    ------
    EngineError
        With what the compiler said, if it fails.
    """
    shutil.copyfile(QUEUE_HEADER, sources / "brianlib" / "spikequeue.h")
    shutil.copyfile(REQUESTS_HEADER, sources / REQUESTS_HEADER.name)
    (sources / "guard.cpp").write_text(_GUARD)
    read_numbers_at_start(sources, numbers)
    _change(sources / "network.cpp", ask_clock_once, know_the_only_clock)
    _change(sources / "main.cpp", skip_idle_pathways, serve_requests)
    _change(sources / "objects.cpp", lambda source: write_only(source, results))
    for path in sorted((sources / "code_objects").glob("*.cpp")):
        _change(
            path, know_the_only_element, find_spikes_in_blocks, keep_truth_as_number, hold_single_numbers, walk_runs
        )
    _leave_out_resting(sources / "code_objects")
    once = _join_what_runs_once(sources)
    # The code objects first, which take longest.
    commands = [["-c", *compiler_flags(), "-I.", path.name] for path in _join_code_objects(sources)]
    commands.append(["-c", *compiler_flags(), _RUNS_ONCE, "-I.", once.name])
    run_compilers(compiler, commands, sources)
    objects = [str(Path(command[-1]).with_suffix(".o")) for command in commands]
    run_compilers(compiler, [[*objects, "-o", "main"]], sources)
    return sources / "main"


def _change(path: Path, *changes: Callable[[str], str]) -> None:
    source = path.read_text()
    for change in changes:
        source = change(source)
    path.write_text(source)


def _leave_out_resting(folder: Path) -> None:
    """Let inhibitory neurons that rest be left out."""
    paths = {path.stem: path for path in folder.glob("*.cpp")}
    paths[resting.HEADER] = folder.parent / resting.HEADER
    sources = {name: path.read_text() for name, path in paths.items() if name != resting.HEADER}
    for name, source in resting.leave_out_resting(sources, INH).items():
        paths[name].write_text(source)


def _join_what_runs_once(sources: Path) -> Path:
    """Write a unit that holds the files beside the code objects, but the loop."""
    names = sorted(path.name for path in sources.glob("*.cpp") if path.name not in _LOOP)
    unit = sources / "once.cpp"
    unit.write_text("".join(f'#include "{name}"\n' for name in names))
    return unit


def _join_code_objects(sources: Path) -> list[Path]:
    """Write units that hold all code objects; each function gets a global name that calls the one in its namespace."""
    files = sorted((sources / "code_objects").glob("*.cpp"))
    units = []
    for k in range(_UNITS):
        headers: list[str] = []
        bodies = []
        for number, path in enumerate(files[k::_UNITS]):
            found = _INCLUDE.findall(path.read_text())
            headers += [h for h in found if not h.startswith('"code_objects/') and h not in headers]
            phase = "" if path.stem.startswith(("before_run_", "after_run_")) else "run_"
            function = f"_{phase}{path.stem}"
            bodies.append(
                f'namespace unit_{number} {{\n#include "code_objects/{path.name}"\n}}\n'
                f"void {function}() {{ unit_{number}::{function}(); }}\n"
            )
        if k == 0:
            bodies += [f'#include "{name}"\n' for name in _LOOP]
        unit = sources / f"unit_{k}.cpp"
        unit.write_text("".join(f"#include {h}\n" for h in headers) + "".join(bodies))
        units.append(unit)
    return units
