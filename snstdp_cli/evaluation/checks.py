"""What the functions of this room refuse: counts, labels and marks that do not fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError


def check_counts(counts: NDArray[Any], where: str, n_e: int | None = None) -> None:
    """Raise `DataError` unless these are spike counts [num, n_e] of the expected number of neurons."""
    if counts.ndim != 2 or 0 in counts.shape:
        raise DataError(f"{where}: expected spike counts of the shape [num_examples, n_e], found {counts.shape}")
    if n_e is not None and counts.shape[1] != n_e:
        raise DataError(
            f"{where}: expected {n_e} neurons as in the training responses, found {counts.shape[1]}; "
            f"record both with the same weights"
        )
    if counts.dtype.kind not in "uif":
        raise DataError(f"{where}: expected spike counts as numbers, found {counts.dtype}")
    if counts.dtype.kind != "u" and not (counts.min() >= 0 and np.isfinite(counts.max())):
        raise DataError(f"{where}: expected spike counts of 0 or more, found {counts.min()} to {counts.max()}")


def check_labels(labels: NDArray[Any], num: int, where: str) -> None:
    """Raise `DataError` unless there is a class, a whole number of 0 or more, for each of `num` examples."""
    if labels.shape != (num,):
        raise DataError(f"{where}: expected a label for each of {num} examples, found the shape {labels.shape}")
    if labels.dtype.kind not in "ui":
        raise DataError(f"{where}: expected labels as whole numbers, found {labels.dtype}")
    if labels.min() < 0:
        raise DataError(f"{where}: expected labels of 0 or more, found {labels.min()} to {labels.max()}")


def check_marks(marks: NDArray[Any], num: int, where: str, meaning: str) -> None:
    """Raise `DataError` unless `marks` is true or false for each of `num` things."""
    if marks.shape != (num,) or marks.dtype != bool:
        raise DataError(
            f"{where}: expected true or false for each of {num} {meaning}, found {marks.dtype} of the shape "
            f"{marks.shape}"
        )


def occurring_classes(*labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the classes that occur in any of the labels, sorted."""
    return np.unique(np.concatenate([np.asarray(values, np.int64) for values in labels]))
