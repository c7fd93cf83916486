"""Alarms of a training, raised at the end of a chunk and before its checkpoint: the last good one stays the newest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.engines import ChunkResult, State
from snstdp_cli.errors import NumericalError
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.recording.alarms import check_activity, check_finite
from snstdp_cli.rules import Plasticity, Symptom

#: A neuron that learned this often in a chunk must not be further from the target than this factor, and still leaving.
L1_FACTOR, L1_SPIKES = 1.5, 20
#: What a training can change besides its rule.
_NETWORK_ADVICE: dict[Symptom, str] = {
    "silent": "a smaller network.theta_init_mv",
    "runaway": "a smaller network.weight_init, or a larger network.theta_init_mv",
}


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
    advice: Mapping[Symptom, str],
    silent_before: int = 0,
) -> int:
    """Refuse the result of a chunk that did not go well; return how many examples in a row are silent at its end.

    Parameters
    ----------
    before
        State at the beginning of the chunk.
    first
        Number of its first example.
    start_bounds
        Smallest and largest weight at the beginning of the training, which the rule's bounds need not hold.
    advice
        What the learning rule has to change, by symptom.
    silent_before
        How many examples in a row were silent just before the chunk.

    Raises
    ------
    NumericalError
        Naming the example or the neuron, and what to change.
    """
    try:
        check_finite(result.state, first, first + len(result.counts), wiring, advice)
        silent = check_activity(result, first, _with_network(advice), silent_before)
        _check_bounds(result.state, wiring, plasticity, start_bounds)
        _check_norm(before, result, wiring, plasticity, advice)
    except NumericalError as error:
        raise NumericalError(f"{error}; the last good checkpoint is kept") from None
    return silent


def _with_network(advice: Mapping[Symptom, str]) -> dict[Symptom, str]:
    """Return the rule's advice with that of the network before it."""
    both = {key: f"{text}, or {advice[key]}" if key in advice else text for key, text in _NETWORK_ADVICE.items()}
    return {**advice, **both}


def _check_bounds(state: State, wiring: Wiring, plasticity: Plasticity, start: tuple[float, float]) -> None:
    weights = np.asarray(state["input_exc.w"], dtype=np.float64)
    low, high = min(plasticity.bounds[0], start[0]), max(plasticity.bounds[1], start[1])
    if plasticity.grid is not None:
        low, high = plasticity.grid.low, plasticity.grid.high
    slack = _slack_of(state["input_exc.w"].dtype) * max(
        1.0, abs(low) if np.isfinite(low) else 0.0, abs(high) if np.isfinite(high) else 0.0
    )
    outside = np.flatnonzero((weights < low - slack) | (weights > high + slack))
    if len(outside):
        synapse = int(outside[0])
        raise NumericalError(
            f"the weight from input {wiring.pre[synapse]} to neuron {wiring.post[synapse]} is {weights[synapse]:g}; "
            f"the rule keeps weights within {low + 0.0:g} to {high:g} ({len(outside):,} are outside). Check the rule"
        )


def _slack_of(dtype: np.dtype[Any]) -> float:
    """Return by which share of a bound rounding may carry a weight over it."""
    return 1e-9 if dtype == np.float64 else 8 * float(np.finfo(np.float32).eps)


def _check_norm(
    before: State, result: ChunkResult, wiring: Wiring, plasticity: Plasticity, advice: Mapping[Symptom, str]
) -> None:
    target = plasticity.l1_target
    if target is None or plasticity.normalize_to is not None or plasticity.grid is not None:
        return  # rescaled before each presentation, or rounded: then the rule does not promise its norm
    now, then = l1_norms(result.state, wiring), l1_norms(before, wiring)
    learned = result.counts.sum(axis=0, dtype=np.int64) >= L1_SPIKES
    leaving = np.flatnonzero(learned & (now > L1_FACTOR * target) & (now > then))
    if len(leaving):
        neuron = int(leaving[0])
        raise NumericalError(
            f"the L1 norm of neuron {neuron} is {now[neuron]:g} and growing (before this chunk {then[neuron]:g}); the "
            f"rule's target is {target:g} ({len(leaving)} neurons do so). "
            f"{f'Use {help_}' if (help_ := advice.get('norm too high')) else 'Check the rule'}"
        )
