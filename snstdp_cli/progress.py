"""What a run tells its caller while it goes on; the command line shows it, tests collect it, others ignore it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from snstdp_cli.evaluation import CurvePoint


@dataclass(frozen=True)
class TrainingProgress:
    """State of a training at the end of a chunk; figures without another word are of that chunk.

    Attributes
    ----------
    examples, total
        Examples shown so far, and to be shown.
    seconds
        Time spent on the training so far, of earlier sessions too.
    rate
        Examples per second of this session.
    spikes_per_example
        Excitatory spikes in the accepted presentation.
    retries
        Presentations beyond one for each example, of the whole training.
    silent
        Examples that never answered, of the whole training.
    silent_neurons, never_learned
        Neurons that did not fire, in this chunk and in the whole training.
    l1_mean, l1_min, l1_max, l1_target
        L1 norm of the neurons' weights; what the rule aims at, if anything.
    theta_mv
        Smallest, mean and largest adaptive threshold, mV.
    curve
        Points of the learning curve, on withheld training images.
    """

    examples: int
    total: int
    seconds: float
    rate: float
    spikes_per_example: float
    retries: int
    silent: int
    silent_neurons: int
    never_learned: int
    l1_mean: float
    l1_min: float
    l1_max: float
    l1_target: float | None
    theta_mv: tuple[float, float, float]
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class RecordingProgress:
    """State of a recording."""

    split: str
    examples: int
    total: int
    rate: float


@dataclass(frozen=True)
class Preflight:
    """What a training will need, extrapolated from a few examples that were presented and thrown away."""

    seconds: float
    rate: float
    measured: int
    memory_mb: float
    disk_mb: float
    folder: str


def _ignore(_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Reporter:
    """Where a run sends its news."""

    say: Callable[[str], None] = field(default=_ignore)
    warn: Callable[[str], None] = field(default=_ignore)
    training: Callable[[TrainingProgress], None] = field(default=_ignore)
    recording: Callable[[RecordingProgress], None] = field(default=_ignore)
    preflight: Callable[[Preflight], None] = field(default=_ignore)
