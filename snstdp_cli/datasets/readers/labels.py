"""Labels of any kind become classes of 0 to 254 with names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.files import Split
from snstdp_cli.datasets.limits import LARGEST_LABEL, size_text
from snstdp_cli.errors import DataError
from snstdp_cli.fields import printable

_LONGEST_NAME = 40
_NUMERAL = re.compile(r"0|[1-9][0-9]{0,2}")


def flat_labels(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return labels as [num] whole numbers or words: one-hot rows as the place of the one, single columns as a row.

    Raises
    ------
    DataError
        If they are neither.
    """
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    elif values.ndim == 2 and values.dtype.kind in "biuf" and _is_one_hot(values):
        values = values.argmax(axis=1)
    if values.ndim == 1 and values.dtype.kind in "SU":
        return values if values.dtype.kind == "U" else np.char.decode(values, "utf-8", "backslashreplace")
    if values.ndim == 1 and values.dtype.kind == "b":
        return values.astype(np.int64)
    if values.ndim == 1 and values.dtype.kind in "iu":
        return values
    if values.ndim == 1 and values.dtype.kind == "f" and np.isfinite(values).all() and (values % 1 == 0).all():
        return values.astype(np.int64) if np.abs(values).max(initial=0) < 2**53 else values.astype(str)
    raise DataError(
        f"{where}: found labels of the shape {size_text(values.shape)} of type {values.dtype}; expected [num] whole "
        "numbers or words, or one-hot rows: the class of each image"
    )


def number_classes(
    labels: Mapping[Split, NDArray[Any]], names: Mapping[int, str], where: str
) -> tuple[dict[Split, NDArray[np.uint8]], dict[int, str]]:
    """Number the classes of all splits alike, and name them.

    Whole numbers of 0 to 254 stay as they are, also where words spell them; all others are numbered from 0 in their
    order, and what they were becomes their name.

    Parameters
    ----------
    labels
        Of each split, [num].
    names
        Names that the file tells, by label.
    where
        What an error begins with.

    Returns
    -------
    labels
        Of each split, [num].
    names
        By number; none for a class whose number is its name.

    Raises
    ------
    DataError
        If there are more than 255 classes.

    Examples
    --------
    >>> number_classes({"train": np.array(["cat", "ant"])}, {}, "x")
    ({'train': array([1, 0], dtype=uint8)}, {0: 'ant', 1: 'cat'})
    """
    found = np.unique(np.concatenate([_as_words(one) for one in labels.values()]))
    if all(_NUMERAL.fullmatch(one) and int(one) <= LARGEST_LABEL for one in found[: LARGEST_LABEL + 2]):
        kept = {split: one.astype(np.int64).astype(np.uint8) for split, one in labels.items()}
        shown = {int(one): shown_name(names[int(one)]) for one in found if int(one) in names}
        plain = all(name == str(number) for number, name in shown.items())
        return kept, {} if plain else _distinct(shown)
    if len(found) > LARGEST_LABEL + 1:
        raise DataError(
            f"{where}: found {len(found):,} classes ({', '.join(map(shown_name, found[:3]))} ...); expected at most "
            f"{LARGEST_LABEL + 1}; are these the labels?"
        )
    ordered = sorted(found.tolist(), key=_in_order)
    places = {word: k for k, word in enumerate(ordered)}
    numbered = {
        split: np.array([places[word] for word in _as_words(one).tolist()], np.uint8) for split, one in labels.items()
    }
    told = {k: names.get(int(word), word) if _is_whole(word) else word for word, k in places.items()}
    return numbered, _distinct({k: shown_name(name) for k, name in told.items()})


def shown_name(name: str) -> str:
    """Return the name of a class as it can be shown: printable and short."""
    return printable(str(name).strip() or "(empty)", _LONGEST_NAME)


def _as_words(labels: NDArray[Any]) -> NDArray[np.str_]:
    return labels.astype(str)


def _is_one_hot(values: NDArray[Any]) -> bool:
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())


def _is_whole(word: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", word) is not None


def _in_order(word: str) -> tuple[int, int, str]:
    """Sort numbers by value and before words."""
    return (0, int(word), word) if _is_whole(word) else (1, 0, word)


def _distinct(names: dict[int, str]) -> dict[int, str]:
    """Tell names apart that became equal when they were cut."""
    seen: set[str] = set()
    for number, name in names.items():
        if name in seen:
            names[number] = f"{name} ({number})"
        seen.add(names[number])
    return names
