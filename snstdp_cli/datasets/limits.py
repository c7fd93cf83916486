"""How large a data set may be; everything beyond is refused before it is read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from snstdp_cli.errors import DataError

#: Of an image: 256 x 256. Every neuron has a weight and a delay for each pixel: 400 neurons with as many inputs have 26
#: million synapses, 83 times as many as for MNIST, which take gigabytes and minutes for an image.
MAX_PIXELS = 65_536
#: Of one array. No data set for this program comes near 1 GiB (MNIST: 47 MB); what states more is damaged or hostile.
MAX_BYTES = 2**30
#: 255 classes, numbered from 0.
LARGEST_LABEL = 254


def check_size(shape: Sequence[int], item_bytes: int, where: str, advice: str = "") -> None:
    """Raise `DataError` for an array, announced in a header, that is larger than any data set for this program.

    Parameters
    ----------
    shape
        [num] for labels; [num, rows, cols], or any other number of dimensions, for images.
    item_bytes
        Bytes of a value.
    where
        What an error begins with: the file, and perhaps the array in it.
    advice
        What helps where images are too large; by default a line of Python.
    """
    check_bytes(shape, item_bytes, where)
    pixels = math.prod(shape[1:])
    if pixels > MAX_PIXELS:
        step = math.ceil(math.sqrt(pixels / MAX_PIXELS))
        helps = advice or f"make them smaller: images[:, ::{step}, ::{step}]"
        raise DataError(
            f"{where}: found images of {size_text(shape[1:])} = {pixels:,} pixels; expected at most {MAX_PIXELS:,} "
            f"(256 x 256), because every neuron has a weight for each; {helps}"
        )


def check_bytes(shape: Sequence[int], item_bytes: int, where: str) -> None:
    """Raise `DataError` for an array, announced in a header, that is larger than the largest data set."""
    stated = math.prod(shape) * item_bytes
    if stated > MAX_BYTES:
        raise DataError(
            f"{where}: the header states {size_text(shape)} = {stated:,} bytes; expected at most {MAX_BYTES:,}; "
            "the file is damaged or no image data"
        )


def size_text(shape: Sequence[int]) -> str:
    """Return a shape as a reader would write it: 60,000 x 28 x 28."""
    return " x ".join(f"{size:,}" if size < 2**70 else "far too many" for size in shape) or "of a single number"
