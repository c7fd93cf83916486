"""How a search went: its values in order, which settings mattered, and where the good ones lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.fields import percent
from snstdp_cli.plots.drawing.studies import number_text
from snstdp_cli.plots.drawing.style import (
    BLUE,
    GREY,
    LIGHT,
    VERMILION,
    current_theme,
    grid_lines,
    new_figure,
    percent_ticks,
    plain,
    styled,
)

_MAX_AXES, _MAX_NAMES = 12, 12
#: Where a trial goes that does not have a setting, below the axis.
_ABSENT = -0.1


@dataclass(frozen=True)
class SearchAxis:
    """One setting of a search: its value in each trial (None where a trial does not have it)."""

    name: str
    values: tuple[object, ...]
    log: bool = False


@styled
def search_history(
    numbers: Sequence[int], values: Sequence[float | None], states: Sequence[str], *, title: str | None = None
) -> Figure:
    """Draw the value of each trial in order, and the best so far as a line.

    Parameters
    ----------
    values
        An accuracy each; None of a trial that has none.
    states
        `finished`, `pruned`, `failed`, `running` or `interrupted` each; only finished ones count as best.
    """
    if not len(numbers) == len(values) == len(states):
        raise DataError("expected a value and a state for each trial")
    if all(value is None for value in values):
        raise DataError("expected at least one trial with a value, found none")
    figure = new_figure(3.4)
    axes = figure.add_subplot()
    for state, mark, colour in (("finished", "o", BLUE), ("pruned", "x", GREY)):
        chosen = [(n, v) for n, v, s in zip(numbers, values, states, strict=True) if s == state and v is not None]
        if chosen:
            told = f"{state} ({len(chosen)})" + ", at its learning curve's end" * (state == "pruned")
            axes.plot(*zip(*chosen, strict=True), mark, color=colour, markersize=4.5, label=told)
    failed = [n for n, s in zip(numbers, states, strict=True) if s == "failed"]
    if failed:
        foot = axes.get_xaxis_transform()
        axes.plot(failed, [0.02] * len(failed), "|", color=VERMILION, transform=foot, label=f"failed ({len(failed)})")
    _draw_best(axes, [(n, v) for n, v, s in zip(numbers, values, states, strict=True) if s == "finished"])
    axes.set(xlabel="trial", ylabel="accuracy on validation images", title=title or "Search")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(percent_ticks())
    grid_lines(axes, "y")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


@styled
def parameter_importance(importances: Mapping[str, float], *, title: str | None = None) -> Figure:
    """Draw how much each setting mattered in a search, the most important first."""
    if not importances:
        raise DataError("expected the importance of at least one setting, found none")
    ordered = sorted(importances.items(), key=lambda pair: -pair[1])
    figure = new_figure(0.9 + 0.3 * len(ordered))
    axes = figure.add_subplot()
    axes.barh(range(len(ordered)), [share for _, share in ordered], color=BLUE, height=0.6)
    for place, (_, share) in enumerate(ordered):
        axes.annotate(percent(share, 0), (share, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(ordered)), [plain(name, 40) for name, _ in ordered])
    axes.set_ylim(len(ordered) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.set(xlabel="importance for being among the best trials", title=title or "Importance of the settings")
    axes.xaxis.set_major_formatter(percent_ticks())
    grid_lines(axes, "x")
    return figure


@styled
def parallel_coordinates(
    axes_: Sequence[SearchAxis], values: Sequence[float | None], *, title: str | None = None
) -> Figure:
    """Draw each trial as a line through its settings, in the colour of its value; trials without one are grey.

    Parameters
    ----------
    axes_
        The settings, from left to right; each with a value a trial.
    values
        An accuracy each; None of a trial that has none.
    """
    known = [value for value in values if value is not None]
    if not axes_ or not known or any(len(axis.values) != len(values) for axis in axes_):
        raise DataError("expected a value of each setting for each trial, and at least one trial with an accuracy")
    if len(axes_) > _MAX_AXES:
        raise DataError(f"{len(axes_)} settings do not fit side by side, expected at most {_MAX_AXES}")
    shades = Normalize(min(known), max(known) if max(known) > min(known) else min(known) + 0.01)
    every = [*axes_, SearchAxis("accuracy", tuple(values))]
    places = np.column_stack([_places(axis) for axis in every])
    figure = new_figure(3.8)
    axes = figure.add_subplot()
    order = sorted(range(len(values)), key=lambda k: -1.0 if values[k] is None else float(values[k] or 0.0))
    # The best stand out from the paper.
    colours = mpl.colormaps["cividis_r" if current_theme() is LIGHT else "cividis"]
    for k in order:  # the best above all others
        value = values[k]
        colour, width = (GREY, 0.5) if value is None else (colours(shades(value)), 1.1)
        axes.plot(range(len(every)), places[k], color=colour, linewidth=width, alpha=0.85)
    for column, axis in enumerate(every):
        _draw_scale(axes, column, axis, share=column == len(every) - 1)
    axes.set_xticks(range(len(every)), [_wrapped(axis) for axis in every])
    axes.set_xlim(-0.25, len(every) - 0.4)
    axes.set_ylim(_ABSENT - 0.04 if places.min() < 0 else -0.04, 1.04)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title(title or "Settings of all trials")
    bar = figure.colorbar(ScalarMappable(shades, colours), ax=axes, label="accuracy on validation images", pad=0.02)
    bar.ax.yaxis.set_major_formatter(percent_ticks())
    return figure


def _draw_best(axes: Axes, trials: Sequence[tuple[int, float | None]]) -> None:
    ordered = sorted((n, v) for n, v in trials if v is not None)
    if not ordered:
        return
    best = np.maximum.accumulate([v for _, v in ordered])
    axes.step(
        [n for n, _ in ordered], best, where="post", color=VERMILION, linewidth=1.2, label=f"best: {percent(best[-1])}"
    )


def _places(axis: SearchAxis) -> NDArray[np.float64]:
    """Return where each value lies on its axis, from 0 to 1; below where there is none."""
    if _is_numeric(axis):
        low, high = _limits(axis)
        return np.array([_ABSENT if v is None else (_on(axis, v) - low) / (high - low) for v in axis.values])
    names = _names(axis)
    return np.array([_ABSENT if v is None else _name_place(names, str(v)) for v in axis.values])


def _draw_scale(axes: Axes, column: int, axis: SearchAxis, *, share: bool) -> None:
    axes.axvline(column, color=GREY, linewidth=0.8, zorder=1)
    if _is_numeric(axis):
        low, high = _limits(axis)
        ticks = [(k / 4, low + k / 4 * (high - low)) for k in range(5)]
        texts = [(place, 10**value if axis.log else value) for place, value in ticks]
        shown = [(place, percent(value) if share else number_text(float(f"{value:.3g}"))) for place, value in texts]
    else:
        names = _names(axis)
        every = 1 + len(names) // _MAX_NAMES
        shown = [(_name_place(names, name), plain(name, 16)) for name in names[::every]]
    if None in axis.values:
        shown.append((_ABSENT, "none"))
    for place, text in shown:
        box = {"boxstyle": "square,pad=0.1", "fc": axes.get_facecolor(), "ec": "none", "alpha": 0.75}
        axes.text(column + 0.03, place, text, fontsize=7, va="center", bbox=box, zorder=5)


def _is_numeric(axis: SearchAxis) -> bool:
    known = [v for v in axis.values if v is not None]
    return bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)


def _limits(axis: SearchAxis) -> tuple[float, float]:
    known = [_on(axis, v) for v in axis.values if v is not None]
    low, high = min(known), max(known)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _on(axis: SearchAxis, value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    return math.log10(number) if axis.log else number


def _names(axis: SearchAxis) -> list[str]:
    return list(dict.fromkeys(str(v) for v in axis.values if v is not None))


def _name_place(names: Sequence[str], name: str) -> float:
    return (names.index(name) + 0.5) / len(names)


def _wrapped(axis: SearchAxis) -> str:
    return plain(axis.name, 40).replace(".", ".\n")
