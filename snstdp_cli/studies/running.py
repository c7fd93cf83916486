"""Run one cell in its folder: begin it or go on with it, write down how it went, and never end the others."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import platform
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from snstdp_cli.artefacts import Workdir, weights_exist, write_atomic
from snstdp_cli.artefacts.locks import LockedError, hold_lock
from snstdp_cli.artefacts.provenance import software_versions
from snstdp_cli.config import Experiment, InputSection, build_experiment, is_data_path
from snstdp_cli.datasets import Dataset, Part, Split, load_dataset, part_of, sealed_test_images, split_of
from snstdp_cli.errors import EngineError, InterruptedRunError, SnstdpError
from snstdp_cli.pipeline import plan_recording, run_experiment
from snstdp_cli.progress import Reporter
from snstdp_cli.results import Score
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.figures import cell_figures, cell_score
from snstdp_cli.studies.notes import CellNotes, StoppedError
from snstdp_cli.studies.records import (
    LOCK,
    PROGRESS,
    STOP,
    CellProgress,
    CellRecord,
    has_scores,
    read_cell_record,
    write_cell_record,
    write_progress,
)
from snstdp_cli.studies.sharing import share_recordings, training_shared
from snstdp_cli.studies.tasks import CellOutcome, CellTask
from snstdp_cli.training.completed import is_trained

#: Seconds between two looks at a lock that another process holds.
_ASK_S = 0.5
#: How often a cell is gone on with at once after its engine failed: its program may have been killed.
_TRIES = 2
_FAULT = "fault.txt"


def run_cell(task: CellTask, *, wait: bool = False, report: Reporter | None = None) -> CellOutcome:
    """Run a cell to its end, from where it stands.

    Parameters
    ----------
    wait
        Wait while another process runs the cell: it may be cut off, and then this one goes on. Otherwise the outcome
        is `busy`.
    report
        Hears what the training says.

    Returns
    -------
    outcome
        Also for a cell that failed, whose sentence is written down.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C; the cell is written down as interrupted.
    """
    folder = Path(task.folder)
    try:
        with _held(folder, wait) as is_held:
            return _run_held(task, folder, report or Reporter()) if is_held else CellOutcome(task.cell, "busy")
    except SnstdpError as error:  # the folder itself cannot be used
        return CellOutcome(task.cell, "failed", str(error))


def write_failure(task: CellTask, sentence: str) -> CellOutcome:
    """Write down that a cell failed, for a process that could not do it itself, or was never begun."""
    folder = Path(task.folder)
    try:
        with hold_lock(folder / LOCK):
            record = _begin(task, folder, read_cell_record(folder))
            return _end(record, folder, time.perf_counter(), "failed", sentence)
    except SnstdpError as error:
        return CellOutcome(task.cell, "failed", f"{sentence} (and {error})")


def write_interruption(folder: Path) -> bool:
    """Write down as interrupted a cell whose process was ended before it could; return False if one has it yet."""
    try:
        with hold_lock(folder / LOCK):
            record = read_cell_record(folder)
            if record is not None and record.state == "running":
                _end(record, folder, time.perf_counter(), "interrupted", None)
    except LockedError:
        return False
    except SnstdpError:  # a folder that cannot be read is told by whoever looks at it
        pass
    return True


@contextmanager
def _held(folder: Path, wait: bool) -> Iterator[bool]:
    """Hold the cell's lock; yield False if another process has it and nobody waits."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold_lock(folder / LOCK))
                break
            except LockedError:
                if not wait:
                    time.sleep(0.05)  # who looks at a study holds the lock for a moment
                    with contextlib.suppress(LockedError):
                        stack.enter_context(hold_lock(folder / LOCK))
                        break
                    yield False
                    return
                time.sleep(_ASK_S)
        yield True


def _run_held(task: CellTask, folder: Path, report: Reporter) -> CellOutcome:
    record = read_cell_record(folder)
    if record is not None and record.state == "finished" and _is_kept(folder, record, task):
        return CellOutcome(task.cell, "finished", accuracies=record.scores[task.score_on].accuracies)
    if record is not None and record.state == "failed" and not task.retry:
        return CellOutcome(task.cell, "failed", record.error)
    began = time.perf_counter()
    record = _begin(task, folder, record)
    try:
        score = _run_experiment(task, folder, report)
        scored = cell_score(score)
        measured = {"scores": {**record.scores, task.score_on: scored}, "figures": cell_figures(score, folder)}
    except StoppedError as stop:
        return _end(record, folder, began, "interrupted", str(stop))
    except (KeyboardInterrupt, InterruptedRunError):
        _end(record, folder, began, "interrupted", None)
        raise KeyboardInterrupt from None
    except SnstdpError as error:
        return _end(record, folder, began, "failed", str(error).replace(f"{task.current_folder}/", ""))
    except MemoryError:
        return _end(record, folder, began, "failed", "not enough memory; use fewer neurons or fewer workers")
    except Exception as error:  # a fault of the program must not end the other cells
        write_atomic(folder / _FAULT, traceback.format_exc().encode())
        told = f"a fault of snstdp: {type(error).__name__}: {' '.join(str(error).split())[:500]}; see {_FAULT}"
        return _end(record, folder, began, "failed", told)
    return _end(record.model_copy(update=measured), folder, began, "finished", None, scored.accuracies)


