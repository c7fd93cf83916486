"""A row for each setting: mean, standard deviation and interval over seeds, and what to beware of."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.evaluation import mean_and_sd
from snstdp_cli.studies.cells import CellResult

#: With fewer seeds than these an interval is wide and leans on a normal distribution that nobody can check.
FEW_SEEDS = 5
_MAX_NAMED = 4


@dataclass(frozen=True)
class Estimate:
    """An accuracy over seeds.

    Attributes
    ----------
    num_seeds
        Seeds that it was measured with.
    sd
        Sample standard deviation (n - 1); None with one seed.
    ci95
        95 % t interval of the mean; None with one seed. It may reach beyond 0 or 1 where seeds are few.
    """

    num_seeds: int
    mean: float
    sd: float | None
    ci95: tuple[float, float] | None


@dataclass(frozen=True)
class SettingRow:
    """All cells that differ in nothing but the seed.

    Attributes
    ----------
    settings
        The varied keys, dotted, without the seed.
    finished, failed, missing
        Numbers of cells; what runs, was interrupted or has not begun is missing.
    estimates
        By read-out; None where no finished cell has it.
    best
        Read-outs by which no other setting has a higher mean; empty where there is but one setting.
    chance
        Accuracy of always answering the commonest class; the largest, should the cells differ.
    num_examples
        Scored images of a cell; None if nothing is finished, or the cells differ.
    unscored
        By read-out, the seeds whose cells are finished without an accuracy by it.
    """

    settings: Mapping[str, Any]
    finished: int
    failed: int
    missing: int
    estimates: Mapping[str, Estimate | None]
    best: frozenset[str] = frozenset()
    chance: float | None = None
    num_examples: int | None = None
    unscored: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def t_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the two-sided 95 % interval of the mean of normal values; None for a single one.

    Source: Student, Biometrika 1908, doi 10.1093/biomet/6.1.1.

    Examples
    --------
    >>> low, high = t_interval([0.90, 0.92, 0.94])
    >>> round(low, 4), round(high, 4)
    (0.8703, 0.9697)
    """
    return interval_of(*mean_and_sd(values), len(values))


def interval_of(mean: float, sd: float | None, num: int) -> tuple[float, float] | None:
    """Return the interval of `t_interval` from the mean and the sample standard deviation of so many values."""
    if sd is None:
        return None
    half = _quantile(num - 1) * sd / math.sqrt(num)
    return mean - half, mean + half


@functools.cache
def _quantile(degrees: int) -> float:
    return float(student_t().ppf(0.975, degrees))


def student_t() -> Any:
    """Return Student's t distribution of SciPy.

    Raises
    ------
    ConfigError
        If SciPy is not installed.
    """
    try:
        from scipy import stats
    except ImportError:
        raise ConfigError(
            "statistics over seeds need SciPy, which is not installed: pip install 'snstdp[study]'"
        ) from None
    return stats.t


def estimate(values: Sequence[float]) -> Estimate | None:
    """Return mean, spread and interval of the accuracies of several seeds; None of nothing."""
    if not values:
        return None
    mean, sd = mean_and_sd(values)
    return Estimate(len(values), mean, sd, interval_of(mean, sd, len(values)))


def distinct_cells(cells: Iterable[CellResult]) -> list[CellResult]:
    """Return the cells in their order, one for each setting and seed: a finished one if there is one."""
    kept: dict[tuple[str, int], CellResult] = {}
    for cell in cells:
        key = (setting_key(cell.settings), cell.seed)
        if key not in kept or (cell.state == "finished" and kept[key].state != "finished"):
            kept[key] = cell
    return list(kept.values())


def setting_key(settings: Mapping[str, Any]) -> str:
    """Return text that is the same for equal settings."""
    return json.dumps(settings, sort_keys=True, default=str)


def group_settings(cells: Iterable[CellResult]) -> list[list[CellResult]]:
    """Put cells together that differ in nothing but the seed; in the order of each group's first one."""
    groups: dict[str, list[CellResult]] = {}
    for cell in distinct_cells(cells):
        groups.setdefault(setting_key(cell.settings), []).append(cell)
    return list(groups.values())


def accuracy_of(cell: CellResult, read_out: str) -> float | None:
    """Return the accuracy of a finished cell; None of any other, or where it was not scored by this read-out."""
    value = cell.accuracies.get(read_out) if cell.state == "finished" else None
    return value if value is not None and math.isfinite(value) else None


def varied_keys(cells: Iterable[CellResult]) -> list[str]:
    """Return every key that a cell has, in the order in which they come up."""
    return list(dict.fromkeys(key for cell in cells for key in cell.settings))


def summarize(cells: Sequence[CellResult], read_outs: Sequence[str]) -> list[SettingRow]:
    """Return a row for each setting, in the order of the cells.

    Parameters
    ----------
    cells
        All cells of a study, whatever their state.
    read_outs
        Which accuracies.

    Raises
    ------
    DataError
        If there is no cell.
    """
    if not cells:
        raise DataError("expected at least one cell of a study, found none")
    rows = [_row(group, read_outs) for group in group_settings(cells)]
    return rows if len(rows) < 2 else _with_best(rows, read_outs)


