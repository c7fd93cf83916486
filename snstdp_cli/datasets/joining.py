"""Several data sets as one, named `mnist+fashion-mnist`: the classes of the second follow those of the first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.limits import LARGEST_LABEL, size_text
from snstdp_cli.datasets.published import CLASS_NAMES, NAMES
from snstdp_cli.datasets.splits import Pair
from snstdp_cli.errors import DataError

#: Stands between the names of data sets that are joined.
_JOIN = "+"
#: Stands between their titles.
TITLES_JOIN = " + "
#: MNIST and its kin have ten classes, of which a split may lack some.
_CLASSES = 10


def joined_names(name: str) -> tuple[str, ...]:
    """Return the names of the data sets that a name joins; none if it is a single one's, or a path.

    Examples
    --------
    >>> joined_names("mnist+fashion-mnist"), joined_names("mnist"), joined_names("./a+b")
    (('mnist', 'fashion-mnist'), (), ())
    """
    names = tuple(name.split(_JOIN))
    return names if len(names) > 1 and all(one in NAMES for one in names) else ()


def first_classes(training: Sequence[Dataset], name: str) -> tuple[int, ...]:
    """Return the number that the first class of each data set gets, by their training images.

    Raises
    ------
    DataError
        If there are more classes than a label can tell.
    """
    sizes = [max(_CLASSES, int(one.labels.max()) + 1) for one in training]
    if sum(sizes) > LARGEST_LABEL + 1:
        raise DataError(f"{name}: found {sum(sizes)} classes together, expected at most {LARGEST_LABEL + 1}")
    return tuple(sum(sizes[:k]) for k in range(len(sizes)))


def join(parts: Sequence[Dataset], firsts: Sequence[int], name: str) -> Pair:
    """Return the images of one split of all data sets, evenly mixed, and their classes.

    The first images of the result, such as those that label neurons, are of all data sets, each as often as its size
    says and in its own order.

    Raises
    ------
    DataError
        If the images are of different sizes, or a label is one of the next data set's.
    """
    sizes = [one.images.shape[1:] for one in parts]
    if len(set(sizes)) > 1:
        raise DataError(f"{name}: found images of {', '.join(map(size_text, sizes))} pixels; expected one size")
    for one, first, following in zip(parts, firsts, [*firsts[1:], LARGEST_LABEL + 1], strict=True):
        if int(one.labels.max()) >= following - first:
            raise DataError(f"{one.source}: found the label {one.labels.max()}, which no training image has")
    places = np.concatenate([(np.arange(len(one)) + 0.5) / len(one) for one in parts])
    order = np.argsort(places, kind="stable")
    labels = np.concatenate([one.labels + np.uint8(first) for one, first in zip(parts, firsts, strict=True)])
    return np.concatenate([one.images for one in parts])[order], labels[order]


def joined_class_names(names: Sequence[str], firsts: Sequence[int]) -> dict[int, str]:
    """Return what the classes are called; those of a data set that is joined a second time say so."""
    called = {}
    for k, (name, first) in enumerate(zip(names, firsts, strict=True)):
        again = "" if name not in names[:k] else f" ({names[:k].count(name) + 1})"
        for label, one in enumerate(CLASS_NAMES.get(name, tuple(map(str, range(_CLASSES))))):
            called[first + label] = f"{one}{again}"
    return called


def data_set_of(labels: NDArray[np.uint8], firsts: Sequence[int]) -> NDArray[np.int64]:
    """Return the number of the data set, from 0 on, that each label is of.

    Examples
    --------
    >>> data_set_of(np.array([0, 9, 10, 3], np.uint8), (0, 10)).tolist()
    [0, 0, 1, 0]
    """
    return np.searchsorted(np.array(firsts), labels, "right") - 1
