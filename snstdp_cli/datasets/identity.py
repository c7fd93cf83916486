"""Which data set some images are: told by their content, never by the names or the compression of their files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split, find_file
from snstdp_cli.datasets.idx import read_idx
from snstdp_cli.datasets.published import DIGESTS, NAMES, TITLES, name_of
from snstdp_cli.datasets.sealing import readable_splits
from snstdp_cli.errors import DataError


@dataclass(frozen=True)
class Identity:
    """What the images of one split are.

    Attributes
    ----------
    name
        How to call them: a known data set's title, the path of own data, or `unknown images in MNIST's files`.
    known
        Whether the content is that of a known data set; figures that others publish fit no other.
    digest
        SHA-256 of the images' shape, the pixels and the labels of this split.
    set_digest
        SHA-256 of the digests of both splits: equal for the training and the test images of one data set. None where
        the test images stay closed and nothing is known of the data set.
    """

    name: str
    known: bool
    digest: str
    set_digest: str | None


def digest_of(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of the images' shape, the pixels and the labels."""
    digest = hashlib.sha256("x".join(str(size) for size in images.shape).encode() + b"\n")
    digest.update(images.data)
    digest.update(labels.data)
    return digest.hexdigest()


def identity_of(name: str, split: Split, digests: Mapping[Split, str]) -> Identity:
    """Identify one split of a data set.

    Parameters
    ----------
    name
        What was asked for.
    split
        Which one.
    digests
        The digest of each split that is there; of a known data set, that of `split` suffices.
    """
    digest = digests[split]
    known = name_of(digest, split)
    if known is not None:
        return Identity(title_of(name, known), True, digest, _set_digest(DIGESTS[known]))
    whole = _set_digest(digests) if len(readable_splits()) > 1 else None
    return Identity(title_of(name, None), False, digest, whole)


def prepared_identity(raw: str, changes: Mapping[str, object], split: Split, digests: Mapping[Split, str]) -> Identity:
    """Identify one split of images that were prepared by the section `input`: a data set of its own.

    Parameters
    ----------
    raw
        What the images are called without it.
    changes
        Its settings, as far as they are not at their defaults.
    digests
        The digest of each split that is there, once it is prepared.
    """
    told = ", ".join(name if value is True else f"{name} {_value_text(value)}" for name, value in changes.items())
    whole = _set_digest(digests) if len(readable_splits()) > 1 else None
    return Identity(f"{raw} ({told})", False, digests[split], whole)


def _value_text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def title_of(name: str, known: str | None) -> str:
    """Return what images are called: a known data set's title, or what they were asked for by."""
    if known is not None:
        return TITLES[known]
    return f"unknown images in {TITLES[name]}'s files" if name in NAMES else name


def identify(folder: Path) -> str | None:
    """Return which known data set a folder holds, by its smaller split; None if it is another one or cannot be read."""
    for split in reversed(readable_splits()):
        images, labels = find_file(folder, "images", split), find_file(folder, "labels", split)
        if images is None or labels is None:
            continue
        try:
            return name_of(digest_of(read_idx(images, "images"), read_idx(labels, "labels")), split)
        except DataError:  # loading it says what is wrong
            return None
    return None


def is_other(name: str, known: str | None) -> bool:
    """Tell whether the content that was found is not that of a named data set; the bundled subset is MNIST."""
    return known is not None and known != name and (name, known) != ("mnist", "bundled")


def refuse_other_content(name: str, known: str | None, where: str) -> None:
    """Raise `DataError` if the content of `where` is that of another data set than the named one."""
    if is_other(name, known):
        raise DataError(
            f"{where}: these are the images of {known}, not of {name} (their files have the same names); "
            f"name the folder of {name} by --data-dir, or ask for --data {known}"
        )


def _set_digest(digests: Mapping[Split, str]) -> str:
    text = "\n".join(f"{split} {digests.get(split, 'none')}" for split in get_args(Split))
    return hashlib.sha256(text.encode()).hexdigest()
