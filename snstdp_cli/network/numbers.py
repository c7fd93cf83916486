"""The numbers in the statements of a network by name: other values, the same statements.

The C++ engine reads them when its program starts (`engines.constants`), so that a new learning rate, threshold,
intensity or duration needs no compiler. What is not here shapes the statements themselves (`engines.keys`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from snstdp_cli.config import Experiment
from snstdp_cli.network import protocol
from snstdp_cli.network.fixed_point import make_share, state_format
from snstdp_cli.network.integration import keep
from snstdp_cli.rules.base import Plasticity
from snstdp_cli.rules.grids import DITHERS, WeightGrid

_VOLT_PER_MV = 0.001


def run_time_numbers(experiment: Experiment, plasticity: Plasticity | None) -> dict[str, float]:
    """Return the numbers that enter the statements of a network, in SI units, by their names there.

    A name means the same in every object; a rule's own names are checked to be none of the network's.
    """
    found = {
        **protocol.controller_constants(experiment),
        **protocol.image_constants(experiment),
        **rest_numbers(experiment, plasticity),
        **inhibition_numbers(experiment),
        **state_numbers(experiment),
    }
    if (form := state_format(experiment)) is not None:
        found["half_code"] = form.half_code_mv * _VOLT_PER_MV
    if plasticity is not None:
        found |= {"theta_step": theta_step_mv(experiment) * _VOLT_PER_MV, **neuron_numbers(experiment, plasticity)}
        found |= synapse_numbers(plasticity)
    return found


def state_numbers(experiment: Experiment) -> dict[str, float]:
    """Return the numbers of a state in fixed point; none in full precision."""
    form = state_format(experiment)
    return {} if form is None else form.numbers()


def theta_step_mv(experiment: Experiment) -> float:
    """Return the rise of the threshold at a spike, mV, as it is stored."""
    form = state_format(experiment)
    return experiment.theta_step_mv if form is None else form.stored(experiment.theta_step_mv)


def grid_numbers(grid: WeightGrid) -> dict[str, float]:
    """Return the numbers by which a stored weight is rounded."""
    found = {"grid_low": grid.low, "grid_step": grid.step, "grid_codes": 1 / grid.step, "grid_top": float(grid.top)}
    return found | ({"grid_dither": DITHERS[grid.rounding]} if grid.rounding in DITHERS else {})


def neuron_numbers(experiment: Experiment, plasticity: Plasticity) -> dict[str, float]:
    """Return what excitatory neurons have besides their own constants: the rule's, and decays of one step."""
    shares = _shares(experiment, plasticity, experiment.dt)
    if state_format(experiment) is None:
        shares = {name: _as_written(share) for name, share in shares.items()}
    return {**plasticity.constants, **{keep(name): share for name, share in shares.items()}}


def synapse_numbers(plasticity: Plasticity) -> dict[str, float]:
    """Return the numbers in the statements of plastic synapses."""
    total = {} if plasticity.normalize_to is None else {"w_total": plasticity.normalize_to}
    return {**plasticity.constants, **total, **({} if plasticity.grid is None else grid_numbers(plasticity.grid))}


def inhibition_numbers(experiment: Experiment) -> dict[str, float]:
    """Return the weights of the two connections that do not learn."""
    weights = {"w_exc_inh": experiment.network.w_exc_inh, "w_inh_exc": experiment.network.w_inh_exc}
    form = state_format(experiment)
    return weights if form is None else {name: form.stored(weight) for name, weight in weights.items()}


def rest_numbers(experiment: Experiment, plasticity: Plasticity | None) -> dict[str, float]:
    """Return the numbers of a rest that is not simulated: its steps, and what is left of each decaying variable."""
    if experiment.presentation.rest == "simulated":
        return {}
    decays = {} if plasticity is None else decays_in_rest(experiment, plasticity)
    return {"skipped_steps": experiment.skipped_steps, **{left(name): share for name, share in decays.items()}}


def left(name: str) -> str:
    """Return the name of the constant that says what is left of a variable after the rest that is not simulated."""
    return f"left_of_{name}"


def decays_in_rest(experiment: Experiment, plasticity: Plasticity) -> Mapping[str, float]:
    """Return what is left of the thresholds and of each trace after the steps that are not simulated."""
    return _shares(experiment, plasticity, experiment.skipped_steps * experiment.dt)


def _as_written(number: float) -> float:
    """Return a number with the digits that Brian 2 leaves of one that stands in the statements of a neuron's step.

    These decays once stood there; so a seed gives the very spikes and weights that it gave then.
    """
    return float(f"{number:.15g}")


def _shares(experiment: Experiment, plasticity: Plasticity, duration_ms: float) -> dict[str, float]:
    """Return what is left of the thresholds and of each trace after a while; in fixed point by its multiplier."""
    times = {"theta": experiment.network.theta_tau_ms, **plasticity.traces}
    shares = {name: math.exp(-duration_ms / tau_ms) for name, tau_ms in times.items()}
    if state_format(experiment) is None:
        return shares
    return {name: make_share(share).value for name, share in shares.items()}
