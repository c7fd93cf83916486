"""What lies in the folder of a cell beside its weights and activity: `cell.json`, and `progress.json` while it runs.

    studies/<name>/cells/<id>/
        cell.json       what the cell is, how it went, what came out (`CellRecord`)
        progress.json   how far it is (`CellProgress`); written now and then while it runs
        .lock           held by the process that runs the cell
        stop            asks that process to stop at the next chunk
        weights/ activity/

No path is written down: the folder can be moved and copied.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from snstdp_cli.artefacts import Record, write_record_file
from snstdp_cli.artefacts.files import MAX_JSON_BYTES, exists, parse_json, read_file
from snstdp_cli.artefacts.records import Count, Identity, Real, Text
from snstdp_cli.errors import ArtefactError
from snstdp_cli.fields import describe
from snstdp_cli.studies.file import ScoredSplit

#: What a record may say; `missing` is a cell without one, `interrupted` one whose process is gone.
RecordedState = Literal["running", "finished", "failed", "interrupted"]
RECORD, PROGRESS, LOCK, STOP = "cell.json", "progress.json", ".lock", "stop"
_Sentence = Annotated[str, Field(strict=True, max_length=20_000)]


class CellScore(Record):
    """What a cell came to on one split.

    Attributes
    ----------
    accuracies
        By read-out.
    figures
        What else the recordings of these images tell, by name; records of earlier versions have it among the cell's.
    """

    accuracies: dict[Text, Real]
    chance: Real
    num_examples: Count
    figures: dict[Text, Real] = Field(default_factory=dict)


class CellRecord(Record):
    """A cell: what it is, how it went, what came out.

    Attributes
    ----------
    settings
        The varied settings by dotted key.
    experiment
        All settings.
    attempts
        How often the cell was begun or gone on with.
    seconds
        Time of all attempts that came to an end.
    machine
        Name of the machine of the last attempt.
    scores
        By split; a cell is finished for the splits that are here.
    figures
        What is known of the training, by name.
    """

    format: Literal[1] = 1
    cell: Identity
    settings: dict[Text, Any]
    seed: Count
    experiment: dict[Text, Any]
    state: RecordedState
    attempts: Annotated[Count, Field(ge=0)] = 0
    error: _Sentence | None = None
    started: Text | None = None
    ended: Text | None = None
    seconds: Annotated[Real, Field(ge=0)] = 0.0
    machine: Text | None = None
    versions: dict[Text, Text] = Field(default_factory=dict)
    scores: dict[ScoredSplit, CellScore] = Field(default_factory=dict)
    figures: dict[Text, Real] = Field(default_factory=dict)


class CellProgress(Record):
    """How far a running cell is.

    Attributes
    ----------
    stage
        `training`, `recording train`, `recording test` ...
    accuracy
        The latest point of the learning curve.
    time
        Seconds since 1970.
    curve
        Points of the learning curve: examples and accuracy.
    """

    stage: Text
    examples: Count
    total: Count
    rate: Real
    accuracy: Real | None = None
    time: Real
    curve: tuple[tuple[Count, Real], ...] = ()

    @property
    def age_s(self) -> float:
        """Seconds since it was written, by this machine's clock."""
        return time.time() - self.time


def read_cell_record(folder: Path) -> CellRecord | None:
    """Return the record of a cell; None if it was never begun.

    Raises
    ------
    ArtefactError
        If it is damaged or of another version.
    """
    path = folder / RECORD
    if not exists(path):
        return None
    content = parse_json(read_file(path, MAX_JSON_BYTES), path)
    try:
        return CellRecord.model_validate(content)
    except ValidationError as error:
        raise ArtefactError(
            f"{describe(error, str(path), CellRecord)}\nThe record was changed by hand or is of another version of "
            "snstdp; delete it, and the cell is looked at again"
        ) from None


def has_scores(record: CellRecord, split: ScoredSplit, read_outs: Iterable[str]) -> bool:
    """Tell whether a cell was scored on a split by all of these read-outs."""
    return split in record.scores and record.scores[split].accuracies.keys() >= set(read_outs)


def write_cell_record(folder: Path, record: CellRecord) -> None:
    """Write the record of a cell, completely or not at all."""
    path = folder / RECORD
    write_record_file(path, record)


def read_progress(folder: Path) -> CellProgress | None:
    """Return how far a cell is; None if nothing usable is written."""
    path = folder / PROGRESS
    try:
        return CellProgress.model_validate(parse_json(read_file(path, MAX_JSON_BYTES), path))
    except (ArtefactError, ValidationError):
        return None


def write_progress(folder: Path, progress: CellProgress) -> None:
    """Write how far a cell is; it is read by whoever watches the study."""
    path = folder / PROGRESS
    write_record_file(path, progress)
