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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from snstdp_cli.artefacts import Workdir, weights_exist, write_atomic
from snstdp_cli.artefacts.locks import LockedError, hold_lock
from snstdp_cli.artefacts.provenance import software_versions
from snstdp_cli.artefacts.stages import load_stages
from snstdp_cli.config import build_experiment, is_data_path
from snstdp_cli.datasets import Dataset, Split, load_dataset, sealed_test_images
from snstdp_cli.errors import EngineError, InterruptedRunError, SnstdpError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.progress import RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.results import Score, TrainedNetwork, online_course
from snstdp_cli.studies.file import ScoredSplit
from snstdp_cli.studies.plan import CELL_NAME, Cell, Study
from snstdp_cli.studies.records import (
    LOCK,
    PROGRESS,
    STOP,
    CellProgress,
    CellRecord,
    CellScore,
    has_scores,
    read_cell_record,
    write_cell_record,
    write_progress,
)
from snstdp_cli.studies.sharing import training_shared

#: Seconds between two looks at a lock that another process holds, and between two notes of the progress.
_ASK_S, _NOTE_S = 0.5, 1.0
#: How often a cell is gone on with at once after its engine failed: its program may have been killed.
_TRIES = 2
_FAULT = "fault.txt"


@dataclass(frozen=True)
class CellTask:
    """All that a process needs to run a cell: paths and settings.

    Attributes
    ----------
    folder
        The cell's working folder.
    experiment
        All settings, as JSON has them.
    current_folder
        Where relative paths of images begin.
    retry
        Try again what failed before.
    training
        Key of the training, if other cells have the same (see `sharing`).
    read_outs
        What the cell is scored by; one that was scored by fewer is scored again from its recordings.
    """

    cell: str
    folder: str
    settings: dict[str, Any]
    seed: int
    experiment: dict[str, Any]
    score_on: ScoredSplit = "test"
    data_dir: str | None = None
    current_folder: str = "."
    retry: bool = False
    training: str | None = None
    read_outs: tuple[Classifier, ...] = ()


@dataclass(frozen=True)
class CellOutcome:
    """How a cell ended.

    Attributes
    ----------
    state
        `busy`: another process runs it.
    seconds
        Time that it took now; 0 if nothing was to do.
    accuracies
        By read-out, if it is finished.
    """

    cell: str
    state: Literal["finished", "failed", "interrupted", "busy"]
    error: str | None = None
    seconds: float = 0.0
    accuracies: Mapping[str, float] = dataclasses.field(default_factory=dict)


class StoppedError(InterruptedRunError):
    """Somebody asked a cell to stop; it can be gone on with."""


def make_task(study: Study, cell: Cell, *, data_dir: Path | None = None, retry: bool = False) -> CellTask:
    """Return the task of running a cell."""
    return CellTask(
        cell=cell.id,
        folder=str(study.folder_of(cell).absolute()),
        settings=cell.settings,
        seed=cell.seed,
        experiment=cell.experiment.model_dump(mode="json"),
        score_on=study.file.score_on,
        data_dir=None if data_dir is None else str(data_dir.absolute()),
        current_folder=str(Path.cwd()),
        retry=retry,
        training=study.shared_trainings.get(cell.id),
        read_outs=(*study.file.read_outs, *(() if study.file.search is None else (study.file.search.read_out,))),
    )


def request_stop(folder: Path) -> None:
    """Ask the process that runs a cell to stop at the end of its chunk; the cell is then interrupted."""
    write_atomic(folder / STOP, b"")


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
        with training_shared(folder, task.training):
            score = _run_experiment(task, folder, report)
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
    record = record.model_copy(
        update={"scores": {**record.scores, task.score_on: _cell_score(score)}, "figures": _figures(score, folder)}
    )
    return _end(record, folder, began, "finished", None)


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
) -> CellOutcome:
    seconds = time.perf_counter() - began
    update: dict[str, Any] = {"state": state, "error": error, "ended": _now(), "seconds": record.seconds + seconds}
    if state == "finished":
        update["figures"] = {**record.figures, "duration_s": round(record.seconds + seconds, 3)}
    record = record.model_copy(update=update)
    write_cell_record(folder, record)
    (folder / PROGRESS).unlink(missing_ok=True)
    (folder / STOP).unlink(missing_ok=True)
    newest = next(reversed(record.scores.values())).accuracies if state == "finished" else {}
    return CellOutcome(record.cell, state, error, seconds, newest)


