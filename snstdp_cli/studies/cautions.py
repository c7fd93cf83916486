"""What to know before a figure of a table is believed: few seeds, missing cells, other images."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from snstdp_cli.studies.stages import StageRow
from snstdp_cli.studies.statistics import SettingRow, describe_settings

#: With fewer seeds than these an interval is wide and leans on a normal distribution that nobody can check.
FEW_SEEDS = 5
_MAX_NAMED = 4


def warnings_of(rows: Sequence[SettingRow]) -> list[str]:
    """Return what should be known before a mean is believed, in sentences."""
    measured = [(row, max((e.num_seeds for e in row.estimates.values() if e is not None), default=0)) for row in rows]
    alone = [row for row, num in measured if num == 1]
    few = [row for row, num in measured if 1 < num < FEW_SEEDS]
    without = [row for row in rows if not row.finished]
    alike = {name: None for row in rows for name, e in row.estimates.items() if e is not None and e.sd == 0}
    constant = [row for row in rows if any(e is not None and e.sd == 0 for e in row.estimates.values())]
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
            f"the same accuracy by {' and '.join(alike)} with every seed ({named(constant)}): an interval without "
            "width; check that the seeds differ, and that the network learns"
        )
    if incomplete:
        found.append(f"not all seeds are finished ({named(incomplete)}): means are those of the finished ones")
    found += _unscored(rows)
    if without:
        found.append(f"no finished cell ({named(without)})")
    return found + _uneven_images(rows)


def stage_warnings(rows: Sequence[StageRow]) -> list[str]:
    """Return what to know before accuracies after stages are believed: of a single one nothing is forgotten."""
    alone = [row for row in rows if len(row.learned) == 1]
    if not alone:
        return []
    classes = " and ".join(dict.fromkeys(row.learned[0] for row in alone))
    return [
        f"a single stage ({classes}; {_named(alone, len(rows))}): the training ended before the next one began, so its "
        "accuracy is of what it saw first, and nothing could be forgotten; show more examples, up to one pass"
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
    if len({images for row in finished for images in row.images}) < 2:
        return []
    return ["the cells were not all scored on the same images: compare only what was"]


def _named(rows: Sequence[SettingRow | StageRow], total: int) -> str:
    if len(rows) == total > 1:
        return "all settings"
    names = [describe_settings(row.settings) for row in rows[:_MAX_NAMED]]
    more = len(rows) - len(names)
    return "; ".join(names) + (f"; and {more:,} more settings" if more else "")
