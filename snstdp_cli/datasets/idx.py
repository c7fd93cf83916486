"""IDX, the file format of MNIST: unsigned bytes behind a header of big-endian sizes, raw or gzipped.

A file is untrusted: its header is checked before anything is allocated, and no more is read than the header states.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.conversions import idx_conversion
from snstdp_cli.datasets.files import Kind, open_regular
from snstdp_cli.datasets.limits import check_size, size_text
from snstdp_cli.errors import DataError

MAGIC: dict[Kind, int] = {"images": 0x00000803, "labels": 0x00000801}
_CHUNK = 2**20
_UNSIGNED_BYTE = 0x08
#: Types of values by their code, as NumPy calls them.
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 4


def read_idx(path: Path, kind: Kind | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, raw or gzipped (told apart by content, not by name).

    Parameters
    ----------
    path
        The file.
    kind
        What the file must hold; by default either images or labels are accepted.

    Returns
    -------
    images or labels
        Read-only, [num, rows, cols] or [num].

    Raises
    ------
    DataError
        If the file cannot be read, is not IDX, is damaged, too large or does not have the size its header states.
    """
    try:
        with open_regular(path, "an IDX file, raw or gzipped") as stream:
            return parse_idx(stream, str(path), kind)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: cannot be read: {reason}; check the file and its permissions") from None


def parse_idx(stream: IO[bytes], where: str, kind: Kind | None = None) -> NDArray[np.uint8]:
    """Read IDX from a seekable binary stream; `where` names it in errors (see `read_idx`)."""
    compressed = stream.read(2) == b"\x1f\x8b"
    size = stream.seek(0, 2)
    stream.seek(0)
    try:
        if not compressed:
            return _parse(stream, size, where, kind)
        with gzip.GzipFile(fileobj=stream, mode="rb") as content:
            return _parse(content, size, where, kind)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        detail = str(error).rstrip(".")
        raise DataError(
            f"{where}: damaged gzip file ({detail}); expected a complete one; download or copy it again"
        ) from None
    except MemoryError:
        raise DataError(f"{where}: does not fit into memory; expected a data set of the size of MNIST") from None


def _parse(stream: IO[bytes] | gzip.GzipFile, size: int, where: str, kind: Kind | None) -> NDArray[np.uint8]:
    """Read what the header states; `size` is that of the file."""
    shape = _read_shape(stream, where, kind)
    stated = math.prod(shape)
    text = f"the header states {size_text(shape)} = {stated:,} bytes"
    if stated == 0:
        raise DataError(f"{where}: the header states {size_text(shape)} values; expected at least one of each")
    check_size(shape, 1, where)
    # A file that is longer than its content can be, raw or gzipped (which adds 5 bytes to 16 KiB at worst), is not read
    # to its end: it may be a sparse one of many gigabytes.
    trailing = f"{where}: trailing bytes: {text}, found more; download or copy it again"
    if size > stated + stated // 1000 + 4096:
        raise DataError(trailing)
    # One byte more than stated finds trailing bytes and, in gzip, the checksum; a bomb is never unpacked.
    content = _take(stream, stated + 1)
    if len(content) < stated:
        raise DataError(f"{where}: truncated: {text}, found {len(content):,}; download or copy it again")
    if len(content) > stated:
        raise DataError(trailing)
    array = np.frombuffer(content, dtype=np.uint8).reshape(shape)
    array.flags.writeable = False
    return array


def _read_shape(stream: IO[bytes] | gzip.GzipFile, where: str, kind: Kind | None) -> tuple[int, ...]:
    """Return the sizes that the header states, if it is that of the expected kind."""
    head = _take(stream, 4)
    num_sizes = _check_magic(head, stream, where, kind)
    header = _take(stream, 4 * num_sizes)
    if len(header) < 4 * num_sizes:
        raise DataError(
            f"{where}: truncated: the header ends after {4 + len(header)} bytes, expected {4 + 4 * num_sizes}; "
            "download or copy it again"
        )
    return _sizes(header)


def _sizes(header: bytearray) -> tuple[int, ...]:
    # Python's integers do not overflow, whatever the header states.
    return tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, len(header), 4))


def _check_magic(head: bytearray, stream: IO[bytes] | gzip.GzipFile, where: str, kind: Kind | None) -> int:
    """Return the number of dimensions, if these four bytes begin an IDX file of the expected kind."""
    kinds = [kind] if kind else list(MAGIC)
    expected = " or ".join(f"0x{MAGIC[k]:08X} ({k})" for k in kinds)
    if len(head) < 4:
        raise DataError(f"{where}: holds only {len(head)} bytes; expected an IDX file that begins with {expected}")
    magic = int.from_bytes(head, "big")
    for known, value in MAGIC.items():
        if magic == value and known in kinds:
            return head[3]
        if magic == value:
            raise DataError(
                f"{where}: holds {known} (magic number 0x{magic:08X}), expected {expected}; "
                "are the files of images and labels exchanged?"
            )
    detail = "this is not an IDX file of images or labels"
    if head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= _MOST_DIMENSIONS:
        gzipped = isinstance(stream, gzip.GzipFile)
        detail = _describe_other_type(head, _take(stream, 4 * head[3]), where, kind, gzipped=gzipped)
    raise DataError(f"{where}: found magic number 0x{magic:08X}, expected {expected}; {detail}")


def _describe_other_type(head: bytearray, header: bytearray, where: str, kind: Kind | None, *, gzipped: bool) -> str:
    """Say what an IDX file of another type or number of dimensions holds, and the line of Python that converts it."""
    code, num_sizes = head[2], head[3]
    found = [] if code == _UNSIGNED_BYTE else [f"values of type 0x{code:02X}, expected unsigned bytes (0x08)"]
    if kind is not None and num_sizes != MAGIC[kind] & 0xFF:
        found.append(f"{num_sizes} dimensions, expected {MAGIC[kind] & 0xFF}")
    detail = " and ".join(found) or f"{num_sizes} dimensions"
    shape = _sizes(header)
    if len(shape) < num_sizes or 0 in shape:
        return detail
    is_labels = kind == "labels" or (kind is None and num_sizes == 1)
    line = idx_conversion(where, np.dtype(_TYPES[code]), shape, is_labels=is_labels, gzipped=gzipped)
    return f"{detail}; convert it with Python: {line}"


def _take(stream: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """Read at most `size` bytes in pieces, so that memory grows with what is there and not with what is stated."""
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_CHUNK, size - len(content)))
        if not piece:
            break
        content += piece
    return content
