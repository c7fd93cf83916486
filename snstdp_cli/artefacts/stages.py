"""What a network knew after each stage, when classes or data sets came one after the other: `<name>.stages.json`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from snstdp_cli.artefacts.files import Workdir, checked_name, exists
from snstdp_cli.artefacts.record_files import read_record_file, write_record_file
from snstdp_cli.artefacts.records import Count, DataRecord, Digest, Identity, Real, Record, Text


class StageAnswers(Record):
    """Answers to test images of the classes seen so far, by one read-out: right ones and all, as `seen` has them.

    A class of which nothing was scored has 0 of both: its accuracy is not known, and is NaN.
    """

    correct: tuple[Count, ...]
    total: tuple[Count, ...]

    @property
    def accuracy(self) -> float:
        """Share of right answers over all classes seen so far."""
        return _share(sum(self.correct), sum(self.total))

    @property
    def by_class(self) -> tuple[float, ...]:
        """Share of right answers for each class."""
        return tuple(_share(right, num) for right, num in zip(self.correct, self.total, strict=True))


def _share(right: int, num: int) -> float:
    return right / num if num else math.nan


class Stage(Record):
    """What the frozen network answered when `seen` were the classes that it had been trained on.

    Attributes
    ----------
    examples
        Training examples by then.
    answers
        By read-out.
    """

    examples: Count
    seen: Annotated[tuple[Count, ...], Field(min_length=1)]
    answers: dict[Text, StageAnswers]

    @model_validator(mode="after")
    def _check_lengths(self) -> Stage:
        if any({len(one.correct), len(one.total)} != {len(self.seen)} for one in self.answers.values()):
            raise ValueError(f"expected answers for each of {len(self.seen)} classes")
        return self


class StagesRecord(Record):
    """All stages of a training `by_class` or `by_data`.

    Attributes
    ----------
    training
        Identity of the training.
    weights
        Digest of the weights that it ended with.
    train, test
        The images that labelled the neurons and those that were answered to; `shown` is how many of each split.
    harder
        The settings by which the test images were made harder, by dotted key; none of records before they took part.
    """

    format: Annotated[int, Field(ge=2, le=2)] = 2
    training: Identity
    weights: Digest
    train: DataRecord
    test: DataRecord
    shown: tuple[Count, Count]
    harder: dict[Text, Real] = Field(default_factory=dict)
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]


def stages_path(workdir: Workdir, name: str) -> Path:
    """Return where the stages of a network are written down."""
    return workdir.activity / f"{checked_name(name)}.stages.json"


def save_stages(workdir: Workdir, name: str, record: StagesRecord) -> Path:
    """Write the stages down, completely or not at all."""
    path = stages_path(workdir, name)
    write_record_file(path, record)
    return path


def load_stages(workdir: Workdir, name: str) -> StagesRecord | None:
    """Return the stages of a network; None if none are written down.

    Raises
    ------
    ArtefactError
        If the file is damaged.
    """
    path = stages_path(workdir, name)
    if not exists(path):
        return None
    return read_record_file(StagesRecord, path)
