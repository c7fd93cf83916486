"""Whether a checkpoint is of the training that is asked for, and the network's state that it holds."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from snstdp_cli.artefacts import Checkpoint, Workdir, load_weights, weights_exist
from snstdp_cli.config import Experiment
from snstdp_cli.engines import State, initial_state
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity
from snstdp_cli.training.identity import identify_training
from snstdp_cli.training.journal import Journal

_CHOICES = "choose another --save-name, or start again with --force and without --resume"


def check_same_training(
    journal: Journal, experiment: Experiment, plasticity: Plasticity, images: str, workdir: Workdir, where: Path
) -> None:
    """Refuse a checkpoint that another training wrote.

    Parameters
    ----------
    images
        Digest of the training images and labels.
    where
        The checkpoint, for errors.

    Raises
    ------
    ConfigError
        Naming what differs.
    """
    ours = identify_training(experiment, plasticity, images, journal.identity.start)
    if apart := ours.differs_in(journal.identity):
        raise ConfigError(
            f"{where}: this training was begun with other settings (different: {', '.join(apart)}); resume with the "
            f"same ones, {_CHOICES}"
        )
    if journal.start.name != experiment.load_name:
        raise ConfigError(
            f"{where}: this training was begun with the weights {journal.start.name or 'drawn from the seed'}, not "
            f"{experiment.load_name or 'drawn ones'}; resume with the same --load-name, {_CHOICES}"
        )
    if _start_has_changed(journal, experiment, workdir):
        raise ConfigError(
            f"{where}: the weights to start from ('{experiment.load_name}') have changed since it was begun; "
            f"bring them back, or move them away and resume without them, {_CHOICES}"
        )
    if journal.examples > experiment.num_examples:
        raise ConfigError(
            f"{where}: {journal.examples:,} examples were shown already; expected at most num_examples "
            f"({experiment.num_examples:,}); resume with a larger --num-examples, {_CHOICES}"
        )


def _start_has_changed(journal: Journal, experiment: Experiment, workdir: Workdir) -> bool:
    name = experiment.load_name
    # Weights that are gone are no matter: the checkpoint holds all that goes on. Weights that a training overwrites
    # with its own result are that result if it was killed at the very end.
    if name is None or name == experiment.save_name or not weights_exist(workdir, name):
        return False
    with contextlib.suppress(ArtefactError):
        return load_weights(workdir, name).sha256 != journal.start.sha256
    return False


def state_of(checkpoint: Checkpoint, experiment: Experiment, wiring: Wiring, plasticity: Plasticity) -> State:
    """Return the network's state of a checkpoint.

    Raises
    ------
    ArtefactError
        If not all of it is there in the right sizes and types.
    """
    expected = initial_state(experiment, wiring, plasticity, np.zeros((wiring.n_input, experiment.n_e)))
    for name, values in expected.items():
        found = checkpoint.arrays.get(name)
        if found is None or found.shape != values.shape or found.dtype != values.dtype:
            raise ArtefactError(
                f"{checkpoint.path}: misses {name} for {experiment.n_e:,} neurons; the checkpoint is of another "
                "version of snstdp or was changed; start again with --force and without --resume"
            )
    return {name: checkpoint.arrays[name] for name in expected}
