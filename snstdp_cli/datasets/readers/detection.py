"""Which reader reads a path: told by the content of a file, and by what a folder holds."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import zlib
from pathlib import Path

from snstdp_cli.datasets.files import open_regular
from snstdp_cli.datasets.readers import (
    csv_file,
    idx_files,
    mat_file,
    npz_file,
    parquet_file,
    picture_folders,
    pictures,
)
from snstdp_cli.datasets.readers.reading import Reading
from snstdp_cli.errors import DataError

#: Of several in a folder, the first of this list is read.
FORMATS = (
    idx_files.FORMAT,
    npz_file.FORMAT,
    parquet_file.FORMAT,
    picture_folders.FORMAT,
    csv_file.FORMAT,
    mat_file.FORMAT,
)
_NAMES = [one.name for one in FORMATS if one.name]
EXPECTED = (
    f"expected an {', '.join(_NAMES[:-1])} or {_NAMES[-1]} file, or a folder with IDX files or with a folder of "
    "pictures for each class"
)
_BEGIN = 512
#: Class folders in a split's folder.
_DEEPEST = 3
_MOST_ENTRIES = 1_000_000
_PICKLES = (".pkl", ".pickle", ".pt", ".pth")


def read_path(path: Path) -> Reading | None:
    """Read a file or folder of another layout than ours; None if it is one of ours (`datasets.npz`, MNIST's names).

    Raises
    ------
    DataError
        If it is none of the formats, or damaged, or too large.
    """
    return _read_folder(path) if path.is_dir() else _read_file(path)


def read_once(path: Path) -> Reading | None:
    """Read a path as `read_path` does, or return what it was when it was read last, if nothing there has changed.

    An experiment asks for both splits one after the other, and some formats take seconds to read.
    """
    return _read_last(path, _state_of(path))


@functools.lru_cache(maxsize=1)
def _read_last(path: Path, state: str) -> Reading | None:
    return read_path(path)


def _state_of(path: Path) -> str:
    """Return a digest of the names, sizes and times of the files at a path: of a file, with all files beside it."""
    digest = hashlib.blake2b(os.fsencode(Path.cwd()), digest_size=16)
    folders, depth = [path if path.is_dir() else path.parent], 0
    while folders and depth < _DEEPEST:
        inner = list[Path]()
        for folder in folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in sorted(itertools.islice(entries, _MOST_ENTRIES), key=lambda one: one.name):
                    with contextlib.suppress(OSError):
                        found = entry.stat()
                        digest.update(os.fsencode(f"{entry.name}\0{found.st_size}\0{found.st_mtime_ns}\0"))
                        if path.is_dir() and entry.is_dir():
                            inner.append(Path(entry.path))
        folders, depth = inner[:_MOST_ENTRIES], depth + 1
    return digest.hexdigest()


def _read_file(path: Path) -> Reading | None:
    with open_regular(path, EXPECTED.removeprefix("expected ")) as stream:
        begin = stream.read(_BEGIN)
    unpacked = _unpacked(begin) if begin.startswith(b"\x1f\x8b") else begin
    for one in sorted(FORMATS, key=lambda one: one.is_text):
        if one.recognizes(path, begin, unpacked):
            return one.read_file(path)
    raise DataError(f"{path}: {_describe(path, begin)}; {EXPECTED}")


def _read_folder(folder: Path) -> Reading | None:
    for one in FORMATS:
        found = one.read_folder(folder)
        if found is not None:
            return found
    return None


def _unpacked(begin: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(begin, _BEGIN)
    except zlib.error:
        return b""


def _describe(path: Path, begin: bytes) -> str:
    """Say what a file is that is not read."""
    if not begin:
        return "is empty"
    if begin.startswith(pictures.MAGIC) or path.suffix.lower() in pictures.SUFFIXES:
        return "is a single picture; name the folder that holds a folder of pictures for each class"
    if any(one.startswith(b"\x80") for one in (begin, _unpacked(begin))) or path.suffix in _PICKLES:
        return "looks like a pickle, which is not read, because unpickling runs code; save its arrays by numpy.savez"
    if begin.startswith(b"\x93NUMPY"):
        return "is a single array; write images and labels into one file: numpy.savez_compressed('data.npz', ...)"
    if begin.startswith(b"\x1f\x8b"):
        return "is a gzip file of something else, or damaged"
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is text in UTF-16; save it as UTF-8"
    if path.suffix.lower() == ".mat":
        return f"is no MATLAB file of version 5 to 7, or damaged; save it as version 7: save('{path.name}', '-v7')"
    return "is none of the formats that are read, or damaged"
