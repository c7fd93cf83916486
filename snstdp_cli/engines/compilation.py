"""From Brian 2's generated C++ sources to a program, quickly.

Brian 2 writes a source file for each code object; most of the compiler's time would go into reading the same headers
sixty times. Here the code objects are joined into a few units, each in a namespace of its own, which are compiled side
by side. Brian's queue of delayed spikes is replaced by ours (`run_queue.h`), and its loops by faster ones
(`generated`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from snstdp_cli.engines.compiler import (
    COMPILER_FLAGS,
    compiler_flags,
    compiler_version,
    find_compiler,
    processor_features,
    run_compilers,
)
from snstdp_cli.engines.constants import read_numbers_at_start
from snstdp_cli.engines.generated import ask_clock_once, find_spikes_in_blocks, know_the_only_clock, walk_runs

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
_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<].*[">])', re.MULTILINE)


def compile_sources(sources: Path, compiler: str, numbers: Mapping[str, float]) -> Path:
    """Compile the project that Brian 2 wrote to `sources` with `numbers`; return the program, which reads others.

    Raises
    ------
    EngineError
        With what the compiler said, if it fails.
    """
    shutil.copyfile(QUEUE_HEADER, sources / "brianlib" / "spikequeue.h")
    (sources / "guard.cpp").write_text(_GUARD)
    read_numbers_at_start(sources, numbers)
    _change(sources / "network.cpp", ask_clock_once, know_the_only_clock)
    for path in sorted((sources / "code_objects").glob("*.cpp")):
        _change(path, find_spikes_in_blocks, walk_runs)
    units = [*_join_code_objects(sources), *sorted(sources.glob("*.cpp"))]
    # The largest first, so that the last to end is a short one.
    units = sorted(set(units), key=lambda path: (not path.name.startswith("unit_"), -path.stat().st_size))
    objects = [path.with_suffix(".o") for path in units]
    run_compilers(
        compiler,
        [
            ["-c", *compiler_flags(), "-I.", path.name, "-o", target.name]
            for path, target in zip(units, objects, strict=True)
        ],
        sources,
    )
    run_compilers(compiler, [[*(path.name for path in objects), "-o", "main"]], sources)
    return sources / "main"


def _change(path: Path, *changes: Callable[[str], str]) -> None:
    source = path.read_text()
    for change in changes:
        source = change(source)
    path.write_text(source)


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
        unit = sources / f"unit_{k}.cpp"
        unit.write_text("".join(f"#include {h}\n" for h in headers) + "".join(bodies))
        units.append(unit)
    return units
