"""Images that somebody holds as arrays, in the place of a data set's name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from snstdp_cli.config import InputSection
from snstdp_cli.datasets.dataset import Dataset, build_dataset, from_arrays
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.preparation import divide, refuse_to_divide
from snstdp_cli.datasets.sealing import refuse_sealed
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable


@dataclass(frozen=True, eq=False)
class ArrayDataset:
    """Training images with their labels and, if there are any, test images.

    Parameters
    ----------
    images
        Grey values from 0 (background) to 255 of type uint8, [num, rows, cols].
    labels
        Class of each image, whole numbers of 0 to 254, [num].
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

    images: ArrayLike
    labels: ArrayLike
    test_images: ArrayLike | None = None
    test_labels: ArrayLike | None = None
    name: str = "images"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isprintable() or not 0 < len(self.name) <= 100:
            raise DataError(f"name: found {printable(repr(self.name))}, expected 1 to 100 printable characters")
        if (self.test_images is None) != (self.test_labels is None):
            raise DataError(f"{self.name}: test images and test labels belong together; found one of the two")
        self.split("train")

    def split(self, split: Split, inputs: InputSection | None = None) -> Dataset:
        """Return one split, checked and prepared.

        Parameters
        ----------
        inputs
            What is done to the images; by default nothing. `test_share` divides images without test images.

        Raises
        ------
        DataError
            If there are no test images, or the arrays are of another type or shape or do not fit each other.
        """
        refuse_sealed(split, self.name)
        train = np.asarray(self.images), np.asarray(self.labels)
        if self.test_images is None or self.test_labels is None:
            if inputs is not None and inputs.test_share is not None:
                whole = from_arrays(*train, name=self.name)
                parts = divide((whole.images, whole.labels), inputs.test_share, self.name)
                shown, other = parts if split == "train" else parts[::-1]
                return build_dataset(self.name, split, shown, self.name, lambda: other, inputs=inputs)
            if split == "test":
                raise DataError(f"{self.name}: has no test images; give test_images and test_labels")
            return from_arrays(*train, split=split, name=self.name, inputs=inputs)
        refuse_to_divide(inputs, self.name)
        test = np.asarray(self.test_images), np.asarray(self.test_labels)
        shown, other = (train, test) if split == "train" else (test, train)
        return from_arrays(*shown, split=split, name=self.name, other=other, inputs=inputs)
