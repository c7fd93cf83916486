"""Whether digits stand upright: their mean images are compared with those of the bundled digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.preparation import resample

_Image = NDArray[np.float64]
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_FEWEST_CLASSES, _FEWEST_IMAGES, _MOST_IMAGES = 3, 30, 3000
_SIDE = 16
#: Marginals below this share of the strongest are margin.
_MARGIN = 0.05
#: The upright digits of another hand correlate by 0.7 to 0.9 with the bundled ones, others by less than 0.5.
_LIKE_DIGITS, _CLEARLY = 0.5, 0.1

#: The symmetries of a square by what was done to an image, each with its undoing.
SYMMETRIES: dict[str, Callable[[_Image], _Image]] = {
    "upright": lambda image: image,
    "transposed": lambda image: image.T,
    "mirrored left to right": lambda image: image[:, ::-1],
    "upside down": lambda image: image[::-1],
    "turned by 180 degrees": lambda image: image[::-1, ::-1],
    "turned to the left": lambda image: np.rot90(image, -1),
    "turned to the right": lambda image: np.rot90(image, 1),
    "transposed along the other diagonal": lambda image: image[::-1, ::-1].T,
}


class Orientation(NamedTuple):
    """How digits stand: the symmetry that brings them nearest to upright ones, and both correlations."""

    name: str
    correlation: float
    upright: float


def orientation(dataset: Dataset, reference: Dataset) -> Orientation | None:
    """Return how the digits of a data set stand; None if its classes are no digits, or they look like none.

    Parameters
    ----------
    dataset
        Bright figures on a dark ground.
    reference
        Upright digits.
    """
    digits = _digits_of(dataset)
    there = [digit for digit in digits.values() if digit is not None]
    if len(there) < _FEWEST_CLASSES or len(there) < len(digits) or len(dataset) < _FEWEST_IMAGES:
        return None
    ours = _mean_images(dataset, [label for label, digit in digits.items() if digit is not None])
    theirs = _mean_images(reference, there)
    found = {
        name: float(np.mean([_correlation(undo(a), b) for a, b in zip(ours, theirs, strict=True)]))
        for name, undo in SYMMETRIES.items()
    }
    best = max(found, key=found.__getitem__)
    if found[best] < _LIKE_DIGITS or found[best] < found["upright"] + _CLEARLY:
        best = "upright"
    return Orientation(best, found[best], found["upright"]) if found[best] >= _LIKE_DIGITS else None


def _digits_of(dataset: Dataset) -> dict[int, int | None]:
    """Return the digit that each class is by its name; None for one that is none."""
    names = dataset.class_names or tuple(str(one) for one in dataset.classes)
    known = {word: digit for digit, word in enumerate(_WORDS)} | {str(digit): digit for digit in range(10)}
    found = [known.get(name.strip().lower().split(" ")[0]) for name in names]
    return dict(zip(dataset.classes.tolist(), found, strict=True))


def _mean_images(dataset: Dataset, labels: list[int]) -> list[_Image]:
    """Return the mean image of each class, without the margin that all share, at a common size."""
    images, of_class = dataset.images[:_MOST_IMAGES], dataset.labels[:_MOST_IMAGES]
    rows, cols = (_inked(images.mean(axis=(0, other))) for other in (2, 1))
    square = resample(np.ascontiguousarray(images[:, rows, cols]), (_SIDE, _SIDE)).astype(np.float64)
    blank = np.zeros((_SIDE, _SIDE))
    return [square[of_class == one].mean(axis=0) if (of_class == one).any() else blank for one in labels]


def _inked(marginal: NDArray[np.float64]) -> slice:
    there = np.flatnonzero(marginal > _MARGIN * marginal.max())
    return slice(int(there[0]), int(there[-1]) + 1) if len(there) else slice(None)


def _correlation(a: _Image, b: _Image) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / norm if norm else 0.0
