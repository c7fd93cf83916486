"""kill -9 of the driver, a worker and a simulation: the same command goes on, and nothing differs by a bit."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from synthetic import SMALL, write_idx_set
from trials import LONGER, wait_for, working_folder

from snstdp_cli.config import merge

pytestmark = [pytest.mark.compiles, pytest.mark.slow]


class StudyTrial:
    """A folder with images and a study of four cells, which is run and disturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_idx_set(folder / "images")
        longer = {"num_examples": 240, "chunk": 20, "presentation.stimulus_ms": 250.0, "data": "./images"}
        base = merge(SMALL, {**LONGER, **longer})
        content = {"name": "trial", "base": base, "vary": {"rule": ["smax", "smin"]}, "seeds": 2}
        (folder / "trial.yaml").write_text(yaml.safe_dump(content))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "snstdp_cli", "study", *arguments],
            cwd=self.folder,
            stdout=(self.folder / "output.txt").open("w"),
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, process: subprocess.Popen[str], timeout: float = 300) -> int:
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError((self.folder / "output.txt").read_text()) from None

    def run(self) -> None:
        assert self.end(self.start("run", "trial.yaml", "--workers", "2")) == 0, (
            self.folder / "output.txt"
        ).read_text()

    def results(self, folder: Path | None = None) -> dict[str, bytes]:
        """Return all arrays that the cells left, and their accuracies."""
        cells = (folder or self.folder) / "studies" / "trial" / "cells"
        found = {str(path.relative_to(cells)): path.read_bytes() for path in cells.rglob("*.npy")}
        for path in cells.rglob("*.npz"):
            with np.load(path, allow_pickle=False) as arrays:
                kept = (name for name in arrays.files if name != "provenance")
                found |= {f"{path.relative_to(cells)}:{name}": arrays[name].tobytes() for name in kept}
        return found


def children(pid: int) -> list[int]:
    """Return the processes that any thread of a process started."""
    found = list[int]()
    with contextlib.suppress(OSError):
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(word) for word in listed.read_text().split()]
    return found


def command_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def victim(process: subprocess.Popen[str], kind: str) -> int | None:
    """Return the process to kill, if it is there."""
    if kind == "driver":
        return process.pid
    workers = [pid for pid in children(process.pid) if any("spawn_main" in word for word in command_of(pid))]
    if kind == "worker":
        return workers[0] if workers else None
    started = (pid for worker in workers for pid in children(worker))
    return next(
        (pid for pid in started if Path(command_of(pid)[:1][0] if command_of(pid) else "").name == "main"), None
    )


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[dict[str, bytes]]:
    pytest.importorskip("distributed")
    with working_folder() as folder:
        trial = StudyTrial(folder)
        trial.run()
        yield trial.results()


@pytest.fixture
def trial() -> Iterator[StudyTrial]:
    with working_folder() as folder:
        yield StudyTrial(folder)


@pytest.mark.parametrize("kind", ["driver", "worker", "simulation"])
def test_what_is_killed_goes_on_in_another_folder_to_the_same_bits(
    trial: StudyTrial, undisturbed: dict[str, bytes], kind: str, tmp_path: Path
) -> None:
    process = trial.start("run", "trial.yaml", "--workers", "2")
    progress = trial.folder / "studies" / "trial" / "cells"
    wait_for(lambda: any("training" in path.read_text() for path in _read(progress)))
    target: Any = wait_for(lambda: victim(process, kind) or process.poll() is not None)
    assert process.poll() is None, "the study ended before it was disturbed"
    os.kill(target, signal.SIGKILL)
    code = trial.end(process)
    assert code == (-signal.SIGKILL if kind == "driver" else 0), (trial.folder / "output.txt").read_text()
    time.sleep(1)  # workers notice within that time that their driver is gone
    moved = StudyTrial(tmp_path)
    shutil.move(trial.folder / "studies", moved.folder / "studies")
    moved.run()
    assert moved.results() == undisturbed


def test_two_workers_without_dask_share_the_cells(trial: StudyTrial, undisturbed: dict[str, bytes]) -> None:
    first, second = (trial.start("worker", "trial.yaml") for _ in range(2))
    assert (trial.end(first), trial.end(second)) == (0, 0)
    assert trial.results() == undisturbed


def _read(cells: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(cells.glob("*/progress.json"))
    return []
