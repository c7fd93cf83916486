"""Whether loaded weights can be what they say: sizes that no training reaches are another unit, or damage."""

from __future__ import annotations

import numpy as np

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.errors import ArtefactError

#: Trained weights lie below 1, and the largest setting for initial ones is 1,000.
LARGEST_WEIGHT = 1e4
#: Trained thresholds lie at 20 to 60 mV, and the largest setting for initial ones is 1,000; the file holds volts.
LARGEST_THETA_MV = 2e3


def check_plausible(weights: TrainedWeights, name: str) -> None:
    """Refuse weights and thresholds that no training can have made.

    Raises
    ------
    ArtefactError
        Naming what was found and the likely unit.
    """
    largest = float(np.abs(weights.weights).max())
    if largest > LARGEST_WEIGHT:
        raise ArtefactError(
            f"the weights '{name}': found a weight of size {largest:.3g}, expected at most {LARGEST_WEIGHT:g} (trained "
            "ones lie below 1); the file holds something else, or is damaged"
        )
    low, high = float(weights.theta_mv.min()), float(weights.theta_mv.max())
    if low < -LARGEST_THETA_MV or high > LARGEST_THETA_MV:
        raise ArtefactError(
            f"the thresholds of '{name}': found {_short(low)} to {_short(high)} mV, expected 0 to "
            f"{LARGEST_THETA_MV:,g}; the file theta_A<name>.npy holds volts (0.02, not 20): were millivolts "
            "written to it? Divide it by 1000"
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
