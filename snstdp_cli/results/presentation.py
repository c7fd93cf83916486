"""One presentation of a recording, simulated again with all its spikes and voltages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, load_dataset
from snstdp_cli.recording.tracing import Trace, trace_example
from snstdp_cli.results.mistakes import recorded_images
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.refusals import current_recordings
from snstdp_cli.results.selection import find_test


def present_again(
    network: TrainedNetwork,
    example: int,
    *,
    neurons: Sequence[int] | None = None,
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Trace:
    """Present a test image to a frozen network and watch; a recorded one gives the spikes of the recording.

    Parameters
    ----------
    example
        Number of the image, from 0.
    neurons
        Excitatory neurons to watch; by default the three that answer most.
    data, mark
        Which of several recordings to repeat (see `find_test`). Without recordings, the test images of the training's
        data set are shown with the training's settings.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image or neuron.
    """
    experiment, dataset = _conditions(network, data, mark, data_dir)
    return trace_example(
        experiment, network.stored_for(experiment), dataset, example, list(neurons) if neurons else None
    )


def _conditions(
    network: TrainedNetwork, data: str | None, mark: str | None, data_dir: Path | None
) -> tuple[Experiment, Dataset]:
    """Return settings and images of the recording, or of a recording as `test` would make it."""
    if data is None and mark is None and not current_recordings(network, "test"):
        return network.experiment, load_dataset(
            network.experiment.data, "test", data_dir, inputs=network.experiment.input
        )
    (file, record), _ = find_test(network, data, mark)
    experiment = record.experiment.model_copy(update={"n_e": network.n_e})
    return experiment, recorded_images(record, file.path, data_dir)
