"""What became of each cell of a study: read from the disk, which is the truth."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Workdir, weights_exist
from snstdp_cli.artefacts.locks import is_locked
from snstdp_cli.config import Experiment
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.results import Score, TrainedNetwork, score_network
from snstdp_cli.studies.cell import CELL_NAME, Cell
from snstdp_cli.studies.file import ScoredSplit
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.records import (
    LOCK,
    PROGRESS,
    CellProgress,
    CellRecord,
    has_scores,
    read_cell_record,
    read_progress,
)

CellState = Literal["finished", "missing", "failed", "running", "interrupted"]
#: A cell on another machine, whose lock may not be seen here, runs if it told so within this time, seconds.
_FRESH_S = 120.0


@dataclass(frozen=True)
class CellResult:
    """One experiment of a study.

    Attributes
    ----------
    cell
        Fingerprint of its experiment, and name of its folder.
    settings
        The varied keys, dotted, without the seed; `rule` is the rule's name.
    accuracies
        By read-out ("average", "selective", ...); empty before it is scored.
    chance
        Accuracy of always answering the commonest class.
    num_examples
        Images that were scored.
    figures
        What else was measured, by name: l1_mean, retries, never_learned, duration_s ...
    error
        Why it failed, in a sentence.
    folder
        Its working folder.
    score_on
        Which images were scored.
    experiment
        All settings, if they are known.
    """

    cell: str
    settings: dict[str, Any]
    seed: int
    state: CellState
    accuracies: dict[str, float]
    chance: float | None
    num_examples: int | None
    figures: dict[str, float]
    error: str | None
    folder: Path
    score_on: ScoredSplit = "test"
    experiment: Experiment | None = None


def load_results(study: Study) -> list[CellResult]:
    """Return what became of each cell of a study, in the order of its plan.

    A record that cannot be read makes its cell a failed one, with the sentence.
    """
    return [load_result(study, cell) for cell in study.cells]


def load_result(study: Study, cell: Cell) -> CellResult:
    """Return what became of one cell."""
    folder, split = study.folder_of(cell), study.file.score_on
    record, error = None, None
    try:
        record = read_cell_record(folder)
    except ArtefactError as damaged:
        error = str(damaged)
    state: CellState = "failed" if error else cell_state(folder, record, split, study.file.read_outs)
    score = record.scores.get(split) if record is not None and state == "finished" else None
    return CellResult(
        cell=cell.id,
        settings=cell.settings,
        seed=cell.seed,
        state=state,
        accuracies={} if score is None else in_order(score.accuracies, study),
        chance=None if score is None else score.chance,
        num_examples=None if score is None else score.num_examples,
        figures={} if record is None or score is None else {**score.figures, **record.figures},
        error=error or (record.error if record is not None and state == "failed" else None),
        folder=folder,
        score_on=split,
        experiment=cell.experiment,
    )


def in_order(accuracies: Mapping[str, float], study: Study) -> dict[str, float]:
    """Return the accuracies of the study's read-outs, in its order."""
    return {kind: accuracies[kind] for kind in study.file.read_outs if kind in accuracies}


def running_cells(study: Study, cells: Iterable[Cell] | None = None) -> list[tuple[Cell, CellProgress]]:
    """Return the cells that run now, here or elsewhere, and how far they are.

    Parameters
    ----------
    cells
        Those to look at; by default the cells of the plan.
    """
    found, by_id = [], study.by_id if cells is None else {cell.id: cell for cell in cells}
    for path in sorted((study.folder / "cells").glob(f"*/{PROGRESS}")):
        cell = by_id.get(path.parent.name)
        progress = None if cell is None else read_progress(path.parent)
        if cell is None or progress is None:
            continue
        if is_locked(path.parent / LOCK) or (progress.age_s < _FRESH_S and _is_elsewhere(path.parent)):
            found.append((cell, progress))
    return found


def _is_elsewhere(folder: Path) -> bool:
    try:
        record = read_cell_record(folder)
    except ArtefactError:
        return False
    return record is not None and record.state == "running" and record.machine != platform.node()


def cell_state(
    folder: Path, record: CellRecord | None, split: ScoredSplit, read_outs: Sequence[Classifier] = ()
) -> CellState:
    """Tell how a cell stands: its record, whether a process holds its lock, and whether its results are there.

    A cell that was scored by fewer read-outs is missing: when it is run, its recordings are scored again.
    """
    if is_locked(folder / LOCK):
        return "running"
    if record is None:
        return "missing"
    if record.state == "finished":
        kept = has_scores(record, split, read_outs) and weights_exist(Workdir(folder), CELL_NAME)
        return "finished" if kept else "missing"
    if record.state != "running":
        return record.state
    progress = read_progress(folder)
    elsewhere = record.machine != platform.node() and progress is not None and progress.age_s < _FRESH_S
    return "running" if elsewhere else "interrupted"


def load_score(result: CellResult, read_outs: Sequence[Classifier] = ()) -> Score:
    """Score the recordings of a finished cell again, with all that its score is made of.

    Raises
    ------
    ArtefactError
        If the recordings are not there.
    """
    return score_network(
        TrainedNetwork(Workdir(result.folder), CELL_NAME), score_on=result.score_on, read_outs=read_outs
    )


def load_correct(result: CellResult, read_out: Classifier) -> NDArray[np.bool_]:
    """Return which scored images a finished cell answered rightly, [num_examples].

    Raises
    ------
    ArtefactError
        If the recordings are not there.
    """
    return load_score(result, (read_out,)).evaluations[read_out].correct
