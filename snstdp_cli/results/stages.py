"""A few neurons at the stages of a training: which ones to look at, and what the snapshots hold of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import ArtefactError
from snstdp_cli.results.network import TrainedNetwork

#: A neuron whose threshold rose by less than this share of the widest rise learned little.
_LEAST_RISE = 0.1


@dataclass(frozen=True, eq=False)
class Stages:
    """Receptive fields of chosen neurons while a network was trained.

    Attributes
    ----------
    neurons
        Which ones, [num].
    examples
        Training examples shown at each stage; the last is the end of the training, None if it is not written down.
    weights
        Their weights at each stage, [n_input, num]; None where no snapshot was kept.
    """

    neurons: NDArray[np.int64]
    examples: tuple[int | None, ...]
    weights: tuple[NDArray[np.float64] | None, ...]

    @property
    def is_even(self) -> bool:
        """Whether the stages before the end lie at even steps."""
        marks = [examples for examples in self.examples[:-1] if examples is not None]
        return len({b - a for a, b in pairwise([0, *marks])}) <= 1

    @property
    def missing(self) -> list[int]:
        """The stages of which no snapshot was kept."""
        every = zip(self.examples, self.weights, strict=True)
        return [examples for examples, weights in every if weights is None and examples is not None]


def training_stages(network: TrainedNetwork, neurons: list[int] | None = None, *, most: int = 8) -> Stages:
    """Return the receptive fields of a few neurons at even steps of a training.

    Parameters
    ----------
    neurons
        Which neurons; by default eight that have learned.
    most
        How many stages at most, the end among them.

    Raises
    ------
    ArtefactError
        If no snapshot was kept.
    """
    kept = {shot.examples: shot.weights for shot in network.snapshots}
    if not kept:
        every = max(1, network.experiment.num_examples // most)
        raise ArtefactError(
            f"{network.workdir.weights / 'snapshots'}: no snapshots of '{network.name}'; train with a checkpoint_every "
            f"below num_examples, such as --set checkpoint_every={every}"
        )
    chosen = np.asarray(neurons if neurons else learned_neurons(network), dtype=np.int64)
    figures = None if network.record is None else network.record.figures
    last = None if figures is None else figures.examples
    marks = even_steps(sorted(kept), last, most - 1)
    stages = [None if (shot := kept.get(mark)) is None else shot[:, chosen] for mark in marks]
    return Stages(chosen, (*marks, last), (*stages, network.weights[:, chosen]))


def even_steps(kept: list[int], last: int | None, most: int) -> list[int]:
    """Return evenly spaced numbers of examples that cover the kept snapshots.

    Parameters
    ----------
    kept
        Examples of the kept snapshots, sorted.
    last
        Examples at the end of the training, which is no snapshot.
    most
        How many numbers at most.

    Returns
    -------
    marks
        Multiples of the smallest step, or of several of them if there are too many; a mark need not have been kept.
        Where most would be missing, kept ones, which are then not evenly spaced.

    Examples
    --------
    >>> even_steps([1000, 2000, 4000], 5000, 7)
    [1000, 2000, 3000, 4000]
    >>> even_steps(list(range(1000, 20000, 1000)), 20000, 7)
    [3000, 6000, 9000, 12000, 15000, 18000]
    """
    positive = [examples for examples in kept if examples > 0]
    step = int(np.gcd.reduce(positive)) if positive else 0
    end = max(positive, default=0) if last is None else max(max(positive, default=0), min(last - 1, 2**53))
    if step == 0 or (num := end // step) == 0:
        return kept[:most]
    stride = -(-num // most)
    marks = [k * step for k in range(stride, num + 1, stride)]
    if 2 * len(set(marks) & set(kept)) >= len(marks):
        return marks
    places = np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int)
    return [kept[k] for k in places]


def learned_neurons(network: TrainedNetwork, most: int = 8) -> list[int]:
    """Return some neurons that have learned, evenly chosen: at spikes weights change and thresholds rise."""
    theta, never = network.theta_mv, network.never_learned
    usable = np.arange(len(theta)) if never is None or never.all() else np.flatnonzero(~never)
    low, high = theta.min(), theta.max()
    active = usable[theta[usable] > low + _LEAST_RISE * (high - low)]
    if len(active) < most:
        active = np.sort(usable[np.argsort(-theta[usable], kind="stable")[:most]])
    places = np.linspace(0, len(active) - 1, min(most, len(active))).round().astype(int)
    return [int(active[k]) for k in places]
