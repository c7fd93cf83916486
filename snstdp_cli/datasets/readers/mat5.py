"""MATLAB's files of versions 5 to 7: numeric arrays, and structures of them; everything else is passed over.

Written from the published layout ("MAT-File Format", The MathWorks, 2023): a header of 128 bytes, then elements, each a
type, a length and padded content; those of version 7 are packed by zlib. SciPy's reader ends the whole process on some
damaged files. Here nothing is read that is not there, and nothing unpacked beyond the size of a data set.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.limits import MAX_BYTES

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_STRUCTURE = 2
#: Types of stored numbers, and classes of arrays that hold such.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 0x0800
_CHUNK = 2**20
_DEEPEST = 8
_MOST_FIELDS, _MOST_AXES, _MOST_VARIABLES = 1000, 8, 1000

_Bytes = TypeVar("_Bytes", bytes, bytearray, memoryview)
#: An array; a structure of one element by its fields; or what is not read.
Value: TypeAlias = "NDArray[Any] | Mapping[str, Value] | None"


class MatError(ValueError):
    """A file that is damaged, or not of versions 5 to 7."""


class _Element(NamedTuple):
    kind: int
    content: memoryview


def read_mat(stream: IO[bytes]) -> dict[str, Value]:
    """Read the variables of a file.

    Raises
    ------
    MatError
        If it is damaged, of another version, or unpacks to more than a data set.
    """
    header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[126:128] not in (b"IM", b"MI"):
        raise MatError("its header is none of MATLAB's versions 5 to 7")
    order = "<" if header[126:128] == b"IM" else ">"
    found: dict[str, Value] = {}
    left = 2 * MAX_BYTES
    while tag := stream.read(8):
        kind, size = np.frombuffer(_whole(tag, 8), f"{order}u4").tolist()
        content = _unpacked(stream, size, left) if kind == _COMPRESSED else _taken(stream, size, left)
        left -= len(content)
        elements = (
            _elements(memoryview(content), order) if kind == _COMPRESSED else [_Element(kind, memoryview(content))]
        )
        for one in elements:
            if one.kind == _MATRIX:
                name, value = _matrix(one.content, order, 0)
                found[name] = value
        if len(found) > _MOST_VARIABLES:
            raise MatError("it holds too many variables")
    return found


def _taken(stream: IO[bytes], size: int, most: int) -> bytearray:
    if size > most:
        raise MatError("an element is larger than any data set")
    content = bytearray()
    while len(content) < size and (piece := stream.read(min(_CHUNK, size - len(content)))):
        content += piece
    return _whole(content, size)


def _unpacked(stream: IO[bytes], size: int, most: int) -> bytearray:
    packer, content = zlib.decompressobj(), bytearray()
    while size > 0 and (piece := stream.read(min(_CHUNK, size))):
        size -= len(piece)
        while piece:
            content += packer.decompress(piece, _CHUNK)
            piece = packer.unconsumed_tail
            if len(content) > most:
                raise MatError("it unpacks to more than any data set")
    if not packer.eof:
        raise MatError("a packed element is not complete")
    return content


def _elements(content: memoryview, order: str) -> Iterator[_Element]:
    """Yield the elements in some bytes; short ones keep their content in the second half of the tag."""
    place = 0
    while place < len(content):
        first, size = np.frombuffer(_whole(content[place : place + 8], 8), f"{order}u4").tolist()
        if first >> 16:
            kind, size = first & 0xFFFF, first >> 16
            begin, place = place + 4, place + 8
            if size > 4:
                raise MatError("a short element is too long")
        else:
            kind, begin = first, place + 8
            place = begin + size + (-size) % 8
        yield _Element(kind, _whole(content[begin : begin + size], size))


def _matrix(content: memoryview, order: str, depth: int) -> tuple[str, Value]:
    """Read an array with its name; None for what is neither numeric nor a structure of one element."""
    if depth > _DEEPEST:
        raise MatError("structures are too deep")
    elements = _elements(content, order)
    try:
        flags = int(_numbers(next(elements), order)[0])
        shape = tuple(int(one) for one in _numbers(next(elements), order))
        name = _text(next(elements))
        kind = flags & 0xFF
        if not 0 < len(shape) <= _MOST_AXES or min(shape) < 0:
            raise MatError("an array has a shape that cannot be")
        if kind in _NUMERIC and not flags & _COMPLEX:
            return name, _array(next(elements), shape, _NUMERIC[kind], order)
        if kind == _STRUCTURE and math.prod(shape) == 1:
            return name, _structure(elements, order, depth)
    except (StopIteration, IndexError):
        raise MatError("an array is not complete") from None
    return name, None


def _structure(elements: Iterator[_Element], order: str, depth: int) -> dict[str, Value]:
    length = int(_numbers(next(elements), order)[0])
    names = bytes(next(elements).content)
    if length < 1 or len(names) > length * _MOST_FIELDS:
        raise MatError("a structure's fields have no names")
    fields = [names[k : k + length].split(b"\0")[0].decode("ascii", "replace") for k in range(0, len(names), length)]
    return {field: _matrix(next(elements).content, order, depth + 1)[1] for field in fields}


def _array(element: _Element, shape: tuple[int, ...], dtype: str, order: str) -> NDArray[Any]:
    """Return an array; whole numbers may be stored in a smaller type than the array's."""
    stored = _numbers(element, order)
    if len(stored) != math.prod(shape):
        raise MatError("an array has more or fewer values than its shape")
    small = np.dtype(dtype).itemsize >= stored.dtype.itemsize
    return stored.reshape(shape, order="F") if small else stored.astype(dtype).reshape(shape, order="F")


def _numbers(element: _Element, order: str) -> NDArray[Any]:
    if element.kind not in _TYPES:
        raise MatError(f"numbers are of an unknown type ({element.kind})")
    dtype = np.dtype(f"{order}{_TYPES[element.kind]}")
    if len(element.content) % dtype.itemsize:
        raise MatError("a number is not complete")
    return np.frombuffer(element.content, dtype)


def _text(element: _Element) -> str:
    return bytes(element.content[:100]).decode("ascii", "replace")


def _whole(content: _Bytes, size: int) -> _Bytes:
    if len(content) < size:
        raise MatError("it ends too early")
    return content
