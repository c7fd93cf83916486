"""IDX files for tests, as they should be and damaged."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from snstdp_cli.errors import DataError

IMAGES = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
LABELS = np.array([7, 0, 9], dtype=np.uint8)
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def write_split(folder: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS, prefix: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return folder


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "set", "cut", "drop", "insert"]),
        st.one_of(st.integers(0, 20), st.integers(0, 200)),
        st.integers(0, 255),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def mutate(content: bytes, edits: list[tuple[str, int, int, bytes]]) -> bytes:
    found = bytearray(content)
    for kind, position, value, extra in edits:
        at = position % (len(found) or 1)
        if kind == "cut":
            del found[at:]
        elif kind == "drop":
            del found[at : at + len(extra)]
        elif kind == "insert" or not found:
            found[at:at] = extra
        elif kind == "flip":
            found[at] ^= 1 << value % 8
        else:
            found[at] = value
    return bytes(found)


def found_or_refusal(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except DataError as error:
        return error
