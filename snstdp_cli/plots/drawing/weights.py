"""Distributions of weights and thresholds, and the norm that the learning rule is to hold."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import BLUE, GREY, VERMILION, new_figure, power_ticks, styled
from snstdp_cli.results.drawable import check_drawable


@styled
def weight_distribution(weights: NDArray[Any], theta_mv: NDArray[Any], *, title: str | None = None) -> Figure:
    """Draw how the input weights, their L1 norms and the adaptive thresholds are distributed.

    Parameters
    ----------
    weights
        Input weights, [n_input, n_e].
    theta_mv
        Adaptive threshold of each neuron, mV, [n_e].
    """
    if weights.ndim != 2 or 0 in weights.shape or theta_mv.shape != (weights.shape[1],):
        raise DataError(
            f"expected weights [n_input, n_e] and a threshold for each neuron, "
            f"found the shapes {weights.shape} and {theta_mv.shape}"
        )
    check_drawable(weights, "weights")
    check_drawable(theta_mv, "thresholds")
    norms = np.abs(weights).sum(axis=0)
    figure = new_figure(2.6)
    left, middle, right = figure.subplots(1, 3)
    _histogram(left, weights.ravel(), "weight", bins=80)
    left.set(yscale="log", ylabel="synapses")
    left.yaxis.set_major_formatter(power_ticks())
    _histogram(middle, norms, "L1 norm of a neuron's weights", bins=31)
    _histogram(right, theta_mv, "adaptive threshold θ (mV)", bins=31)
    for axes in (middle, right):
        axes.set_ylabel("neurons")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if weights.min() < 0:
        left.axvline(0, color=GREY, linewidth=0.8)
    figure.suptitle(title or "Weights and thresholds", x=0.01, ha="left", fontsize=10)
    return figure


@styled
def l1_norm_over_training(
    examples: Sequence[int],
    mean_l1: Sequence[float],
    min_l1: Sequence[float],
    max_l1: Sequence[float],
    target: float | None = None,
    *,
    caption: str | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the L1 norm of the neurons' weights over training: the mean, and the range over neurons as a band.

    Both axes begin at 0.

    Parameters
    ----------
    examples
        Training examples shown at each point.
    mean_l1, min_l1, max_l1
        Over the neurons, at each point.
    target
        The rule's target of the norm, drawn as a line.
    caption
        What to write below, in full sentences.
    """
    if not len(examples) == len(mean_l1) == len(min_l1) == len(max_l1) > 0:
        raise DataError("expected a mean, a minimum and a maximum for each number of examples")
    marks = [*min_l1, *max_l1, *([] if target is None else [target])]
    check_drawable([*examples, *marks, *mean_l1], "norms")
    figure = new_figure(3.0 if caption is None else 3.3)
    axes = figure.add_subplot()
    axes.fill_between(examples, min_l1, max_l1, color=BLUE, alpha=0.2, linewidth=0, label="all neurons")
    axes.plot(examples, mean_l1, color=BLUE, marker="o", markersize=3, label="mean")
    if target is not None:
        axes.axhline(target, color=VERMILION, linestyle="--", linewidth=1.2, label=f"target {target:g}")
    axes.set(xlabel="training examples", ylabel="L1 norm of a neuron's weights", title=title or "Norm of the weights")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(0, 1.2 * max(marks) or 1)
    axes.set_xlim(0, 1.02 * examples[-1] or 1)
    axes.legend(loc="upper right", ncols=3)
    if caption is not None:
        figure.supxlabel(textwrap.fill(caption, 110), x=0.01, ha="left", fontsize=8)
    return figure


def _histogram(axes: Any, values: NDArray[Any], label: str, bins: int) -> None:
    mean = float(values.mean())
    # Values that are all but equal, such as norms that a rule holds, are not blown up to their rounding errors.
    least = max(0.01 * abs(mean), 1e-9)
    limits = min(float(values.min()), mean - least), max(float(values.max()), mean + least)
    axes.hist(values, bins=bins, range=limits, color=BLUE)
    axes.axvline(mean, color=VERMILION, linestyle="--", linewidth=1.2)
    axes.set_xlabel(label)
    axes.set_title(f"mean {mean:.3g}", fontsize=9)
    axes.ticklabel_format(axis="x", useOffset=False)
