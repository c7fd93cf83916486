"""Whether the training that is asked for is complete already, or another one has its name."""

from __future__ import annotations

import contextlib

from snstdp_cli.artefacts import TrainingRecord, Workdir, load_weights, read_checkpoint, weights_exist
from snstdp_cli.config import Experiment, differences, settings_of
from snstdp_cli.datasets import Dataset
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.network.neurons import generation
from snstdp_cli.training.identity import identify_training
from snstdp_cli.training.start import divide_images, start_weights


def is_trained(experiment: Experiment, workdir: Workdir, dataset: Dataset) -> bool:
    """Tell whether this very training is complete.

    Parameters
    ----------
    dataset
        The training images without those for validation.

    Raises
    ------
    ConfigError
        If there are weights of this name that another training made, naming what differs.
    """
    name = experiment.save_name
    if not weights_exist(workdir, name) or read_checkpoint(workdir, name) is not None:
        return False
    record = load_weights(workdir, name).record
    if not (apart := _differences(experiment, workdir, dataset, record)):
        return True
    raise ConfigError(
        f"{workdir.weights}: there are weights named '{name}' already, made otherwise (different: {', '.join(apart)}); "
        "choose another --save-name, or start again with --force and without --resume"
    )


def _differences(
    experiment: Experiment, workdir: Workdir, dataset: Dataset, record: TrainingRecord | None
) -> list[str]:
    """Return a note for each thing in which the recorded training differs from the one that is asked for."""
    if record is None or record.training is None:
        return ["nothing is written down of a training"] if record is None else ["a version of snstdp before 0.2"]
    apart = differences(settings_of(experiment, "training"), settings_of(record.experiment, "training"))
    if record.data is None or record.data.sha256 != dataset.sha256:
        apart.append("training images")
    if record.generation != generation():
        apart.append("version of snstdp")
    start = record.start.sha256 if record.start is not None else None
    begun_with = record.start.name if record.start is not None else None
    if begun_with != experiment.load_name or _has_changed(experiment, workdir, start):
        apart.append("weights to start from")
    if apart:
        return apart
    plasticity = experiment.plasticity(dataset.n_input)
    if start is None:
        start = start_weights(experiment, workdir, dataset, plasticity)[0].sha256
    wanted = identify_training(experiment, plasticity, divide_images(experiment, dataset).digest, start)
    return [] if wanted.digest == record.training else ["what the rule says"]


def _has_changed(experiment: Experiment, workdir: Workdir, start: str | None) -> bool:
    """Tell whether the weights to start from are there and others than those of the beginning."""
    name = experiment.load_name
    if name is None or name == experiment.save_name or not weights_exist(workdir, name):
        return False  # weights that are gone, or overwritten by the result, are no matter
    with contextlib.suppress(ArtefactError):
        return load_weights(workdir, name).sha256 != start
    return False
