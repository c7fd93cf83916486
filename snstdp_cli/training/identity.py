"""What tells two trainings apart: checkpoints, snapshots and weights carry it, and a resumed run compares it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from snstdp_cli.artefacts import Record
from snstdp_cli.artefacts.records import Digest
from snstdp_cli.config import Experiment, differences, fingerprint, settings_of
from snstdp_cli.network.neurons import generation
from snstdp_cli.rules import Plasticity, plasticity_digest


class TrainingIdentity(Record):
    """All that the weights of a training depend on, but for its length.

    Attributes
    ----------
    settings
        Those that affect a training, by dotted key.
    rule
        Digest of the built rule: all that it says to Brian 2.
    images
        Digest of the training images and labels, and of their order if a file says it.
    start
        Digest of the weights that it began with.
    """

    settings: dict[str, Any]
    rule: Digest
    images: Digest
    start: Digest
    generation: int | str = Field(default_factory=generation)

    @property
    def digest(self) -> str:
        """A short fingerprint of it."""
        return fingerprint(self.model_dump(mode="json"))

    def differs_in(self, other: TrainingIdentity) -> list[str]:
        """Return a note for each difference."""
        notes = differences(self.settings, other.settings)
        # A rule is built from its parameters and dt: that it says something else is news only if all these agree.
        if not notes and self.rule != other.rule:
            notes.append("what the rule says")
        named = {"images": "training images", "start": "weights to start from"}
        notes += [note for key, note in named.items() if getattr(self, key) != getattr(other, key)]
        return notes + (["version of snstdp"] if self.generation != other.generation else [])


def identify_training(experiment: Experiment, plasticity: Plasticity, images: str, start: str) -> TrainingIdentity:
    """Return the identity of a training.

    Parameters
    ----------
    images
        Digest of the training images and labels.
    start
        Digest of the weights that it begins with.
    """
    return TrainingIdentity(
        settings=settings_of(experiment, "training", without=("num_examples",)),
        rule=plasticity_digest(plasticity),
        images=images,
        start=start,
    )
