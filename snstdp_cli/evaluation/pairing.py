"""Whether two recordings belong together: the same answers (circular scoring), or the same images (paired tests)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Recorded(Protocol):
    """A recording: spike counts [num, n_e] and the classes of the images, [num]."""

    @property
    def counts(self) -> NDArray[Any]:
        """Spike counts, [num, n_e]."""

    @property
    def labels(self) -> NDArray[Any]:
        """Classes of the images, [num]."""


def same_responses(a: Recorded, b: Recorded) -> bool:
    """Tell whether two recordings are the same answers to the same images, whatever files they come from.

    Neurons that are labelled with the very answers that are scored flatter the network. Compared are counts and labels;
    a recording that is the beginning of the other one counts as the same. A partial overlap (some images in both, or
    the same ones in another order) cannot be told from answers, nor that two recordings are answers of two networks to
    the same images: compare the digests of the data for that.
    """
    num = min(len(a.counts), len(b.counts))
    return (
        num > 0
        and np.array_equal(a.labels[:num], b.labels[:num])
        and a.counts.shape[1:] == b.counts.shape[1:]
        and np.array_equal(a.counts[:num], b.counts[:num])
    )


def difference_of_labels(labels_a: NDArray[Any], labels_b: NDArray[Any]) -> str | None:
    """Say in what the labels of two recordings differ, as the end of a sentence; None if in nothing.

    Examples
    --------
    >>> difference_of_labels(np.array([3, 8]), np.array([3, 9]))
    'the first difference is at example 1: class 8 and class 9'
    """
    if labels_a.shape != labels_b.shape:
        return f"{len(labels_a):,} and {len(labels_b):,} examples"
    differs = np.flatnonzero(labels_a != labels_b)
    if not len(differs):
        return None
    k = int(differs[0])
    return f"the first difference is at example {k:,}: class {labels_a[k]} and class {labels_b[k]}"
