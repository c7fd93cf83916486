"""In which order training images are shown: as they are, in stages one after the other, or as a file says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.joining import data_set_of
from snstdp_cli.errors import DataError

_MAX_BYTES = 2**28
_DIGITS = 10


def stages_of(labels: NDArray[np.uint8], order: str, joined: Sequence[int]) -> NDArray[np.int64] | None:
    """Return the stage of a pass to which each image belongs: its class `by_class`, its data set `by_data`.

    Parameters
    ----------
    labels
        Classes of all images of the data set.
    joined
        The first class of each of the data sets that it is joined of.

    Returns
    -------
    stages
        None for an order without stages.

    Raises
    ------
    DataError
        If it is a single data set that is to be shown `by_data`.
    """
    if order == "by_class":
        return labels.astype(np.int64)
    if order != "by_data":
        return None
    if not joined:
        raise DataError(
            "order: by_data shows one data set after the other, but there is a single one; join several, such as "
            "data: mnist+fashion-mnist"
        )
    return data_set_of(labels, joined)


def order_images(
    shown: NDArray[np.int64],
    stages: NDArray[np.int64] | None = None,
    *,
    listed: NDArray[np.int64] | None = None,
    order: str = "",
) -> NDArray[np.int64]:
    """Return the numbers of the images of one pass, in order.

    Parameters
    ----------
    shown
        Numbers of the images that may be shown, ascending.
    stages
        Stage of each image of the data set: those of the lowest are shown first, then those of the next. Without stages
        `shown` stays as it is (shuffling is done for each pass by `network.wiring.training_order`).
    listed
        The images that a file names; those that may not be shown are left out.
    order
        The file, for an error.

    Raises
    ------
    DataError
        If a file names no image that may be shown.
    """
    if listed is not None:
        kept = listed[np.isin(listed, shown)]
        if not len(kept):
            raise DataError(
                f"{order}: none of its images may be shown: all are withheld for the learning curve or for validation"
            )
        return kept
    return shown if stages is None else shown[np.argsort(stages[shown], kind="stable")]


def stage_ends(stages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return after how many examples each stage ends, if these are the stages of one pass in order.

    Examples
    --------
    >>> stage_ends(np.array([0, 0, 0, 4, 4])).tolist()
    [3, 5]
    """
    return np.append(np.flatnonzero(np.diff(stages)) + 1, len(stages))


def read_order(path: Path, num_images: int) -> NDArray[np.int64]:
    """Read the numbers of the images to show, from 0 on, divided by white space; what follows a # is a remark.

    Parameters
    ----------
    num_images
        Images of the whole training split, with those for validation.

    Returns
    -------
    numbers
        The numbers in order; one may stand there several times.

    Raises
    ------
    DataError
        If the file cannot be read, or says something else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("ascii")
    except (OSError, ValueError) as error:
        raise DataError(f"order: {path}: {error}; expected a text file with the numbers of images") from None
    if len(data) > _MAX_BYTES:
        raise DataError(f"order: {path}: more than {_MAX_BYTES:,} bytes; expected the numbers of images")
    words = [(k, word) for k, line in enumerate(text.splitlines(), 1) for word in line.partition("#")[0].split()]
    for k, word in words:
        if not (word.isdigit() and len(word) <= _DIGITS and int(word) < num_images):
            raise DataError(
                f"order: {path}, line {k}: found {word[:20]!r}, expected the number of a training image, from 0 to "
                f"{num_images - 1:,}"
            )
    if not words:
        raise DataError(f"order: {path}: no numbers; expected those of the training images to show, from 0 on")
    return np.array([int(word) for _, word in words], np.int64)


def digest_of_order(images: str, listed: NDArray[np.int64]) -> str:
    """Return what tells apart the images with this digest in the order that a file names."""
    numbers = hashlib.sha256(listed.astype("<i8").tobytes()).hexdigest()
    return hashlib.sha256(f"{images} {numbers}".encode()).hexdigest()
