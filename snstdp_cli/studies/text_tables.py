"""The table of a study as people read it: percentages, intervals, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snstdp_cli.evaluation import read_out_title
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.differences import Difference
from snstdp_cli.studies.formats import Shown, TextTable
from snstdp_cli.studies.intervals import Estimate
from snstdp_cli.studies.stages import FORGETTING, ONLINE_ACCURACY, StageRow
from snstdp_cli.studies.statistics import SettingRow, describe_settings, show_value
from snstdp_cli.studies.tables import StudyTable, varied_records

#: The t interval is as far below the mean as above it; its half is shorter than both ends.
_TITLE = "Accuracy (%): mean over seeds, half of its 95 % interval, standard deviation"
_STAGES_TITLE = (
    "Accuracy (%) on all classes seen so far after each stage by {}: mean over seeds, half of its 95 % interval"
)


def text_tables(table: StudyTable) -> list[TextTable]:
    """Return the table for people: a row for each setting, the differences to a baseline, then what stages knew."""
    tables = [_rows_as_text(table)]
    tables += [_differences_as_text(table, table.differences, "Difference", "read-out")] if table.differences else []
    return [*tables, *stage_tables(table)]


def stage_tables(table: StudyTable) -> list[TextTable]:
    """Return what was known after each stage, then the differences in what that comes to; nothing without stages."""
    groups: dict[tuple[str, ...], list[StageRow]] = {}
    for row in table.stages:
        groups.setdefault(row.learned, []).append(row)
    tables = [_stages_as_text(table.keys, rows) for rows in groups.values()]
    if table.stage_differences:
        tables.append(_differences_as_text(table, table.stage_differences, "Difference over the stages", "measure"))
    return tables


def long_text_table(cells: Sequence[CellResult]) -> TextTable:
    """Return a row for each cell for people, without the settings that all have in common."""
    records = varied_records(cells, {})
    columns = tuple(records[0]) if records else ()
    rows = tuple(tuple(Shown(_text(value), number=_is_number(value)) for value in one.values()) for one in records)
    return TextTable("Cells", columns, rows, (1,) * len(columns))


def _rows_as_text(table: StudyTable) -> TextTable:
    names = [*(table.keys or ["setting"]), "cells"]
    columns = list(names)
    for read_out in table.read_outs:
        columns += [read_out_title(read_out), "± 95 %", "sd"]
    rows = []
    for row in table.rows:
        cells = [Shown(_setting_text(row.settings, key)) for key in table.keys] or [Shown("all")]
        cells.append(Shown(count_cells(row), number=True))
        for read_out in table.read_outs:
            cells += _estimate_as_text(row.estimates.get(read_out), read_out in row.best)
        cells.append(Shown(_percent(row.chance), number=True))
        rows.append(tuple(cells))
    return TextTable(_TITLE, (*columns, "chance"), tuple(rows), (len(names), *(3 for _ in table.read_outs), 1))


def count_cells(row: SettingRow) -> str:
    """Return how many cells of a setting are finished, and what became of the others.

    Examples
    --------
    >>> count_cells(SettingRow({}, finished=3, failed=1, missing=1, estimates={}))
    '3 of 5, 1 failed, 1 missing'
    >>> count_cells(SettingRow({}, finished=3, failed=0, missing=0, estimates={}, unscored={"average": (2,)}))
    '3, 1 without accuracy'
    """
    total = row.finished + row.failed + row.missing
    unscored = len({seed for seeds in row.unscored.values() for seed in seeds})
    others = [f"{num} {name}" for num, name in ((row.failed, "failed"), (row.missing, "missing")) if num]
    finished = f"{row.finished} of {total}" if others else f"{row.finished}"
    return ", ".join([finished, *others, *([f"{unscored} without accuracy"] if unscored else [])])


def _estimate_as_text(one: Estimate | None, best: bool) -> list[Shown]:
    if one is None:
        return [Shown("–", number=True)] * 3
    half = None if one.ci95 is None else (one.ci95[1] - one.ci95[0]) / 2
    return [
        Shown(_percent(one.mean), best=best, number=True),
        Shown(_percent(half), number=True),
        Shown(_percent(one.sd), number=True),
    ]


def _differences_as_text(table: StudyTable, differences: Sequence[Difference], title: str, of: str) -> TextTable:
    numbers = {len(one.seeds) for one in differences}
    has_notes = any(one.note for one in differences)
    columns = [*table.keys, of, *(["seeds"] if len(numbers) > 1 else [])]
    columns += ["difference", "95 % interval", "d_z", "p", "p (Holm)", *(["note"] if has_notes else [])]
    rows = []
    for one in differences:
        cells = [Shown(_setting_text(one.settings, key)) for key in table.keys] + [Shown(read_out_title(one.read_out))]
        cells += [Shown(str(len(one.seeds)), number=True)] if len(numbers) > 1 else []
        cells += _difference_as_text(one)
        rows.append(tuple([*cells, Shown(one.note or "")] if has_notes else cells))
    title = f"{title} to {describe_settings(table.against)}, points of percent"
    if len(numbers) == 1:
        (num,) = numbers
        title += f", {num:,} seed{'s' * (num != 1)}"
    return TextTable(title, tuple(columns), tuple(rows))


def _stages_as_text(keys: Sequence[str], rows: Sequence[StageRow]) -> TextTable:
    """Return a row for each setting; all have the same stages and read-out."""
    names, values = keys or ["setting"], [*(f"after {one}" for one in rows[0].learned), ONLINE_ACCURACY, FORGETTING]
    texts = []
    for row in rows:
        cells = [Shown(_setting_text(row.settings, key)) for key in keys] or [Shown("all")]
        cells += [Shown(_with_half(one), number=True) for one in (*row.accuracies, row.online_accuracy, row.forgetting)]
        texts.append(tuple(cells))
    title = _STAGES_TITLE.format(read_out_title(rows[0].read_out))
    return TextTable(title, (*names, *values), tuple(texts), (len(names), *(1 for _ in values)))


def _with_half(one: Estimate | None) -> str:
    if one is None:
        return "–"
    half = "" if one.ci95 is None else f" ± {50 * (one.ci95[1] - one.ci95[0]):.1f}"
    return f"{100 * one.mean:.1f}{half}".replace("-", "−")


def _difference_as_text(one: Difference) -> list[Shown]:
    interval = "–" if one.ci95 is None else " to ".join(map(_points, one.ci95))
    effect = "–" if one.effect_size is None else f"{one.effect_size:.2f}".replace("-", "−")
    texts = [_points(one.mean), interval, effect, show_p(one.p_value), show_p(one.p_holm)]
    return [Shown(text, number=True) for text in texts]


def show_p(value: float | None) -> str:
    """Return a p-value to two digits.

    Examples
    --------
    >>> show_p(0.0312), show_p(1e-9), show_p(None)
    ('0.031', '< 0.0001', '–')
    """
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}".replace("-", "−")


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.2f}".replace("-", "−")


def _setting_text(settings: Mapping[str, Any], key: str) -> str:
    return show_value(settings[key]) if key in settings else "–"


def _text(value: object) -> str:
    if value is None:
        return "–"
    return show_value(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
