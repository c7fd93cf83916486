"""MATLAB files: EMNIST's `dataset` structure, and arrays `X` and `y` such as SVHN's; SciPy reads them."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split, open_regular
from snstdp_cli.datasets.limits import MAX_BYTES, size_text
from snstdp_cli.datasets.readers.grey import to_grey
from snstdp_cli.datasets.readers.groups import Group, group_of, groups_in, only_group
from snstdp_cli.datasets.readers.labels import flat_labels
from snstdp_cli.datasets.readers.reading import Labelled, Reading
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

SUFFIXES = (".mat",)
_HEADER_BYTES = 128
_COMPRESSED = 15
_CHUNK = 2**20
_SPLITS: tuple[Split, ...] = ("train", "test")


def read_file(path: Path) -> Reading:
    """Read a MATLAB file, and that of the other split beside it."""
    content = _load(path)
    if "dataset" in content:
        return _read_emnist(content["dataset"], path)
    return _read_group(group_of(path, SUFFIXES), path)


def read_folder(folder: Path) -> Reading | None:
    """Read the MATLAB files of a folder; None if it has none."""
    groups = groups_in(folder, SUFFIXES)
    if not groups:
        return None
    group = only_group(groups, folder)
    return read_file(next(iter(group.files.values()))[0])


def _read_emnist(dataset: Any, path: Path) -> Reading:
    """Read EMNIST's structure, whose flat images run down the columns, as MATLAB's do."""
    splits: dict[Split, Labelled] = {}
    notes = list[str]()
    for split in _SPLITS:
        part = _field(dataset, split)
        if part is None:
            continue
        images, labels = _field(part, "images"), _field(part, "labels")
        where = f"{path}: dataset.{split}"
        if not isinstance(images, np.ndarray) or not isinstance(labels, np.ndarray) or images.dtype.hasobject:
            raise DataError(f"{where}: expected the arrays images and labels")
        grey, told = to_grey(images, "images", f"{where}.images")
        upright = grey.transpose(0, 2, 1) if images.ndim == 2 else grey
        splits[split] = Labelled(np.ascontiguousarray(upright), flat_labels(labels, f"{where}.labels"))
        notes += told
    if "train" not in splits:
        raise DataError(f"{path}: dataset: expected the fields train and test, each with images and labels")
    return Reading(path, splits, _mapping(_field(dataset, "mapping")), tuple(notes))


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


def _field(value: Any, name: str) -> Any:
    """Return a field of a structure of one element; None if there is none."""
    if not isinstance(value, np.ndarray) or value.dtype.names is None or name not in value.dtype.names:
        return None
    found = value[name]
    return found.flat[0] if found.size == 1 and found.dtype == object else found


def _mapping(value: Any) -> dict[int, str]:
    """Return the classes' names from rows of a label and its characters' codes."""
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.shape[1] < 2 or value.dtype.kind not in "iuf":
        return {}
    rows = np.nan_to_num(value).clip(0, 0x10FFFF).astype(int).tolist()
    return {label: "/".join(dict.fromkeys(chr(code) for code in codes if code)) for label, *codes in rows[:1000]}


def _load(path: Path) -> dict[str, NDArray[Any]]:
    """Read the variables of a file whose unpacked size was looked at first."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise DataError(f"{path}: MATLAB files need SciPy; install it: pip install 'snstdp[mat]'") from None
    with open_regular(path, "a MATLAB file") as stream:
        try:
            _check_sizes(stream, path)
            stream.seek(0)
            content = loadmat(stream, mat_dtype=False, chars_as_strings=True, verify_compressed_data_integrity=True)
        except DataError:
            raise
        except NotImplementedError:
            raise _newer(path) from None
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # SciPy raises a dozen unrelated classes for damaged bytes
            detail = printable(" ".join(str(error).split()) or type(error).__name__)
            raise DataError(f"{path}: not an intact MATLAB file: {detail}; write or copy it again") from None
    return {name: value for name, value in content.items() if not name.startswith("__")}


def _newer(path: Path) -> DataError:
    return DataError(f"{path}: is of MATLAB's version 7.3 (HDF5); save it as version 7: save('{path.name}', '-v7')")


def _check_sizes(stream: IO[bytes], path: Path) -> None:
    """Refuse a file that would unpack to more than two data sets of the largest size, without keeping what is in it."""
    total, header = stream.seek(0, 2), _HEADER_BYTES
    stream.seek(0)
    head = stream.read(header)
    if head.startswith(b"\x89HDF") or b"MATLAB 7.3" in head[:20]:
        raise _newer(path)
    order = "big" if head[126:128] == b"MI" else "little"
    while len(tag := stream.read(8)) == 8:
        kind, size = (int.from_bytes(tag[k : k + 4], order) for k in (0, 4))  # type: ignore[arg-type]
        end = stream.tell() + size
        if kind == _COMPRESSED:
            total += _unpacked_size(stream, size)
        if total > 2 * MAX_BYTES:
            raise DataError(
                f"{path}: unpacks to more than {size_text([2 * MAX_BYTES])} bytes; expected a data set of the size of "
                "MNIST"
            )
        stream.seek(end)


def _unpacked_size(stream: IO[bytes], size: int) -> int:
    packer, total = zlib.decompressobj(), 0
    while size > 0 and (piece := stream.read(min(_CHUNK, size))):
        size -= len(piece)
        while piece and total <= 2 * MAX_BYTES:
            total += len(packer.decompress(piece, _CHUNK))
            piece = packer.unconsumed_tail
    return total
