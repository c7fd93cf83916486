"""What a study varies, as axes of a figure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import setting_key, show_value, varied_keys


def is_numeric(cells: Sequence[CellResult], key: str) -> bool:
    """Tell whether a key has several values that are all numbers; null, which turns something off, may be beside."""
    values = numbers_of(cells, key)
    return len(values) > 1 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def is_log(study: StudyResults, key: str) -> bool:
    """Tell whether an axis is logarithmic: its range was, or its values lie more evenly by their ratios.

    That needs three values or more, the largest four times the smallest or more.
    """
    values = sorted(numbers_of(study.cells, key))
    if not values or values[0] <= 0:
        return False
    if key in study.log_keys:
        return True
    steps = [b - a for a, b in itertools.pairwise(values)]
    ratios = [math.log(b / a) for a, b in itertools.pairwise(values)]
    return len(values) > 2 and values[-1] >= 4 * values[0] and max(ratios) * min(steps) < max(steps) * min(ratios)


def longest_axis(study: StudyResults) -> str:
    """Return the key with the most numbers.

    Raises
    ------
    DataError
        If no key of the study has several numbers.
    """
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    if not numeric:
        raise DataError("lines need a key with several numbers; this study varies none")
    return max(numeric, key=lambda key: len(numbers_of(study.cells, key)))


def is_grid(cells: Sequence[CellResult], keys: Sequence[str]) -> bool:
    """Tell whether the values of two keys were combined, and do not move together."""
    pairs = {tuple(cell.settings.get(key) for key in keys) for cell in cells}
    return len(pairs) > max(len(numbers_of(cells, key)) for key in keys)


def values_of(cells: Sequence[CellResult], key: str) -> list[Any]:
    """Return the different values of a key, in the order of the cells that have it."""
    return list({setting_key({key: c.settings[key]}): c.settings[key] for c in cells if key in c.settings}.values())


def numbers_of(cells: Sequence[CellResult], key: str) -> list[Any]:
    """Return the values of a key but for null."""
    return [value for value in values_of(cells, key) if value is not None]


def list_values(study: StudyResults, key: str) -> str:
    """Return the first values of a key as text."""
    return ", ".join(plain(show_value(value), 30) for value in values_of(study.cells, key)[:8])
