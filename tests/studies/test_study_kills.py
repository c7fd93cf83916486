"""kill -9 of the driver, a worker and a simulation: the same command goes on, and nothing differs by a bit."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from study_trials import StudyTrial, victim
from synthetic import SMALL, write_idx_set
from trials import LONGER, wait_for, working_folder

from snstdp_cli.config import merge

pytestmark = [pytest.mark.compiles, pytest.mark.slow]


def write_study(folder: Path) -> StudyTrial:
    """Write images and a study of four cells."""
    write_idx_set(folder / "images")
    longer = {"num_examples": 240, "chunk": 20, "presentation.stimulus_ms": 250.0, "data": "./images"}
    content = {
        "name": "trial",
        "base": merge(SMALL, {**LONGER, **longer}),
        "vary": {"rule": ["smax", "smin"]},
        "seeds": 2,
    }
    (folder / "trial.yaml").write_text(yaml.safe_dump(content))
    return StudyTrial(folder)


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[dict[str, bytes]]:
    pytest.importorskip("distributed")
    with working_folder() as folder:
        trial = write_study(folder)
        trial.run()
        yield trial.results()


@pytest.fixture
def trial() -> Iterator[StudyTrial]:
    with working_folder() as folder:
        yield write_study(folder)


@pytest.mark.parametrize("kind", ["driver", "worker", "simulation"])
def test_what_is_killed_goes_on_in_another_folder_to_the_same_bits(
    trial: StudyTrial, undisturbed: dict[str, bytes], kind: str, tmp_path: Path
) -> None:
    process = trial.run_command()
    wait_for(lambda: trial.is_training() or process.poll() is not None)
    target: Any = wait_for(lambda: victim(process, kind) or process.poll() is not None)
    assert process.poll() is None, "the study ended before it was disturbed"
    os.kill(target, signal.SIGKILL)
    assert trial.end(process) == (-signal.SIGKILL if kind == "driver" else 0), trial.output
    time.sleep(1)  # workers notice within that time that their driver is gone
    moved = write_study(tmp_path)
    shutil.move(trial.folder / "studies", moved.folder / "studies")
    moved.run()
    assert moved.results() == undisturbed


def test_two_workers_without_dask_share_the_cells(trial: StudyTrial, undisturbed: dict[str, bytes]) -> None:
    first, second = (trial.start("worker", "trial.yaml") for _ in range(2))
    assert (trial.end(first), trial.end(second)) == (0, 0)
    assert trial.results() == undisturbed
