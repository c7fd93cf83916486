"""Weights and pictures, small enough to be part of a page."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: For the receptive fields of all networks of a page together, as they are written into it.
FIELDS_BUDGET = 3_900_000
# The few strongest weights do not set the scale, as in `snstdp plot fields`.
_SCALE_PERCENTILE = 99.8
_MAX_FACTOR, _LEAST_SIDE = 4, 7


@dataclass(frozen=True, eq=False)
class Fields:
    """Receptive fields as the page holds them.

    Attributes
    ----------
    neurons
        Which neurons, [num].
    codes
        Weights as bytes, [num, height * width]: 0 to 255 are 0 to `limit`, or 1 to 255 `-limit` to `limit`.
    shape
        Height and width after averaging.
    factor
        Pixels of a side that were averaged into one.
    limit
        The weight of the end of the scale; stronger ones are drawn like it.
    """

    neurons: NDArray[np.int64]
    codes: NDArray[np.uint8]
    shape: tuple[int, int]
    factor: int
    signed: bool
    limit: float


def scale_of(weights: NDArray[Any]) -> tuple[bool, float]:
    """Return whether weights are drawn on a signed scale, and its end."""
    limit = float(np.percentile(np.abs(weights), _SCALE_PERCENTILE)) or float(np.abs(weights).max()) or 1.0
    return bool(weights.min() < 0), limit


def quantize(weights: NDArray[Any], signed: bool, limit: float) -> NDArray[np.uint8]:
    """Return weights as bytes; of signed ones 0 is 128 exactly."""
    scaled = 128 + np.rint(weights / limit * 127) if signed else np.rint(weights / limit * 255)
    return np.clip(scaled, 1 if signed else 0, 255).astype(np.uint8)


def embed_fields(weights: NDArray[Any], shape: tuple[int, int], budget: int, extra: int) -> Fields:
    """Average pixels, or leave neurons out, until the receptive fields fit.

    Parameters
    ----------
    weights
        [n_input, n_e].
    budget
        Characters that the neurons may take.
    extra
        Characters that each neuron takes besides its weights.
    """
    n_e = weights.shape[1]
    for factor in range(1, _MAX_FACTOR + 1):
        height, width = _reduced(shape, factor)
        if factor > 1 and min(height, width) < min(_LEAST_SIDE, *shape):
            factor, (height, width) = factor - 1, _reduced(shape, factor - 1)
            break
        if n_e * _characters(height * width, extra) <= budget:
            break
    num = max(1, min(n_e, budget // _characters(height * width, extra)))
    neurons = np.unique(np.linspace(0, n_e - 1, num).round().astype(np.int64))
    signed, limit = scale_of(weights)
    fields = weights.T[neurons].reshape(len(neurons), *shape)
    codes = quantize(_averaged(fields, factor), signed, limit)
    return Fields(neurons, codes.reshape(len(neurons), -1), (height, width), factor, signed, limit)


def to_base64(data: NDArray[np.uint8] | bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()).decode()


def data_uri(png: bytes) -> str:
    """Return a PNG picture as an address that holds it."""
    return f"data:image/png;base64,{to_base64(png)}"


def grey_png(image: NDArray[np.uint8]) -> bytes:
    """Return an image [height, width] as a PNG file, 0 white and 255 black."""
    height, width = image.shape
    rows = np.column_stack([np.zeros(height, np.uint8), 255 - image]).tobytes()
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(rows, 9),
        b"IEND": b"",
    }
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _characters(pixels: int, extra: int) -> int:
    return pixels * 4 // 3 + 2 + extra


def _reduced(shape: tuple[int, int], factor: int) -> tuple[int, int]:
    return -(-shape[0] // factor), -(-shape[1] // factor)


def _averaged(fields: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """Average blocks of `factor` x `factor` pixels, smaller ones at the edges."""
    averaged = np.asarray(fields, dtype=np.float64)
    for axis in (1, 2) if factor > 1 else ():
        starts = np.arange(0, averaged.shape[axis], factor)
        lengths = np.diff([*starts, averaged.shape[axis]])
        sums = np.add.reduceat(averaged, starts, axis=axis)
        averaged = sums / lengths.reshape([-1 if k == axis else 1 for k in range(3)])
    return averaged
