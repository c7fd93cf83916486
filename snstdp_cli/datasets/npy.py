"""Arrays in an .npz archive, without pickle: the header of a member first, and its values only when they are wanted."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError

_AGAIN = "write or copy it again"
_CHUNK = 2**20
#: An archive's list of members takes about 70 bytes for each; one of four arrays is far from this.
_MOST_AT_ONCE = 2**22
#: What NumPy writes. Others may ask for gigabytes before they unpack the first byte.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class Header(NamedTuple):
    """What the header of an array announces; `num_bytes` is its own length."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    num_bytes: int


class _Sparing:
    """A file that refuses to be read in large pieces, as a damaged archive makes `zipfile` do."""

    def __init__(self, stream: IO[bytes], where: Path) -> None:
        self._stream, self._where = stream, where
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int | None = -1) -> bytes:
        """Read up to the end, if it is near."""
        content = self._stream.read(_MOST_AT_ONCE + 1 if size is None or size < 0 else min(size, _MOST_AT_ONCE + 1))
        if len(content) > _MOST_AT_ONCE:
            raise DataError(f"{self._where}: not an intact .npz archive: its list of members is too long; {_AGAIN}")
        return content


def open_archive(stream: IO[bytes], where: Path) -> zipfile.ZipFile:
    """Open an .npz archive without reading more than its list of members."""
    return zipfile.ZipFile(_Sparing(stream, where))


def find_members(archive: zipfile.ZipFile, names: Iterable[str], where: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members that hold the arrays of these names, as far as they are there; others are not looked at.

    Raises
    ------
    DataError
        If one is there twice.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    wanted = set(names)
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name in found:
            raise DataError(f"{where}: the array '{name}' is there twice; expected it once; {_AGAIN}")
        if name in wanted:
            found[name] = member
    return found


def read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Header:
    """Read what an array announces.

    Raises
    ------
    DataError
        If it is no array, or its values are more or fewer than announced.
    """
    if member.compress_type not in _METHODS:
        raise DataError(
            f"{where}: packed by another method than numpy.savez and numpy.savez_compressed use; write it with them"
        )
    with archive.open(member) as stream:
        header = _parse_header(stream, where)
    announced = math.prod(header.shape) * header.dtype.itemsize
    present = member.file_size - header.num_bytes
    if not header.dtype.hasobject and announced != present:
        raise DataError(
            f"{where}: the header announces {_short(announced)} bytes, but {present:,} follow; the file is damaged; "
            f"{_AGAIN}"
        )
    return header


def read_values(archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header, where: str) -> NDArray[Any]:
    """Read the values of an array of numbers whose header was read and found fitting."""
    size, content = member.file_size - header.num_bytes, bytearray()
    with archive.open(member) as stream:
        stream.read(header.num_bytes)
        while piece := stream.read(min(_CHUNK, size + 1 - len(content))):
            content += piece
    if len(content) != size:
        raise DataError(f"{where}: {size:,} bytes are announced, but {len(content):,} follow; {_AGAIN}")
    return np.ndarray(header.shape, header.dtype, content, order="F" if header.fortran_order else "C")


def _parse_header(stream: IO[bytes], where: str) -> Header:
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call, unused-ignore]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of files that Python 2 wrote
            shape, fortran_order, dtype = readers[version](stream)  # type: ignore[no-untyped-call, unused-ignore]
    except Exception:  # a parser on damaged bytes: whatever it raises, the header is no header
        raise DataError(f"{where}: no array as NumPy writes it, or a damaged one; {_AGAIN}") from None
    if any(length < 0 for length in shape):
        raise DataError(f"{where}: the header announces a shape that cannot be; {_AGAIN}")
    return Header(shape, fortran_order, dtype, stream.tell())


def _short(number: int) -> str:
    return f"{number:,}" if number < 2**70 else "far too many"
