"""What the figures of a study say: titles, names of settings, and what is drawn beside their means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snstdp_cli.evaluation import Classifier
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import SettingRow, accuracy_of, describe_settings, group_settings, setting_key

Setting = Mapping[str, Any]
_OVER_SEEDS = "mean over seeds with 95 % t intervals"


def over_seeds(numbers: Iterable[int]) -> str:
    """Return what a mean is of, for the seeds of each setting."""
    return _OVER_SEEDS if max(numbers, default=0) > 1 else "one seed"


def left_out(num: int, what: str) -> str:
    """Return the sentence about settings that are not drawn, as the second line of a title."""
    return f"\n{num} setting{'s' * (num > 1)} {plain(what, 90)} left out" if num else ""


def describe(study: StudyResults, settings: Setting) -> str:
    """Return settings as text by the last words of their keys, as far as these tell the study's keys apart."""
    last = Counter(key.split(".")[-1] for key in {key for cell in study.cells for key in cell.settings})
    short = {key: key.split(".")[-1] for key in settings}
    return describe_settings({short[key] if last[short[key]] == 1 else key: v for key, v in settings.items()})


def seeds_by_setting(study: StudyResults, read_out: Classifier) -> dict[str, tuple[float, ...]]:
    """Return the accuracy of each seed, by the `setting_key` of its settings."""
    groups = group_settings(study.cells)
    values = [[accuracy_of(cell, read_out) for cell in group] for group in groups]
    return {
        setting_key(group[0].settings): tuple(value for value in own if value is not None)
        for group, own in zip(groups, values, strict=True)
    }


def highest_chance(rows: Sequence[SettingRow]) -> float | None:
    """Return the accuracy of guessing; the highest if the settings differ in their classes."""
    return max((row.chance for row in rows if row.chance is not None), default=None)
