"""What is shown of a data set: training images, test images, or the training images that are kept for validation.

The validation images are the last ones of the training split, or spread over it. Once they are taken away, the rest is
a data set of its own, with a digest of its own: whatever is made from it is told apart from what is made from the whole
split.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import InputSection, Withheld
from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.identity import digest_of
from snstdp_cli.datasets.loading import load_dataset
from snstdp_cli.errors import ConfigError

#: `train`: the training images without those for validation.
Part = Literal["train", "test", "validation"]
_KEY = "evaluation.validation_examples"


def split_of(part: Part) -> Split:
    """Return the split that holds a part."""
    return "test" if part == "test" else "train"


def load_part(
    name: str,
    part: Part,
    withheld: Withheld,
    data_dir: Path | None = None,
    *,
    inputs: InputSection | None = None,
) -> Dataset:
    """Load a part of a data set, prepared as the section `input` of an experiment says.

    Raises
    ------
    DataError
        If the images cannot be had (see `load_dataset`).
    ConfigError
        If the split is too small for so many validation images.
    """
    return part_of(load_dataset(name, split_of(part), data_dir, inputs=inputs), part, withheld)


def part_of(dataset: Dataset, part: Part, withheld: Withheld) -> Dataset:
    """Return a part of a split; the part itself is returned as it is.

    Parameters
    ----------
    dataset
        The whole split, or the part.
    withheld
        Which images of the training split are for validation.

    Raises
    ------
    ConfigError
        If the split is too small for so many validation images, or none are asked for.

    Examples
    --------
    >>> from snstdp_cli.config import Withheld
    >>> from snstdp_cli.datasets import from_arrays
    >>> whole = from_arrays(np.zeros((10, 8, 8), dtype=np.uint8), np.arange(10) % 2)
    >>> [len(part_of(whole, part, Withheld(4))) for part in ("train", "validation")]
    [6, 4]
    """
    if part == "test":
        return dataset
    if part == "validation" and withheld.num == 0:
        raise ConfigError(
            f"{_KEY}: found 0, so that no training images are kept for validation; train with a number of them, such "
            f"as --set {_KEY}=500"
        )
    if (dataset.split, dataset.withheld) == (part, withheld):
        return dataset
    _check_whole(dataset)
    if withheld.num >= len(dataset):
        raise ConfigError(
            f"{_KEY}: the training split of {dataset.identity.name} has {len(dataset):,} images, of which some must be "
            f"left to train on; expected at most {len(dataset) - 1:,}, found {withheld.num:,}"
        )
    kept = is_withheld(len(dataset), withheld)
    rows = kept if part == "validation" else ~kept
    images, labels = dataset.images[rows], dataset.labels[rows]
    return replace(
        dataset,
        split=part,
        images=images,
        labels=labels,
        identity=replace(dataset.identity, digest=digest_of(images, labels)),
        withheld=withheld,
        warnings=(*dataset.warnings, *_warn_of_classes(dataset, kept, spread=withheld.spread)),
    )


def is_withheld(num_images: int, withheld: Withheld) -> NDArray[np.bool_]:
    """Tell of each image of the training split whether it is for validation, [num_images].

    Of so many spread ones one stands at the end of each of as many stretches of equal length.
    """
    found = np.zeros(num_images, dtype=np.bool_)
    if withheld.spread and withheld.num:
        found[np.arange(1, withheld.num + 1) * num_images // withheld.num - 1] = True
    else:
        found[num_images - withheld.num :] = True
    return found


def places_in_training(numbers: NDArray[np.int64], num_images: int, withheld: Withheld) -> NDArray[np.int64]:
    """Return the places that images of the training split have in it once those for validation are taken away.

    Parameters
    ----------
    numbers
        Numbers of images in the whole split, in any order; those that are for validation are left out.
    num_images
        Images of the whole split.

    Examples
    --------
    >>> places_in_training(np.array([4, 0, 1, 2]), 6, Withheld(3, spread=True)).tolist()
    [2, 0, 1]
    """
    kept = ~is_withheld(num_images, withheld)
    places: NDArray[np.int64] = (np.cumsum(kept) - 1)[numbers[kept[numbers]]]
    return places


def _check_whole(dataset: Dataset) -> None:
    """Refuse to divide what is a part already, or the wrong split: a fault of the caller's."""
    if dataset.split != "train" or dataset.withheld.num:
        raise ValueError(
            f"expected the whole training split, found {dataset.split} images without {dataset.withheld.num}"
        )


def _warn_of_classes(dataset: Dataset, kept: NDArray[np.bool_], *, spread: bool) -> list[str]:
    """Say if validation images lack classes, as those of a sorted data set do."""
    held, every = np.unique(dataset.labels[kept]), np.unique(dataset.labels)
    if len(held) == len(every):
        return []
    return [
        f"{dataset.source}: the {np.count_nonzero(kept):,} training images that are for validation hold {len(held)} of "
        f"{len(every)} classes; {'' if spread else 'use evaluation.validation_images: spread, or '}take more of them"
    ]
