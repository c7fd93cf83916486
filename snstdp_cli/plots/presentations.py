"""Figures of a single presentation, which is simulated again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from snstdp_cli.plots import drawing
from snstdp_cli.results import TrainedNetwork

if TYPE_CHECKING:
    from snstdp_cli.recording.tracing import Trace


def raster(
    network: TrainedNetwork,
    *,
    example: int = 0,
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Figure:
    """Simulate one test image again and draw the spikes of all neurons (ms).

    Parameters
    ----------
    network
        A trained network.
    example
        Number of the image, from 0.
    data, mark
        Which of several recordings to repeat: its data set, its name. Without recordings, the test images of the
        training's data set.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image.
    """
    from snstdp_cli.results.presentation import present_again

    return draw_raster(network, example, present_again(network, example, data=data, mark=mark, data_dir=data_dir))


def traces(
    network: TrainedNetwork,
    *,
    example: int = 0,
    neurons: Sequence[int] | None = None,
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Figure:
    """Simulate one test image again and draw voltage (mV), threshold (mV) and conductances (in units of the leak).

    Parameters
    ----------
    network
        A trained network.
    example
        Number of the image, from 0.
    neurons
        Numbers of the excitatory neurons, from 0; by default the three that answer most.
    data, mark
        Which of several recordings to repeat: its data set, its name. Without recordings, the test images of the
        training's data set.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image or neuron.
    """
    from snstdp_cli.results.presentation import present_again

    trace = present_again(network, example, neurons=neurons, data=data, mark=mark, data_dir=data_dir)
    return draw_traces(network, example, trace)


def draw_raster(network: TrainedNetwork, example: int, trace: Trace) -> Figure:
    """Draw the spikes of a presentation.

    Parameters
    ----------
    network
        The network to which the image was shown.
    example
        Number of the image, from 0.
    trace
        What was simulated.
    """
    title = _presented(network, example, trace)
    return drawing.raster(
        trace.spikes, sizes=trace.sizes, end_ms=trace.end_ms, stimulus_ms=trace.stimuli_ms, title=title
    )


def draw_traces(network: TrainedNetwork, example: int, trace: Trace) -> Figure:
    """Draw voltages, thresholds and conductances of a presentation.

    Parameters
    ----------
    network
        The network to which the image was shown.
    example
        Number of the image, from 0.
    trace
        What was simulated.
    """
    return drawing.traces(
        trace.times_ms,
        trace.values,
        neurons=trace.neurons,
        levels={"v (mV)": ("threshold of each neuron", trace.thresholds_mv)},
        stimulus_ms=trace.stimuli_ms,
        title=_presented(network, example, trace),
    )


def _presented(network: TrainedNetwork, example: int, trace: Trace) -> str:
    again = f", shown {len(trace.stimuli_ms)} times" if len(trace.stimuli_ms) > 1 else ""
    return f"{network.name}: test image {example} of class {network.class_name(trace.label)}{again}"
