"""Images that somebody holds as arrays, in the place of a data set's name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from snstdp_cli.datasets.dataset import Dataset, Pair, build_dataset
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.npy import Header
from snstdp_cli.datasets.npz import check_images, check_labels
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable


@dataclass(frozen=True, eq=False, init=False)
class ArrayDataset:
    """Training images with their labels and, if there are any, test images.

    Parameters
    ----------
    images
        Grey values from 0 (background) to 255, [num, rows, cols], of type uint8.
    labels
        Class of each image, whole numbers from 0 to 255, [num].
    test_images, test_labels
        The same of the test split.
    name
        How results call it.

    Raises
    ------
    DataError
        If the arrays are of another type or shape, or do not fit each other.

    Examples
    --------
    >>> pictures = np.zeros((20, 8, 8), dtype=np.uint8)
    >>> data = ArrayDataset(pictures, np.arange(20) % 2, name="blank")
    >>> len(data.split("train")), data.split("train").n_input
    (20, 64)
    """

    name: str
    _splits: dict[Split, Pair]

    def __init__(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        test_images: ArrayLike | None = None,
        test_labels: ArrayLike | None = None,
        *,
        name: str = "images",
    ) -> None:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 100:
            raise DataError(f"name: found {printable(repr(name))}, expected 1 to 100 printable characters")
        if (test_images is None) != (test_labels is None):
            raise DataError(f"{name}: test images and test labels belong together; found one of the two")
        splits: dict[Split, Pair] = {"train": _checked(images, labels, name)}
        if test_images is not None:
            splits["test"] = _checked(test_images, test_labels, f"{name}, test split")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_splits", splits)

    def split(self, split: Split) -> Dataset:
        """Return one split.

        Raises
        ------
        DataError
            If there are no test images.
        """
        if split not in self._splits:
            raise DataError(f"{self.name}: has no {split} images; give test_images and test_labels")
        other: Split = "test" if split == "train" else "train"
        built = build_dataset(f"./{self.name}", split, self._splits[split], self.name, lambda: self._splits.get(other))
        identity = built.identity if built.identity.known else replace(built.identity, name=self.name)
        return replace(built, name=self.name, identity=identity)


def _checked(images: ArrayLike | None, labels: ArrayLike | None, where: str) -> Pair:
    pixels, classes = np.asarray(images), np.asarray(labels)
    return (
        check_images(pixels, Header(pixels.shape, False, pixels.dtype, 0), "images", where),
        check_labels(classes, Header(classes.shape, False, classes.dtype, 0), "labels", where),
    )
