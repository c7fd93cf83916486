"""Tables of whole numbers as files: `.npy`, and `.mem` in hexadecimal digits as Verilog's `$readmemh` reads them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray


def npy_bytes(values: NDArray[Any]) -> bytes:
    """Return an array as the content of a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def mem_bytes(rows: NDArray[Any], widths: Sequence[int]) -> bytes:
    """Return a word a line: the columns of a row, the first in the highest bits, negative ones in two's complement.

    Parameters
    ----------
    rows
        Whole numbers, [num, columns].
    widths
        Bits of each column.

    Examples
    --------
    >>> mem_bytes(np.array([[1, -1], [2, 3]]), [8, 4])
    b'01f\\n023\\n'
    """
    digits = -(-sum(widths) // 4)
    lines = []
    for row in rows.tolist():
        word = 0
        for value, width in zip(row, widths, strict=True):
            word = word << width | value & ((1 << width) - 1)
        lines.append(f"{word:0{digits}x}\n")
    return "".join(lines).encode()


def table_files(name: str, values: NDArray[Any], columns: Mapping[str, int]) -> dict[PurePath, bytes]:
    """Return a table as `name.npy` in its shape and `name.mem`; `columns` are the bits of each column by its name."""
    rows = values.reshape(-1, len(columns)).astype(np.int64)
    return {
        PurePath(f"{name}.npy"): npy_bytes(values.astype(np.int64)),
        PurePath(f"{name}.mem"): mem_bytes(rows, list(columns.values())),
    }
