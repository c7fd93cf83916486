"""Accuracy: of a network, by class, during training, and beside that of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import wilson_interval
from snstdp_cli.fields import percent
from snstdp_cli.plots.drawing.style import (
    BLUE,
    GREY,
    grid_lines,
    is_near,
    looks,
    names_of,
    new_figure,
    percent_ticks,
    plain,
    styled,
)
from snstdp_cli.results.drawable import check_drawable

_MAX_ANNOTATED = 14
#: Inches of a row: at least, and for each read-out.
_ROW_IN, _READ_OUT_IN = 0.42, 0.2


@dataclass(frozen=True)
class Series:
    """Correct and all examples of each class by one read-out."""

    name: str
    correct: Sequence[int]
    total: Sequence[int]


@dataclass(frozen=True)
class Bar:
    """An accuracy with the interval around it, and the accuracies that it is the mean of, if there are several."""

    accuracy: float
    interval: tuple[float, float]
    points: tuple[float, ...] = ()


@styled
def confusion_matrix(
    confusion: NDArray[Any],
    class_names: Sequence[str] | None = None,
    *,
    undecided: NDArray[Any] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw which class is taken for which: colours are shares of the true class, numbers are examples.

    Parameters
    ----------
    confusion
        Examples by true class (row) and predicted class (column), [num_classes, num_classes].
    class_names
        Names of the classes in the order of the matrix; numbers from 0 without it.
    undecided
        Examples of each class without a prediction, [num_classes]; a column of its own unless all are 0.
    """
    num = len(confusion)
    if num == 0 or confusion.shape != (num, num) or (undecided is not None and undecided.shape != (num,)):
        raise DataError(f"expected a square confusion matrix, found the shape {confusion.shape}")
    names = names_of(num, class_names)
    counts, columns = confusion, list(names)
    if undecided is not None and undecided.any():
        counts, columns = np.column_stack([confusion, undecided]), [*names, "none"]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(5.6, "compressed")
    axes = figure.add_subplot()
    drawn = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    long = max(map(len, columns)) > 3
    axes.set_xticks(range(len(columns)), columns, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_yticks(range(num), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(columns) > num:
        axes.axvline(num - 0.5, color=GREY, linewidth=0.8)
    if num <= _MAX_ANNOTATED:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if share[row, column] > 0.55 else "black"
            axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=8)
    right, total = int(np.trace(confusion)), int(counts.sum())
    found = f": {right:,} of {total:,} right ({percent(right / total)})" if total else ""
    axes.set(xlabel="predicted class", ylabel="true class", title=title or f"Confusion{found}")
    bar = figure.colorbar(drawn, ax=axes, label="share of the true class", shrink=0.8, aspect=30, pad=0.02)
    bar.ax.yaxis.set_major_formatter(percent_ticks())
    return figure


@styled
def learning_curve(
    examples: Sequence[int],
    accuracy: Sequence[float],
    ci: Sequence[tuple[float, float]] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw accuracy against the number of training examples, with 95 % intervals; both axes begin at 0.

    Parameters
    ----------
    examples, accuracy
        A point each; accuracy from 0 to 1.
    ci
        Lower and upper limit at each point.
    """
    if not len(examples) == len(accuracy) > 0 or (ci is not None and len(ci) != len(examples)):
        raise DataError("expected an accuracy (and an interval) for each number of examples")
    check_drawable(examples, "numbers of examples")
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    axes.plot(examples, accuracy, color=BLUE, marker="o", markersize=5)
    if ci is not None:
        _draw_intervals(axes, examples, accuracy, ci)
    top = accuracy[-1] if ci is None else ci[-1][1]
    axes.annotate(
        percent(accuracy[-1]), (examples[-1], top), (0, 5), textcoords="offset points", ha="center", fontsize=8
    )
    intervals = "" if ci is None else ", with 95 % intervals"
    axes.set(xlabel="training examples", ylabel="accuracy", title=title or f"Accuracy during training{intervals}")
    axes.set_xlim(0, 1.03 * max(examples) or 1)
    axes.set_ylim(0, 1.06)
    grid_lines(axes, "y")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(percent_ticks())
    return figure


@styled
def class_accuracy(
    class_names: Sequence[str], series: Sequence[Series], *, chance: float | None = None, title: str | None = None
) -> Figure:
    """Draw the accuracy for each class with Wilson's 95 % interval, and that of all classes as a line.

    Parameters
    ----------
    class_names
        The classes, [num_classes].
    series
        Correct and all examples of each class, one or two read-outs; a class without any is left empty.
    chance
        Accuracy of the best constant answer over all classes, drawn as a line.
    """
    num = len(class_names)
    if not series or any(not len(one.correct) == len(one.total) == num > 0 or sum(one.total) == 0 for one in series):
        raise DataError("expected the correct and all examples of each class")
    names = names_of(num, class_names)
    figure = new_figure(3.4)
    axes = figure.add_subplot()
    for k, (one, (colour, mark)) in enumerate(zip(series, looks(len(series)), strict=True)):
        known = [c for c in range(num) if one.total[c]]
        places = [c + 0.22 * (k - 0.5 * (len(series) - 1)) for c in known]
        intervals = [wilson_interval(int(one.correct[c]), int(one.total[c])) for c in known]
        _draw_intervals(axes, places, [one.correct[c] / one.total[c] for c in known], intervals, colour, mark)
        whole = sum(one.correct) / sum(one.total)
        axes.axhline(
            whole, color=colour, linestyle="--", linewidth=1, label=f"{one.name}: {percent(whole)} of all", zorder=1
        )
    if chance is not None:
        axes.axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label=f"chance: {percent(chance)}", zorder=1)
    long = max(map(len, names)) > 6
    every = 1 + num // 40
    axes.set_xticks(range(0, num, every), names[::every], rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_xlim(-0.6, num - 0.4)
    axes.set(xlabel="class", ylabel="accuracy", title=title or "Accuracy by class, with 95 % intervals")
    grid_lines(axes, "y")
    axes.yaxis.set_major_formatter(percent_ticks())
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@styled
def accuracy_bars(
    rows: Sequence[tuple[str, Sequence[Bar]]],
    readouts: Sequence[str],
    *,
    chances: Sequence[float] | None = None,
    chance_name: str = "chance",
    title: str | None = None,
) -> Figure:
    """Draw accuracies below each other, a mark for each read-out.

    Parameters
    ----------
    rows
        Name (one line or more) and an accuracy by each read-out, from top to bottom.
    readouts
        Names of the read-outs.
    chances
        Accuracy of guessing in each row: a dashed line where it is near, else a word below the axis.
    chance_name
        What the legend calls it.
    """
    if not rows:
        raise DataError("expected at least one run to compare, found none")
    if any(len(bars) != len(readouts) for _, bars in rows) or (chances is not None and len(chances) != len(rows)):
        raise DataError("expected an accuracy by each read-out, and one chance, in each row")
    height = max(_ROW_IN, _READ_OUT_IN * len(readouts))
    figure = new_figure(1.2 + sum(height + 0.15 * name.count("\n") for name, _ in rows))
    axes = figure.add_subplot()
    step = min(0.24, 0.8 / len(readouts))
    for k, (name, (colour, mark)) in enumerate(zip(readouts, looks(len(readouts)), strict=True)):
        bars = [row_bars[k] for _, row_bars in rows]
        places = [row + step * (k - 0.5 * (len(readouts) - 1)) for row in range(len(rows))]
        values, intervals = [bar.accuracy for bar in bars], [bar.interval for bar in bars]
        _draw_intervals(axes, places, values, intervals, colour, mark, upright=False, label=name)
        for place, bar in zip(places, bars, strict=True):
            axes.plot(bar.points, [place] * len(bar.points), mark, color=colour, markersize=2.5, alpha=0.6)
            high = max(bar.interval[1], *bar.points) if bar.points else bar.interval[1]
            axes.annotate(
                percent(bar.accuracy), (high, place), (5, 0), textcoords="offset points", va="center", fontsize=8
            )
    known, label = chances or (), "accuracy"
    if known and not is_near(min(known), [bar.accuracy for _, bars in rows for bar in bars]):
        known, label = (), f"accuracy    ({chance_name}: {' to '.join(_ends(known))})"
    for row, chance in enumerate(known):
        (line,) = axes.plot([chance] * 2, [row - 0.45, row + 0.45], color=GREY, linestyle="--", linewidth=1, zorder=1)
        line.set_label("" if row else chance_name)
    axes.set_yticks(range(len(rows)), [plain(name, 60) for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.14)
    axes.set(xlabel=label)
    figure.suptitle(title or "Accuracy with 95 % intervals", x=0.01, ha="left", fontsize=10)
    grid_lines(axes, "x")
    axes.xaxis.set_major_formatter(percent_ticks())
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _ends(values: Sequence[float]) -> list[str]:
    """Return the lowest and the highest value as text; one if they are the same."""
    return list(dict.fromkeys(percent(value) for value in (min(values), max(values))))


def _draw_intervals(
    axes: Any,
    places: Sequence[float],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    colour: str = BLUE,
    mark: str = "o",
    *,
    upright: bool = True,
    label: str | None = None,
) -> None:
    arms = np.array([[max(0.0, v - low), max(0.0, high - v)] for v, (low, high) in zip(values, intervals, strict=True)])
    look = {"fmt": mark, "color": colour, "markersize": 5, "capsize": 3, "elinewidth": 1.2, "label": label}
    if upright:
        axes.errorbar(places, values, yerr=arms.T, **look)
    else:
        axes.errorbar(values, places, xerr=arms.T, **look)
