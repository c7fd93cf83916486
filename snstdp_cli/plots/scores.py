"""Accuracy: of a network, by class, during training, and beside that of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import wilson_interval
from snstdp_cli.plots.style import BLUE, GREY, names_of, new_figure, percent_ticks, styled

_MAX_ANNOTATED = 14
_MAX_MISCLASSIFIED = 24
_MISCLASSIFIED_COLUMNS = 8


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
    confusion : examples by true class (row) and predicted class (column), [num_classes, num_classes].
    undecided : examples of each class without a prediction, [num_classes]; a column of its own unless all are 0.
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
    found = f": {right:,} of {total:,} right ({right / total:.1%})" if total else ""
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
    """Draw accuracy against the number of training examples, with 95% intervals.

    Parameters
    ----------
    examples, accuracy : a point each; accuracy from 0 to 1.
    ci : lower and upper limit at each point.
    """
    if not len(examples) == len(accuracy) > 0 or (ci is not None and len(ci) != len(examples)):
        raise DataError("expected an accuracy (and an interval) for each number of examples")
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    axes.plot(examples, accuracy, color=BLUE, marker="o", markersize=5)
    if ci is not None:
        _draw_intervals(axes, examples, accuracy, ci)
    top = accuracy[-1] if ci is None else ci[-1][1]
    axes.annotate(
        f"{accuracy[-1]:.1%}", (examples[-1], top), (0, 5), textcoords="offset points", ha="center", fontsize=8
    )
    intervals = "" if ci is None else ", with 95% intervals"
    axes.set(xlabel="training examples", ylabel="accuracy", title=title or f"Accuracy during training{intervals}")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(percent_ticks())
    return figure


@styled
def per_class_accuracy(
    correct: Sequence[int],
    total: Sequence[int],
    class_names: Sequence[str] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw the accuracy for each class with Wilson's 95 % interval, and that of all classes as a line.

    Parameters
    ----------
    correct, total : examples of each class, [num_classes]; a class without any is left empty.
    """
    if not len(correct) == len(total) > 0 or sum(total) == 0:
        raise DataError("expected the correct and all examples of each class")
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    known = [c for c in range(len(total)) if total[c]]
    values = [correct[c] / total[c] for c in known]
    _draw_intervals(axes, known, values, [wilson_interval(int(correct[c]), int(total[c])) for c in known])
    whole = sum(correct) / sum(total)
    axes.axhline(whole, color=GREY, linestyle="--", linewidth=1, label=f"all classes: {whole:.1%}", zorder=1)
    names = names_of(len(total), class_names)
    long = max(map(len, names)) > 6
    axes.set_xticks(range(len(names)), names, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set(xlabel="class", ylabel="accuracy", title=title or "Accuracy by class, with 95% intervals")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(percent_ticks())
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1))
    return figure


@styled
def comparison(
    runs: Sequence[tuple[str, float, tuple[float, float]]], *, chance: float | None = None, title: str | None = None
) -> Figure:
    """Draw the accuracies of several runs below each other, with their intervals.

    Parameters
    ----------
    runs : name (one line or more), accuracy and its interval, from top to bottom.
    chance : accuracy of guessing, drawn as a line.
    """
    if not runs:
        raise DataError("expected at least one run to compare, found none")
    figure = new_figure(0.9 + sum(0.3 + 0.15 * name.count("\n") for name, _, _ in runs))
    axes = figure.add_subplot()
    if chance is not None:
        axes.axvline(chance, color=GREY, linestyle="--", linewidth=1, zorder=1)
        axes.annotate(
            f"chance: {chance:.0%}",
            (chance, 0.03),
            (3, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=8,
        )
    _draw_intervals(axes, range(len(runs)), [run[1] for run in runs], [run[2] for run in runs], upright=False)
    for row, (_, accuracy, (_, high)) in enumerate(runs):
        axes.annotate(f"{accuracy:.1%}", (high, row), (5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(runs)), [run[0] for run in runs])
    axes.set_ylim(len(runs) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.set(xlabel="accuracy", title=title or "Accuracy with 95% intervals")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(percent_ticks())
    return figure


@styled
def misclassified(
    images: NDArray[Any],
    labels: NDArray[Any],
    scores: NDArray[Any],
    class_names: Sequence[str] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw examples that the network got wrong: the true class above, its three best guesses below, best first.

    A class with the lowest score is no guess: nothing speaks for it.

    Parameters
    ----------
    images : the examples in question, [num, height, width]; the first 24 are drawn.
    labels : their true classes, [num].
    scores : evidence for each class, [num, num_classes]; alike for all classes where there is no answer.
    """
    if images.ndim != 3 or scores.ndim != 2 or not len(images) == len(labels) == len(scores):
        raise DataError(
            f"expected a label and scores for each image, "
            f"found the shapes {images.shape}, {labels.shape} and {scores.shape}"
        )
    if len(images) == 0:
        raise DataError("expected at least one example to draw, found none")
    names = names_of(scores.shape[1], class_names)
    num = min(len(images), _MAX_MISCLASSIFIED)
    columns = _MISCLASSIFIED_COLUMNS if max(map(len, names)) <= 3 else _MISCLASSIFIED_COLUMNS // 2
    rows = math.ceil(num / columns)
    figure = new_figure(0.4 + rows * (6.6 / columns * images.shape[1] / images.shape[2] + 0.4))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[num:]:
        axes.set_axis_off()
    for axes, image, label, score in zip(grid, images[:num], labels, scores, strict=False):
        axes.imshow(image, cmap="Greys", vmin=0, vmax=max(image.max(), 1), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="#bbbbbb")
        axes.set_title(names[label], loc="center", fontsize=9, fontweight="bold", pad=2)
        guesses = [names[c] for c in np.argsort(-score, kind="stable")[:3] if score[c] > score.min()]
        axes.set_xlabel(", ".join(guesses) or "no answer", fontsize=8, labelpad=2)
    figure.suptitle(
        title or "True class above; below it the network's guesses, best first", x=0.01, ha="left", fontsize=10
    )
    return figure


def _draw_intervals(
    axes: Any,
    places: Sequence[int],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    upright: bool = True,
) -> None:
    arms = np.array([[max(0.0, v - low), max(0.0, high - v)] for v, (low, high) in zip(values, intervals, strict=True)])
    look = {"fmt": "o", "color": BLUE, "markersize": 5, "capsize": 3, "elinewidth": 1.2}
    if upright:
        axes.errorbar(places, values, yerr=arms.T, **look)
    else:
        axes.errorbar(values, places, xerr=arms.T, **look)
