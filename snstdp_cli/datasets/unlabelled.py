"""Images that nobody has labelled: in an .npz, .npy or IDX file, pictures, or in memory.

Of a labelled data set in any format that is read, the test images are taken, or else the training images; of a CSV file
without labels, such as Kaggle's `test.csv`, its own.

A file is untrusted, as those of labelled data sets are: nothing is unpickled, and headers are read before values.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snstdp_cli.datasets.arrays import check_images, has_numbers
from snstdp_cli.datasets.files import expand, find_file, open_regular
from snstdp_cli.datasets.idx import read_idx
from snstdp_cli.datasets.joining import joined_names
from snstdp_cli.datasets.limits import check_size
from snstdp_cli.datasets.loading import load_dataset
from snstdp_cli.datasets.npy import find_members, open_archive, read_header, read_values
from snstdp_cli.datasets.published import NAMES
from snstdp_cli.datasets.readers import FORMATS, npz_file, picture_folders, read_once
from snstdp_cli.datasets.readers.pictures import SUFFIXES as PICTURES
from snstdp_cli.datasets.readers.pictures import read_picture
from snstdp_cli.errors import DataError

#: The arrays of an .npz file that are taken for the images, the first of them that is there.
IMAGE_ARRAYS = ("images", "test_images")
_ZIP, _NPY = b"PK", b"\x93NUMPY"


@dataclass(frozen=True, eq=False)
class Images:
    """Images without labels, checked and read-only.

    Attributes
    ----------
    images
        Grey values from 0 (background) to 255, [num, rows, cols].
    source
        Where they are from.
    names
        Of pictures the names of their files; empty for others.
    """

    images: NDArray[np.uint8]
    source: str
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def n_input(self) -> int:
        """Number of pixels of an image."""
        return int(self.images.shape[1] * self.images.shape[2])


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of different sizes without labels, each [rows, cols]; else as `Images`."""

    images: Sequence[NDArray[np.uint8]]
    source: str
    names: tuple[str, ...] = ()


def images_from_array(values: ArrayLike, source: str = "images") -> Images:
    """Check images in memory.

    Parameters
    ----------
    values
        Grey values of type uint8, [num, rows, cols].

    Raises
    ------
    DataError
        If they are of another type or shape; the sentence holds the line of Python that converts them.

    Examples
    --------
    >>> images_from_array(np.zeros((3, 8, 8), dtype=np.uint8)).n_input
    64
    """
    array = np.array(values)
    return _checked(array if has_numbers(array.dtype) else None, array.shape, array.dtype, "images", source)


def load_images(name: str, data_dir: Path | None = None) -> Images | Pictures:
    """Read images and no labels; pictures may have different sizes.

    Parameters
    ----------
    name
        An .npz file with an array `images` (or `test_images`, or a single array of any name), an .npy file, an IDX file
        (raw or gzipped), a picture, or a folder with pictures or with the IDX file of test images; or a data set's name
        or a labelled data set of any format, for its test images.
    data_dir
        Where the files of a named data set are.

    Raises
    ------
    DataError
        If there is no such file, it is damaged, or holds no images.
    """
    if name in NAMES or joined_names(name):
        dataset = load_dataset(name, "test", data_dir)
        return Images(dataset.images, dataset.source)
    path = expand(Path(name))
    if path.is_dir():
        found = find_file(path, "images", "test") or find_file(path, "images", "train")
        if found is None:
            return _read_folder(path)
        path = found
    with open_regular(path, "images: an .npz, .npy or IDX file, a picture, or a folder with them") as stream:
        begin = stream.read(len(_NPY))
    if path.name.lower().endswith(PICTURES):
        return _stacked([read_picture(path)], path, (path.name,))
    format = next((one for one in FORMATS if one.suffixes and path.name.lower().endswith(one.suffixes)), None)
    if format is not None:
        images = None if format.read_unlabelled is None else format.read_unlabelled(path)
        if images is None:
            return _of_labelled(path)
        return _checked(images, images.shape, images.dtype, "images", str(path))
    if begin.startswith(_ZIP):
        return _of_labelled(path) if npz_file.layout_of(path) == "keys" else _read_npz(path)
    if begin == _NPY:
        return _read_npy(path)
    return Images(read_idx(path, "images"), str(path))


def _read_folder(folder: Path) -> Images | Pictures:
    names, pictures = picture_folders.read_flat(folder)
    return _stacked(pictures, folder, names) if pictures else _of_labelled(folder)


def _stacked(pictures: list[NDArray[np.uint8]], where: Path, names: tuple[str, ...] = ()) -> Images | Pictures:
    found = picture_folders.stack_or_list(pictures)
    if not isinstance(found, np.ndarray):
        return Pictures(found, str(where), names)
    return replace(_checked(found, found.shape, found.dtype, "images", str(where)), names=names)


def _of_labelled(path: Path) -> Images | Pictures:
    reading = read_once(path)
    if reading is None:
        raise DataError(f"{path}: holds no images that are read; name the file itself")
    chosen = reading.splits["test" if "test" in reading.splits else "train"].images
    if isinstance(chosen, np.ndarray):
        return _checked(chosen, chosen.shape, chosen.dtype, "images", str(path))
    return Pictures(chosen, str(path))


def _read_npz(path: Path) -> Images:
    with open_regular(path, "an .npz file") as stream:
        try:
            with open_archive(stream, path) as archive:
                name = _choose_array(archive, path)
                member, where = find_members(archive, [name], path)[name], f"{path}: {name}"
                header = read_header(archive, member, where)
                check_size(header.shape, header.dtype.itemsize, where)
                known = has_numbers(header.dtype)
                values = read_values(archive, member, header, where) if known else None
                return _checked(values, header.shape, header.dtype, name, where)
        except DataError:
            raise
        except MemoryError:
            raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
        except Exception as error:  # zipfile and the decompressor raise a dozen unrelated classes for damaged bytes
            detail = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{path}: not an intact .npz archive: {detail}; write or copy it again") from None


def _choose_array(archive: zipfile.ZipFile, path: Path) -> str:
    there = [name.removesuffix(".npy") for name in archive.namelist()]
    for name in IMAGE_ARRAYS:
        if name in there:
            return name
    if len(there) == 1:
        return there[0]
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in sorted(there)[:8]) or "nothing"
    raise DataError(
        f"{path}: holds {shown}; expected the images in an array called {' or '.join(IMAGE_ARRAYS)}: "
        f"numpy.savez_compressed({path.name!r}, images=...)"
    )


def _read_npy(path: Path) -> Images:
    """Read an array of one file as a member of an archive is read: header first, no pickle."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        check_size(array.shape, array.dtype.itemsize, str(path))
        values = np.array(array) if has_numbers(array.dtype) else None
    except MemoryError:
        raise DataError(f"{path}: does not fit into memory; expected a data set of the size of MNIST") from None
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not an intact .npy file of numbers: {detail}; write or copy it again") from None
    return _checked(values, array.shape, array.dtype, "images", str(path))


def _checked(
    values: NDArray[Any] | None, shape: tuple[int, ...], dtype: np.dtype[Any], name: str, where: str
) -> Images:
    images = check_images(values, shape, dtype, name, where)
    check_size(images.shape, 1, where)
    return Images(images, where)
