"""What a reader returns: images and labels of the splits that are there, as the file has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split

#: Images of one size, [num, rows, cols], or pictures of different sizes, each [rows, cols].
Pixels = NDArray[np.uint8] | Sequence[NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images and their labels.

    Attributes
    ----------
    images
        Grey values from 0 to 255.
    labels
        As the file has them, [num]: whole numbers, or words.
    """

    images: Pixels
    labels: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from a file, a group of files or a folder.

    Attributes
    ----------
    source
        The file or folder, for errors and records.
    splits
        The splits that are there; what is not divided counts as `train`.
    names
        Names of classes by their labels, as far as the file tells them.
    notes
        Sentences on what was converted or chosen.
    transposed
        Why the images are known to be transposed; empty if they are not.
    """

    source: Path
    splits: Mapping[Split, Labelled]
    names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    transposed: str = ""
