"""Spikes and state variables of single presentations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import current_theme, new_figure, styled
from snstdp_cli.results.drawable import check_drawable

# Beyond so many spikes a vector drawing of each is slow to show and no longer readable.
_MAX_VECTOR_SPIKES = 5_000
_MAX_LEGEND = 7


@styled
def raster(
    spikes: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    *,
    sizes: Mapping[str, int] | None = None,
    end_ms: float | None = None,
    stimulus_ms: Sequence[tuple[float, float]] = (),
    title: str | None = None,
) -> Figure:
    """Draw the spikes of each group as dots over time, the groups below each other.

    Parameters
    ----------
    spikes
        Times in ms and neuron numbers of each group's spikes, by its name (`input`, `excitatory` ...).
    sizes
        Number of neurons of a group; by default up to the highest that fired.
    end_ms
        End of the time axis.
    stimulus_ms
        Beginning and end of each presentation of the image, shaded.
    """
    if not spikes:
        raise DataError("expected the spikes of at least one group, found none")
    for name, (times, indices) in spikes.items():
        if times.shape != indices.shape or times.ndim != 1:
            raise DataError(f"{name}: expected a neuron for each spike, found {times.shape} and {indices.shape}")
    figure = new_figure(0.7 + 1.5 * len(spikes))
    panels = figure.subplots(len(spikes), 1, sharex=True, squeeze=False).ravel()
    for axes, (name, (times, indices)), colour in zip(panels, spikes.items(), _cycle(len(spikes)), strict=True):
        axes.plot(
            times,
            indices,
            "|",
            color=colour,
            markersize=4,
            markeredgewidth=0.8,
            rasterized=len(times) > _MAX_VECTOR_SPIKES,
        )
        size = (sizes or {}).get(name) or (int(indices.max()) + 1 if len(indices) else 1)
        axes.set_ylim(-0.02 * size - 0.5, 1.02 * size - 0.5)
        axes.set_ylabel(f"{name}\nneuron")
        axes.set_title(f"{len(times):,} spikes", fontsize=8)
        _shade(axes, stimulus_ms)
    last = max((float(times.max()) for times, _ in spikes.values() if len(times)), default=1.0)
    panels[-1].set_xlim(0, end_ms or last)
    panels[-1].set_xlabel("time (ms)")
    figure.suptitle(title or "Spikes", x=0.01, ha="left", fontsize=10)
    figure.align_ylabels(panels)
    return figure


@styled
def traces(
    times_ms: NDArray[Any],
    values: Mapping[str, NDArray[Any]],
    *,
    neurons: NDArray[Any] | None = None,
    levels: Mapping[str, tuple[str, NDArray[Any]]] | None = None,
    stimulus_ms: Sequence[tuple[float, float]] = (),
    title: str | None = None,
) -> Figure:
    """Draw state variables over time, a panel for each.

    Parameters
    ----------
    times_ms
        Times of the samples, [num].
    values
        Samples by the variable's name and unit (such as `v (mV)`), [num], or [neurons, num] for several neurons.
    neurons
        Numbers of these neurons, for the legend.
    levels
        By variable, the name and the height, [neurons], of a dashed line across for each neuron, such as its threshold.
    stimulus_ms
        Beginning and end of each presentation of the image, shaded.
    """
    if not values:
        raise DataError("expected the samples of at least one variable, found none")
    rows = {name: np.atleast_2d(samples) for name, samples in values.items()}
    for name, samples in rows.items():
        if samples.ndim != 2 or samples.shape[1] != len(times_ms):
            raise DataError(f"{name}: expected {len(times_ms)} samples, found the shape {samples.shape}")
        check_drawable(samples, f"samples of {name}")
    figure = new_figure(0.7 + 1.25 * len(rows))
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False).ravel()
    for axes, (name, samples) in zip(panels, rows.items(), strict=True):
        for colour, line in zip(_cycle(len(samples)), samples, strict=True):
            axes.plot(times_ms, line, color=colour, linewidth=1)
        axes.set_ylabel(name)
        if levels is not None and name in levels:
            _draw_levels(axes, *levels[name])
        _shade(axes, stimulus_ms)
    panels[-1].set(xlabel="time (ms)", xlim=(min(times_ms[0], 0.0), times_ms[-1]) if len(times_ms) > 1 else None)
    if neurons is not None and len(neurons) <= _MAX_LEGEND:
        for line, neuron in zip(panels[0].lines, neurons, strict=False):
            line.set_label(f"neuron {neuron}")
        figure.legend(loc="outside upper right", ncols=4)
    figure.suptitle(title or "State variables", x=0.01, ha="left", fontsize=10)
    figure.align_ylabels(panels)
    return figure


def _draw_levels(axes: Any, name: str, heights: NDArray[Any]) -> None:
    for colour, height in zip(_cycle(len(heights)), heights, strict=True):
        axes.axhline(height, color=colour, linestyle="--", linewidth=0.8)
    axes.set_title(f"dashed: {name}", fontsize=8)


def _shade(axes: Any, spans_ms: Sequence[tuple[float, float]]) -> None:
    for span in spans_ms:
        axes.axvspan(*span, color=current_theme().shade, zorder=0, linewidth=0)


def _cycle(num: int) -> list[str]:
    colours = current_theme().series
    return [colours[k % len(colours)] for k in range(num)]
