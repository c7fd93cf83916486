"""IDX, the file format of MNIST: unsigned bytes behind a header of big-endian sizes, raw or gzipped.

A file is untrusted: its header is checked before anything is allocated, and no more is read than the header states.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError

Kind = Literal["images", "labels"]

MAGIC: dict[Kind, int] = {"images": 0x00000803, "labels": 0x00000801}
#: No data set for this program comes near 1 GiB (MNIST: 47 MB); a header that states more is damaged or hostile.
MAX_BYTES = 2**30
_CHUNK = 2**20
_UNSIGNED_BYTE = 0x08


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
        If the file cannot be read, is not IDX, is damaged or does not have the size its header states.
    """
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "no such file"
            raise DataError(f"{path}: {found}; expected an IDX file, raw or gzipped")
        with path.open("rb") as stream:
            return parse_idx(stream, str(path), kind)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: cannot be read: {reason}; check the file and its permissions") from None


def parse_idx(stream: IO[bytes], where: str, kind: Kind | None = None) -> NDArray[np.uint8]:
    """Read IDX from a seekable binary stream; `where` names it in errors (see `read_idx`)."""
    compressed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    try:
        if not compressed:
            return _parse(stream, where, kind)
        with gzip.GzipFile(fileobj=stream, mode="rb") as content:
            return _parse(content, where, kind)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        detail = str(error).rstrip(".")
        raise DataError(
            f"{where}: damaged gzip file ({detail}); expected a complete one; download or copy it again"
        ) from None
    except MemoryError:
        raise DataError(f"{where}: does not fit into memory; expected a data set of the size of MNIST") from None


def _parse(stream: IO[bytes] | gzip.GzipFile, where: str, kind: Kind | None) -> NDArray[np.uint8]:
    num_sizes = _check_magic(_take(stream, 4), where, kind)
    header = _take(stream, 4 * num_sizes)
    if len(header) < 4 * num_sizes:
        raise DataError(
            f"{where}: truncated: the header ends after {4 + len(header)} bytes, expected {4 + 4 * num_sizes}; "
            "download or copy it again"
        )
    # Python's integers do not overflow, whatever the header states.
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, len(header), 4))
    text = " x ".join(f"{size:,}" for size in shape)
    stated = math.prod(shape)
    if stated == 0:
        raise DataError(f"{where}: the header states {text} values; expected at least one of each")
    if stated > MAX_BYTES:
        raise DataError(
            f"{where}: the header states {text} = {stated:,} bytes; expected at most {MAX_BYTES:,}; "
            "the file is damaged or no image data"
        )
    # One byte more than stated finds trailing bytes and, in gzip, the checksum; a bomb is never unpacked.
    content = _take(stream, stated + 1)
    if len(content) < stated:
        raise DataError(
            f"{where}: truncated: the header states {text} = {stated:,} bytes, found {len(content):,}; "
            "download or copy it again"
        )
    if len(content) > stated:
        raise DataError(
            f"{where}: trailing bytes: the header states {text} = {stated:,} bytes, found more; "
            "download or copy it again"
        )
    array = np.frombuffer(content, dtype=np.uint8).reshape(shape)
    array.flags.writeable = False
    return array


def _check_magic(head: bytearray, where: str, kind: Kind | None) -> int:
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
    if head[:2] == b"\0\0" and head[2] != _UNSIGNED_BYTE and head[3] in (1, 3):
        detail = f"values of type 0x{head[2]:02X}, expected unsigned bytes (0x08)"
    else:
        detail = "this is not an IDX file of images or labels"
    raise DataError(f"{where}: found magic number 0x{magic:08X}, expected {expected}; {detail}")


def _take(stream: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """Read at most `size` bytes in pieces, so that memory grows with what is there and not with what is stated."""
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_CHUNK, size - len(content)))
        if not piece:
            break
        content += piece
    return content
