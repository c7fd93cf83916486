"""Folders that no reader reads: with one archive, or with a data set somewhere below them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.readers.detection import EXPECTED, FORMATS
from snstdp_cli.datasets.readers.groups import folders_in, list_files, name_parts
from snstdp_cli.datasets.readers.picture_folders import has_classes
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

#: Of one folder, for a hint.
_MOST_ENTRIES = 1000
_DEEPEST = 3
_MOST_SHOWN = 3
_SUFFIXES = (".npz", *(suffix for one in FORMATS for suffix in one.suffixes))


def only_archive(folder: Path) -> Path | None:
    """Return the `.npz` file in a folder if there is exactly one."""
    found = list_files(folder, (".npz",))
    return found[0] if len(found) == 1 else None


def describe_folder(folder: Path) -> str:
    """Say why a folder is no data set, and which ones lie in it, as the end of a sentence."""
    below = list(itertools.islice(_data_below(folder), _MOST_SHOWN + 1))
    if not below:
        return f"is a folder without a data set; {EXPECTED}"
    shown = " or ".join(map(_as_typed, below[:_MOST_SHOWN]))
    more = ", ..." if len(below) > _MOST_SHOWN else ""
    return f"is a folder without a data set of its own; name what lies in it: {shown}{more}"


def _as_typed(path: Path) -> str:
    return printable(str(path) if is_data_path(str(path)) else f"./{path}", 200)


def _data_below(folder: Path) -> Iterator[Path]:
    """Yield files and folders that look like data sets, the nearest first."""
    level = [folder]
    for _ in range(_DEEPEST):
        inner = list[Path]()
        for place in level:
            yield from _files_like_data(place)
            for below in folders_in(place):
                if _is_torchvision(below) or has_classes(below):
                    yield below
                else:
                    inner.append(below)
        level = inner[:_MOST_ENTRIES]


def _files_like_data(folder: Path) -> list[Path]:
    """Return the files that look like data, one of those that belong together."""
    try:
        files = list_files(folder, (*_SUFFIXES, "-ubyte", "-ubyte.gz"))
    except DataError:
        return []
    first = dict[str, Path]()
    for path in files:
        first.setdefault(name_parts(path.name).stem, path)
    return list(first.values())


def _is_torchvision(folder: Path) -> bool:
    return any(_files_like_data(one / "raw") for one in folders_in(folder))
