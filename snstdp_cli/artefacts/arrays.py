"""NumPy's .npy and .npz formats without pickle, read from bytes that may be damaged or hostile.

The header of an array is compared with the bytes that follow before anything is allocated.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.files import MAX_BYTES, open_file
from snstdp_cli.errors import ArtefactError

_BLOCK = 2**20
_AGAIN = "write or copy it again"


def npy_bytes(array: NDArray[Any], where: Path) -> bytes:
    """Encode an array as a .npy file; Python objects are refused."""
    buffer = io.BytesIO()
    try:
        np.lib.format.write_array(  # type: ignore[no-untyped-call, unused-ignore]
            buffer, np.asarray(array), version=(1, 0), allow_pickle=False
        )
    except ValueError as error:
        raise ArtefactError(f"{where}: cannot write this array: {error}; nothing was written") from None
    return buffer.getvalue()


def npz_bytes(arrays: Mapping[str, NDArray[Any]], where: Path, *, compress: bool) -> bytes:
    """Encode arrays as a .npz file; the same arrays always give the same bytes."""
    # numpy.savez would pickle Python objects, and cannot store an array called "file".
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy_bytes(array, where), compress_type=method)
    return buffer.getvalue()


def parse_npy(data: bytes, where: Path) -> NDArray[Any]:
    """Decode the bytes of a .npy file into a writable array of numbers or booleans.

    Raises
    ------
    ArtefactError
        If they are anything else, truncated, or more than the header announces.
    """
    return _read_npy(io.BytesIO(data), len(data), str(where))


def parse_npz(
    data: bytes | memoryview,
    where: Path,
    wanted: Collection[str] | None = None,
    *,
    limit: int = MAX_BYTES,
    compressed: bool = True,
) -> dict[str, NDArray[Any]]:
    """Decode the bytes of a .npz file.

    Parameters
    ----------
    wanted
        The arrays to read, those that are there; the others are not unpacked. None: all.
    limit
        The most bytes that the wanted arrays may have.
    compressed
        Whether arrays may be compressed; otherwise none takes more memory than the file.

    Raises
    ------
    ArtefactError
        If they are not a complete archive of numeric arrays, or the wanted ones are too large.
    """
    return _parse_archive(io.BytesIO(data), where, wanted, limit, compressed)


def read_npz(path: Path, wanted: Collection[str] | None = None, *, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """Read the wanted arrays of a .npz file as `parse_npz` does, and nothing else of it.

    Raises
    ------
    ArtefactError
        If the file is missing, not a complete archive of numeric arrays, or the wanted ones are too large.
    """
    with open_file(path) as stream:
        return _parse_archive(stream, path, wanted, limit, True)


def _parse_archive(
    stream: IO[bytes], where: Path, wanted: Collection[str] | None, limit: int, compressed: bool
) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _choose(archive, where, wanted, compressed)
            unpacked = sum(member.file_size for member in members.values())
            if unpacked > limit:
                raise ArtefactError(f"{where}: would unpack to {unpacked:,} bytes; expected at most {limit:,}")
            # All headers before the first array: a file that is refused takes no memory.
            for name, member in members.items():
                with archive.open(member) as content:
                    _checked_header(content, member.file_size, _place(where, name))
            arrays = {}
            for name, member in members.items():
                with archive.open(member) as content:
                    arrays[name] = _read_npy(content, member.file_size, _place(where, name))
            return arrays
    except ArtefactError:
        raise
    except Exception as error:  # zipfile and the decompressors raise a dozen unrelated classes for damaged bytes
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ArtefactError(f"{where}: not an intact .npz archive: {detail}; {_AGAIN}") from None


def _choose(
    archive: zipfile.ZipFile, where: Path, wanted: Collection[str] | None, compressed: bool
) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name in seen:
            raise ArtefactError(f"{where}: the array '{name}' is there twice; expected it once; {_AGAIN}")
        seen.add(name)
        if wanted is not None and name not in wanted:
            continue
        if not compressed and member.compress_type != zipfile.ZIP_STORED:
            raise ArtefactError(f"{where}: the array '{name}' is compressed; expected it as it is; {_AGAIN}")
        members[name] = member
    return members


def _place(where: Path, name: str) -> str:
    return f"{where}, array '{name}'"


def real_numbers(array: NDArray[Any], where: Path, what: str) -> NDArray[np.float64]:
    """Convert an array to float64, in C order.

    Raises
    ------
    ArtefactError
        If it is empty, boolean or holds a value that is not finite.
    """
    if array.dtype.kind not in "iuf":
        raise ArtefactError(f"{where}: expected real numbers for the {what}, found type {array.dtype}; {_AGAIN}")
    if array.size == 0:
        raise ArtefactError(f"{where}: expected the {what}, found an empty array of shape {array.shape}; {_AGAIN}")
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.asarray(array, dtype=np.float64, order="C")
    bad = numbers.size - int(np.count_nonzero(np.isfinite(numbers)))
    if bad:
        raise ArtefactError(
            f"{where}: {bad:,} of {numbers.size:,} values of the {what} are not finite (NaN or infinity); "
            "expected finite numbers; use other weights or train again"
        )
    return numbers


def whole_numbers(array: NDArray[Any], largest: int, where: Path, what: str) -> NDArray[np.int64]:
    """Convert an array, also of floats, to whole numbers of 0 to `largest`.

    Raises
    ------
    ArtefactError
        If a value is anything else.
    """
    if array.dtype.kind not in "biuf":
        raise ArtefactError(f"{where}: expected whole numbers for the {what}, found type {array.dtype}; {_AGAIN}")
    if array.dtype.kind in "bu" and (array.size == 0 or int(array.max()) <= largest):
        return array.astype(np.int64)
    # Half precision would round the limit to infinity. A NaN fails every comparison.
    numbers = array.astype(np.float64)
    with np.errstate(invalid="ignore"):
        right = (numbers >= 0) & (numbers <= largest) & (np.floor(numbers) == numbers)
    bad = array.size - int(np.count_nonzero(right))
    if bad:
        found = array[~right].flat[0]
        raise ArtefactError(
            f"{where}: expected whole numbers of 0 to {largest:,} for the {what}, found {found} "
            f"({bad:,} such); {_AGAIN}"
        )
    return array.astype(np.int64)


def _read_npy(stream: IO[bytes], size: int, where: str) -> NDArray[Any]:
    shape, fortran_order, dtype = _checked_header(stream, size, where)
    try:
        content = bytearray(math.prod(shape) * dtype.itemsize)
        if _fill(stream, content) < len(content):
            raise ArtefactError(f"{where}: the file ends before its array does; {_AGAIN}")
        return np.ndarray(shape, dtype, content, order="F" if fortran_order else "C")
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise ArtefactError(f"{where}: cannot load shape {_short(shape)} of {dtype}: {error}; {_AGAIN}") from None


def _fill(stream: IO[bytes], content: bytearray) -> int:
    """Read into memory that is there already: reading at once would take it twice."""
    done = 0
    with memoryview(content) as view:
        while done < len(view) and (block := stream.read(min(_BLOCK, len(view) - done))):
            view[done : done + len(block)] = block
            done += len(block)
    return done


def _checked_header(stream: IO[bytes], size: int, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read a header and compare it with the bytes that follow."""
    shape, fortran_order, dtype = _read_header(stream, where)
    if dtype.hasobject:
        raise ArtefactError(_objects(where, size - stream.tell()))
    if dtype.kind not in "biuf":
        raise ArtefactError(f"{where}: holds values of type {dtype}; expected numbers; {_AGAIN}")
    announced = math.prod(shape) * dtype.itemsize
    present = size - stream.tell()
    if announced != present:
        state = "truncated" if announced > present else "longer than it should be"
        raise ArtefactError(
            f"{where}: the file is {state}: its header announces shape {_short(shape)} of {dtype}, "
            f"{_short(announced)} bytes, but {present:,} follow; {_AGAIN}"
        )
    return shape, fortran_order, dtype


