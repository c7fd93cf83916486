"""The C++ compiler: which one, with which flags, and calling it."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from snstdp_cli.engines.cores import available_cores
from snstdp_cli.errors import EngineError
from snstdp_cli.signals import hold_interrupts

#: No -ffast-math: the same additions in the same order on every engine, so that all see the same spikes.
COMPILER_FLAGS = (
    "-w",
    "-O3",
    "-std=c++17",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    # Loops over many arrays vectorize only if so many pairs may be told apart at run time.
    "--param=vect-max-version-for-alias-checks=100",
)
_ASK_TIMEOUT_S = 60
_USE_RUNTIME = "Check the compiler and the free disk space, or use --engine runtime"
#: A compiler that does not exist means NumPy, a broken one is an error.
USE_NUMPY = "Name another compiler by the environment variable CXX, or go on without one, slowly: CXX=none"


def find_compiler() -> str | None:
    """Return the C++ compiler as a command for a shell: `$CXX` and nothing else if it is set, else g++, c++ or clang++.

    `$CXX` may have arguments, as in `CXX="ccache g++ -m64"`. Folders of the search path that are relative, such as the
    current one, are not looked into.

    Raises
    ------
    EngineError
        If `$CXX` has a quotation mark without its partner.
    """
    chosen = os.environ.get("CXX", "").strip()
    for command in [chosen] if chosen else ["g++", "c++", "clang++"]:
        if path := shutil.which(command, path=_search_path()):  # also one with blanks in its name
            return shlex.quote(str(Path(path).absolute()))
        program, *arguments = _split(command)
        if path := shutil.which(program, path=_search_path()):
            return shlex.join([str(Path(path).absolute()), *arguments])
    return None


def compiler_flags() -> list[str]:
    """Return the flags; `SNSTDP_PORTABLE=1` leaves out the instructions of this machine's processor."""
    return [*COMPILER_FLAGS, *([] if os.environ.get("SNSTDP_PORTABLE") == "1" else ["-march=native"])]


def compiler_version(compiler: str) -> str:
    """Return the first line that the compiler says of itself."""
    try:
        answer = subprocess.run(
            [*_split(compiler), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_TIMEOUT_S,
            check=True,
            env=safe_environment(),
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise EngineError(
            f"the C++ compiler {compiler} does not answer: {error}; install g++ or use --engine runtime"
        ) from None
    return answer.stdout.splitlines()[0] if answer.stdout.strip() else "unknown"


def processor_features() -> str:
    """Return what -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "") + platform.machine()


def safe_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a child process: nothing in it makes the child look into the current folder."""
    return {**os.environ, "PATH": _search_path(), "PYTHONSAFEPATH": "1", **changes}


def run_compilers(compiler: str, arguments: Sequence[Sequence[str]], folder: Path, advice: str = _USE_RUNTIME) -> None:
    """Run the compiler with each list of arguments, as many at a time as there are cores; the first failure ends all.

    Raises
    ------
    EngineError
        With what the compiler said, if it fails.
    """
    command, waiting = _split(compiler), [list(each) for each in arguments]
    running: list[subprocess.Popen[str]] = []
    cores = available_cores()
    try:
        while waiting or running:
            while waiting and len(running) < cores:
                with hold_interrupts():
                    running.append(_start([*command, *waiting.pop(0)], folder))
            output, _ = running[0].communicate()
            if (code := running[0].returncode) != 0:
                raise EngineError(
                    f"the C++ compiler failed (exit code {code}): {output.strip()[-1500:] or 'no output'}\n{advice}"
                )
            running.pop(0)
    finally:
        with hold_interrupts():
            for process in running:
                _end(process)


def check_compiler(compiler: str, folder: Path) -> None:
    """Compile an empty program with our flags in a temporary folder of ours.

    Raises
    ------
    EngineError
        With what the compiler said, if it fails.
    """
    (folder / "empty.cpp").write_text("int main() { return 0; }\n")
    run_compilers(compiler, [["-c", *compiler_flags(), "empty.cpp", "-o", "empty.o"]], folder, USE_NUMPY)


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C reaches this process only, which then ends the compilers.
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=safe_environment(TMPDIR=str(folder)),
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    # g++ starts helpers, which are in the same session.
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise EngineError(f"CXX: cannot read the command {command!r}: {error}; quote it as for a shell") from None


def _search_path() -> str:
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(place for place in places if Path(place).is_absolute())
