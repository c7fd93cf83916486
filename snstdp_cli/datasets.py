"""Data sets: find, read, check and fetch MNIST, Fashion-MNIST, the bundled subset of MNIST, and the user's own images.

A named data set comes from one folder: the first of `search_path` that holds any of its files. MNIST and Fashion-MNIST
have the same file names, so the content is compared with what is known of them. A user's own data set is a path: an
.npz file with four arrays, or a folder with IDX files.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import platformdirs
from numpy.typing import NDArray

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.errors import DataError
from snstdp_cli.idx import MAGIC, Kind, parse_idx, read_idx
from snstdp_cli.npz import LARGEST_LABEL, read_npz

__all__ = [
    "DATA_VARIABLE",
    "NAMES",
    "Dataset",
    "Split",
    "fetch_dataset",
    "find_dataset",
    "load_dataset",
    "read_idx",
    "search_path",
]

Split = Literal["train", "test"]

NAMES = ("mnist", "fashion-mnist", "bundled")
DATA_VARIABLE = "SNSTDP_DATA"
_LOCAL_FOLDERS = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
_PREFIXES: dict[Split, str] = {"train": "train", "test": "t10k"}
_MIRRORS = {
    "mnist": (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "fashion-mnist": (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
}
#: SHA-256 of the published files.
_SHA256 = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
#: Digests (as `Dataset.sha256`) of the images and labels that are known.
_CONTENT = {
    "7e59ac8a5816375b9562b977a87a70cf54d4c16e63518238bf1402a91211b525": "mnist",
    "b69c9657baa73cea1359a511f70970d5a9bfe744927151e61f60d0f15df2ff64": "mnist",
    "ba9375f28917fba0501f752802cf7f68bc4837e8b52c85b697bd37481c8bedf2": "bundled",
    "289dd1188a257e80fa3e073291c137aef556e1cb0a8f78bee3354f2c59ac7e00": "bundled",
}


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
    _check_name(name)
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
        _refuse_other_content(name, _identify(other), str(other))
    asked = _asked_folder(data_dir)
    if asked is not None:
        path, where = asked
        raise DataError(
            f"{where}: {_describe_folder(path, name)}; expected, there or in its subfolder '{name}', "
            f"{_expected_names('images', split)} and {_expected_names('labels', split)}"
        )
    if name == "mnist":
        return _load_bundled(name, split)
    searched = ", ".join(str(path) for path in search_path(name, cache_dir=cache_dir))
    raise DataError(
        f"{name}: not found (searched: {searched}); run `snstdp data fetch {name}`, "
        f"or name a folder with {_expected_names('images', split)} and its labels by --data-dir"
    )


def search_path(name: str, data_dir: Path | None = None, *, cache_dir: Path | None = None) -> list[Path]:
    """List the folders where a data set is looked for, in order; `bundled` has none, own data its path.

    `data_dir`, or else the environment variable SNSTDP_DATA, replaces the usual folders. Each folder is followed by
    its subfolder with the name of the data set.
    """
    _check_name(name)
    if name == "bundled":
        return []
    if is_data_path(name):
        return [_expand(Path(name))]
    asked = _asked_folder(data_dir)
    places = [asked[0]] if asked else [Path(_LOCAL_FOLDERS[name]), _cache_folder(name, cache_dir)]
    return [folder for place in places for folder in (place, place / name)]


def find_dataset(name: str, data_dir: Path | None = None, *, cache_dir: Path | None = None) -> Path | None:
    """Return the first place of `search_path` that holds any file of a data set, or None; for own data, its path.

    A folder whose files are known to be of another data set is passed over.
    """
    for place in search_path(name, data_dir, cache_dir=cache_dir):
        if is_data_path(name) and _is_there(place):
            return place
        if any(_find_file(place, kind, split) for split in get_args(Split) for kind in MAGIC) and not _is_other(
            name, _identify(place)
        ):
            return place
    return None


def fetch_dataset(name: str, target: Path | None = None) -> list[Path]:
    """Download the four files of a data set, over HTTPS and checked by SHA-256; files already there are kept.

    Parameters
    ----------
    name
        `mnist` or `fashion-mnist`.
    target
        Folder to write to; by default the user's cache, where `load_dataset` looks.

    Returns
    -------
    paths
        The gzipped IDX files.

    Raises
    ------
    DataError
        If the folder cannot be written, holds other files of these names, or every mirror fails for a file.
    """
    _check_name(name)
    if name not in _MIRRORS:
        known = "comes with snstdp" if name == "bundled" else "is your own data"
        raise DataError(f"{name}: {known}, there is nothing to fetch; expected: mnist or fashion-mnist")
    folder = _cache_folder(name, None) if target is None else _expand(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target is not None:
            _refuse_other_files(name, folder)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{folder}: cannot be used as a folder for {name}: {reason}; choose another one") from None
    mirrors = list(_MIRRORS[name])
    paths = []
    for file_name in _SHA256[name]:
        path, mirror = _fetch_file(name, file_name, folder, mirrors)
        mirrors.sort(key=lambda other: other != mirror)  # the one that answered comes first for the next file
        paths.append(path)
    return paths


def _fetch_file(name: str, file_name: str, folder: Path, mirrors: list[str]) -> tuple[Path, str]:
    import pooch  # slow to import, and only needed here

    pooch.get_logger().setLevel("WARNING")
    failures = []
    for mirror in mirrors:
        try:
            path = pooch.retrieve(
                url=mirror + file_name,
                known_hash=f"sha256:{_SHA256[name][file_name]}",
                fname=file_name,
                path=folder,
                progressbar=False,
            )
        except Exception as error:  # the network fails in many ways; each means the next mirror
            failures.append(f"  {mirror}{file_name}: {' '.join(str(error).split()) or type(error).__name__}")
        else:
            return Path(path), mirror
    raise DataError(
        f"{name}: no mirror delivered the published {file_name}:\n"
        + "\n".join(failures)
        + f"\nGet these files by hand, put them into a folder and name it by --data-dir: {', '.join(_SHA256[name])}"
    )


def _refuse_other_files(name: str, folder: Path) -> None:
    """Raise if a download would replace a file that is not the published one."""
    for file_name, sha256 in _SHA256[name].items():
        path = folder / file_name
        if not path.exists():
            continue
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256:
            raise DataError(
                f"{path}: is there already, and not the published file of {name} (SHA-256 {found[:12]}..., "
                f"expected {sha256[:12]}...); move it away or choose another folder"
            )


def _load_folder(name: str, split: Split, folder: Path) -> Dataset:
    arrays = {}
    for kind in MAGIC:
        path = _find_file(folder, kind, split)
        if path is None:
            holds = "holds" if is_data_path(name) else f"holds files of {name}, but"
            raise DataError(
                f"{folder}: {holds} no {kind} of the {split} split; expected {_expected_names(kind, split)}"
            )
        arrays[kind] = read_idx(path, kind)
    return _build(name, split, arrays, str(folder), bundled=False)


def _load_own(name: str, split: Split) -> Dataset:
    path = _expand(Path(name))
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
        resource = resources.files("snstdp_cli.bundled").joinpath(f"{_stems(kind, split)[0]}.gz")
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
    digest = _digest(images, labels)
    known = _CONTENT.get(digest)
    if not is_data_path(name):
        _refuse_other_content(name, known, source)
    return Dataset(name, split, images, labels, source, digest, bundled or known == "bundled")


def _digest(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256("x".join(str(size) for size in images.shape).encode() + b"\n")
    digest.update(images.data)
    digest.update(labels.data)
    return digest.hexdigest()


def _identify(folder: Path) -> str | None:
    """Return which known data set a folder holds, by its smaller split; None if it is another one or cannot be read."""
    for split in ("test", "train"):
        images, labels = _find_file(folder, "images", split), _find_file(folder, "labels", split)
        if images is None or labels is None:
            continue
        try:
            found = hashlib.sha256(images.read_bytes()).hexdigest()
            for name, files in _SHA256.items():
                if found in files.values():
                    return name
            return _CONTENT.get(_digest(read_idx(images, "images"), read_idx(labels, "labels")))
        except (OSError, DataError):  # loading it says what is wrong
            return None
    return None


def _is_other(name: str, known: str | None) -> bool:
    """Tell whether the content that was found is not that of a named data set; the bundled subset is MNIST."""
    return known is not None and known != name and (name, known) != ("mnist", "bundled")


def _refuse_other_content(name: str, known: str | None, where: str) -> None:
    if _is_other(name, known):
        raise DataError(
            f"{where}: these are the images of {known}, not of {name} (their files have the same names); "
            f"name the folder of {name} by --data-dir, or ask for --data {known}"
        )


def _check_name(name: str) -> None:
    if name in NAMES or is_data_path(name):
        return
    close = difflib.get_close_matches(name.lower().replace("_", "-"), NAMES, n=1)
    near = [path for path in (f"./{name}", f"{name}.npz") if _is_there(Path(path))] or close
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise DataError(f"unknown data set '{name}'; expected one of: {', '.join(NAMES)}, or a path to your own{hint}")


def _asked_folder(data_dir: Path | None) -> tuple[Path, str] | None:
    """Return the folder the user insists on and how to call it in errors."""
    if data_dir is not None:
        path = _expand(data_dir)
        return path, str(path)
    variable = os.environ.get(DATA_VARIABLE)
    if not variable:
        return None
    path = _expand(Path(variable))
    return path, f"{path} (from ${DATA_VARIABLE})"


def _expand(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no such user: then '~name' is taken as it stands
        return path


def _cache_folder(name: str, cache_dir: Path | None) -> Path:
    return (Path(platformdirs.user_cache_dir("snstdp")) if cache_dir is None else cache_dir) / name


def _stems(kind: Kind, split: Split) -> tuple[str, str]:
    dims = {"images": 3, "labels": 1}[kind]
    return f"{_PREFIXES[split]}-{kind}-idx{dims}-ubyte", f"{_PREFIXES[split]}-{kind}.idx{dims}-ubyte"


def _expected_names(kind: Kind, split: Split) -> str:
    return " or ".join(_stems(kind, split)) + " (or with .gz)"


def _find_file(folder: Path, kind: Kind, split: Split) -> Path | None:
    """Return the file of this kind, a raw one before a gzipped one."""
    for suffix in ("", ".gz"):
        for stem in _stems(kind, split):
            path = folder / f"{stem}{suffix}"
            try:
                if path.is_file():
                    return path
            except OSError:  # a folder that may not be searched holds nothing for us
                return None
    return None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


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
