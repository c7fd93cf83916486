"""Other `.npz` files than ours: Keras' keys and their kin, one split a file, and KMNIST's files of one array each.

Our own four arrays are read by `datasets.npz`, which converts nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from snstdp_cli.datasets.arrays import has_numbers
from snstdp_cli.datasets.files import Kind, Split, open_regular
from snstdp_cli.datasets.limits import check_bytes
from snstdp_cli.datasets.npy import find_members, open_archive, read_header, read_values
from snstdp_cli.datasets.npz import ARRAYS
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.grey import to_grey
from snstdp_cli.datasets.readers.groups import Group, group_of, groups_in, name_parts, only_group
from snstdp_cli.datasets.readers.labels import flat_labels
from snstdp_cli.datasets.readers.reading import Labelled, Reading
from snstdp_cli.errors import DataError

_BOTH: tuple[tuple[str, str, str, str], ...] = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("X_train", "y_train", "X_test", "y_test"),
    ("train_x", "train_y", "test_x", "test_y"),
)
_ONE = (("images", "labels"), ("images", "target"), ("data", "labels"), ("data", "target"), ("X", "y"), ("x", "y"))
_OURS = (ARRAYS[0], ARRAYS[1], ARRAYS[2], ARRAYS[3])
#: Of MedMNIST's files, whose other arrays have our names.
_MEDMNIST = "val_images"
_MOST_NAMES = 1000


def layout_of(path: Path) -> str | None:
    """Return `own`, `keys` (both splits or one under other names), `single` (images or labels alone) or None."""
    names = set(array_names(path))
    if _MEDMNIST in names and names >= set(ARRAYS):
        return "keys"
    if names & set(ARRAYS):
        return "own"
    if any(names >= set(keys) for keys in (*_BOTH, *_ONE)):
        return "keys"
    return "single" if len(names) == 1 and name_parts(path.name).kind is not None else None


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in an archive, as far as it can be opened."""
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                return [name.removesuffix(".npy") for name in archive.namelist()[:_MOST_NAMES]]
        except DataError:
            raise
        except Exception as error:  # zipfile raises a dozen unrelated classes for damaged bytes
            raise _damaged(path, error) from None


def read_keys(path: Path) -> Reading:
    """Read images and labels of both splits from one file, or of one split from it and of the other beside it."""
    names = set(array_names(path))
    both = next((keys for keys in (*_BOTH, _OURS) if names >= set(keys)), None)
    if both is None:
        found = _read_splits(group_of(path, (".npz",)), path)
        if found is not None:
            return found
        # Alone, a file is what there is to train on, whatever it is called.
        only = next(keys for keys in _ONE if names >= set(keys))
        splits, notes = _read_pairs(path, {"train": only})
        return Reading(path, splits, notes=tuple(notes))
    splits, notes = _read_pairs(path, {"train": both[:2], "test": both[2:]})
    if _MEDMNIST in names:
        notes.append(f"{path}: its validation images are not used")
    return Reading(path, splits, notes=tuple(notes))


def _read_splits(group: Group, source: Path) -> Reading | None:
    """Read files of one split each; None if none of them has images and labels to train on."""
    splits: dict[Split, Labelled] = {}
    notes = [f"{source}: {group.note}"] if group.note else []
    for (split, _), files in group.files.items():
        names = set(array_names(files[0]))
        keys = next((keys for keys in _ONE if names >= set(keys)), None)
        if keys is None:
            notes.append(f"{files[0]}: has no labels under a name that is known and is not used")
            continue
        found, told = _read_pairs(files[0], {split: keys})
        splits |= found
        notes += told
    return Reading(source, splits, notes=tuple(notes)) if "train" in splits else None


