"""Which reader reads a path: told by the content of a file, and by what a folder holds."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from snstdp_cli.datasets.files import open_regular
from snstdp_cli.datasets.readers import (
    csv_file,
    idx_files,
    mat_file,
    npz_file,
    parquet_file,
    picture_folders,
)
from snstdp_cli.datasets.readers.pictures import SUFFIXES as PICTURES
from snstdp_cli.datasets.readers.reading import Reading
from snstdp_cli.errors import DataError

EXPECTED = (
    "expected an .npz, .csv, .parquet, .mat or IDX file, or a folder with IDX files or with a folder of pictures for "
    "each class"
)
_BEGIN = 512
#: Class folders in a split's folder.
_DEEPEST = 3
_MOST_ENTRIES = 1_000_000
_PICTURE_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
_PICKLES = (".pkl", ".pickle", ".pt", ".pth")
#: In a folder, in this order.
_FOLDER_READERS: tuple[Callable[[Path], Reading | None], ...] = (
    idx_files.read_folder,
    npz_file.read_folder,
    parquet_file.read_folder,
    picture_folders.read_folder,
    csv_file.read_folder,
    mat_file.read_folder,
)


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
    if begin.startswith(b"PK") or path.suffix == ".npz":
        layout = npz_file.layout_of(path)
        if layout == "keys":
            return npz_file.read_keys(path)
        return npz_file.read_singles(path) if layout == "single" else None
    if begin.startswith(b"PAR1"):
        return parquet_file.read_file(path)
    if begin.startswith(b"MATLAB") or begin.startswith(b"\x89HDF"):
        return mat_file.read_file(path)
    inner = _unpacked(begin) if begin.startswith(b"\x1f\x8b") else begin
    if inner.startswith(b"\0\0") and len(inner) > 3 and inner[2] in range(0x08, 0x0F):
        return idx_files.read_file(path)
    if _is_text(inner) and not begin.startswith(_PICTURE_MAGIC):
        return csv_file.read_file(path)
    raise DataError(f"{path}: {_describe(path, begin)}; {EXPECTED}")


def _read_folder(folder: Path) -> Reading | None:
    for read in _FOLDER_READERS:
        found = read(folder)
        if found is not None:
            return found
    return None


def _unpacked(begin: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(begin, _BEGIN)
    except zlib.error:
        return b""


def _is_text(begin: bytes) -> bool:
    return bool(begin.strip()) and b"\0" not in begin and all(byte >= 32 or byte in b"\t\r\n" for byte in begin)


def _describe(path: Path, begin: bytes) -> str:
    """Say what a file is that is not read."""
    if not begin:
        return "is empty"
    if begin.startswith(_PICTURE_MAGIC) or path.suffix.lower() in PICTURES:
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
