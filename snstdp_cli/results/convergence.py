"""Whether a network came to rest and learned at the right pace, as the history of its training tells."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.evaluation import Assignment
from snstdp_cli.fields import percent
from snstdp_cli.results.finding import Finding

#: A rise in the last quarter of a training that is at least this share of the whole rise is no end of it.
_STILL_RISING = 0.08
#: A neuron that fired fewer spikes than this many memories still carries its random start.
_LEAST_MEMORIES = 3.0
#: A neuron that forgets two thirds of its weights within so many images follows the last ones: SMIN at ten times the
#: default rate came to 69.8 % in place of 76.8 % (100 neurons, 5,000 examples of MNIST, seed 0).
_LEAST_IMAGES = 1.5
#: Fewer chunks than these have no last quarter.
_LEAST_CHUNKS = 4


def theta_finding(means_mv: Sequence[float], start_mv: float) -> Finding | None:
    """Say how far the thresholds rose and whether they still did at the end; None without a history.

    Parameters
    ----------
    means_mv
        Mean threshold at the end of each chunk.
    start_mv
        Threshold before the first one.
    """
    if len(means_mv) < _LEAST_CHUNKS:
        return None
    end, rise = means_mv[-1], means_mv[-1] - start_mv
    late = end - means_mv[-1 - len(means_mv) // 4]
    moved = f"rose from {start_mv:.1f} to {end:.1f} mV" if rise > 0 else f"went from {start_mv:.1f} to {end:.1f} mV"
    if rise > 0 and late >= _STILL_RISING * rise:
        text = f"The mean threshold {moved}, {late:.1f} mV of it in the last quarter of the training: it still rises."
        return Finding("theta", text, "Train on more examples.")
    return Finding("theta", f"The mean threshold {moved}, {late:.1f} mV of it in the last quarter: it has settled.")


def pace_finding(
    memory: float | None,
    spikes_of_a_neuron: float,
    spikes_per_example: float,
    slower: str | None = None,
    faster: str | None = None,
) -> Finding | None:
    """Say whether the learning rate fits the number of spikes; None if it does, or if the rule tells no memory.

    Parameters
    ----------
    memory
        After how many spikes of its own a neuron has forgotten two thirds of what its weights were.
    spikes_of_a_neuron
        Spikes of a neuron in the whole training, mean.
    spikes_per_example
        Spikes of all neurons for an example, mean: of few neurons, which compete.
    slower, faster
        Advice for a rate that is too high or too low.
    """
    if memory is None:
        return None
    if memory < _LEAST_IMAGES * spikes_per_example:
        text = (
            f"The learning rate is high: a neuron forgets two thirds of its weights within {memory:,.0f} of its "
            f"spikes, and a single image gives {spikes_per_example:,.0f}; fields are those of the last images."
        )
        return Finding("learning rate", text, slower)
    if spikes_of_a_neuron < _LEAST_MEMORIES * memory:
        text = (
            f"The learning rate is low for so short a training: a neuron needs {_LEAST_MEMORIES * memory:,.0f} spikes "
            f"to forget {percent(1 - math.exp(-_LEAST_MEMORIES), 0)} of its random start, and fired "
            f"{spikes_of_a_neuron:,.0f} times on average."
        )
        return Finding("learning rate", text, faster or "Train on more examples.")
    return None


def classes_finding(assignment: Assignment, names: Sequence[str], advice: str | None = None) -> Finding | None:
    """Name the classes that no neuron answers to; None if there are none.

    Parameters
    ----------
    names
        What the classes are called, in their order.
    """
    labels: NDArray[np.int64] = assignment.labels
    missing = [name for name, one in zip(names, assignment.classes, strict=True) if not np.any(labels == one)]
    if not missing or len(missing) == len(names):
        return None
    have, their = ("has", "its") if len(missing) == 1 else ("have", "their")
    text = (
        f"{len(missing)} of {len(names)} classes {have} no neuron that answers to it most ({', '.join(missing[:10])}"
        f"{', ...' if len(missing) > 10 else ''}): {their} images cannot be told."
    )
    return Finding(
        "classes without neurons", text, advice or "Use more neurons (n_e), or more examples.", alarming=True
    )