def _read_pairs(path: Path, wanted: Mapping[Split, tuple[str, str]]) -> tuple[dict[Split, Labelled], list[str]]:
    """Read images and labels by the names of their arrays, and say what was converted."""
    arrays = read_arrays(path, [name for pair in wanted.values() for name in pair])
    splits, notes = dict[Split, Labelled](), dict[str, None]()
    for split, (pixels, labels) in wanted.items():
        images, told = to_grey(arrays[pixels], pixels, f"{path}: {pixels}")
        splits[split] = Labelled(images, flat_labels(arrays[labels], f"{path}: {labels}"))
        notes |= dict.fromkeys(told)
    return splits, list(notes)


def read_singles(path: Path) -> Reading:
    """Read files of one array each, images and labels beside each other, such as KMNIST's."""
    return _read_group(group_of(path, (".npz",), pairs=True), path)


def read_folder(folder: Path) -> Reading | None:
    """Read files of one array each, or of one split each, from a folder; None if it has none."""
    singles = groups_in(folder, (".npz",), pairs=True)
    if singles:
        return _read_group(only_group(singles, folder), folder)
    groups = groups_in(folder, (".npz",))
    return _read_splits(groups[0], folder) if len(groups) == 1 and len(groups[0].files) > 1 else None


def _read_group(group: Group, source: Path) -> Reading:
    splits: dict[Split, Labelled] = {}
    notes = [f"{source}: {group.note}"] if group.note else []
    for split in dict.fromkeys(split for split, _ in group.files):
        images, labels = (_single(group, split, kind, source) for kind in ("images", "labels"))
        grey, told = to_grey(images[1], "images", str(images[0]))
        notes += told
        splits[split] = Labelled(grey, flat_labels(labels[1], str(labels[0])))
    return Reading(source, splits, notes=tuple(notes))


def _single(group: Group, split: Split, kind: Kind, source: Path) -> tuple[Path, NDArray[Any]]:
    files = group.files.get((split, kind))
    if not files:
        there = sorted(path.name for paths in group.files.values() for path in paths)
        raise DataError(
            f"{source}: no {kind} of the {split} split beside {', '.join(there)}; expected a file of one array whose "
            f"name differs in '{'labels' if kind == 'labels' else 'imgs'}' only; or write one file with the arrays "
            f"{', '.join(ARRAYS)}"
        )
    names = array_names(files[0])
    if len(names) != 1:
        raise DataError(f"{files[0]}: holds {len(names)} arrays; expected the {kind} alone")
    return files[0], read_arrays(files[0], names)[names[0]]


def read_arrays(path: Path, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read arrays of numbers or words, all headers before the first value.

    Raises
    ------
    DataError
        If one is damaged, too large, or holds objects, which would have to be unpickled.
    """
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                return _read_members(archive, path, wanted)
        except DataError:
            raise
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # zipfile and the decompressor raise a dozen unrelated classes for damaged bytes
            raise _damaged(path, error) from None


def _read_members(archive: zipfile.ZipFile, path: Path, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    members = find_members(archive, wanted, path)
    headers = {name: read_header(archive, members[name], f"{path}: {name}") for name in wanted}
    for name, header in headers.items():
        check_bytes(header.shape, header.dtype.itemsize, f"{path}: {name}")
        if not (has_numbers(header.dtype) or header.dtype.kind in "SU"):
            raise DataError(
                f"{path}: {name}: found values of type {header.dtype}, expected numbers or words; objects are not "
                "read, because unpickling runs code"
            )
    return {name: read_values(archive, members[name], headers[name], f"{path}: {name}") for name in wanted}


def _damaged(path: Path, error: Exception) -> DataError:
    detail = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{path}: not an intact .npz archive: {detail}; write or copy it again")


def _recognizes(path: Path, begin: bytes, unpacked: bytes) -> bool:
    return begin.startswith(b"PK") or path.suffix == ".npz"


def _read_file(path: Path) -> Reading | None:
    layout = layout_of(path)
    if layout == "keys":
        return read_keys(path)
    return read_singles(path) if layout == "single" else None


FORMAT = Format(".npz", _recognizes, _read_file, read_folder)
