"""Data sets in one .npz file: the images and labels of both splits, as people save their own.

A file is untrusted: nothing is unpickled, only the four arrays are read, and their headers before their values.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.arrays import check_images, check_labels, has_numbers
from snstdp_cli.datasets.files import Split, open_regular
from snstdp_cli.datasets.limits import LARGEST_LABEL, check_bytes, check_size, size_text
from snstdp_cli.datasets.npy import find_members, open_archive, read_header, read_values
from snstdp_cli.errors import DataError

_LABELS = tuple(f"{split}_labels" for split in get_args(Split))
#: Of our own files, beside the four.
CLASS_NAMES = "class_names"
ARRAYS = tuple(f"{split}_{kind}" for split in get_args(Split) for kind in ("images", "labels"))


def read_npz(path: Path, splits: Sequence[Split] = get_args(Split)) -> dict[str, NDArray[np.uint8]]:
    """Read the images [num, rows, cols] and labels [num] of both splits or of one, called as in `ARRAYS`.

    Raises
    ------
    DataError
        If the file is missing or damaged, or an array is missing, too large or has another shape or type.
    """
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                arrays = _read_arrays(archive, path, [name for name in ARRAYS if name.startswith(tuple(splits))])
        except DataError:
            raise
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # zipfile and the decompressor raise a dozen unrelated classes for damaged bytes
            detail = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{path}: not an intact .npz archive: {detail}; write or copy it again") from None
    sizes = {split: arrays[f"{split}_images"].shape[1:] for split in splits}
    if len(set(sizes.values())) > 1:
        found = " and ".join(f"{split}_images {size_text(size)}" for split, size in sizes.items())
        raise DataError(f"{path}: found {found}; expected images of one size")
    return arrays


def read_class_names(path: Path) -> dict[int, str]:
    """Return the names of classes by number, from the array `class_names` that `data convert` writes; often nothing.

    Raises
    ------
    DataError
        If it is damaged, or no words.
    """
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                member = find_members(archive, [CLASS_NAMES], path).get(CLASS_NAMES)
                if member is None:
                    return {}
                where = f"{path}: {CLASS_NAMES}"
                header = read_header(archive, member, where)
                if header.dtype.kind != "U" or len(header.shape) != 1 or header.shape[0] > LARGEST_LABEL + 1:
                    raise DataError(
                        f"{where}: found the shape {size_text(header.shape)} of type {header.dtype}; expected words, "
                        f"one for each class from 0, at most {LARGEST_LABEL + 1}"
                    )
                check_bytes(header.shape, header.dtype.itemsize, where)
                return {k: str(name) for k, name in enumerate(read_values(archive, member, header, where)) if name}
        except DataError:
            raise
        except Exception as error:  # as in `read_npz`; words may also hold what is no character
            detail = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{path}: not an intact .npz archive: {detail}; write or copy it again") from None


def npz_bytes(pairs: Mapping[Split, tuple[NDArray[np.uint8], NDArray[np.uint8]]], names: Mapping[int, str]) -> bytes:
    """Return the content of a file with images and labels of both splits, and the names of classes if there are any.

    Parameters
    ----------
    names
        By number; empty if the numbers are the names.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for split, (images, labels) in pairs.items():
        arrays |= {f"{split}_images": images, f"{split}_labels": labels}
    if names:
        arrays[CLASS_NAMES] = np.array([names.get(k, "") for k in range(max(names) + 1)])
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type, unused-ignore]
    return stream.getvalue()


def _read_arrays(archive: zipfile.ZipFile, path: Path, wanted: Sequence[str]) -> dict[str, NDArray[np.uint8]]:
    members = find_members(archive, ARRAYS, path)
    if missing := [name for name in wanted if name not in members]:
        there = sorted(name.removesuffix(".npy") for name in archive.namelist())[:8]
        holds = ", ".join(name if name.isprintable() else ascii(name) for name in there) or "nothing"
        call = f"numpy.savez_compressed({path.name!r}, {', '.join(f'{name}=...' for name in ARRAYS)})"
        raise DataError(f"{path}: holds {holds}; missing: {', '.join(missing)}; write all four: {call}")
    headers = {name: read_header(archive, members[name], f"{path}: {name}") for name in wanted}
    # All headers before the first value: what is refused for its last array has not been read.
    for name, header in headers.items():
        check_size(header.shape, header.dtype.itemsize, f"{path}: {name}")
    arrays = {}
    for name, header in headers.items():
        where, shape, dtype = f"{path}: {name}", header.shape, header.dtype
        values = read_values(archive, members[name], header, where) if has_numbers(dtype) else None
        if name in _LABELS:
            arrays[name] = check_labels(values, shape, dtype, name, _LABELS, where)
        else:
            arrays[name] = check_images(values, shape, dtype, name, where)
    return arrays
