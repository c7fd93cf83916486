"""One split of a data set as everything else sees it: images, labels, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config.experiment import is_data_path
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.identity import Identity, digest_of, identity_of, refuse_other_content
from snstdp_cli.datasets.known import NAMES, TITLES, name_of
from snstdp_cli.datasets.limits import LARGEST_LABEL, check_size, size_text
from snstdp_cli.errors import DataError

#: Images [num, rows, cols] and their labels [num].
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


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
    classes
        The classes that occur in the data set, in whichever split, sorted.
    source
        The folder or file it was read from, or `bundled subset`.
    identity
        What the images are, by their content.
    warnings
        Sentences to show before the images are used.
    """

    name: str
    split: Split
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    source: str
    identity: Identity
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_input(self) -> int:
        """Number of pixels of an image."""
        return int(self.images.shape[1] * self.images.shape[2])

    @property
    def sha256(self) -> str:
        """Digest of the images' shape, the pixels and the labels of this split."""
        return self.identity.digest

    @property
    def bundled(self) -> bool:
        """Whether this is the bundled subset, or a copy of it."""
        return self.identity.name == TITLES["bundled"]

    @property
    def num_classes(self) -> int:
        """The largest label and one, and at least ten for MNIST and its kin; `classes` tells those that occur."""
        found = int(self.classes.max()) + 1
        return max(found, 10) if self.name in NAMES else found


def build_dataset(name: str, split: Split, pair: Pair, source: str, read_other: Callable[[], Pair | None]) -> Dataset:
    """Check images and labels, and find out what they are.

    Parameters
    ----------
    name
        What was asked for.
    pair
        Images and labels of the split.
    source
        Where they are from, for errors and records.
    read_other
        Returns images and labels of the other split, or None if there is none; it is not called for images that are
        known, of which the other split is known as well.

    Raises
    ------
    DataError
        If images and labels do not fit each other or the other split, are too large, or are those of another data set
        than the named one.
    """
    images, labels = _checked(pair, split, name, source)
    digests: dict[Split, str] = {split: digest_of(images, labels)}
    known = name_of(digests[split], split)
    if not is_data_path(name):
        refuse_other_content(name, known, source)
    both = labels
    if known is None and (other := read_other()) is not None:
        other_split: Split = "test" if split == "train" else "train"
        other_images, other_labels = _checked(other, other_split, name, source)
        if other_images.shape[1:] != images.shape[1:]:
            sizes = f"{size_text(images.shape[1:])} ({split}) and {size_text(other_images.shape[1:])} ({other_split})"
            raise DataError(f"{source}: found images of {sizes} pixels; expected images of one size in both splits")
        digests[other_split] = digest_of(other_images, other_labels)
        both = np.concatenate([labels, other_labels])
    identity = identity_of(name, split, digests)
    warnings = _warnings(name, source, images, identity, digests)
    return Dataset(name, split, images, labels, np.unique(both), source, identity, warnings)


def _checked(pair: Pair, split: Split, name: str, source: str) -> Pair:
    images, labels = pair
    if len(images) != len(labels):
        raise DataError(
            f"{source}: {len(images):,} images but {len(labels):,} labels in the {split} split of {name}; "
            "expected as many; are the files from different data sets?"
        )
    check_size(images.shape, 1, source)
    if labels.max() > LARGEST_LABEL:
        raise DataError(
            f"{source}: found the label {labels.max()} in the {split} split; expected 0 to {LARGEST_LABEL}; "
            "number the classes from 0"
        )
    return pair


def _warnings(
    name: str, source: str, images: NDArray[np.uint8], identity: Identity, digests: dict[Split, str]
) -> tuple[str, ...]:
    """Say what a reader of the results would otherwise take for granted."""
    found = []
    if not identity.known and not is_data_path(name):
        found.append(
            f"{source}: the files have the names of {TITLES[name]}'s, but hold other images ({len(images):,} of "
            f"{size_text(images.shape[1:])} pixels, content {identity.digest[:12]}); results are told as those of "
            f"'{identity.name}' and compare with nothing published for {TITLES[name]}; own images are better named by "
            "their path (--data ./FOLDER)"
        )
    if len(digests) == 2 and len(set(digests.values())) == 1:
        found.append(
            f"{source}: the training and the test images are the same; an accuracy on them says nothing about images "
            "that were not trained on"
        )
    return tuple(found)
