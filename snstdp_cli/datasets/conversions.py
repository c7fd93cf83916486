"""One line of Python that turns images or labels of another type or shape into what is read here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def image_conversion(
    name: str, shape: Sequence[int], dtype: np.dtype[Any], span: tuple[float, float] | None = None
) -> str:
    """Return the expression that makes grey values [num, rows, cols] of 0 to 255 of the array `name`.

    Parameters
    ----------
    name
        How the array is called.
    shape, dtype
        What it has now.
    span
        Its smallest and its largest value, if they are known.

    Examples
    --------
    >>> image_conversion("x", (10, 784), np.dtype("float32"), (0.0, 1.0))
    "(x.reshape(-1, 28, 28) * 255).round().astype('uint8')"
    """
    if dtype.names:
        return f"{name}[{dtype.names[0]!r}]"
    if dtype.kind == "O":
        return f"numpy.stack(list({name})).astype('uint8')"
    if dtype.kind not in "biuf":
        return f"{name}.astype('float').round().astype('uint8')"
    shaped = f"{name}{_shape_change(shape)}"
    if dtype.kind == "b":
        return f"({shaped} * 255).astype('uint8')"
    if dtype == np.uint8:
        return f"{shaped}.round().astype('uint8')" if ".mean(" in shaped else shaped
    return _value_change(shaped, dtype, span)


def label_conversion(name: str, both: Sequence[str], shape: Sequence[int], dtype: np.dtype[Any]) -> str:
    """Return the expression that numbers the classes of the array `name` from 0.

    Parameters
    ----------
    name
        How the array is called.
    both
        How the labels of both splits are called, because a class must have one number in both.
    shape, dtype
        What it has now.

    Examples
    --------
    >>> label_conversion("y", ("y", "z"), (10,), np.dtype("<U3"))
    'numpy.searchsorted(numpy.unique(numpy.r_[y, z]), y)'
    """
    if dtype.names:
        return f"{name}[{dtype.names[0]!r}]"
    if len(shape) == 2 and min(shape) == 1:
        return f"{name}.ravel()"
    if len(shape) == 2:
        return f"{name}.argmax(axis=1)"
    if dtype.kind in "bf":
        return f"{name}.astype('int64')"
    as_text = ".astype(str)" if dtype.kind == "O" else ""
    return f"numpy.searchsorted(numpy.unique(numpy.r_[{', '.join(both)}]{as_text}), {name}{as_text})"


def idx_conversion(path: str, dtype: np.dtype[Any], shape: Sequence[int], *, is_labels: bool, gzipped: bool) -> str:
    """Return the line that rewrites an IDX file of another type or number of dimensions, without .gz.

    Parameters
    ----------
    path
        The file.
    dtype, shape
        What its header states.
    is_labels
        Whether it holds labels, of which the first column is the class (as in QMNIST); images otherwise.
    gzipped
        Whether it is gzipped.
    """
    opened = f"gzip.open({path!r})" if gzipped else f"open({path!r}, 'rb')"
    values = f"numpy.frombuffer(b, {dtype.str!r}, offset={4 + 4 * len(shape)}).reshape({tuple(shape)})"
    if is_labels:
        values = f"{values}{'[:, 0]' if len(shape) == 2 else ''}.astype('uint8')"
    else:
        values = image_conversion(values, shape, dtype)
    return (
        f"import gzip, numpy; b = {opened}.read(); a = {values}; open({path.removesuffix('.gz')!r}, 'wb').write("
        "bytes([0, 0, 8, a.ndim]) + b''.join(n.to_bytes(4, 'big') for n in a.shape) + a.tobytes())"
    )


def _shape_change(shape: Sequence[int]) -> str:
    if len(shape) == 2:
        rows = next(rows for rows in range(max(1, math.isqrt(shape[1])), 0, -1) if shape[1] % rows == 0)
        return f".reshape(-1, {rows}, {shape[1] // rows})"
    if len(shape) != 4:
        return ""
    if 1 in (shape[1], shape[3]):
        return "[..., 0]" if shape[3] == 1 else "[:, 0]"
    channels_first = shape[1] in (3, 4) and (shape[3] not in (3, 4) or shape[2] == shape[3])
    return f".mean(axis={1 if channels_first else 3})"


def _value_change(shaped: str, dtype: np.dtype[Any], span: tuple[float, float] | None) -> str:
    low, high = span or (0.0, 1.0 if dtype.kind == "f" else 255.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        shaped, low, high = f"numpy.nan_to_num({shaped})", 0.0, 1.0
    if low >= 0 and high <= 1 and dtype.kind == "f":
        return f"({shaped} * 255).round().astype('uint8')"
    if low >= 0 and high <= 255:
        rounded = ".round()" if dtype.kind == "f" or ".mean(" in shaped else ""
        return f"{shaped}{rounded}.astype('uint8')"
    return f"numpy.interp({shaped}, ({min(low, 0.0):.9g}, {high:.9g}), (0, 255)).round().astype('uint8')"
