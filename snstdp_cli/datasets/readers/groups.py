"""Files that belong together: the other split beside a file, the labels beside images, the parts of a table."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from snstdp_cli.datasets.files import Kind, Split
from snstdp_cli.errors import DataError

_SPLIT = re.compile(r"(?<![a-z])(train(?:ing)?|test(?:ing)?|t10k|val(?:id(?:ation)?)?|eval)(?![a-z])", re.IGNORECASE)
_KIND = re.compile(r"(?<![a-z])(images?|imgs?|labels?)(?:[-._]?idx\d)?(?![a-z])", re.IGNORECASE)
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
#: More than these in one folder are not looked through.
_MOST_FILES = 100_000
_MOST_FOLDERS = 1000
_CALLED: dict[str, str] = {"tr": "train", "te": "test", "t1": "test", "va": "validation", "ev": "validation"}


class Name(NamedTuple):
    """What a file's name tells: `stem` is what the files of one data set share."""

    stem: str
    split: str | None
    kind: Kind | None


@dataclass(frozen=True)
class Group:
    """The files of one data set.

    Attributes
    ----------
    files
        By split (`train`, `test`) and kind (None where a file holds images and labels), sorted by name.
    note
        What was chosen, if anything was.
    """

    files: dict[tuple[Split, Kind | None], list[Path]]
    note: str = ""


def name_parts(name: str) -> Name:
    """Take a file's name apart.

    Examples
    --------
    >>> name_parts("kmnist-train-imgs.npz")
    Name(stem='kmnist--.npz', split='train', kind='images')
    >>> name_parts("test-00000-of-00002.parquet").split
    'test'
    """
    name = name.removesuffix(".gz")
    split, kind = _SPLIT.search(name), _KIND.search(name)
    stem = _SHARD.sub("", _KIND.sub("", _SPLIT.sub("", name)))
    found: Kind | None = None if kind is None else "labels" if kind[1].lower().startswith("label") else "images"
    return Name(stem.lower(), None if split is None else _CALLED[split[1][:2].lower()], found)


def split_of_folder(name: str) -> str | None:
    """Return which split a folder of this name holds; None if the name tells none."""
    match = _SPLIT.fullmatch(name)
    return None if match is None else _CALLED[match[1][:2].lower()]


def list_files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder whose names end so, sorted.

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    try:
        found = itertools.islice(folder.iterdir(), _MOST_FILES)
        return sorted(one for one in found if one.name.lower().endswith(suffixes) and one.is_file())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}; check the folder and its permissions") from None


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; none if it cannot be read."""
    try:
        found = [one for one in itertools.islice(folder.iterdir(), _MOST_FOLDERS) if one.is_dir()]
    except (OSError, ValueError):
        return []
    return sorted(one for one in found if not one.name.startswith("."))


def group_of(path: Path, suffixes: tuple[str, ...], *, pairs: bool = False) -> Group:
    """Return the files that belong to one, from the same folder.

    Parameters
    ----------
    suffixes
        What their names end in.
    pairs
        Whether images and labels are in files of their own.
    """
    own = name_parts(path.name)
    if own.split is None and (not pairs or own.kind is None):
        return Group({("train", own.kind if pairs else None): [path]})
    try:
        beside = list_files(path.parent, suffixes)
    except DataError:
        beside = [path]
    same = [one for one in beside if name_parts(one.name).stem == own.stem]
    return _grouped(same if path in same else [path, *same], pairs)


def groups_in(folder: Path, suffixes: tuple[str, ...], *, pairs: bool = False) -> list[Group]:
    """Return the groups of files in a folder."""
    by_stem: dict[str, list[Path]] = {}
    for path in list_files(folder, suffixes):
        parts = name_parts(path.name)
        if not pairs or parts.kind is not None:
            by_stem.setdefault(parts.stem, []).append(path)
    return [_grouped(files, pairs) for files in by_stem.values()]


def only_group(groups: list[Group], folder: Path) -> Group:
    """Return the group if there is one.

    Raises
    ------
    DataError
        If there are several.
    """
    if len(groups) > 1:
        first = [next(iter(group.files.values()))[0] for group in groups[:6]]
        raise DataError(
            f"{folder}: holds several data sets ({', '.join(repr(str(one.relative_to(folder))) for one in first)}); "
            f"name one file of the one you mean, such as {first[0]}"
        )
    return groups[0]


def _grouped(paths: Iterable[Path], pairs: bool) -> Group:
    """Sort files into splits; validation images serve as test images where there are no others."""
    raw = {path.name for path in paths}
    found: dict[tuple[str, Kind | None], list[Path]] = {}
    for path in paths:
        if path.suffix == ".gz" and path.name.removesuffix(".gz") in raw:
            continue  # the same, packed
        parts = name_parts(path.name)
        found.setdefault((parts.split or "train", parts.kind if pairs else None), []).append(path)
    chosen, note = choose_splits({split for split, _ in found})
    named: dict[tuple[Split, Kind | None], list[Path]] = {}
    for split, called in chosen.items():
        named |= {(split, kind): files for (one, kind), files in found.items() if one == called}
    return Group(named, note)


def choose_splits(there: set[str]) -> tuple[dict[Split, str], str]:
    """Return which of `train`, `test` and `validation` serves as which split, and what was chosen."""
    chosen: dict[Split, str] = {"train": "train"} if "train" in there else {}
    if "test" in there:
        left = "; its validation images are not used" if "validation" in there else ""
        return {**chosen, "test": "test"}, left.removeprefix("; ")
    if "validation" in there:
        return {**chosen, "test": "validation"}, "its validation images serve as test images"
    return chosen, ""
