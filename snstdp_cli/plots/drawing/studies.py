"""What a study found: accuracy over a number, over two numbers, and during the training, with its spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.fields import percent
from snstdp_cli.plots.drawing.style import (
    GREY,
    MARKS,
    current_theme,
    grid_lines,
    is_near,
    new_figure,
    percent_ticks,
    plain,
    styled,
)

#: More lines could not be told apart.
MAX_LINES = 14
_MAX_TICKS, _MAX_ANNOTATED, _MAX_PANELS = 8, 120, 6

Interval = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """What was measured at one value of an axis: the mean, its interval if there is one, and each seed."""

    x: float
    mean: float
    interval: Interval | None = None
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """Places in the order of the axis; a setting that does not have the axis is a level all over it.

    Attributes
    ----------
    like
        Number of the line whose colour it has; without it a line has its own.
    """

    name: str
    places: tuple[Place, ...]
    level: bool = False
    like: int | None = None


@dataclass(frozen=True)
class Curve:
    """A learning curve over seeds.

    Attributes
    ----------
    places
        Mean and interval at each number of examples that all seeds have.
    seeds
        Each seed's own examples and accuracies.
    """

    name: str
    places: tuple[Place, ...]
    seeds: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class Panel:
    """Accuracies over two numbers, [num_y, num_x]; NaN where there is none."""

    name: str
    values: NDArray[np.float64]


@styled
def lines_over_axis(
    lines: Sequence[Line], label: str, *, log: bool = False, chance: float | None = None, title: str | None = None
) -> Figure:
    """Draw accuracy over a number: means as lines, intervals as bands, single seeds as points.

    Parameters
    ----------
    label
        What the number is.
    log
        Whether its axis is logarithmic.
    chance
        Accuracy of guessing; a dashed line where it is near, else a word below the axis.
    """
    figure, axes = _begin(lines, "measured setting")
    if log:
        axes.set_xscale("log")
    for k, line in enumerate(lines):
        (_draw_level if line.level else _draw_line)(axes, line, k if line.like is None else line.like)
    places = [place for line in lines for place in line.places]
    _note_chance(axes, plain(label, 60), chance, [v for place in places for v in (place.mean, *place.seeds)])
    _tick_values(axes, sorted({place.x for line in lines if not line.level for place in line.places}), log)
    _finish(figure, axes, title or "Accuracy over seeds", len(lines) + 1)
    return figure


@styled
def lines_over_stages(lines: Sequence[Line], learned: Sequence[str], *, title: str | None = None) -> Figure:
    """Draw accuracy on all classes seen so far after each stage: means as lines, intervals as bands.

    Parameters
    ----------
    lines
        Their places are at the numbers of the stages, from 0.
    learned
        What each stage added.
    """
    figure, axes = _begin(lines, "measured setting")
    for k, line in enumerate(lines):
        _draw_line(axes, line, k)
    axes.set_xticks(range(len(learned)), learned)
    axes.set_xlabel("after learning class")
    axes.set_ylim(0, 1.02)
    _finish(figure, axes, title or "Accuracy on all classes seen so far", len(lines))
    return figure


@styled
def learning_curves(curves: Sequence[Curve], *, title: str | None = None) -> Figure:
    """Draw accuracy during the training: means over seeds with bands, each seed as a thin line."""
    figure, axes = _begin(curves, "learning curve")
    for k, curve in enumerate(curves):
        colour = _look(k)[0]
        for xs, ys in curve.seeds if len(curve.seeds) > 1 else ():
            axes.plot(xs, ys, color=colour, linewidth=0.6, alpha=0.45)
        _draw_line(axes, Line(curve.name, curve.places), k)
    axes.set_xlabel("training images")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    _finish(figure, axes, title or "Accuracy during training", len(curves))
    return figure


@styled
def heat_map(
    xs: Sequence[str],
    ys: Sequence[str],
    panels: Sequence[Panel],
    x_label: str,
    y_label: str,
    *,
    title: str | None = None,
) -> Figure:
    """Draw mean accuracies over two numbers, a field for each pair of values; the best of all is framed.

    Parameters
    ----------
    xs, ys
        The values as text, from left to right and from bottom to top.
    panels
        One field of values for each group of other settings, in one scale of colours.
    """
    if not panels or any(panel.values.shape != (len(ys), len(xs)) for panel in panels):
        raise DataError(f"expected {len(ys)} rows of {len(xs)} accuracies in each panel")
    if len(panels) > _MAX_PANELS:
        raise DataError(f"{len(panels)} heat maps do not fit into a figure, expected at most {_MAX_PANELS}")
    every = np.concatenate([panel.values.ravel() for panel in panels])
    known = every[np.isfinite(every)]
    if not known.size:
        raise DataError("expected at least one measured setting, found none")
    columns = min(len(panels), 3 if len(xs) <= 4 else 2)
    rows = -(-len(panels) // columns)
    figure = new_figure(0.9 + rows * (0.7 + min(0.38 * len(ys), 4.5)))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    low, high = float(known.min()), float(known.max())
    high = high if high > low else low + 0.01
    for k, (axes, panel) in enumerate(zip(grid.ravel(), panels, strict=False)):
        drawn = axes.imshow(
            panel.values, cmap="cividis", vmin=low, vmax=high, origin="lower", aspect="auto", interpolation="nearest"
        )
        _annotate(axes, panel.values, low, high, best=float(known.max()), small=len(xs) * columns > 12)
        _name_fields(axes, xs, ys, crowded=max(map(len, xs)) * len(xs) * columns > 60)
        axes.set_xlabel(plain(x_label, 40))
        axes.set_ylabel(plain(y_label, 40) if k % columns == 0 else "")
        axes.set_title(plain(panel.name, 50), fontsize=9)
    bar = figure.colorbar(drawn, ax=grid, label="accuracy", shrink=0.9, aspect=30, pad=0.02)
    bar.ax.yaxis.set_major_formatter(percent_ticks())
    figure.suptitle(title or "Mean accuracy over seeds", x=0.01, ha="left", fontsize=10)
    return figure


def _begin(lines: Sequence[Line | Curve], what: str) -> tuple[Figure, Axes]:
    """Return an empty figure for lines, one of which has a place, and not too many to be told apart."""
    if not any(line.places for line in lines):
        raise DataError(f"expected at least one {what}, found none")
    if len(lines) > MAX_LINES:
        raise DataError(
            f"{len(lines)} lines could not be told apart, expected at most {MAX_LINES}; name the key with most values "
            "by --x"
        )
    figure = new_figure(3.8)
    return figure, figure.add_subplot()


def _name_fields(axes: Axes, xs: Sequence[str], ys: Sequence[str], *, crowded: bool) -> None:
    """Write the values below and beside the fields of a heat map, without ticks and frame."""
    axes.set_xticks(range(len(xs)), xs, rotation=45 if crowded else 0, ha="right" if crowded else "center")
    axes.set_yticks(range(len(ys)), ys)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_line(axes: Axes, line: Line, k: int) -> None:
    colour, mark, dashes = _look(k)
    places = line.places
    xs = [place.x for place in places]
    for place in places:
        if len(place.seeds) > 1:
            axes.plot([place.x] * len(place.seeds), place.seeds, mark, color=colour, markersize=2.5, alpha=0.6)
    for part in _with_interval(places):
        if len(part) > 1:
            lows, highs = zip(*(_clipped(place.interval) for place in part), strict=True)
            axes.fill_between([place.x for place in part], lows, highs, color=colour, alpha=0.16, linewidth=0)
        else:
            axes.vlines(part[0].x, *_clipped(part[0].interval), color=colour, linewidth=1.2)
    axes.plot(
        xs,
        [place.mean for place in places],
        color=colour,
        marker=mark,
        markersize=5,
        linestyle=dashes,
        label=plain(line.name, 60),
    )


def _draw_level(axes: Axes, line: Line, k: int) -> None:
    colour, _, _ = _look(k)
    for place in line.places:
        axes.axhline(place.mean, color=colour, linestyle="-.", linewidth=1.2, label=plain(line.name, 60))
        if place.interval is not None:
            axes.axhspan(*_clipped(place.interval), color=colour, alpha=0.1, linewidth=0)


def _with_interval(places: Sequence[Place]) -> list[list[Place]]:
    """Return the stretches of places that have an interval."""
    parts: list[list[Place]] = [[]]
    for place in places:
        if place.interval is not None:
            parts[-1].append(place)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _clipped(interval: Interval | None) -> Interval:
    """Return an interval of accuracies within 0 and 1: a t interval of few seeds may reach beyond."""
    assert interval is not None
    return max(0.0, interval[0]), min(1.0, interval[1])


def _look(k: int) -> tuple[str, str, str]:
    colours = current_theme().series
    return colours[k % len(colours)], MARKS[k % len(MARKS)], "-" if k < len(colours) else "--"


def _note_chance(axes: Axes, label: str, chance: float | None, values: Sequence[float]) -> None:
    """Draw chance where it does not squeeze everything else together; tell it otherwise."""
    if chance is not None and is_near(chance, values):
        axes.axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label=f"chance: {percent(chance)}", zorder=1)
    elif chance is not None:
        label = f"{label}    (chance: {percent(chance)})"
    axes.set_xlabel(label)


def _tick_values(axes: Axes, values: Sequence[float], log: bool) -> None:
    if 0 < len(values) <= _MAX_TICKS:
        axes.xaxis.set_major_locator(FixedLocator(values))
    if log:
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x)))


def number_text(value: float) -> str:
    """Return a number as an axis shows it.

    Examples
    --------
    >>> number_text(0.0046415888), number_text(1600), number_text(1e-6)
    ('0.00464', '1,600', '1e-06')
    """
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"


def _annotate(axes: Axes, values: NDArray[np.float64], low: float, high: float, *, best: float, small: bool) -> None:
    if values.size > _MAX_ANNOTATED:
        return
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            axes.text(column, row, "–", ha="center", va="center", color=GREY, fontsize=8)
            continue
        look: dict[str, Any] = {"color": "black" if value > (low + high) / 2 else "white"}
        if value == best:
            look |= {"fontweight": "bold", "bbox": {"boxstyle": "round,pad=0.2", "fill": False, "ec": look["color"]}}
        axes.text(column, row, f"{100 * value:.1f}", ha="center", va="center", fontsize=6.5 if small else 8, **look)


def _finish(figure: Figure, axes: Axes, title: str, entries: int) -> None:
    axes.set(ylabel="accuracy", title=title)
    grid_lines(axes, "y")
    axes.yaxis.set_major_formatter(percent_ticks())
    if entries > 1:
        longest = max((len(str(text)) for text in axes.get_legend_handles_labels()[1]), default=0)
        figure.legend(loc="outside lower center", ncols=3 if longest <= 28 else 2 if longest <= 42 else 1)