def _objects(where: str, num_bytes: int) -> str:
    """Say what became of numbers that a script of Python 2 saved under Python 3, where `zip` makes no list."""
    if num_bytes == 0:
        return (
            f"{where}: is the header of a Python object with nothing behind it: the numbers were never written (the "
            "script is one of Python 2, whose zip made a list) and are lost; use other weights, or train again"
        )
    return (
        f"{where}: holds Python objects, which can run code and are not read; expected numbers; if you trust the file: "
        f"a = numpy.load({where!r}, allow_pickle=True); numpy.save({where!r}, numpy.array(list(a.item() if a.ndim == 0 "
        "else a), dtype=float))"
    )


def _read_header(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call, unused-ignore]
    except ValueError:
        raise ArtefactError(f"{where}: not a NumPy .npy file; expected one as numpy.save writes it; {_AGAIN}") from None
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ArtefactError(f"{where}: .npy format {version} is not one of numeric arrays; save it again as numbers")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of files that Python 2 wrote; the ancestor's may be such
            shape, fortran_order, dtype = readers[version](stream)  # type: ignore[no-untyped-call, unused-ignore]
    except Exception:  # a parser on damaged bytes: whatever it raises, the header is no header
        raise ArtefactError(f"{where}: the header of the .npy file is damaged; {_AGAIN}") from None
    if any(length < 0 for length in shape):
        raise ArtefactError(f"{where}: the header announces the impossible shape {_short(shape)}; {_AGAIN}")
    return shape, fortran_order, dtype


def _short(value: object) -> str:
    text = str(value) if not isinstance(value, int) else f"{value:,}" if value < 2**70 else "far too many"
    return text if len(text) <= 60 else text[:57] + "..."
