"""What is handed to whoever runs a cell, and what comes back: paths and settings, and a small record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from snstdp_cli.artefacts import write_atomic
from snstdp_cli.evaluation import Classifier
from snstdp_cli.studies.cell import Cell, training_key
from snstdp_cli.studies.file import ScoredSplit
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.records import STOP


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
        Key of the training, which other cells may have too (see `sharing`).
    read_outs
        What the cell is scored by; one that was scored by fewer is scored again from its recordings.
    """

    cell: str
    folder: str
    settings: dict[str, Any]
    seed: int
    experiment: dict[str, Any]
    training: str
    score_on: ScoredSplit = "test"
    data_dir: str | None = None
    current_folder: str = "."
    retry: bool = False
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
    accuracies: Mapping[str, float] = field(default_factory=dict)


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
        training=training_key(cell.experiment),
        read_outs=(*study.file.read_outs, *(() if study.file.search is None else (study.file.search.read_out,))),
    )


def request_stop(folder: Path) -> None:
    """Ask the process that runs a cell to stop at the end of its chunk; the cell is then interrupted."""
    write_atomic(folder / STOP, b"")
