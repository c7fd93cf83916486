"""A folder with a folder of pictures for each class, whose name is the class, with or without `train/` and `test/`."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.limits import MAX_BYTES
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.groups import choose_splits, split_of_folder
from snstdp_cli.datasets.readers.pictures import SUFFIXES, read_picture
from snstdp_cli.datasets.readers.reading import Labelled, Pixels, Reading
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

_MOST_FOLDERS = 1000
#: Where commands draw, each figure as PNG and as SVG.
_FIGURES = "figures"
_MOST_PICTURES = 2_000_000


def read_folder(folder: Path) -> Reading | None:
    """Read a folder of class folders; None if it is none.

    Raises
    ------
    DataError
        If a picture is damaged, or there are too many or too large ones.
    """
    inner = _folders(folder)
    by_name = {split: one for one in inner if (split := split_of_folder(one.name)) and _classes(one)}
    if by_name:
        chosen, note = choose_splits(set(by_name))
        notes = (f"{folder}: {note}",) if note else ()
        splits = {split: _read_classes(_classes(by_name[one])) for split, one in chosen.items()}
        told = [note for one in chosen.values() for note in _empty_folders(by_name[one])]
        return Reading(folder, splits, notes=(*notes, *told))
    classes = [one for one in inner if _has_pictures(one)]
    if not classes:
        return None
    return Reading(folder, {"train": _read_classes(classes)}, notes=tuple(_empty_folders(folder)))


def read_flat(folder: Path) -> tuple[tuple[str, ...], list[NDArray[np.uint8]]]:
    """Read the pictures that lie in a folder itself, sorted by name, and their names; they have no labels."""
    paths = _pictures(folder)
    return tuple(path.name for path in paths), read_pictures(paths)


def has_classes(folder: Path) -> bool:
    """Tell whether a folder holds folders of pictures, or a split's folder with some."""
    try:
        return bool(_classes(folder)) or any(split_of_folder(one.name) and _classes(one) for one in _folders(folder))
    except DataError:
        return False


def stack_or_list(pictures: list[NDArray[np.uint8]]) -> Pixels:
    """Return pictures of one size as one array [num, rows, cols], others as they are."""
    return np.stack(pictures) if len({one.shape for one in pictures}) == 1 else pictures


def read_pictures(paths: list[Path]) -> list[NDArray[np.uint8]]:
    """Read picture files; together they may hold as many pixels as a data set."""
    found, total = [], 0
    for path in paths:
        found.append(read_picture(path))
        total += found[-1].size
        check_total(total, len(found), str(path.parent))
    return found


def check_total(pixels: int, num: int, where: str) -> None:
    """Raise `DataError` if there are more pixels than a data set may have."""
    if pixels > MAX_BYTES or num > _MOST_PICTURES:
        raise DataError(
            f"{where}: the first {num:,} pictures hold {pixels:,} pixels; expected at most {MAX_BYTES:,} pixels and "
            f"{_MOST_PICTURES:,} pictures in all; make them smaller or fewer"
        )


def _read_classes(folders: list[Path]) -> Labelled:
    pictures, labels, total = list[NDArray[np.uint8]](), list[str](), 0
    for folder in folders:
        found = read_pictures(_pictures(folder))
        total += sum(one.size for one in found)
        check_total(total, len(pictures) + len(found), str(folder.parent))
        pictures += found
        labels += [folder.name] * len(found)
    order = _spread(labels)
    return Labelled(stack_or_list([pictures[k] for k in order]), np.array([labels[k] for k in order]))


def _spread(labels: list[str]) -> list[int]:
    """Return the order in which every class is spread evenly: a network that sees them in turn forgets the first.

    Examples
    --------
    >>> _spread(["a", "a", "a", "a", "b", "b"])
    [0, 4, 1, 2, 5, 3]
    """
    totals, seen, places = Counter(labels), Counter[str](), list[Fraction]()
    for label in labels:
        places.append(Fraction(2 * seen[label] + 1, 2 * totals[label]))
        seen[label] += 1
    return sorted(range(len(labels)), key=lambda k: (places[k], k))


def _classes(folder: Path) -> list[Path]:
    return [one for one in _folders(folder) if _has_pictures(one)]


def _empty_folders(folder: Path) -> list[str]:
    """Say which folders beside those of the classes hold no pictures."""
    empty = [printable(one.name, 40) for one in _folders(folder) if not _has_pictures(one)]
    if not empty:
        return []
    shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
    return [f"{folder}: folders without a picture of their own are no classes: {shown}"]


def _folders(folder: Path) -> list[Path]:
    try:
        inner = [one for one in itertools.islice(folder.iterdir(), _MOST_PICTURES) if one.is_dir()]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}; check the folder and its permissions") from None
    if len(inner) > _MOST_FOLDERS:
        raise DataError(f"{folder}: holds {len(inner):,} folders; expected one for each class, at most {_MOST_FOLDERS}")
    return sorted(one for one in inner if not one.name.startswith("."))


def _pictures(folder: Path) -> list[Path]:
    try:
        names = itertools.islice(folder.iterdir(), _MOST_PICTURES)
        return sorted(one for one in names if _is_picture(one))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}; check the folder and its permissions") from None


def _has_pictures(folder: Path) -> bool:
    try:
        return any(_is_picture(one) for one in itertools.islice(folder.iterdir(), _MOST_PICTURES))
    except OSError:
        return False


def _is_picture(path: Path) -> bool:
    """Tell whether a file is a picture of a class, and not a figure that a command drew in the folder of the images."""
    if path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES):
        return False
    return path.parent.name != _FIGURES or not path.with_suffix(".svg").exists()


def _is_no_file(path: Path, begin: bytes, unpacked: bytes) -> bool:
    return False


def _read_file(path: Path) -> None:
    return None


FORMAT = Format("", _is_no_file, _read_file, read_folder)