def _is_kept(folder: Path, record: CellRecord, task: CellTask) -> bool:
    return has_scores(record, task.score_on, task.read_outs) and weights_exist(Workdir(folder), CELL_NAME)


def _begin(task: CellTask, folder: Path, before: CellRecord | None) -> CellRecord:
    for name in (STOP, _FAULT):
        (folder / name).unlink(missing_ok=True)
    record = CellRecord(
        cell=task.cell,
        settings=task.settings,
        seed=task.seed,
        experiment=task.experiment,
        state="running",
        attempts=1 if before is None else before.attempts + 1,
        started=_now(),
        seconds=0.0 if before is None else before.seconds,
        machine=platform.node(),
        versions=software_versions(),
        scores={} if before is None else before.scores,
        figures={} if before is None else before.figures,
    )
    write_cell_record(folder, record)
    total = int(task.experiment["num_examples"])
    write_progress(folder, CellProgress(stage="starting", examples=0, total=total, rate=0.0, time=time.time()))
    return record


def _end(
    record: CellRecord,
    folder: Path,
    began: float,
    state: Literal["finished", "failed", "interrupted"],
    error: str | None,
    accuracies: Mapping[str, float] | None = None,
) -> CellOutcome:
    seconds = time.perf_counter() - began
    update: dict[str, Any] = {"state": state, "error": error, "ended": _now(), "seconds": record.seconds + seconds}
    if state == "finished":
        update["figures"] = {**record.figures, "duration_s": round(record.seconds + seconds, 3)}
    record = record.model_copy(update=update)
    write_cell_record(folder, record)
    (folder / PROGRESS).unlink(missing_ok=True)
    (folder / STOP).unlink(missing_ok=True)
    return CellOutcome(record.cell, state, error, seconds, accuracies or {})


def _run_experiment(task: CellTask, folder: Path, report: Reporter) -> Score:
    """Train, or copy the same training, record and score; a validation sees no test images."""
    with sealed_test_images(task.score_on == "validation"):
        return _run_sealed(task, folder, report)


def _run_sealed(task: CellTask, folder: Path, report: Reporter) -> Score:
    experiment = build_experiment(task.experiment, {}, f"cell {task.cell}")
    parts: tuple[Part, ...] = ("train", task.score_on)
    datasets = {
        split: _dataset(experiment.data, split, experiment.input, task.data_dir, task.current_folder)
        for split in map(split_of, parts)
    }
    held = experiment.evaluation.withheld
    images = {part: part_of(datasets[split_of(part)], part, held) for part in parts}

    def fits(other: Path) -> bool:
        with contextlib.suppress(SnstdpError):
            return is_trained(experiment, Workdir(other), images["train"])
        return False

    with training_shared(folder, task.training, fits):
        with contextlib.suppress(SnstdpError):  # it is not trained yet, or about to say what is wrong
            place = Workdir(folder)
            planned = [plan_recording(experiment, place, part, shown) for part, shown in images.items()]
            share_recordings(folder, task.training, [path.name for _, _, path in planned])
        return _run_twice(experiment, datasets, task, folder, report)


def _run_twice(
    experiment: Experiment, datasets: dict[Split, Dataset], task: CellTask, folder: Path, report: Reporter
) -> Score:
    """Run the experiment; a program that was killed is started again once."""
    for left in reversed(range(_TRIES)):
        try:
            return run_experiment(
                experiment,
                Workdir(folder),
                score_on=task.score_on,
                read_outs=task.read_outs,
                datasets=datasets,
                workers=1,
                resume=True,
                report=CellNotes(folder, report).reporter(),
            ).score
        except EngineError as error:
            if not left:
                raise
            report.warn(f"{error}; trying again")
    raise AssertionError("not reached")


@functools.lru_cache(maxsize=8)
def _dataset(name: str, split: Split, inputs: InputSection, data_dir: str | None, current_folder: str) -> Dataset:
    """Load images once for all cells of this process."""
    where = str(Path(current_folder) / Path(name).expanduser()) if is_data_path(name) else name
    folder = None if data_dir is None else Path(data_dir)
    loaded = load_dataset(where, split, folder, inputs=inputs, only_whole=True)
    # What the study calls them: no path of this machine is written down.
    identity = loaded.identity
    if identity.name.startswith(where):
        identity = dataclasses.replace(identity, name=f"{name}{identity.name.removeprefix(where)}")
    return dataclasses.replace(loaded, name=name, identity=identity)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
