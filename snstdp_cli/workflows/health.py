"""Numerical alarms, raised at the end of a chunk and before its checkpoint: the last good checkpoint stays the newest.

Each alarm names the example or the neuron and what to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.engines import ChunkResult, State
from snstdp_cli.errors import NumericalError
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

#: A population that answers with more is not competing any more; trained networks fire about 20 spikes in all.
RUNAWAY_PER_NEURON, RUNAWAY_AT_LEAST = 10, 1000
#: Fewer examples than this without an answer may be chance.
SILENT_AT_LEAST = 20
#: A neuron that learned this often in a chunk must not be further from the target than this factor, and still leaving.
L1_FACTOR, L1_SPIKES = 1.5, 20

_UNITS = {"v": "volt", "theta": "volt"}


def l1_norms(state: State, wiring: Wiring) -> NDArray[np.float64]:
    """Return the L1 norm of each neuron's input weights, [n_e]."""
    size = np.abs(state["input_exc.w"].astype(np.float64))
    return np.bincount(wiring.post, weights=size, minlength=wiring.n_e).astype(np.float64)


def check_chunk(
    before: State,
    result: ChunkResult,
    first: int,
    wiring: Wiring,
    plasticity: Plasticity,
    start_bounds: tuple[float, float],
) -> None:
    """Raise a `NumericalError` if the chunk that began with example `first` did not go well.

    Parameters
    ----------
    before : state at the beginning of the chunk.
    start_bounds : smallest and largest weight at the beginning of the training, which the rule's bounds need not hold.
    """
    check_finite(result.state, first, first + len(result.counts), wiring)
    _check_activity(result, first)
    _check_bounds(result.state, wiring, plasticity, start_bounds)
    _check_norm(before, result, wiring, plasticity)


def check_finite(state: Mapping[str, NDArray[Any]], first: int, last: int, wiring: Wiring) -> None:
    """Refuse NaN and infinity in any variable of the network."""
    for name, values in state.items():
        if np.isfinite(values).all():
            continue
        where = int(np.flatnonzero(~np.isfinite(values))[0])
        neuron = int(wiring.post[where]) if name.startswith("input_exc") else where
        raise NumericalError(
            f"{name} of neuron {neuron} is {values[where]} after the examples {first} to {last - 1}; expected a finite "
            f"number{' in ' + _UNITS[name.split('.')[1]] if name.split('.')[1] in _UNITS else ''}. Use a smaller dt, "
            "network.integration: exponential_euler, or smaller weights; the last good checkpoint is kept"
        )


def _check_activity(result: ChunkResult, first: int) -> None:
    spikes = result.counts.sum(axis=1, dtype=np.int64)
    limit = max(RUNAWAY_AT_LEAST, RUNAWAY_PER_NEURON * result.counts.shape[1])
    loud = np.flatnonzero(spikes > limit)
    if 2 * len(loud) > len(spikes):
        example = int(loud[0])
        neuron = int(result.counts[example].argmax())
        raise NumericalError(
            f"runaway activity: {spikes[example]:,} excitatory spikes answered example {first + example} (neuron "
            f"{neuron} alone fired {result.counts[example, neuron]} times), and {len(loud)} of {len(spikes)} examples "
            f"went over {limit:,}; expected tens. Use network.integration: exponential_euler, a smaller dt, a smaller "
            "network.weight_init or rule.a_tar, or a larger network.theta_init_mv; the last good checkpoint is kept"
        )
    if result.silent.all() and len(spikes) >= SILENT_AT_LEAST:
        raise NumericalError(
            f"the network has gone silent: none of the examples {first} to {first + len(spikes) - 1} was answered by "
            f"enough spikes (at most {int(spikes.max())}), even at the highest intensity. Use a larger rule.a_tar or "
            "presentation.max_intensity, or a smaller network.theta_init_mv or network.theta_step_mv; the last good "
            "checkpoint is kept"
        )


def _check_bounds(state: State, wiring: Wiring, plasticity: Plasticity, start: tuple[float, float]) -> None:
    weights = np.asarray(state["input_exc.w"], dtype=np.float64)
    low, high = min(plasticity.bounds[0], start[0]), max(plasticity.bounds[1], start[1])
    slack = 1e-9 * max(1.0, abs(low) if np.isfinite(low) else 0.0, abs(high) if np.isfinite(high) else 0.0)
    outside = np.flatnonzero((weights < low - slack) | (weights > high + slack))
    if len(outside):
        synapse = int(outside[0])
        raise NumericalError(
            f"the weight from input {wiring.pre[synapse]} to neuron {wiring.post[synapse]} is {weights[synapse]:g}; "
            f"the rule keeps weights within {low + 0.0:g} to {high:g} ({len(outside):,} are outside). Check the rule; "
            "the last good checkpoint is kept"
        )


def _check_norm(before: State, result: ChunkResult, wiring: Wiring, plasticity: Plasticity) -> None:
    target = plasticity.l1_target
    if target is None:
        return
    now, then = l1_norms(result.state, wiring), l1_norms(before, wiring)
    learned = result.counts.sum(axis=0, dtype=np.int64) >= L1_SPIKES
    leaving = np.flatnonzero(learned & (now > L1_FACTOR * target) & (now > then))
    if len(leaving):
        neuron = int(leaving[0])
        raise NumericalError(
            f"the L1 norm of neuron {neuron} is {now[neuron]:g} and growing (before this chunk {then[neuron]:g}); the "
            f"rule's target is {target:g} ({len(leaving)} neurons do so). Use a smaller rule.eta, or "
            "scaling: instantaneous; the last good checkpoint is kept"
        )
