"""What a network knows after each stage, when classes or data sets come one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import COLOURS, grid_lines, new_figure, percent_ticks, styled


@styled
def online_learning(
    learned: Sequence[str],
    classes: Sequence[str],
    accuracies: NDArray[np.float64],
    by_class: NDArray[np.float64],
    *,
    title: str | None = None,
) -> Figure:
    """Draw the accuracy on all classes seen so far, and below it that of each class, after each stage.

    Parameters
    ----------
    learned
        What each stage added, [num_stages].
    classes
        In the order in which they came, [num_classes].
    accuracies
        [num_stages]
    by_class
        [num_stages, num_classes]; NaN before a class came, and where it is not known.
    """
    if not learned or by_class.shape != (len(learned), len(classes)) or accuracies.shape != (len(learned),):
        raise DataError(
            f"expected accuracies of {len(classes)} classes for each of {len(learned)} stages, found {by_class.shape} "
            f"and {accuracies.shape}"
        )
    stages = range(len(accuracies))
    figure = new_figure(5.2)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.6))
    top.plot(stages, accuracies, color=COLOURS[0], marker="o", markersize=4)
    top.set(ylim=(0, 1.02), ylabel="accuracy on all\nclasses seen so far")
    top.yaxis.set_major_formatter(percent_ticks())
    grid_lines(top, "y")
    drawn = bottom.imshow(by_class.T, cmap="cividis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    bottom.set_yticks(range(len(classes)), classes)
    bottom.set_xticks(stages, learned)
    bottom.set(xlabel="after learning class", ylabel="class")
    bottom.tick_params(length=0)
    bar = figure.colorbar(drawn, ax=bottom, label="accuracy", orientation="horizontal", aspect=40, shrink=0.8)
    bar.ax.xaxis.set_major_formatter(percent_ticks())
    figure.suptitle(title or "Learning one after the other", x=0.01, ha="left", fontsize=10)
    return figure
