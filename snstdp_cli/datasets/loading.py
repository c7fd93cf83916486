"""Read one split of a data set: MNIST, Fashion-MNIST, the bundled subset of MNIST, or the user's own images.

A user's own data set is a path: an .npz file with four arrays, or a folder with IDX files.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.files import Split, expand, expected_names, file_stems, find_file
from snstdp_cli.datasets.idx import MAGIC, Kind, parse_idx, read_idx
from snstdp_cli.datasets.known import CONTENT, NAMES, digest_of, identify, refuse_other_content
from snstdp_cli.datasets.npz import LARGEST_LABEL, read_npz
from snstdp_cli.datasets.places import asked_folder, check_name, find_dataset, search_path
from snstdp_cli.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and their labels, checked; the arrays are read-only.

    Attributes
    ----------
    name
        What it was asked for by: one of `NAMES`, or the path of own data as it was given.
    split
        `train` or `test`.
    images
        Pixels from 0 (background) to 255, [num, rows, cols].
    labels
        Class of each image, [num].
    source
        The folder or file it was read from, or `bundled subset`.
    sha256
        Digest of the images' shape, the pixels and the labels; independent of file names and compression.
    bundled
        Whether this is the bundled subset.
    """

    name: str
    split: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    source: str
    sha256: str
    bundled: bool

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_input(self) -> int:
        """Number of pixels of an image."""
        return int(self.images.shape[1] * self.images.shape[2])

    @property
    def num_classes(self) -> int:
        """Number of classes: the largest label and one, and at least the ten that MNIST and its kin define."""
        found = int(self.labels.max()) + 1
        return max(found, 10) if self.name in NAMES else found


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
            f"{expected_names('images', split)} and {expected_names('labels', split)}"
        )
    if name == "mnist":
        return _load_bundled(name, split)
    searched = ", ".join(str(path) for path in search_path(name, cache_dir=cache_dir))
    raise DataError(
        f"{name}: not found (searched: {searched}); run `snstdp data fetch {name}`, "
        f"or name a folder with {expected_names('images', split)} and its labels by --data-dir"
    )


def _load_folder(name: str, split: Split, folder: Path) -> Dataset:
    arrays = {}
    for kind in MAGIC:
        path = find_file(folder, kind, split)
        if path is None:
            holds = "holds" if is_data_path(name) else f"holds files of {name}, but"
            raise DataError(f"{folder}: {holds} no {kind} of the {split} split; expected {expected_names(kind, split)}")
        arrays[kind] = read_idx(path, kind)
    return _build(name, split, arrays, str(folder), bundled=False)


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
    found_arrays = read_npz(path)
    arrays: dict[Kind, NDArray[np.uint8]] = {kind: found_arrays[f"{split}_{kind}"] for kind in MAGIC}
    return _build(name, split, arrays, str(path), bundled=False)


def _load_bundled(name: str, split: Split) -> Dataset:
    arrays = {}
    for kind in MAGIC:
        resource = resources.files("snstdp_cli.bundled").joinpath(f"{file_stems(kind, split)[0]}.gz")
        try:
            with resource.open("rb") as stream:
                arrays[kind] = parse_idx(stream, f"bundled subset: {resource.name}", kind)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"bundled subset: {resource.name}: {reason}; install snstdp again") from None
    return _build(name, split, arrays, "bundled subset", bundled=True)


def _build(name: str, split: Split, arrays: dict[Kind, NDArray[np.uint8]], source: str, *, bundled: bool) -> Dataset:
    images, labels = arrays["images"], arrays["labels"]
    if len(images) != len(labels):
        raise DataError(
            f"{source}: {len(images):,} images but {len(labels):,} labels in the {split} split of {name}; "
            "expected as many; are the files from different data sets?"
        )
    if labels.max() > LARGEST_LABEL:
        raise DataError(
            f"{source}: found the label {labels.max()} in the {split} split; expected 0 to {LARGEST_LABEL}; "
            "number the classes from 0"
        )
    digest = digest_of(images, labels)
    known = CONTENT.get(digest)
    if not is_data_path(name):
        refuse_other_content(name, known, source)
    return Dataset(name, split, images, labels, source, digest, bundled or known == "bundled")


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
