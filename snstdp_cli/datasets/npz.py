"""Data sets in one .npz file: the images and labels of both splits, as people save their own.

A file is untrusted: nothing is unpickled, only the four arrays are read, and their headers before their values.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.conversions import image_conversion, label_conversion
from snstdp_cli.datasets.files import open_regular
from snstdp_cli.datasets.limits import LARGEST_LABEL, check_size, size_text
from snstdp_cli.datasets.npy import Header, find_members, open_archive, read_header, read_values
from snstdp_cli.errors import DataError

_PARTS = ("train", "test")
ARRAYS = tuple(f"{part}_{kind}" for part in _PARTS for kind in ("images", "labels"))


def read_npz(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Read the images [num, rows, cols] and labels [num] of both splits, called as in `ARRAYS`.

    Raises
    ------
    DataError
        If the file is missing or damaged, or an array is missing, too large or has another shape or type.
    """
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                arrays = _read_arrays(archive, path)
        except DataError:
            raise
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # zipfile and the decompressor raise a dozen unrelated classes for damaged bytes
            detail = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{path}: not an intact .npz archive: {detail}; write or copy it again") from None
    sizes = [arrays[f"{part}_images"].shape[1:] for part in _PARTS]
    if sizes[0] != sizes[1]:
        found = " and ".join(f"{part}_images {size_text(size)}" for part, size in zip(_PARTS, sizes, strict=True))
        raise DataError(f"{path}: found {found}; expected images of one size")
    return arrays


def _read_arrays(archive: zipfile.ZipFile, path: Path) -> dict[str, NDArray[np.uint8]]:
    members = find_members(archive, ARRAYS, path)
    if missing := [name for name in ARRAYS if name not in members]:
        there = sorted(name.removesuffix(".npy") for name in archive.namelist())[:8]
        holds = ", ".join(name if name.isprintable() else ascii(name) for name in there) or "nothing"
        call = f"numpy.savez_compressed({path.name!r}, {', '.join(f'{name}=...' for name in ARRAYS)})"
        raise DataError(f"{path}: holds {holds}; missing: {', '.join(missing)}; write all four: {call}")
    headers = {name: read_header(archive, members[name], f"{path}: {name}") for name in ARRAYS}
    # All headers before the first value: what is refused for its last array has not been read.
    for name, header in headers.items():
        check_size(header.shape, header.dtype.itemsize, f"{path}: {name}")
    arrays = {}
    for name, header in headers.items():
        where, check = f"{path}: {name}", check_images if name.endswith("images") else check_labels
        values = read_values(archive, members[name], header, where) if header.dtype.kind in "biuf" else None
        arrays[name] = check(values, header, name, where)
    return arrays


def check_images(values: NDArray[Any] | None, header: Header, name: str, where: str) -> NDArray[np.uint8]:
    """Return images as they are used; raise with the line that converts them if they are of another type or shape."""
    if values is not None and header.dtype == np.uint8 and values.ndim == 3 and values.size:
        return _frozen(values)
    if 0 in header.shape:
        raise DataError(
            f"{where}: found the shape {size_text(header.shape)}, expected [num, rows, cols]: at least one image"
        )
    span, told = None, ""
    if values is not None and header.dtype.kind in "iuf":
        span = float(values.min()), float(values.max())
        told = f" from {span[0]:g} to {span[1]:g}"
    convert = f"{name} = {image_conversion(name, header.shape, header.dtype, span)}"
    if header.dtype != np.uint8:
        raise DataError(
            f"{where}: found values of type {_type_text(header.dtype)}{told}, expected grey values of 0 to 255 of "
            f"type uint8; convert them: {convert}"
        )
    known = {2: f"reshape flat images: {convert}", 4: f"turn colours into grey: {convert}"}
    raise DataError(
        f"{where}: found the shape {size_text(header.shape)}, expected [num, rows, cols]: one grey value a pixel; "
        + known.get(len(header.shape), "reshape them")
    )


def check_labels(values: NDArray[Any] | None, header: Header, name: str, where: str) -> NDArray[np.uint8]:
    """Return labels as they are used; raise with the line that converts them if they are anything else."""
    both = [f"{part}_labels" for part in _PARTS]
    convert = f"{name} = {label_conversion(name, both, header.shape, header.dtype)}"
    if values is None or header.dtype.kind not in "iu" or values.ndim != 1:
        raise DataError(
            f"{where}: found the shape {size_text(header.shape)} of type {_type_text(header.dtype)}, expected [num] "
            f"whole numbers: the class of each image, counted from 0; convert them: {convert}"
        )
    if values.size and not (values.min() >= 0 and values.max() <= LARGEST_LABEL):
        raise DataError(
            f"{where}: found labels of {values.min()} to {values.max()}, expected 0 to {LARGEST_LABEL}; number the "
            f"classes from 0: {convert}"
        )
    return _frozen(values.astype(np.uint8))


def _type_text(dtype: np.dtype[Any]) -> str:
    return f"record with the fields {', '.join(map(ascii, dtype.names))}" if dtype.names else str(dtype)


def _frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
