"""What trials of studies share: start a study in a folder of its own, find its processes, compare what it left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import snstdp_cli

#: Figures and words of a record that tell of the time and of how often it was disturbed, and nothing of the result.
_DIFFERS = {"started", "ended", "seconds", "attempts"}


class StudyTrial:
    """A folder with a study file, in which the study is run and disturbed.

    Parameters
    ----------
    folder
        Where the study runs; a study file of this name is in it.
    prefix
        Words before the command, such as those that put it into a network namespace.
    """

    def __init__(self, folder: Path, name: str = "trial", prefix: Sequence[str] = ()) -> None:
        self.folder, self.name, self.prefix = folder, name, tuple(prefix)

    @property
    def output(self) -> str:
        """What the study started last has said."""
        return (self.folder / "output.txt").read_text()

    @property
    def cells(self) -> Path:
        """The folder of the cells."""
        return self.folder / "studies" / self.name / "cells"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `snstdp study`, with its output going to a file."""
        search_path = str(Path(snstdp_cli.__file__).parents[1])
        with (self.folder / "output.txt").open("w") as output:
            return subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "snstdp_cli", "study", *arguments],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "PYTHONPATH": search_path},
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def run_command(self, *options: str) -> subprocess.Popen[str]:
        """Start `snstdp study run` on two workers, or as the options say."""
        return self.start("run", f"{self.name}.yaml", *(options or ("--workers", "2")))

    def end(self, process: subprocess.Popen[str], timeout: float = 3600) -> int:
        """Wait for the study; a traceback is never an answer."""
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"not at its end after {timeout} s: {self.output}") from None
        assert "Traceback" not in self.output, self.output
        return code

    def run(self, *options: str) -> None:
        """Run the study to its end, which must be a good one."""
        assert self.end(self.run_command(*options)) == 0, self.output

    def is_training(self) -> bool:
        """Tell whether some cell is in the middle of its training."""
        with contextlib.suppress(OSError, ValueError):
            for path in self.cells.glob("*/progress.json"):
                now = json.loads(path.read_text())
                if now["stage"] == "training" and 0 < now["examples"] < now["total"]:
                    return True
        return False

    def states(self) -> list[str]:
        """Return the states of all cells that were begun."""
        return [json.loads(path.read_text())["state"] for path in sorted(self.cells.glob("*/cell.json"))]

    def results(self) -> dict[str, bytes]:
        """Return all arrays that the cells left, and their accuracies and figures."""
        found = {str(path.relative_to(self.cells)): path.read_bytes() for path in self.cells.rglob("*.npy")}
        for path in self.cells.rglob("*.npz"):
            with np.load(path, allow_pickle=False) as arrays:
                kept = (name for name in arrays.files if name != "provenance")
                found |= {f"{path.relative_to(self.cells)}:{name}": arrays[name].tobytes() for name in kept}
        for path in self.cells.glob("*/cell.json"):
            record = json.loads(path.read_text())
            record["figures"] = {key: value for key, value in record["figures"].items() if not key.endswith("_s")}
            kept_record = {key: value for key, value in record.items() if key not in _DIFFERS}
            found[str(path.relative_to(self.cells))] = json.dumps(kept_record, sort_keys=True).encode()
        return found


def children(pid: int) -> list[int]:
    """Return the processes that any thread of a process started."""
    found = list[int]()
    with contextlib.suppress(OSError):
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(word) for word in listed.read_text().split()]
    return found


def command_of(pid: int) -> list[str]:
    """Return the words that started a process; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """Return the processes below a process."""
    found = children(pid)
    return found + [deeper for child in found for deeper in descendants(child)]


def victim(process: subprocess.Popen[str], kind: str) -> int | None:
    """Return a process of a study to kill, if it is there: the `driver`, a `worker` or a `simulation`."""
    if kind == "driver":
        return process.pid
    if kind == "worker":
        workers = (pid for pid in children(process.pid) if any("spawn_main" in word for word in command_of(pid)))
        return next(workers, None)
    return next((pid for pid in descendants(process.pid) if Path((command_of(pid) or [""])[0]).name == "main"), None)
