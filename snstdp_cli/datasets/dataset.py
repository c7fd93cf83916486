"""One split of a data set as everything else sees it: images, labels, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import InputSection, Withheld
from snstdp_cli.datasets.arrays import check_images, check_labels, has_numbers
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.identity import (
    Identity,
    digest_of,
    identity_of,
    prepared_identity,
    refuse_other_content,
    title_of,
)
from snstdp_cli.datasets.limits import check_size, size_text
from snstdp_cli.datasets.preparation import Labelled, prepare
from snstdp_cli.datasets.published import CLASS_NAMES, NAMES, TITLES, name_of
from snstdp_cli.datasets.sealing import readable_splits
from snstdp_cli.datasets.splits import Pair, check_numbers, warn_of_pair
from snstdp_cli.errors import DataError

_OTHER: dict[Split, Split] = {"train": "test", "test": "train"}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and their labels, checked; the arrays are read-only.

    Attributes
    ----------
    name
        What it was asked for by: one of `NAMES`, or the path of own data as it was given.
    split
        `train` or `test`; `validation` for the images of a training split that are kept for it (see `parts`).
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
    withheld
        Which images of the training split were taken away for validation, or are these ones.
    class_names
        What the classes are called, in the order of `classes`; empty where their numbers are their names. They are
        shown, and have no part in what tells two data sets apart.
    joined
        The first class of each of the data sets that this one is joined of; empty if it is a single one.
    """

    name: str
    split: Split | Literal["validation"]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    source: str
    identity: Identity
    warnings: tuple[str, ...] = ()
    withheld: Withheld = field(default_factory=Withheld)
    class_names: tuple[str, ...] = ()
    joined: tuple[int, ...] = ()

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
        """Whether this is the bundled subset, a copy of it, or made of it alone."""
        return self.identity.name.startswith(TITLES["bundled"]) and not self.joined

    @property
    def num_classes(self) -> int:
        """The largest label and one, and at least ten for MNIST and its kin; `classes` tells those that occur."""
        found = int(self.classes.max()) + 1
        return max(found, 10) if self.name in NAMES else found


def build_dataset(
    name: str,
    split: Split,
    pair: Labelled,
    source: str,
    read_other: Callable[[], Labelled | None],
    *,
    inputs: InputSection | None = None,
    names: Mapping[int, str] | None = None,
    notes: Sequence[str] = (),
) -> Dataset:
    """Check images and labels, prepare them, and find out what they are.

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
        known and stay as they are, of which the other split is known as well.
    inputs
        What is done to the images; by default nothing.
    names
        Names of classes by their numbers, as far as the source tells them.
    notes
        What was said while reading.

    Raises
    ------
    DataError
        If images and labels do not fit each other or the other split, are too large, or are those of another data set
        than the named one.
    """
    check_numbers(pair, split, name, source)
    raw = pair[0]
    known = name_of(digest_of(raw, pair[1]), split) if isinstance(raw, np.ndarray) else None
    if name in NAMES:
        refuse_other_content(name, known, source)
    changes = {} if inputs is None else inputs.changes
    needs_other = (known is None or bool(changes)) and _OTHER[split] in readable_splits()
    other = read_other() if needs_other else None
    called = dict(enumerate(CLASS_NAMES.get(known or "", ()))) or dict(names or {})
    pairs = {split: _prepared(pair, split, name, source, inputs, called)}
    if other is not None:
        check_numbers(other, _OTHER[split], name, source)
        pairs[_OTHER[split]] = _prepared(other, _OTHER[split], name, source, inputs, called)
    images, labels = pairs[split]
    warnings = [*notes, *warn_of_pair(pairs, source)]
    digests = {part: digest_of(*found) for part, found in pairs.items()}
    identity = (
        prepared_identity(title_of(name, known), changes, split, digests)
        if changes
        else identity_of(name, split, digests)
    )
    if name in NAMES and known is None:
        warnings.insert(0, _unknown_content(name, source, images, identity))
    classes = np.unique(np.concatenate([found[1] for found in pairs.values()]))
    class_names = tuple(called.get(int(one), str(one)) for one in classes) if called else ()
    return Dataset(name, split, images, labels, classes, source, identity, tuple(warnings), class_names=class_names)


def from_arrays(
    images: NDArray[Any],
    labels: NDArray[Any],
    *,
    split: Split = "train",
    name: str = "own images",
    other: tuple[NDArray[Any], NDArray[Any]] | None = None,
    inputs: InputSection | None = None,
) -> Dataset:
    """Make one split of a data set from arrays in memory; they are copied.

    Parameters
    ----------
    images
        Grey values from 0 (background) to 255 of type uint8, [num, rows, cols].
    labels
        Class of each image, whole numbers of 0 to 254, [num].
    split
        Which one this is.
    name
        How to call it in results.
    other
        Images and labels of the other split; with it both splits are told to belong together.
    inputs
        What is done to the images; by default nothing.

    Raises
    ------
    DataError
        If an array has another type or shape (the sentence names the conversion), or they do not fit each other.

    Examples
    --------
    >>> found = from_arrays(np.eye(4, dtype=np.uint8)[None] * 255, np.array([7]))
    >>> found.n_input, found.classes.tolist(), found.identity.known
    (16, [7], False)
    """
    return build_dataset(
        name, split, _pair_of(images, labels), name, lambda: None if other is None else _pair_of(*other), inputs=inputs
    )


def _pair_of(images: NDArray[Any], labels: NDArray[Any]) -> Pair:
    try:
        images, labels = np.array(images), np.array(labels)
    except ValueError:
        raise DataError("found images of different sizes; expected arrays [num, rows, cols] and [num]") from None
    pixels = images if has_numbers(images.dtype) else None
    classes = labels if has_numbers(labels.dtype) else None
    return (
        check_images(pixels, images.shape, images.dtype, "images", "images"),
        check_labels(classes, labels.shape, labels.dtype, "labels", ["labels"], "labels"),
    )


def _prepared(
    pair: Labelled, split: Split, name: str, source: str, inputs: InputSection | None, names: Mapping[int, str]
) -> Pair:
    """Return images as they are shown: prepared, of one size, and not too large."""
    images, labels = pair if inputs is None or not inputs.prepares else prepare(pair, inputs, names, source)
    if not isinstance(images, np.ndarray):
        sizes = sorted({one.shape for one in images})
        raise DataError(
            f"{source}: found images of {size_text(sizes[0])} to {size_text(sizes[-1])} pixels in the {split} split; "
            "expected images of one size; bring them to one: --set input.size=28"
        )
    if len(labels) == 0:
        raise DataError(f"{source}: no images are left in the {split} split of {name}; see input.classes")
    check_size(images.shape, 1, source, "make them smaller: --set input.size=28")
    return images, labels


def _unknown_content(name: str, source: str, images: NDArray[np.uint8], identity: Identity) -> str:
    return (
        f"{source}: the files have the names of {TITLES[name]}'s, but hold other images ({len(images):,} of "
        f"{size_text(images.shape[1:])} pixels, content {identity.digest[:12]}); results are told as those of "
        f"'{identity.name}' and compare with nothing published for {TITLES[name]}; own images are better named by "
        "their path (--data ./FOLDER)"
    )
