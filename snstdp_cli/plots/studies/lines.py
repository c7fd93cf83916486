"""Accuracy over one number, as lines, or over two, as a heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, read_out_title
from snstdp_cli.fields import percent
from snstdp_cli.plots.drawing.studies import Line, Panel, Place, heat_map, lines_over_axis, number_text
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.plots.studies.axes import is_log, is_numeric, list_values, longest_axis, numbers_of
from snstdp_cli.plots.studies.wording import Setting, describe, highest_chance, left_out, over_seeds, seeds_by_setting
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import SettingRow, setting_key, summarize, varied_keys

_Groups = dict[str, tuple[Setting, list[SettingRow]]]


def draw_lines(study: StudyResults, read_out: Classifier, x: str | None) -> Figure:
    """Draw accuracy over a key of numbers, a line for each combination of the other keys.

    Parameters
    ----------
    x
        The key along the axis; the one with most values without it.

    Raises
    ------
    DataError
        If its values are not several numbers.
    """
    key = x or longest_axis(study)
    if not is_numeric(study.cells, key):
        raise DataError(
            f"--x {key}: expected a key with several numbers for lines; its values are {list_values(study, key)}"
        )
    rows = summarize(study.cells, (read_out,))
    groups: _Groups = {}
    for row in (row for row in rows if row.estimates[read_out] is not None):
        # What is turned off by null is a level of its own.
        off = row.settings.get(key, 0) is None
        others = {name: value for name, value in row.settings.items() if name != key or off}
        groups.setdefault(setting_key(others), (others, []))[1].append(row)
    groups, num_left_out = _without_lone_places(groups, key)
    told_apart = _differing([kept for kept, _ in groups.values()])
    seeds, order = seeds_by_setting(study, read_out), list(groups)
    lines = []
    for kept, members in groups.values():
        name = describe(study, {k: value for k, value in kept.items() if k in told_apart or k == key})
        line = _line(name, members, key, read_out, seeds)
        same = setting_key({name: value for name, value in kept.items() if name != key})
        lines.append(replace(line, like=order.index(same) if same in order else None))
    means = over_seeds(row.finished for row in rows) + left_out(num_left_out, f"beside {key}")
    return lines_over_axis(
        lines,
        key,
        log=is_log(study, key),
        chance=highest_chance(rows),
        title=f"{plain(study.name, 40)}: accuracy by {read_out_title(read_out)}, {means}",
    )


def draw_heat_map(study: StudyResults, read_out: Classifier, x: str | None) -> Figure:
    """Draw accuracy over the two keys with most numbers, a panel for each combination of the other keys.

    Parameters
    ----------
    x
        The horizontal key, if it was asked for.

    Raises
    ------
    DataError
        If fewer than two keys have several numbers.
    """
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    numeric.sort(key=lambda key: (key != x, -len(numbers_of(study.cells, key))))
    if len(numeric) < 2:
        raise DataError("a heat map needs two keys with several numbers each; this study does not vary so many")
    across, up = numeric[:2]
    xs, ys = sorted(numbers_of(study.cells, across)), sorted(numbers_of(study.cells, up))
    rows, panels, num_left_out = summarize(study.cells, (read_out,)), dict[str, Panel](), 0
    for row in rows:
        others = {key: value for key, value in row.settings.items() if key not in (across, up)}
        found = row.estimates[read_out]
        if found is None:
            continue
        if None in (row.settings.get(across), row.settings.get(up)):
            num_left_out += 1
            continue
        name = describe(study, others) if others else ""
        panel = panels.setdefault(name, Panel(name, np.full((len(ys), len(xs)), np.nan)))
        panel.values[ys.index(row.settings[up]), xs.index(row.settings[across])] = found.mean
    chance = highest_chance(rows)
    told = "" if chance is None else f" (chance: {percent(chance)})"
    title = f"{plain(study.name, 40)}: accuracy by {read_out_title(read_out)} in percent, mean over seeds{told}"
    title += left_out(num_left_out, f"without {plain(across, 40)} or {plain(up, 40)}")
    texts = [[number_text(value) for value in values] for values in (xs, ys)]
    return heat_map(texts[0], texts[1], list(panels.values()), across, up, title=title)


def _without_lone_places(groups: _Groups, key: str) -> tuple[_Groups, int]:
    """Leave out settings with a single place on the axis, if others have several; and tell how many these are.

    They change something else: a study of one change at a time has a line for each of these changes.
    """
    if all(len(members) < 2 for _, members in groups.values()):
        return groups, 0
    kept = {name: one for name, one in groups.items() if len(one[1]) > 1 or _is_level(one[1], key)}
    return kept, len(groups) - len(kept)


def _is_level(rows: Sequence[SettingRow], key: str) -> bool:
    """Tell whether settings do not have the axis, or have it turned off: they hold all over it."""
    return all(row.settings.get(key) is None for row in rows)


def _differing(settings: Sequence[Setting]) -> set[str]:
    """Return the keys that tell settings apart; all of them where there is but one."""
    keys = set().union(*settings)
    if len(settings) < 2:
        return keys
    return {key for key in keys if len({setting_key({key: one[key]} if key in one else {}) for one in settings}) > 1}


def _line(
    name: str, rows: Sequence[SettingRow], key: str, read_out: Classifier, seeds: Mapping[str, tuple[float, ...]]
) -> Line:
    level = _is_level(rows, key)
    places = []
    for row in rows:
        found = row.estimates[read_out]
        if found is not None and (level or key in row.settings):
            x = math.nan if level else float(row.settings[key])
            places.append(Place(x, found.mean, found.ci95, seeds[setting_key(row.settings)]))
    return Line(name, tuple(sorted(places, key=lambda place: place.x)), level)
