"""MATLAB files: EMNIST's `dataset` structure, and arrays `X` and `y` such as SVHN's."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snstdp_cli.datasets.files import Split, open_regular
from snstdp_cli.datasets.readers.format import Format
from snstdp_cli.datasets.readers.grey import to_grey
from snstdp_cli.datasets.readers.groups import Group, group_of, groups_in, only_group
from snstdp_cli.datasets.readers.labels import flat_labels
from snstdp_cli.datasets.readers.mat5 import MatError, Value, read_mat
from snstdp_cli.datasets.readers.reading import Labelled, Reading
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

SUFFIXES = (".mat",)
#: Version 7.3 is HDF5, often behind a block with a header like that of version 5.
_HDF, _USER_BLOCK = b"\x89HDF", 512
_SPLITS: tuple[Split, ...] = ("train", "test")


def read_file(path: Path) -> Reading:
    """Read a MATLAB file, and that of the other split beside it."""
    dataset = _load(path).get("dataset")
    if isinstance(dataset, Mapping):
        return _read_emnist(dataset, path)
    return _read_group(group_of(path, SUFFIXES), path)


def read_folder(folder: Path) -> Reading | None:
    """Read the MATLAB files of a folder; None if it has none."""
    groups = groups_in(folder, SUFFIXES)
    if not groups:
        return None
    group = only_group(groups, folder)
    return read_file(next(iter(group.files.values()))[0])


def _read_emnist(dataset: Mapping[str, Value], path: Path) -> Reading:
    """Read EMNIST's structure, whose flat images run down the columns, as MATLAB's do."""
    splits: dict[Split, Labelled] = {}
    notes = list[str]()
    for split in _SPLITS:
        part = dataset.get(split)
        if not isinstance(part, Mapping):
            continue
        images, labels = part.get("images"), part.get("labels")
        where = f"{path}: dataset.{split}"
        if not isinstance(images, np.ndarray) or not isinstance(labels, np.ndarray):
            raise DataError(f"{where}: expected the arrays images and labels")
        grey, told = to_grey(images, "images", f"{where}.images")
        upright = grey.transpose(0, 2, 1) if images.ndim == 2 else grey
        splits[split] = Labelled(np.ascontiguousarray(upright), flat_labels(labels, f"{where}.labels"))
        notes += told
    if "train" not in splits:
        raise DataError(f"{path}: dataset: expected the fields train and test, each with images and labels")
    return Reading(path, splits, _mapping(dataset.get("mapping")), tuple(notes))


def _read_group(group: Group, source: Path) -> Reading:
    """Read files with arrays X [rows, cols, channels, num] and y [num]."""
    splits: dict[Split, Labelled] = {}
    notes = [f"{source}: {group.note}"] if group.note else []
    for (split, _), files in group.files.items():
        path = files[0]
        content = _load(path)
        images, labels = content.get("X"), content.get("y")
        if not isinstance(images, np.ndarray) or not isinstance(labels, np.ndarray) or images.ndim not in (3, 4):
            there = ", ".join(printable(name, 20) for name in list(content)[:8]) or "nothing"
            raise DataError(
                f"{path}: holds {there}; expected EMNIST's structure `dataset`, or X [rows, cols, channels, num] and y"
            )
        grey, told = to_grey(np.moveaxis(images, -1, 0), "X", f"{path}: X")
        splits[split] = Labelled(grey, flat_labels(labels, f"{path}: y"))
        notes += told
    return Reading(source, splits, notes=tuple(dict.fromkeys(notes)))


def _mapping(value: Value) -> dict[int, str]:
    """Return the classes' names from rows of a label and its characters' codes."""
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.shape[1] < 2 or value.dtype.kind not in "iuf":
        return {}
    rows = np.nan_to_num(value).clip(0, 0x10FFFF).astype(int).tolist()
    return {label: "/".join(dict.fromkeys(chr(code) for code in codes if code)) for label, *codes in rows[:1000]}


def _load(path: Path) -> dict[str, Value]:
    """Read the variables of a file."""
    with open_regular(path, "a MATLAB file") as stream:
        begin = stream.peek(_USER_BLOCK + 4)[: _USER_BLOCK + 4]
        if begin.startswith((_HDF, b"MATLAB 7.3")) or begin[_USER_BLOCK:] == _HDF:
            raise DataError(
                f"{path}: is of MATLAB's version 7.3 (HDF5); save it as version 7: save('{path.name}', '-v7')"
            )
        try:
            return read_mat(stream)
        except (MatError, zlib.error) as error:
            raise DataError(f"{path}: not an intact MATLAB file: {error}; write or copy it again") from None
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}; copy it again") from None


def _recognizes(path: Path, begin: bytes, unpacked: bytes) -> bool:
    return begin.startswith((b"MATLAB", _HDF))


FORMAT = Format(".mat", _recognizes, read_file, read_folder, suffixes=SUFFIXES)
