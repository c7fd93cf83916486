"""What a training writes down as it goes; with it and the network's state a resumed training goes on bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Checkpoint, History, Record, StartRecord, read_record
from snstdp_cli.artefacts.records import Count, Curve, Real
from snstdp_cli.engines import ChunkResult
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.training.identity import TrainingIdentity

_SPIKES = "journal.spikes"


class JournalRecord(Record):
    """The text of a checkpoint: the journal after `examples` examples, and which training it is of."""

    format: Literal[2] = 2
    examples: Count
    seconds: Real
    presentations: Count
    silent: Count
    start_bounds: tuple[Real, Real]
    history: History
    curve: Curve
    start: StartRecord
    identity: TrainingIdentity


@dataclass
class Journal:
    """What accumulates over the chunks of a training and goes into its checkpoints and its record.

    Attributes
    ----------
    spikes
        Spikes of each neuron in the accepted presentations, [n_e]; a neuron whose weights moved in a chunk without any
        (it fired in a failed try or in a pause) counts one.
    start_bounds
        Smallest and largest weight at the beginning, which the rule's bounds need not hold.
    """

    identity: TrainingIdentity
    start: StartRecord
    spikes: NDArray[np.int64]
    start_bounds: tuple[float, float] = (0.0, 0.0)
    examples: int = 0
    seconds: float = 0.0
    presentations: int = 0
    silent: int = 0
    history: History = field(default_factory=History)
    curve: tuple[CurvePoint, ...] = ()

    def add_chunk(self, result: ChunkResult, figures: Mapping[str, float], moved: NDArray[np.bool_]) -> None:
        """Enter what a chunk came to; `moved` tells the neurons whose weights changed, [n_e]."""
        self.presentations += int(result.attempts.sum())
        self.silent += int(result.silent.sum())
        spikes = result.counts.sum(axis=0, dtype=np.int64)
        self.spikes = self.spikes + np.where(moved, np.maximum(spikes, 1), spikes)
        self.history = self.history.with_chunk(figures)

    @property
    def never_learned(self) -> NDArray[np.int64]:
        """Neurons that have not spiked: their weights are still those of the beginning."""
        return np.flatnonzero(self.spikes == 0)

    def to_checkpoint(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and text for a checkpoint."""
        record = JournalRecord(
            examples=self.examples,
            seconds=self.seconds,
            presentations=self.presentations,
            silent=self.silent,
            start_bounds=self.start_bounds,
            history=self.history,
            curve=self.curve,
            start=self.start,
            identity=self.identity,
        )
        return {_SPIKES: self.spikes}, record.model_dump(mode="json")

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Journal:
        """Read the journal of a checkpoint.

        Raises
        ------
        ArtefactError
            If the checkpoint is of another version or does not hold what it must.
        """
        if "format" not in checkpoint.meta:
            raise ArtefactError(
                f"{checkpoint.path}: of version 0.1 of snstdp, whose random numbers were others; finish the training "
                "with that version, or start again with --force"
            )
        record = read_record(JournalRecord, checkpoint.meta, Path(checkpoint.path))
        spikes = checkpoint.arrays.get(_SPIKES)
        if spikes is None or spikes.ndim != 1:
            raise ArtefactError(f"{checkpoint.path}: misses the neurons' spikes; start again with --force")
        return cls(spikes=spikes.astype(np.int64), **{key: getattr(record, key) for key in _KEPT})


_KEPT = tuple(key for key in JournalRecord.model_fields if key != "format")
