"""The four files of MNIST and its kin: what they are called, and which of them a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from snstdp_cli.datasets.idx import Kind

Split = Literal["train", "test"]
_PREFIXES: dict[Split, str] = {"train": "train", "test": "t10k"}


def file_stems(kind: Kind, split: Split) -> tuple[str, str]:
    """Return the two spellings of a file's name that are in use, without .gz."""
    dims = {"images": 3, "labels": 1}[kind]
    return f"{_PREFIXES[split]}-{kind}-idx{dims}-ubyte", f"{_PREFIXES[split]}-{kind}.idx{dims}-ubyte"


def expected_names(kind: Kind, split: Split) -> str:
    """Return the names of a file as an error states them."""
    return " or ".join(file_stems(kind, split)) + " (or with .gz)"


def find_file(folder: Path, kind: Kind, split: Split) -> Path | None:
    """Return the file of this kind, a raw one before a gzipped one."""
    for suffix in ("", ".gz"):
        for stem in file_stems(kind, split):
            path = folder / f"{stem}{suffix}"
            try:
                if path.is_file():
                    return path
            except OSError:  # a folder that may not be searched holds nothing for us
                return None
    return None


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
