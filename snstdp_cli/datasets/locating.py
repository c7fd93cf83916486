"""Where data sets are looked for: a folder that was asked for, or else the current folder and the user's cache.

A named data set comes from one folder: the first of `search_path` that holds any of its files.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import get_args

import platformdirs

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.files import Kind, Split, expand, find_file, is_there
from snstdp_cli.datasets.identity import identify, is_other
from snstdp_cli.datasets.published import NAMES
from snstdp_cli.errors import DataError

DATA_VARIABLE = "SNSTDP_DATA"
_TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
_LOCAL_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


def search_path(name: str, data_dir: Path | None = None, *, cache_dir: Path | None = None) -> list[Path]:
    """List the folders where a data set is looked for, in order; `bundled` has none, own data its path.

    `data_dir`, or else the environment variable SNSTDP_DATA, replaces the usual folders. Each folder is followed by
    its subfolder with the name of the data set.
    """
    check_name(name)
    if name == "bundled":
        return []
    if is_data_path(name):
        return [expand(Path(name))]
    asked = requested_folder(data_dir)
    places = [asked[0]] if asked else [Path(_LOCAL_FOLDERS[name]), cache_folder(name, cache_dir)]
    return [folder for place in places for folder in (place, place / name)]


def find_dataset(name: str, data_dir: Path | None = None, *, cache_dir: Path | None = None) -> Path | None:
    """Return the first place of `search_path` that holds any file of a data set, or None; for own data, its path.

    Torchvision's folders in these places are looked into after them. A folder whose files are known to be of another
    data set is passed over.
    """
    places = search_path(name, data_dir, cache_dir=cache_dir)
    if is_data_path(name):
        return next(filter(is_there, places), None)
    inner = [Path("raw"), Path(_TORCHVISION[name], "raw")] if name in _TORCHVISION else []
    for place in [*places, *(place / below for place in places for below in inner)]:
        if any(find_file(place, kind, split) for split in get_args(Split) for kind in get_args(Kind)) and not is_other(
            name, identify(place)
        ):
            return place
    return None


def check_name(name: str) -> None:
    """Raise `DataError` for a name that is neither known nor a path, with what was perhaps meant."""
    if name in NAMES or is_data_path(name):
        return
    close = difflib.get_close_matches(name.lower().replace("_", "-"), NAMES, n=1)
    near = [path for path in (f"./{name}", f"{name}.npz") if is_there(Path(path))] or close
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise DataError(f"unknown data set '{name}'; expected one of: {', '.join(NAMES)}, or a path to your own{hint}")


def requested_folder(data_dir: Path | None) -> tuple[Path, str] | None:
    """Return the folder the user insists on and how to call it in errors."""
    if data_dir is not None:
        path = expand(data_dir)
        return path, str(path)
    variable = os.environ.get(DATA_VARIABLE)
    if not variable:
        return None
    path = expand(Path(variable))
    return path, f"{path} (from ${DATA_VARIABLE})"


def cache_folder(name: str, cache_dir: Path | None) -> Path:
    """Return where a data set that was fetched is kept."""
    return (Path(platformdirs.user_cache_dir("snstdp")) if cache_dir is None else cache_dir) / name
