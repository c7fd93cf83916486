"""Training images that are kept back to watch a training: never trained on, of every class, the same for a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError

#: No more than a fifth of the training set is kept back.
LARGEST_SHARE = 5
#: Keeps this draw apart from others that use the same seed.
_STREAM = 0x5749_5448


def withhold(labels: NDArray[Any], count: int, seed: int) -> NDArray[np.int64]:
    """Choose images to keep back, stratified by class and drawn by seed.

    Each class gives its share of the images to a whole number (largest remainders; of equal ones, drawn ones), whatever
    the order of the set, and never its last image. Draws for a larger `count` contain many of those for a smaller one,
    but need not contain all.

    Parameters
    ----------
    labels
        Class of each image, [num].
    count
        How many to keep back; at most a fifth of the set are.
    seed
        The same labels, count and seed always give the same images, on every version of NumPy.

    Returns
    -------
    indices
        Sorted, [min(count, num // 5)] or fewer where classes of a single image keep theirs; empty for fewer than five
        images.

    Raises
    ------
    DataError
        If `count` or `seed` is negative, or the labels are not [num].

    Examples
    --------
    >>> labels = np.repeat([3, 8], [60, 30])
    >>> np.unique(labels[withhold(labels, 9, seed=0)], return_counts=True)[1].tolist()
    [6, 3]
    """
    if labels.ndim != 1 or count < 0 or seed < 0:
        raise DataError(
            f"expected labels [num] and a count and seed of 0 or more, found {labels.shape}, {count} and {seed}"
        )
    return draw_by_class(labels, min(count, len(labels) // LARGEST_SHARE), seed, _STREAM)


def draw_by_class(labels: NDArray[Any], count: int, seed: int, stream: int) -> NDArray[np.int64]:
    """Draw images of each class alike; see `withhold`, which never takes more than a fifth.

    Parameters
    ----------
    count
        How many, at most all.
    stream
        Keeps this draw apart from others that use the same seed.
    """
    num = len(labels)
    if count == 0:
        return np.zeros(0, np.int64)
    # NumPy promises that the raw numbers of a bit generator never change, unlike those of its distributions.
    keys = np.random.PCG64(np.random.SeedSequence([seed, stream])).random_raw(num)
    classes, of_class, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    quotas = _quotas(sizes, count, keys[: len(classes)])
    order = np.lexsort((keys, of_class))  # by class, drawn within it
    starts = np.cumsum(sizes) - sizes
    chosen = [order[start : start + quota] for start, quota in zip(starts, quotas, strict=True)]
    return np.sort(np.concatenate(chosen))


def _quotas(sizes: NDArray[np.int64], count: int, draw: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Share `count` among classes by largest remainders; `draw` decides between equal ones."""
    exact = count * sizes
    quotas, remainders = np.divmod(exact, sizes.sum())
    left = count - int(quotas.sum())
    may_give = np.flatnonzero(quotas < sizes - 1)
    best = may_give[np.lexsort((draw[may_give], -remainders[may_give]))]
    quotas[best[:left]] += 1
    return quotas
