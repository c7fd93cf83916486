"""Whether images and labels fit each other, and the splits of a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.limits import LARGEST_LABEL, size_text
from snstdp_cli.datasets.preparation import Labelled
from snstdp_cli.errors import DataError

#: Images [num, rows, cols] and their labels [num].
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def check_numbers(pair: Labelled, split: Split, name: str, source: str) -> None:
    """Raise `DataError` if there are more images than labels or fewer, or a label is too large."""
    images, labels = pair
    if len(images) != len(labels):
        raise DataError(
            f"{source}: {len(images):,} images but {len(labels):,} labels in the {split} split of {name}; "
            "expected as many; are the files from different data sets?"
        )
    if len(labels) and labels.max() > LARGEST_LABEL:
        raise DataError(
            f"{source}: found the label {labels.max()} in the {split} split; expected 0 to {LARGEST_LABEL}; "
            "number the classes from 0"
        )


def warn_of_pair(pairs: Mapping[Split, Pair], source: str) -> list[str]:
    """Refuse splits of different sizes; say how many images both have."""
    if len(pairs) < 2:
        return []
    images = {part: found[0] for part, found in pairs.items()}
    _refuse_other_size(images, source)
    first, second = images.values()
    return _warn_of_shared(first, second, source)


def _refuse_other_size(images: dict[Split, NDArray[np.uint8]], source: str) -> None:
    sizes = {split: size_text(images[split].shape[1:]) for split in get_args(Split)}
    if sizes["train"] != sizes["test"]:
        found = " and ".join(f"{size} ({split})" for split, size in sizes.items())
        raise DataError(
            f"{source}: found images of {found} pixels; expected images of one size in both splits; bring "
            "them to one: --set input.size=28"
        )


def count_shared(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> int:
    """Count the images of the smaller split that are in the other one too, whatever their labels."""
    few, many = sorted((images, others), key=len)
    seen = {_digest_of_image(image) for image in many}
    return sum(_digest_of_image(image) in seen for image in few)


def _warn_of_shared(images: NDArray[np.uint8], others: NDArray[np.uint8], source: str) -> list[str]:
    shared = count_shared(images, others)
    if shared == 0:
        return []
    few = min((images, others), key=len)
    return [
        f"{source}: {shared:,} of {len(few):,} images of one split are in the other one too; an accuracy on images "
        "that were trained on says nothing about new ones"
    ]


def _digest_of_image(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
