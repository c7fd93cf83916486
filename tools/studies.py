"""Trials of studies: rows of `tools/reliability.py`, on the digits that come with snstdp.

Each returns its outcome as a sentence, or raises `AssertionError` with what was broken.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from study_trials import StudyTrial, victim
from trials import wait_for, working_folder

ROUNDS = 3
#: On a busy machine a study takes many times as long as on an idle one.
_PATIENCE_S = 3600.0
_STUDY = Path(__file__).parent.parent / "configs" / "studies" / "rules.yaml"


def study_in(folder: Path) -> StudyTrial:
    """Put the study of three rules into a folder."""
    shutil.copy(_STUDY, folder)
    return StudyTrial(folder, _STUDY.stem)


def kill_a_study() -> str:
    """Disturb a study, and compare all that it leaves with what an undisturbed one leaves."""
    with ExitStack() as stack:
        undisturbed = study_in(stack.enter_context(working_folder()))
        undisturbed.run()
        trial = disturbed(stack)
        results, expected = trial.results(), undisturbed.results()
        different = [name for name, value in expected.items() if results.get(name) != value]
        assert not different, f"differ: {different[:5]}"
        assert results.keys() == expected.keys(), f"more: {sorted(results.keys() - expected.keys())[:5]}"
        return (
            f"{3 * ROUNDS} kills, {ROUNDS} moves: all {len(trial.states())} cells ({len(results)} arrays and records) "
            "are those of an undisturbed study, bit for bit"
        )


def disturbed(stack: ExitStack) -> StudyTrial:
    """Kill a worker, a simulation and the driver of a study, three times each, and move it after each of the driver."""
    trial = study_in(stack.enter_context(working_folder()))
    process = trial.run_command()
    for _ in range(ROUNDS):
        for kind in ("worker", "simulation", "driver"):
            before = trial.states().count("finished")
            wait_for(lambda: trial.states().count("finished") > before and trial.is_training(), _PATIENCE_S)  # noqa: B023
            os.kill(wait_for(lambda: victim(process, kind)), signal.SIGKILL)  # noqa: B023
        assert process.wait(60) == -signal.SIGKILL
        assert "Traceback" not in trial.output, trial.output
        time.sleep(2)  # workers notice within that time that their driver is gone
        moved = study_in(stack.enter_context(working_folder()))
        shutil.move(trial.folder / "studies", moved.folder / "studies")
        trial = moved
        process = trial.run_command()
    assert trial.end(process, _PATIENCE_S) == 0, trial.output
    return trial


STUDIES: dict[str, Callable[[], str]] = {"kill -9 of a study": kill_a_study}
