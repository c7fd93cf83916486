"""What a data set looks like in numbers: how many images of each class, how bright, how many twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.splits import count_shared


@dataclass(frozen=True)
class SplitSurvey:
    """One split in numbers.

    Attributes
    ----------
    counts
        Images of each class, in the order of the data set's classes.
    brightest
        The largest grey value.
    mean
        Mean grey value.
    bright_share
        Share of pixels above half of the largest grey value.
    sorted_share
        Share of images whose neighbour in the file is of the same class.
    """

    num: int
    counts: tuple[int, ...]
    brightest: int
    mean: float
    bright_share: float
    sorted_share: float


@dataclass(frozen=True)
class Survey:
    """A data set in numbers.

    Attributes
    ----------
    splits
        Of each split that is there.
    shared
        Images of the smaller split that are in the other one too; None with one split.
    """

    source: str
    identity: str
    image_shape: tuple[int, int]
    classes: tuple[int, ...]
    class_names: tuple[str, ...]
    splits: Mapping[Split, SplitSurvey]
    shared: int | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "source": self.source,
            "identity": self.identity,
            "image_shape": list(self.image_shape),
            "classes": list(self.classes),
            "class_names": list(self.class_names),
            "splits": {split: {**vars(one), "counts": list(one.counts)} for split, one in self.splits.items()},
            "shared_images": self.shared,
            "warnings": list(self.warnings),
        }


def survey(splits: Mapping[Split, Dataset]) -> Survey:
    """Look at one or both splits of a data set.

    Examples
    --------
    >>> from snstdp_cli.datasets import from_arrays
    >>> found = survey({"train": from_arrays(np.eye(8, dtype=np.uint8)[None] * 255, np.array([3]))})
    >>> found.classes, found.splits["train"].bright_share
    ((3,), 0.125)
    """
    first = next(iter(splits.values()))
    rows, cols = first.images.shape[1:]
    both = [one.images for one in splits.values()]
    return Survey(
        source=first.source,
        identity=first.identity.name,
        image_shape=(rows, cols),
        classes=tuple(first.classes.tolist()),
        class_names=first.class_names or tuple(str(one) for one in first.classes),
        splits={split: _survey_split(one) for split, one in splits.items()},
        shared=count_shared(*both) if len(both) == 2 else None,
        warnings=tuple(dict.fromkeys(note for one in splits.values() for note in one.warnings)),
    )


def _survey_split(dataset: Dataset) -> SplitSurvey:
    images, labels = dataset.images, dataset.labels
    brightest = int(images.max())
    return SplitSurvey(
        num=len(dataset),
        counts=tuple(int(np.count_nonzero(labels == one)) for one in dataset.classes),
        brightest=brightest,
        mean=float(images.mean()),
        bright_share=float(np.count_nonzero(images > brightest // 2) / images.size),
        sorted_share=sorted_share(labels),
    )


def sorted_share(labels: NDArray[np.uint8]) -> float:
    """Return the share of images whose next one is of the same class."""
    return float((labels[1:] == labels[:-1]).mean()) if len(labels) > 1 else 0.0
