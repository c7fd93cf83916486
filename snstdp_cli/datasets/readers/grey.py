"""Pixels of other types and shapes become grey values of 0 to 255, where that is no guess."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.arrays import check_images, has_numbers

#: The usual weights of red, green and blue (ITU-R BT.601).
GREY_WEIGHTS = (0.299, 0.587, 0.114)
_AT_ONCE = 1024


def to_grey(values: NDArray[Any], name: str, where: str) -> tuple[NDArray[np.uint8], list[str]]:
    """Return images as grey values [num, rows, cols], and what was done to them.

    Flat images become square ones, colours grey by the usual weights; numbers that are not whole and all within 0 to 1
    are multiplied by 255.

    Parameters
    ----------
    values
        [num, rows, cols], [num, pixels], or with an axis of one, three or four channels after `num` or at the end.
    name
        What the array is called.
    where
        What an error begins with.

    Raises
    ------
    DataError
        If they are no images, or there would be more than one way to convert them.

    Examples
    --------
    >>> to_grey(np.full((2, 4), 0.5), "x", "x")
    (array([[[128, 128],
            [128, 128]],
    <BLANKLINE>
           [[128, 128],
            [128, 128]]], dtype=uint8), ['x: numbers of 0 to 1 are multiplied by 255'])
    """
    if not has_numbers(values.dtype) or values.size == 0:
        return check_images(None, values.shape, values.dtype, name, where), []
    shaped, notes = _shaped(values)
    scale = _scale(shaped)
    if shaped.ndim not in (3, 4) or scale is None:
        return check_images(values, values.shape, values.dtype, name, where), []  # its sentence tells what to do
    if scale != 1:
        notes.append(f"numbers of 0 to {1 if shaped.dtype.kind in 'bf' else 65535} are multiplied by {scale:.4g}")
    grey = np.empty(shaped.shape[:3], np.uint8)
    for begin in range(0, len(shaped), _AT_ONCE):
        part = shaped[begin : begin + _AT_ONCE]
        grey[begin : begin + _AT_ONCE] = _converted(part, scale)
    return check_images(grey, grey.shape, grey.dtype, name, where), [f"{where}: {note}" for note in notes]


def _shaped(values: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Return images as [num, rows, cols] or [num, rows, cols, channels] where their shape tells how."""
    if values.ndim == 2 and math.isqrt(values.shape[1]) ** 2 == values.shape[1]:
        side = math.isqrt(values.shape[1])
        return values.reshape(-1, side, side), []
    if values.ndim != 4:
        return values, []
    if values.shape[3] not in (1, 3, 4):
        if values.shape[1] not in (1, 3, 4):
            return values.reshape(*values.shape, 1, 1), []  # no channels: to be refused
        values = values.transpose(0, 2, 3, 1)
    if values.shape[3] == 1:
        return values[..., 0], []
    return values[..., :3], ["colours became grey by the usual weights (0.299, 0.587, 0.114)"]


def _scale(values: NDArray[Any]) -> float | None:
    """Return by what numbers are multiplied to become 0 to 255; None where that cannot be told."""
    if values.dtype.kind == "b":
        return 255.0
    if values.dtype == np.uint8:
        return 1.0
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)) or low < 0:
        return None
    if values.dtype == np.uint16 and high > 255:
        return 255 / 65535
    if high <= 1 and values.dtype.kind == "f":
        return 255.0 if any(_has_fractions(values[i : i + _AT_ONCE]) for i in range(0, len(values), _AT_ONCE)) else 1.0
    whole = values.dtype.kind != "f" or not any(
        _has_fractions(values[i : i + _AT_ONCE]) for i in range(0, len(values), _AT_ONCE)
    )
    return 1.0 if whole and high <= 255 else None


def _has_fractions(values: NDArray[Any]) -> bool:
    return bool((values != np.floor(values)).any())


def _converted(values: NDArray[Any], scale: float) -> NDArray[np.uint8]:
    if values.ndim == 3 and scale == 1:
        return values.astype(np.uint8)
    grey = values.astype(np.float64)
    if values.ndim == 4:
        grey = grey @ np.array(GREY_WEIGHTS)
    return (grey * scale).round().clip(0, 255).astype(np.uint8)
