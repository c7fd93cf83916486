"""A row for each setting: how many of its cells are finished, and its accuracies over seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from snstdp_cli.errors import DataError
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.intervals import Estimate, estimate


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
    images
        Which images its cells were scored on (see `scored_images`); several if they differ.
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
    images: frozenset[Hashable] = frozenset()


def scored_images(cell: CellResult) -> Hashable:
    """Return what tells the images apart that a cell was scored on, whatever was made of each of them."""
    known = (cell.score_on, cell.num_examples, cell.chance)
    if (experiment := cell.experiment) is None:
        return known
    images, held = experiment.input, experiment.evaluation.withheld if cell.score_on == "validation" else None
    return (*known, experiment.data, images.test_share, images.classes, images.max_per_class, held)


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
        images=frozenset(map(scored_images, finished)),
    )


def _with_best(rows: Sequence[SettingRow], read_outs: Sequence[str]) -> list[SettingRow]:
    """Mark the highest mean by each read-out; equal ones are all marked."""
    means = [{key: e.mean for key, e in row.estimates.items() if e is not None} for row in rows]
    highest = {key: max((one[key] for one in means if key in one), default=None) for key in read_outs}
    return [
        replace(row, best=frozenset(key for key, mean in own.items() if mean == highest[key]))
        for row, own in zip(rows, means, strict=True)
    ]
