"""Draw initial weights and save them under a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snstdp_cli.artefacts import StartRecord, TrainingRecord, Workdir, lock_name, save_weights
from snstdp_cli.artefacts.provenance import describe_run
from snstdp_cli.config import Experiment
from snstdp_cli.network.wiring import draw_weights


def init_weights(
    experiment: Experiment, workdir: Workdir, name: str, n_input: int, *, signed: bool = False, force: bool = False
) -> list[Path]:
    """Draw weights and thresholds from the experiment's seed and save them as `name`.

    Parameters
    ----------
    signed
        Draw weights of both signs, with the same norm.

    Raises
    ------
    ArtefactError
        If there are weights of this name and not `force`, or they cannot be written.
    """
    weights = draw_weights(experiment, n_input, experiment.plasticity(n_input).l1_target, signed)
    theta_mv = np.full(experiment.n_e, experiment.network.theta_init_mv)
    record = TrainingRecord(
        kind="initial weights",
        **describe_run(experiment, "none", 0.0),
        signed=signed,
        start=StartRecord(drawn_from_seed=experiment.seed),
    )
    with lock_name(workdir, name):  # a training of this name would find weights at its end that were not there before
        return save_weights(workdir, name, weights, theta_mv, record, force=force)
