"""The four files of MNIST and its kin: what they are called, which of them a folder holds, and how they are opened."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Literal

from snstdp_cli.errors import DataError

Split = Literal["train", "test"]
Kind = Literal["images", "labels"]
_PREFIXES: dict[Split, str] = {"train": "train", "test": "t10k"}


def file_stems(kind: Kind, split: Split) -> tuple[str, str]:
    """Return the two spellings of a file's name that are in use, without .gz."""
    dims = {"images": 3, "labels": 1}[kind]
    return f"{_PREFIXES[split]}-{kind}-idx{dims}-ubyte", f"{_PREFIXES[split]}-{kind}.idx{dims}-ubyte"


def expected_names(kind: Kind, split: Split) -> str:
    """Return the names of a file as an error states them."""
    return " or ".join(file_stems(kind, split)) + " (or with .gz)"


def find_file(folder: Path, kind: Kind, split: Split) -> Path | None:
    """Return the file of this kind, a raw one before a gzipped one; opening it says if it is no regular file."""
    for suffix in ("", ".gz"):
        for stem in file_stems(kind, split):
            path = folder / f"{stem}{suffix}"
            try:
                if path.exists() and not path.is_dir():
                    return path
            except (OSError, ValueError):  # a folder that may not be searched holds nothing for us
                return None
    return None


def open_regular(path: Path, expected: str) -> io.BufferedReader:
    """Open a regular file for reading, without waiting for what is none (a FIFO would block for ever).

    Raises
    ------
    DataError
        If there is no such file, or it is a folder, a FIFO, a device or a socket, or may not be read. `expected` names
        what should be there.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected {expected}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: cannot be read: {reason}; check the file and its permissions") from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    found = "a folder" if stat.S_ISDIR(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a device"
    raise DataError(f"{path}: is {found}; expected {expected}")


def is_there(path: Path) -> bool:
    """Tell whether a path exists; one that cannot be asked for does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def expand(path: Path) -> Path:
    """Put the user's home folder in place of `~`."""
    try:
        return path.expanduser()
    except RuntimeError:  # no such user: then '~name' is taken as it stands
        return path