def warnings_of(rows: Sequence[SettingRow]) -> list[str]:
    """Return what should be known before a mean is believed, in sentences."""
    measured = [(row, max((e.num_seeds for e in row.estimates.values() if e is not None), default=0)) for row in rows]
    alone = [row for row, num in measured if num == 1]
    few = [row for row, num in measured if 1 < num < FEW_SEEDS]
    without = [row for row in rows if not row.finished]
    constant = [row for row, _ in measured if any(e is not None and e.sd == 0 for e in row.estimates.values())]
    incomplete = [row for row, num in measured if num and row.failed + row.missing]
    found, named = [], functools.partial(_named, total=len(rows))
    if alone:
        found.append(
            f"a single finished seed ({named(alone)}): no interval; what a difference to it is worth is not known "
            "before there are more seeds"
        )
    if few:
        found.append(
            f"fewer than {FEW_SEEDS} finished seeds ({named(few)}): the intervals are wide, and rest on accuracies "
            "that are normally distributed over seeds"
        )
    if constant:
        found.append(
            f"the same accuracy with every seed ({named(constant)}): an interval without width; check that the seeds "
            "differ, and that the network learns"
        )
    if incomplete:
        found.append(f"not all seeds are finished ({named(incomplete)}): means are those of the finished ones")
    found += _unscored(rows)
    if without:
        found.append(f"no finished cell ({named(without)})")
    return found + _uneven_images(rows)


def describe_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as short text; `all` where nothing is varied but the seed.

    Examples
    --------
    >>> describe_settings({"rule": "smin", "n_e": 400})
    'rule smin, n_e 400'
    """
    return ", ".join(f"{key} {show_value(value)}" for key, value in settings.items()) or "all"


def show_value(value: object) -> str:
    """Return the value of a setting as a table shows it.

    Examples
    --------
    >>> show_value(0.00010000000000000002), show_value("smax"), show_value(None), show_value([1, 2])
    ('0.0001', 'smax', 'null', '[1, 2]')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, default=str)


def _row(group: Sequence[CellResult], read_outs: Sequence[str]) -> SettingRow:
    finished = [cell for cell in group if cell.state == "finished"]
    failed = sum(cell.state == "failed" for cell in group)
    estimates, unscored = {}, dict[str, tuple[int, ...]]()
    for read_out in read_outs:
        values = {cell.seed: accuracy_of(cell, read_out) for cell in finished}
        estimates[read_out] = estimate([value for value in values.values() if value is not None])
        unscored[read_out] = tuple(seed for seed, value in values.items() if value is None)
    images = {cell.num_examples for cell in finished}
    return SettingRow(
        settings=group[0].settings,
        finished=len(finished),
        failed=failed,
        missing=len(group) - len(finished) - failed,
        estimates=estimates,
        chance=max((cell.chance for cell in finished if cell.chance is not None), default=None),
        num_examples=images.pop() if len(images) == 1 else None,
        unscored={read_out: seeds for read_out, seeds in unscored.items() if seeds},
    )


def _with_best(rows: Sequence[SettingRow], read_outs: Sequence[str]) -> list[SettingRow]:
    """Mark the highest mean by each read-out; equal ones are all marked."""
    means = [{key: e.mean for key, e in row.estimates.items() if e is not None} for row in rows]
    highest = {key: max((one[key] for one in means if key in one), default=None) for key in read_outs}
    return [
        replace(row, best=frozenset(key for key, mean in own.items() if mean == highest[key]))
        for row, own in zip(rows, means, strict=True)
    ]


def _unscored(rows: Sequence[SettingRow]) -> list[str]:
    """Name the seeds that a mean lacks although their cells are finished."""
    found = []
    for read_out in dict.fromkeys(key for row in rows for key in row.unscored):
        lacking = [row for row in rows if read_out in row.unscored]
        names = [f"{describe_settings(row.settings)}: {_seeds(row.unscored[read_out])}" for row in lacking[:_MAX_NAMED]]
        more = f"; and {len(lacking) - len(names):,} more settings" * (len(lacking) > len(names))
        found.append(f"finished without an accuracy by {read_out} ({'; '.join(names)}{more}): not in its mean")
    return found


def _seeds(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:_MAX_NAMED])) + ", ..." * (len(seeds) > _MAX_NAMED)
    return f"seed{'s' * (len(seeds) > 1)} {shown}"


def _uneven_images(rows: Sequence[SettingRow]) -> list[str]:
    finished = [row for row in rows if row.finished]
    images = {row.num_examples for row in finished}
    chances = {row.chance for row in finished}
    if len(images) < 2 and None not in images and len(chances) < 2:
        return []
    return ["the cells were not all scored on the same images: compare only what was"]


def _named(rows: Sequence[SettingRow], total: int) -> str:
    if len(rows) == total > 1:
        return "all settings"
    names = [describe_settings(row.settings) for row in rows[:_MAX_NAMED]]
    more = len(rows) - len(names)
    return "; ".join(names) + (f"; and {more:,} more settings" if more else "")
