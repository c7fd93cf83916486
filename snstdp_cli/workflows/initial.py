"""Draw initial weights and save them under a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snstdp_cli.artefacts import Workdir, save_weights
from snstdp_cli.config import Experiment
from snstdp_cli.network.wiring import draw_weights
from snstdp_cli.rules import plasticity_of
from snstdp_cli.workflows.provenance import describe_run


def init_weights(
    experiment: Experiment, workdir: Workdir, name: str, n_input: int, *, signed: bool = False, force: bool = False
) -> list[Path]:
    """Draw weights and thresholds from the experiment's seed and save them as `name`."""
    weights = draw_weights(experiment, n_input, plasticity_of(experiment, n_input).l1_target, signed)
    theta_mv = np.full(experiment.n_e, experiment.network.theta_init_mv)
    provenance = {**describe_run("initial weights", experiment, "none", 0.0), "signed": signed}
    return save_weights(workdir, name, weights, theta_mv, provenance, force=force)
