"""A signal ends the program with exit code 130 and without a traceback, whenever it comes and however it was set."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
#: Stands in for a library whose import takes long, and which makes another error of an interrupt.
SLOW = """
import pathlib, time
pathlib.Path("importing").touch()
try:
    time.sleep(60)
except BaseException:
    raise ImportError("half imported")
"""


def start(folder: Path, library: str, *arguments: str, ignored: bool = False) -> subprocess.Popen[str]:
    """Start the program with a library whose import takes a minute, and wait until it is being imported."""
    (folder / f"{library}.py").write_text(SLOW)

    def ignore() -> None:
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from snstdp_cli.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ignore if ignored else None,
    )
    deadline = time.monotonic() + 60
    while not (folder / "importing").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    return process


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("library", "arguments"), [("typer", ["--help"]), ("numpy", ["evaluate", "mine"])], ids=["start", "command"]
)
def test_while_modules_are_imported(tmp_path: Path, number: signal.Signals, library: str, arguments: list[str]) -> None:
    process = start(tmp_path, library, *arguments)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "error interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_in_a_background_job_that_ignores_it(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "numpy", "evaluate", "mine", ignored=True)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "error interrupted\n")


def test_hanging_up_does_not_end_what_nohup_started(tmp_path: Path) -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from snstdp_cli.cli import signals; signals.catch(); os.kill(os.getpid(), signal.SIGHUP); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "alive\n"


def test_while_a_command_works_there_is_time_to_tidy_up(tmp_path: Path) -> None:
    """Even while something is imported in the middle of it."""
    (tmp_path / "slow.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    code = """if True:
        import sys; sys.path.insert(0, "."); from snstdp_cli.cli import signals; signals.catch()
        with signals.command(), signals.working():
            try:
                import slow
            except KeyboardInterrupt:
                print("tidied up")
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("tidied up\n", "", 0)


def test_the_program_can_be_run_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snstdp_cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.startswith("snstdp ")
