"""What a chip has to know of a network besides its tables: constants of neurons and rule, in whole numbers."""

from __future__ import annotations

from typing import Any, get_args

from snstdp_cli.config import Experiment
from snstdp_cli.config.precision import Rounding
from snstdp_cli.hardware.integers import IntegerFormat, UpdateFormat
from snstdp_cli.network.fixed_point import Share, StateFormat, make_share, step_shares
from snstdp_cli.network.integration import keep
from snstdp_cli.network.neurons import EXCITATORY, INHIBITORY, refractory_steps
from snstdp_cli.network.numbers import inhibition_numbers, neuron_numbers, theta_step_mv
from snstdp_cli.rules import Plasticity

#: Bits of the random number of a stochastic rounding.
RANDOM_BITS = 24
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)


def describe_neurons(
    experiment: Experiment, state: StateFormat, plasticity: Plasticity | None
) -> dict[str, dict[str, Any]]:
    """Return the constants of excitatory and inhibitory neurons: codes, steps, and shares as [multiplier, shift]."""
    dt, integration = experiment.dt, experiment.network.integration
    exc, inh = step_shares(EXCITATORY, dt, integration), step_shares(INHIBITORY, dt, integration)
    found: dict[str, dict[str, Any]] = {
        "excitatory": {
            "start": state.code(EXCITATORY.v_start_mv),
            "rest": state.code(EXCITATORY.v_rest_mv),
            "reset": state.code(EXCITATORY.v_reset_mv),
            "threshold_above_theta": state.code(EXCITATORY.v_offset_mv),
            "reversal_exc": state.code(EXCITATORY.E_exc_mv),
            "reversal_inh": state.code(EXCITATORY.E_inh_mv),
            "refractory_steps": refractory_steps(EXCITATORY.refractory_ms, dt),
            "membrane": _pair(exc.membrane),
            "y": None if integration == "euler" else _pair(exc.y),
            **{name: _pair(getattr(exc, name)) for name in ("keep_ge", "mean_ge", "keep_gi", "mean_gi")},
        },
        "inhibitory": {
            "start": state.code(INHIBITORY.v_start_mv),
            "rest": state.code(INHIBITORY.v_rest_mv),
            "reset": state.code(INHIBITORY.v_reset_mv),
            "threshold": state.code(INHIBITORY.v_threshold_mv),
            "reversal_exc": state.code(INHIBITORY.E_exc_mv),
            "refractory_steps": refractory_steps(INHIBITORY.refractory_ms, dt),
            "membrane": _pair(inh.membrane),
            **{name: _pair(getattr(inh, name)) for name in ("keep_ge", "mean_ge")},
        },
    }
    if plasticity is not None:
        left = make_share(neuron_numbers(experiment, plasticity)[keep("theta")])
        found["excitatory"] |= {"theta_step": state.code(theta_step_mv(experiment)), "keep_theta": _pair(left)}
    return found


def describe_connections(experiment: Experiment, state: StateFormat) -> dict[str, int]:
    """Return the weights of the connections that do not learn, as codes of a conductance."""
    weights = inhibition_numbers(experiment)
    return {
        "excitatory_to_partner": state.code(weights["w_exc_inh"]),
        "inhibitory_to_others": state.code(weights["w_inh_exc"]),
    }


def describe_learning(update: UpdateFormat, rounding: str) -> dict[str, Any]:
    """Return the constants of the rule's update."""
    return {
        "eta_shift": update.eta_shift,
        "window_steps": update.table.window,
        "scaling": "lagged" if update.table.lagged else "instantaneous",
        "rounding": rounding,
        "random_bits": RANDOM_BITS,
    }


def verilog_header(
    shape: tuple[int, int], weight: IntegerFormat, update: UpdateFormat, rounding: str, updates: int
) -> str:
    """Return the same numbers as Verilog's macros, for an implementation of the update."""
    n_input, n_e = shape
    least = -(1 << (weight.bits - 1)) if weight.signed else 0
    macros = {
        "N_INPUT": n_input,
        "N_NEURON": n_e,
        "WEIGHT_BITS": weight.bits,
        "WEIGHT_FRACTION": weight.fraction,
        "WEIGHT_LEAST": f"({least})",
        "WEIGHT_MOST": least + (1 << weight.bits) - 1,
        "TARGET_BITS": update.target.bits,
        "TARGET_FRACTION": update.target.fraction,
        "ETA_SHIFT": update.eta_shift,
        "LAGGED": int(update.table.lagged),
        "ROUNDING": ROUNDINGS.index(rounding),
        "UPDATES": updates,
    }
    names = f"// ROUNDING: {', '.join(f'{k} {name}' for k, name in enumerate(ROUNDINGS))}\n"
    return names + "".join(f"`define {name} {value}\n" for name, value in macros.items())


def _pair(share: Share | None) -> list[int]:
    assert share is not None
    return [share.multiplier, share.shift]
