"""What a trained network does with single images: classes of unlabelled ones, every spike of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from snstdp_cli.api.arguments import Progress, reporter_of, workers_of
from snstdp_cli.api.recordings import network_of
from snstdp_cli.datasets import (
    images_from_array,
    load_images,
)
from snstdp_cli.recording.tracing import Trace
from snstdp_cli.results import Prediction, TrainedNetwork, predict_images
from snstdp_cli.results.presentation import present_again


def predict(
    network: TrainedNetwork | str,
    images: ArrayLike | str | Path,
    *,
    label: str | None = None,
    workdir: str | Path = ".",
    workers: int | None = None,
    progress: Progress = False,
) -> Prediction:
    """Tell the classes of images that nobody has labelled; nothing learns, nothing is written.

    The neurons carry the labels that the recorded training responses give them (`record(network, split="train")`).

    Parameters
    ----------
    network
        A network, or its name in `workdir`.
    images
        Grey values from 0 to 255 of type uint8, [num, rows, cols]; or the path of an .npz, .npy or IDX file,
        of a picture or a folder of pictures, or of a data set, for its test images.
    label
        Which training responses give the labels, if there are some of several conditions.
    workers
        As for `record`.

    Returns
    -------
    prediction
        `predictions` and `scores` by read-out, `counts` [num, n_e], `silent` [num].

    Raises
    ------
    SnstdpError
        If training responses are missing or of other conditions, or the images do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import snstdp_cli as snstdp
    >>> blank = np.zeros((2, 28, 28), dtype=np.uint8)
    >>> found = snstdp.predict("tiny", blank)
    >>> found.predictions["average"], found.silent
    (array([-1, -1]), array([ True,  True]))
    """
    network = network_of(network, workdir)
    shown = load_images(str(images)) if isinstance(images, str | Path) else images_from_array(images)
    workers = workers_of(workers, network.experiment)
    with reporter_of(progress) as report:
        return predict_images(network, shown, mark=label, workers=workers, report=report)


def trace(
    network: TrainedNetwork | str,
    example: int = 0,
    *,
    neurons: Sequence[int] | None = None,
    data: str | None = None,
    label: str | None = None,
    workdir: str | Path = ".",
) -> Trace:
    """Present a test image to a frozen network once more and watch every spike; a recorded one gives the same spikes.

    Parameters
    ----------
    network
        A network, or its name in `workdir`.
    example
        Number of the image, from 0.
    neurons
        Excitatory neurons whose voltage and conductances are watched; by default the three that answer most.
    data, label
        Which of several recordings to repeat; by default that of the data set of the training.

    Returns
    -------
    trace
        Spike times in ms and neurons of each group; voltage, conductances and threshold of the watched neurons.
        `trace.arrays()` has all of it as arrays, as `snstdp trace` writes them.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image or neuron.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> trace = snstdp.trace("tiny", example=3)
    >>> times_ms, neurons = trace.spikes["excitatory"]
    >>> len(times_ms) == len(neurons), trace.label
    (True, 0)
    """
    network = network_of(network, workdir)
    return present_again(network, example, neurons=neurons, data=data, mark=label)
