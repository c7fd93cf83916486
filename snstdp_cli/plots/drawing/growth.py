"""Time and memory of a network over its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import COLOURS, GREY, grid_lines, new_figure, styled


@styled
def growth(series: Mapping[str, Sequence[tuple[int, float, float]]], *, title: str | None = None) -> Figure:
    """Draw time of a presentation and memory over the number of neurons, on logarithmic axes.

    Parameters
    ----------
    series
        For each rule, number of neurons, milliseconds and megabytes.
    """
    if not any(series.values()):
        raise DataError("expected at least one measured network, found none")
    figure = new_figure(3.2)
    left, right = figure.subplots(1, 2)
    for colour, (rule, points) in zip(COLOURS, series.items(), strict=False):
        sizes = [point[0] for point in points]
        left.plot(sizes, [point[1] for point in points], color=colour, marker="o", markersize=4, label=rule)
        right.plot(sizes, [point[2] for point in points], color=colour, marker="o", markersize=4, label=rule)
    for axes, label in ((left, "ms for a presentation"), (right, "memory, MB")):
        _add_slope(axes)
        axes.set(xscale="log", yscale="log", xlabel="excitatory neurons", ylabel=label)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.set_xticks(sorted({point[0] for points in series.values() for point in points}))
        grid_lines(axes, "both")
    left.legend(loc="best")
    figure.suptitle(title or "Growth with the number of neurons", x=0.01, ha="left", fontsize=10)
    return figure


def _add_slope(axes: Axes) -> None:
    """Draw what O(n) growth looks like, through the first curve's last point."""
    line = axes.lines[0]
    xs, ys = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
    if len(xs) > 1 and ys[-1] > 0:
        axes.plot(
            [xs[0], xs[-1]], [ys[-1] * xs[0] / xs[-1], ys[-1]], color=GREY, linestyle="--", linewidth=1, label="O(n)"
        )