def _run_experiment(task: CellTask, folder: Path, report: Reporter) -> Score:
    """Train, record and score; a program that was killed is started again once."""
    with sealed_test_images(task.score_on == "validation"):
        return _run_sealed(task, folder, report)


def _run_sealed(task: CellTask, folder: Path, report: Reporter) -> Score:
    experiment = build_experiment(task.experiment, {}, f"cell {task.cell}")
    splits: tuple[Split, ...] = ("train",) if task.score_on == "validation" else ("train", "test")
    datasets = {split: _dataset(experiment.data, split, task.data_dir, task.current_folder) for split in splits}
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
                report=_Notes(folder, report).reporter(),
            ).score
        except EngineError as error:
            if not left:
                raise
            report.warn(f"{error}; trying again")
    raise AssertionError("not reached")


@functools.lru_cache(maxsize=8)
def _dataset(name: str, split: Split, data_dir: str | None, current_folder: str) -> Dataset:
    """Load images once for all cells of this process."""
    where = str(Path(current_folder) / Path(name).expanduser()) if is_data_path(name) else name
    loaded = load_dataset(where, split, None if data_dir is None else Path(data_dir))
    # What the study calls them: no path of this machine is written down.
    identity = loaded.identity
    if identity.name == where:
        identity = dataclasses.replace(identity, name=name)
    return dataclasses.replace(loaded, name=name, identity=identity)


class _Notes:
    """Writes down how far a cell is, and looks whether somebody wants it to stop."""

    def __init__(self, folder: Path, report: Reporter) -> None:
        self.folder, self.report, self.last = folder, report, 0.0

    def reporter(self) -> Reporter:
        return dataclasses.replace(self.report, training=self.training, recording=self.recording)

    def training(self, now: TrainingProgress) -> None:
        self.report.training(now)
        curve = tuple((point.examples, point.accuracy) for point in now.curve)
        self._note("training", now.examples, now.total, now.rate, curve)

    def recording(self, now: RecordingProgress) -> None:
        self.report.recording(now)
        self._note(f"recording {now.split}", now.examples, now.total, now.rate)

    def _note(
        self, stage: str, examples: int, total: int, rate: float, curve: tuple[tuple[int, float], ...] = ()
    ) -> None:
        if time.monotonic() - self.last >= _NOTE_S:
            self.last = time.monotonic()
            progress = CellProgress(
                stage=stage,
                examples=examples,
                total=total,
                rate=rate,
                accuracy=curve[-1][1] if curve else None,
                time=time.time(),
                curve=curve,
            )
            write_progress(self.folder, progress)
        if (self.folder / STOP).exists():
            raise StoppedError("stopped on request; run the study again to go on")


def _cell_score(score: Score) -> CellScore:
    return CellScore(
        accuracies={kind: evaluation.accuracy for kind, evaluation in score.evaluations.items()},
        chance=score.evaluation.chance,
        num_examples=score.evaluation.num_examples,
    )


def _figures(score: Score, folder: Path) -> dict[str, float]:
    """Return what was measured beside the accuracy, by name."""
    network, evaluation = TrainedNetwork(Workdir(folder), CELL_NAME), score.evaluation
    found: dict[str, float | None] = {
        "silent_examples": evaluation.silent_examples,
        "undecided_examples": evaluation.undecided_examples,
        "unassigned_neurons": evaluation.unassigned_neurons,
    }
    if score.test.record is not None:
        found["spikes_per_example"] = score.test.record.figures.spikes_per_example
    if network.record is not None and (trained := network.record.figures) is not None:
        found |= {
            "l1_mean": trained.l1_mean,
            "l1_sd": trained.l1_sd,
            "l1_target": trained.l1_target,
            "theta_mean_mv": trained.theta_mv[1],
            "retries": trained.retries,
            "silent_training_examples": trained.silent_examples,
            "never_learned": trained.never_learned,
            "training_s": network.record.duration_s,
        }
    if load_stages(network.workdir, network.name) is not None:
        course = online_course(network, score.classifier)
        found |= {"online_accuracy": course.online_accuracy, "forgetting": course.forgetting}
    return {key: float(value) for key, value in found.items() if value is not None}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
