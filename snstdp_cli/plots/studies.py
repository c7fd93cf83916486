"""Figures of a study: the kind that fits what it varies, with the spread over seeds."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.config import STAGED_ORDERS
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, CurvePoint, read_out_title
from snstdp_cli.fields import percent
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.searches import SearchAxis, parallel_coordinates, parameter_importance, search_history
from snstdp_cli.plots.drawing.studies import (
    Curve,
    Line,
    Panel,
    Place,
    heat_map,
    learning_curves,
    lines_over_axis,
    lines_over_stages,
    number_text,
)
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.studies.baseline import resolve_key
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.intervals import estimate
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.stages import load_courses, summarize_stages
from snstdp_cli.studies.statistics import (
    SettingRow,
    accuracy_of,
    describe_settings,
    group_settings,
    setting_key,
    show_value,
    summarize,
    varied_keys,
)

StudyKind = Literal["lines", "categories", "heatmap", "curves", "stages", "history", "importance", "parallel"]
#: What can be drawn of a study.
STUDY_KINDS: tuple[StudyKind, ...] = get_args(StudyKind)
_MAX_ROWS = 60
_OVER_SEEDS = "mean over seeds with 95 % t intervals"
#: Bands of more curves than these cover each other.
_MAX_BANDS = 4

Setting = Mapping[str, Any]


def choose_kind(study: StudyResults, x: str | None = None) -> StudyKind:
    """Return which kind shows what a study varies: two numbers a heat map, one number lines, all else categories.

    Parameters
    ----------
    x
        The key along the axis, if it was asked for.

    Raises
    ------
    ConfigError
        If the study does not vary this key.
    """
    settings = [cell.settings for cell in study.cells]
    if x is not None:
        key = resolve_key(x, settings, "--x")
        return "lines" if is_numeric(study.cells, key) else "categories"
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    fine = [key for key in numeric if len(_numbers(study.cells, key)) > 2]
    if len(fine) == 2 and _is_grid(study.cells, fine):
        return "heatmap"
    return "lines" if numeric else "categories"


def kinds_of(study: StudyResults) -> list[StudyKind]:
    """Return every kind that a study may have something for, the one that fits it best first."""
    kinds: list[StudyKind] = [choose_kind(study), "curves"] if study.cells else []
    kinds += ["stages"] if any(_has_stages(cell) for cell in study.cells) else []
    kinds += ["history", "parallel"] if study.trials else []
    return [*kinds, "importance"] if study.importances else kinds


def draw_study(
    study: StudyResults, kind: StudyKind, *, read_out: Classifier | None = None, x: str | None = None
) -> Figure:
    """Draw a figure of a study.

    Parameters
    ----------
    read_out
        Which accuracy; the study's first without it, but categories show all of the study's.
    x
        The key along the axis of lines, or the horizontal one of a heat map; the one with most values without it.

    Raises
    ------
    DataError
        If there is nothing to draw yet, or too much for one figure.
    ConfigError
        If the study does not vary the key.
    """
    shown = study.read_outs if read_out is None else (read_out,)
    read_out = shown[0]
    key = None if x is None else resolve_key(x, [cell.settings for cell in study.cells], "--x")
    if kind == "lines":
        return _lines(study, read_out, key)
    if kind == "heatmap":
        return _heat_map(study, read_out, key)
    if kind == "categories":
        return _categories(study, shown)
    if kind == "curves":
        return _curves(study)
    if kind == "stages":
        return _stages(study, shown)
    return _search(study, kind)


def is_numeric(cells: Sequence[CellResult], key: str) -> bool:
    """Tell whether a key has several values that are all numbers; null, which turns something off, may be beside."""
    values = _numbers(cells, key)
    return len(values) > 1 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def is_log(study: StudyResults, key: str) -> bool:
    """Tell whether an axis is logarithmic: its range was, or its values lie more evenly by their ratios.

    That needs three values or more, the largest four times the smallest or more.
    """
    values = sorted(_numbers(study.cells, key))
    if not values or values[0] <= 0:
        return False
    if key in study.log_keys:
        return True
    steps = [b - a for a, b in itertools.pairwise(values)]
    ratios = [math.log(b / a) for a, b in itertools.pairwise(values)]
    return len(values) > 2 and values[-1] >= 4 * values[0] and max(ratios) * min(steps) < max(steps) * min(ratios)


def _lines(study: StudyResults, read_out: Classifier, x: str | None) -> Figure:
    key = x or _longest_axis(study)
    if not is_numeric(study.cells, key):
        raise DataError(
            f"--x {key}: expected a key with several numbers for lines; its values are {_listed(study, key)}"
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
    seeds, order = _seeds_by_setting(study, read_out), list(groups)
    lines = []
    for kept, members in groups.values():
        name = _described(study, {k: value for k, value in kept.items() if k in told_apart or k == key})
        line = _line(name, members, key, read_out, seeds)
        same = setting_key({name: value for name, value in kept.items() if name != key})
        lines.append(replace(line, like=order.index(same) if same in order else None))
    over_seeds = _over_seeds(row.finished for row in rows) + _left_out(num_left_out, f"beside {key}")
    return lines_over_axis(
        lines,
        key,
        log=is_log(study, key),
        chance=_chance(rows),
        title=f"{plain(study.name, 40)}: accuracy by {read_out_title(read_out)}, {over_seeds}",
    )


def _over_seeds(numbers: Iterable[int]) -> str:
    """Return what a mean is of, for the seeds of each setting."""
    return _OVER_SEEDS if max(numbers, default=0) > 1 else "one seed"


_Groups = dict[str, tuple[Setting, list[SettingRow]]]


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


def _left_out(num: int, what: str) -> str:
    """Return the sentence about settings that are not drawn, as the second line of a title."""
    return f"\n{num} setting{'s' * (num > 1)} {plain(what, 90)} left out" if num else ""


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


def _heat_map(study: StudyResults, read_out: Classifier, x: str | None) -> Figure:
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    numeric.sort(key=lambda key: (key != x, -len(_numbers(study.cells, key))))
    if len(numeric) < 2:
        raise DataError("a heat map needs two keys with several numbers each; this study does not vary so many")
    across, up = numeric[:2]
    xs, ys = sorted(_numbers(study.cells, across)), sorted(_numbers(study.cells, up))
    rows, panels, num_left_out = summarize(study.cells, (read_out,)), dict[str, Panel](), 0
    for row in rows:
        others = {key: value for key, value in row.settings.items() if key not in (across, up)}
        found = row.estimates[read_out]
        if found is None:
            continue
        if None in (row.settings.get(across), row.settings.get(up)):
            num_left_out += 1
            continue
        name = _described(study, others) if others else ""
        panel = panels.setdefault(name, Panel(name, np.full((len(ys), len(xs)), np.nan)))
        panel.values[ys.index(row.settings[up]), xs.index(row.settings[across])] = found.mean
    chance = _chance(rows)
    told = "" if chance is None else f" (chance: {percent(chance)})"
    title = f"{plain(study.name, 40)}: accuracy by {read_out_title(read_out)} in percent, mean over seeds{told}"
    title += _left_out(num_left_out, f"without {plain(across, 40)} or {plain(up, 40)}")
    texts = [[number_text(value) for value in values] for values in (xs, ys)]
    return heat_map(texts[0], texts[1], list(panels.values()), across, up, title=title)


def _categories(study: StudyResults, read_outs: Sequence[Classifier]) -> Figure:
    rows = [row for row in summarize(study.cells, read_outs) if all(row.estimates[key] for key in read_outs)]
    if not rows:
        raise DataError(f"nothing to draw: no cell of '{plain(study.name)}' is finished; run the study first")
    if len(rows) > _MAX_ROWS:
        raise DataError(
            f"{len(rows)} settings do not fit below each other, expected at most {_MAX_ROWS}; use the table"
        )
    seeds = {key: _seeds_by_setting(study, key) for key in read_outs}
    drawn = []
    for row in rows:
        bars = []
        for key in read_outs:
            found, single = row.estimates[key], seeds[key][setting_key(row.settings)]
            assert found is not None
            low, high = found.ci95 or (found.mean, found.mean)
            bars.append(drawing.Bar(found.mean, (max(0.0, low), min(1.0, high)), single if len(single) > 1 else ()))
        drawn.append((_described(study, row.settings), bars))
    chances = [row.chance for row in rows]
    known = [chance for chance in chances if chance is not None]
    title = f"{plain(study.name, 40)}: accuracy, {_over_seeds(row.finished for row in rows)}"
    return drawing.accuracy_bars(
        drawn,
        [read_out_title(key) for key in read_outs],
        chances=known if len(known) == len(rows) else None,
        title=title,
    )


def _curves(study: StudyResults) -> Figure:
    curves = []
    for group in group_settings(study.cells):
        known = [points for cell in group if cell.state == "finished" and (points := study.load_curve(cell))]
        if known:
            curves.append(_curve(_described(study, group[0].settings), known))
    if not curves:
        raise DataError(
            "no learning curves: no cell is finished, or none was trained with evaluation.curve_every below "
            "num_examples"
        )
    over_seeds = _over_seeds(len(curve.seeds) for curve in curves)
    if len(curves) > _MAX_BANDS:
        over_seeds = "mean over seeds, each seed as a thin line"
        curves = [replace(one, places=tuple(replace(place, interval=None) for place in one.places)) for one in curves]
    return learning_curves(curves, title=f"{plain(study.name, 40)}: accuracy on withheld training images, {over_seeds}")


def _curve(name: str, seeds: Sequence[Sequence[CurvePoint]]) -> Curve:
    """Take the mean at each number of examples that every seed has."""
    by_examples = [{point.examples: point.accuracy for point in points} for points in seeds]
    shared = sorted(set.intersection(*(set(one) for one in by_examples)))
    places = []
    for examples in shared:
        found = estimate([one[examples] for one in by_examples])
        assert found is not None
        places.append(Place(examples, found.mean, found.ci95))
    each = tuple((tuple(float(e) for e in one), tuple(one.values())) for one in by_examples)
    return Curve(name, tuple(places), each)


def _has_stages(cell: CellResult) -> bool:
    return cell.experiment is not None and cell.experiment.order in STAGED_ORDERS


def _stages(study: StudyResults, read_outs: Sequence[Classifier]) -> Figure:
    courses, _ = load_courses(study.cells, study.load_courses)
    rows = summarize_stages(study.cells, courses, read_outs)
    if not rows:
        raise DataError(
            "no stages: no finished cell has learned its classes or data sets one after the other "
            f"(`order: by_class` or `by_data`), with answers by {' or '.join(read_outs)}"
        )
    alike = [row for row in rows if row.learned == rows[0].learned]
    lines = [
        Line(
            _described(study, row.settings),
            tuple(Place(k, one.mean, one.ci95) for k, one in enumerate(row.accuracies)),
        )
        for row in alike
    ]
    title = f"{plain(study.name, 40)}: accuracy by {rows[0].read_out} on all classes seen so far"
    title += f"\n{_over_seeds(row.online_accuracy.num_seeds for row in rows)}"
    left_out = _left_out(len(rows) - len(alike), "with other stages")
    return lines_over_stages(lines, rows[0].learned, title=title + left_out)


def _search(study: StudyResults, kind: StudyKind) -> Figure:
    if not study.trials:
        raise DataError(f"{kind}: the study has no trials: it has no `search`, or the search has not begun")
    name, trials = plain(study.name, 40), study.trials
    if kind == "history":
        states = [trial.state for trial in trials]
        title = f"{name}: search by accuracy on validation images"
        return search_history([t.number for t in trials], [t.value for t in trials], states, title=title)
    if kind == "importance":
        return parameter_importance(study.importances, title=f"{name}: importance of the settings")
    keys = list(dict.fromkeys(key for trial in trials for key in trial.settings))
    axes = [SearchAxis(key, tuple(t.settings.get(key) for t in trials), _is_log_axis(study, key)) for key in keys]
    return parallel_coordinates(axes, [t.value for t in trials], title=f"{name}: settings of all trials")


def _is_log_axis(study: StudyResults, key: str) -> bool:
    values = [trial.settings[key] for trial in study.trials if key in trial.settings]
    return key in study.log_keys and all(isinstance(value, int | float) and value > 0 for value in values)


def _longest_axis(study: StudyResults) -> str:
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    if not numeric:
        raise DataError("lines need a key with several numbers; this study varies none")
    return max(numeric, key=lambda key: len(_numbers(study.cells, key)))


def _is_grid(cells: Sequence[CellResult], keys: Sequence[str]) -> bool:
    """Tell whether the values of two keys were combined, and do not move together."""
    pairs = {tuple(cell.settings.get(key) for key in keys) for cell in cells}
    return len(pairs) > max(len(_numbers(cells, key)) for key in keys)


def _values(cells: Sequence[CellResult], key: str) -> list[Any]:
    return list({setting_key({key: c.settings[key]}): c.settings[key] for c in cells if key in c.settings}.values())


def _numbers(cells: Sequence[CellResult], key: str) -> list[Any]:
    """Return the values of a key but for null."""
    return [value for value in _values(cells, key) if value is not None]


def _described(study: StudyResults, settings: Setting) -> str:
    """Return settings as text by the last words of their keys, as far as these tell the study's keys apart."""
    last = Counter(key.split(".")[-1] for key in {key for cell in study.cells for key in cell.settings})
    short = {key: key.split(".")[-1] for key in settings}
    return describe_settings({short[key] if last[short[key]] == 1 else key: v for key, v in settings.items()})


def _seeds_by_setting(study: StudyResults, read_out: Classifier) -> dict[str, tuple[float, ...]]:
    groups = group_settings(study.cells)
    values = [[accuracy_of(cell, read_out) for cell in group] for group in groups]
    return {
        setting_key(group[0].settings): tuple(value for value in own if value is not None)
        for group, own in zip(groups, values, strict=True)
    }


def _chance(rows: Sequence[SettingRow]) -> float | None:
    return max((row.chance for row in rows if row.chance is not None), default=None)


def _listed(study: StudyResults, key: str) -> str:
    return ", ".join(plain(show_value(value), 30) for value in _values(study.cells, key)[:8])
