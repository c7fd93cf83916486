"""Data sets in one .npz file: the images and labels of both splits, as people save their own.

A file is untrusted: nothing is unpickled, and its size is checked before it is unpacked.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.arrays import parse_npz
from snstdp_cli.artefacts.files import read_file
from snstdp_cli.datasets.idx import MAX_BYTES
from snstdp_cli.errors import ArtefactError, DataError

#: 255 classes, numbered from 0.
LARGEST_LABEL = 254
_PARTS = ("train", "test")
ARRAYS = tuple(f"{part}_{kind}" for part in _PARTS for kind in ("images", "labels"))


def read_npz(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Read the images [num, rows, cols] and labels [num] of both splits, called as in `ARRAYS`.

    Raises
    ------
    DataError
        If the file is missing or damaged, or an array is missing or has another shape or type.
    """
    try:
        data = read_file(path, MAX_BYTES)
        _refuse_bomb(data, path)
        arrays = parse_npz(data, path)
    except ArtefactError as error:
        raise DataError(str(error)) from None
    if missing := [name for name in ARRAYS if name not in arrays]:
        there = ", ".join(sorted(arrays)[:8]) or "nothing"
        call = f"numpy.savez_compressed('{path.name}', {', '.join(f'{name}=...' for name in ARRAYS)})"
        raise DataError(f"{path}: holds {there}; missing: {', '.join(missing)}; write all four: {call}")
    images = {part: _check_images(arrays[f"{part}_images"], f"{path}: {part}_images") for part in _PARTS}
    labels = {part: _check_labels(arrays[f"{part}_labels"], f"{path}: {part}_labels") for part in _PARTS}
    if images["train"].shape[1:] != images["test"].shape[1:]:
        sizes = " and ".join(f"{part}_images {_text(images[part].shape[1:])}" for part in _PARTS)
        raise DataError(f"{path}: found {sizes}; expected images of one size")
    return {
        f"{part}_{kind}": found[part] for kind, found in (("images", images), ("labels", labels)) for part in _PARTS
    }


def _refuse_bomb(data: bytes, path: Path) -> None:
    """Raise before an archive is unpacked that would take more memory than any data set for this program."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except Exception:  # damaged; reading it says how
        return
    if unpacked > 2 * MAX_BYTES:
        raise DataError(f"{path}: would unpack to {unpacked:,} bytes; expected at most {2 * MAX_BYTES:,}")


def _check_images(images: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        name, is_whole = where.rpartition(" ")[2], images.dtype.kind in "iu"
        convert = (
            f"{name}.astype('uint8')" if is_whole else f"({name} * 255).round().astype('uint8') if they are 0 to 1"
        )
        span = f" from {images.min():g} to {images.max():g}" if images.size else ""
        raise DataError(
            f"{where}: found values of type {images.dtype}{span}, expected grey values of 0 to 255 of type uint8; "
            f"convert them: {convert}"
        )
    if images.ndim != 3 or images.size == 0:
        raise DataError(
            f"{where}: found the shape {_text(images.shape)}, expected [num, rows, cols]: at least one image, and one "
            "grey value a pixel; reshape flat images, and turn colours into grey"
        )
    return _frozen(images)


def _check_labels(labels: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{where}: found the shape {_text(labels.shape)} of type {labels.dtype}, expected [num] whole numbers: the "
            "class of each image, counted from 0"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() <= LARGEST_LABEL):
        raise DataError(
            f"{where}: found labels of {labels.min()} to {labels.max()}, expected 0 to {LARGEST_LABEL}; number the "
            "classes from 0"
        )
    return _frozen(labels.astype(np.uint8))


def _frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape) or "of a single number"
