"""Read one split of a data set: MNIST, Fashion-MNIST, the bundled subset of MNIST, or the user's own images.

A user's own data set is a path: an .npz file with four arrays, or a folder with IDX files.
"""

from __future__ import annotations

import itertools
from importlib import resources
from pathlib import Path
from typing import get_args

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.dataset import Dataset, Pair, build_dataset
from snstdp_cli.datasets.files import Kind, Split, expand, expected_names, file_stems, find_file
from snstdp_cli.datasets.identity import identify, refuse_other_content
from snstdp_cli.datasets.idx import parse_idx, read_idx
from snstdp_cli.datasets.npz import read_npz
from snstdp_cli.datasets.places import asked_folder, check_name, find_dataset, search_path
from snstdp_cli.datasets.sealing import readable_splits, refuse_sealed
from snstdp_cli.errors import DataError

#: Of a folder's files, for a hint.
_MOST_NAMES = 1000
_OTHER: dict[Split, Split] = {"train": "test", "test": "train"}


def load_dataset(name: str, split: Split, data_dir: Path | None = None, *, cache_dir: Path | None = None) -> Dataset:
    """Load one split of a data set from the first folder that holds it.

    Parameters
    ----------
    name
        `mnist`, `fashion-mnist` or `bundled`; `mnist` falls back to the bundled subset where no folder was asked for.
        Or a path from the current folder: an .npz file or a folder with IDX files, with images of any size.
    split
        `train` or `test`.
    data_dir
        Look here only; `bundled` and a path need no folder and ignore it.
    cache_dir
        Look here in place of the user's cache folder.

    Raises
    ------
    DataError
        If the name is unknown, or files are missing, damaged, of another data set or do not fit each other.
    """
    check_name(name)
    if split not in get_args(Split):
        raise DataError(f"unknown split '{split}'; expected one of: {', '.join(get_args(Split))}")
    refuse_sealed(split, name)
    if name == "bundled":
        return _load_bundled(name, split)
    if is_data_path(name):
        return _load_own(name, split)
    folder = find_dataset(name, data_dir, cache_dir=cache_dir)
    if folder is not None:
        return _load_folder(name, split, folder)
    for other in search_path(name, data_dir, cache_dir=cache_dir):
        refuse_other_content(name, identify(other), str(other))
    asked = asked_folder(data_dir)
    if asked is not None:
        path, where = asked
        raise DataError(
            f"{where}: {_describe_folder(path, name)}; expected, there or in its subfolder '{name}', "
            f"{expected_names('images', split)} and {expected_names('labels', split)}{_other_names(path)}"
        )
    if name == "mnist":
        return _load_bundled(name, split)
    searched = ", ".join(str(path) for path in search_path(name, cache_dir=cache_dir))
    raise DataError(
        f"{name}: not found (searched: {searched}); run `snstdp data fetch {name}`, "
        f"or name a folder with {expected_names('images', split)} and its labels by --data-dir"
    )


def _load_folder(name: str, split: Split, folder: Path) -> Dataset:
    pair = _read_folder(folder, split)
    if isinstance(pair, str):
        holds = "holds" if is_data_path(name) else f"holds files of {name}, but"
        missing: Kind = "images" if pair == "images" else "labels"
        names = expected_names(missing, split)
        raise DataError(f"{folder}: {holds} no {missing} of the {split} split; expected {names}{_other_names(folder)}")

    def read_other() -> Pair | None:
        other = _read_folder(folder, _OTHER[split])
        return None if isinstance(other, str) else other

    return build_dataset(name, split, pair, str(folder), read_other)


def _read_folder(folder: Path, split: Split) -> Pair | Kind:
    """Read images and labels of a split; return which of them is missing if one is."""
    images, labels = (find_file(folder, kind, split) for kind in get_args(Kind))
    if images is None:
        return "images"
    if labels is None:
        return "labels"
    return read_idx(images, "images"), read_idx(labels, "labels")


def _other_names(folder: Path) -> str:
    """Say which IDX files of other names a folder holds (EMNIST's begin with `emnist-`), as the end of a sentence."""
    try:
        names = [path.name for path in itertools.islice(folder.iterdir(), _MOST_NAMES)]
    except (OSError, ValueError):
        return ""
    others = sorted(name for name in names if "idx" in name and not name.startswith(("train-", "t10k-")))[:4]
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in others)
    return f"; are these the files, under other names? {shown}" if others else ""


def _load_own(name: str, split: Split) -> Dataset:
    path = expand(Path(name))
    try:
        if path.is_dir():
            return _load_folder(name, split, path)
        found = (
            None if path.is_file() else "is neither a file nor a folder" if path.exists() else "no such file or folder"
        )
    except (OSError, ValueError) as error:
        found = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if found is None and path.suffix != ".npz":
        found = "is a file, but its name does not end in .npz"
    if found is not None:
        here = "" if path.is_absolute() else f" (looked for in {Path.cwd()})"
        raise DataError(f"{path}: {found}{here}; expected an .npz file, or a folder with IDX files")
    arrays = read_npz(path, readable_splits())
    pairs = {part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in readable_splits()}
    return build_dataset(name, split, pairs[split], str(path), lambda: pairs[_OTHER[split]])


def _load_bundled(name: str, split: Split) -> Dataset:
    return build_dataset(name, split, _read_bundled(split), "bundled subset", lambda: _read_bundled(_OTHER[split]))


def _read_bundled(split: Split) -> Pair:
    arrays = {}
    for kind in get_args(Kind):
        resource = resources.files("snstdp_cli.bundled").joinpath(f"{file_stems(kind, split)[0]}.gz")
        try:
            with resource.open("rb") as stream:
                arrays[kind] = parse_idx(stream, f"bundled subset: {resource.name}", kind)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"bundled subset: {resource.name}: {reason}; install snstdp again") from None
    return arrays["images"], arrays["labels"]


def _describe_folder(folder: Path, name: str) -> str:
    """Say why nothing was found in a folder."""
    try:
        if not folder.exists():
            return "no such folder"
        if not folder.is_dir():
            return "is a file, not a folder"
        next(folder.iterdir(), None)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    return f"holds no files of {name}"
