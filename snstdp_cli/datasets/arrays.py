"""Arrays of images and labels: what they must be, and what helps where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.conversions import image_conversion, label_conversion
from snstdp_cli.datasets.limits import LARGEST_LABEL, size_text
from snstdp_cli.errors import DataError

Shape = Sequence[int]


def has_numbers(dtype: np.dtype[Any]) -> bool:
    """Tell whether values of a type can be read without pickle and compared."""
    return dtype.kind in "biuf"


def check_images(
    values: NDArray[Any] | None, shape: Shape, dtype: np.dtype[Any], name: str, where: str
) -> NDArray[np.uint8]:
    """Return images as they are used, read-only [num, rows, cols] of 0 to 255.

    Parameters
    ----------
    values
        The array; None if its type has no numbers.
    shape, dtype
        Of the array.
    name
        How the user calls it.
    where
        What an error begins with.

    Raises
    ------
    DataError
        If it has another type or shape; the sentence holds the line of Python that converts it.
    """
    if values is not None and dtype == np.uint8 and values.ndim == 3 and values.size:
        return _frozen(values)
    if 0 in shape:
        raise DataError(f"{where}: found the shape {size_text(shape)}, expected [num, rows, cols]: at least one image")
    span, told = None, ""
    if values is not None and dtype.kind in "iuf":
        span = float(values.min()), float(values.max())
        told = f" from {span[0]:g} to {span[1]:g}"
    convert = f"{name} = {image_conversion(name, shape, dtype, span)}"
    if dtype != np.uint8:
        raise DataError(
            f"{where}: found values of type {_type_text(dtype)}{told}, expected grey values of 0 to 255 of "
            f"type uint8; convert them: {convert}"
        )
    known = {2: f"reshape flat images: {convert}", 4: f"turn colours into grey: {convert}"}
    raise DataError(
        f"{where}: found the shape {size_text(shape)}, expected [num, rows, cols]: one grey value a pixel; "
        + known.get(len(shape), "reshape them")
    )


def check_labels(
    values: NDArray[Any] | None, shape: Shape, dtype: np.dtype[Any], name: str, both: Sequence[str], where: str
) -> NDArray[np.uint8]:
    """Return labels as they are used, read-only [num] of 0 to 254; see `check_images`.

    `both` is how the user calls the labels of both splits, in which a class has one number.
    """
    convert = f"{name} = {label_conversion(name, both, shape, dtype)}"
    if values is None or dtype.kind not in "iu" or values.ndim != 1:
        raise DataError(
            f"{where}: found the shape {size_text(shape)} of type {_type_text(dtype)}, expected [num] whole numbers: "
            f"the class of each image, counted from 0; convert them: {convert}"
        )
    if values.size and not (values.min() >= 0 and values.max() <= LARGEST_LABEL):
        raise DataError(
            f"{where}: found labels of {values.min()} to {values.max()}, expected 0 to {LARGEST_LABEL}; number the "
            f"classes from 0: {convert}"
        )
    return _frozen(values.astype(np.uint8))


def _type_text(dtype: np.dtype[Any]) -> str:
    return f"record with the fields {', '.join(map(ascii, dtype.names))}" if dtype.names else str(dtype)


def _frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
