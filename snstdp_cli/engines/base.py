"""What every engine does: take the network's state and a chunk of images, return the new state and the responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import EXC_START_MV, INH_START_MV, Wiring
from snstdp_cli.rules import Plasticity

#: Separate streams of input spikes for learning and for recording.
TRAINING_STREAM, RECORDING_STREAM = 1, 2

#: State of a network between two chunks: "object.variable" -> array. Synaptic ones in Brian's order.
State = dict[str, NDArray[np.generic]]

#: `arrived` of a synapse that no spike has reached: older than any window.
NEVER = -1_000_000_000


@dataclass(frozen=True)
class Chunk:
    """Images to present.

    Attributes
    ----------
    first : number of the first example in the run; part of the random numbers' counter.
    images : [num, n_input] grey values.
    stream : `TRAINING_STREAM` or `RECORDING_STREAM`.
    """

    first: int
    images: NDArray[np.uint8]
    stream: int


@dataclass(frozen=True)
class ChunkResult:
    """What a chunk left.

    Attributes
    ----------
    state : the network's state after the last presentation.
    counts : [num, n_e] spikes of each excitatory neuron in the accepted presentation of each example.
    attempts : [num] presentations that each example needed.
    silent : [num] whether even the last presentation made fewer than `min_spikes` spikes.
    """

    state: State
    counts: NDArray[np.uint16]
    attempts: NDArray[np.uint16]
    silent: NDArray[np.bool_]


class Engine(Protocol):
    """Runs chunks of presentations of one network."""

    name: str
    #: Whether this engine had to compile its program (False: it came from the cache, or needs none).
    compiled: bool

    def run(self, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        """Present the images of `chunk` to the network in `state`."""
        ...

    def peak_memory_mb(self) -> float:
        """Return the most memory that the simulation took so far."""
        ...

    def stop(self) -> None:
        """End a chunk that another thread is running; it raises `EngineError` there."""
        ...

    def close(self) -> None:
        """Remove temporary files."""
        ...


def initial_state(
    experiment: Experiment,
    wiring: Wiring,
    plasticity: Plasticity | None,
    weights: NDArray[np.float64],
    theta_mv: NDArray[np.float64] | None = None,
) -> State:
    """Return the state before the first presentation, in SI units as Brian 2 stores it.

    Parameters
    ----------
    weights : [n_input, n_e].
    theta_mv : [n_e] adaptive thresholds; the configured initial value if None.
    """
    n_e = experiment.n_e
    if theta_mv is None:
        theta_mv = np.full(n_e, experiment.network.theta_init_mv)
    state: State = {
        "exc.v": np.full(n_e, EXC_START_MV / 1000),
        "exc.theta": theta_mv / 1000,
        "inh.v": np.full(n_e, INH_START_MV / 1000),
        "input_exc.w": wiring.to_synapses(weights.astype(np.float64)),
    }
    for name in ("exc.ge", "exc.gi", "exc.cooldown", "inh.ge", "inh.cooldown"):
        state[name] = np.zeros(n_e)
    if plasticity is not None:
        state["input_exc.arrived"] = np.full(len(wiring.pre), NEVER, dtype=np.int32)
        for name, value in plasticity.neuron_variables.items():
            state[f"exc.{name}"] = np.full(n_e, value)
        for name in plasticity.traces:
            state[f"exc.{name}"] = np.zeros(n_e)
    return state


def controller_values(experiment: Experiment, chunk: Chunk) -> dict[str, float]:
    """Return the controller's variables at the start of a chunk."""
    return {
        "tick": -1,
        "example": 0,
        "attempt": 0,
        "spikes": 0.0,
        "key": 0.0,
        "halted": 0,
        "first": chunk.first,
        "wanted": len(chunk.images),
        "stream": chunk.stream,
        "seed": experiment.seed,
    }


def age_arrivals(state: State, steps: int) -> None:
    """Restart the clock: count `arrived` from the end of a chunk of this many steps, in place."""
    if "input_exc.arrived" in state:
        arrived = state["input_exc.arrived"].astype(np.int64) - steps
        state["input_exc.arrived"] = np.maximum(arrived, NEVER).astype(np.int32)


def collect_responses(
    experiment: Experiment,
    wanted: int,
    spike_steps: NDArray[np.int64],
    spike_neurons: NDArray[np.int64],
    shown_steps: NDArray[np.int64],
    shown_example: NDArray[np.int64],
    shown_attempt: NDArray[np.int64],
) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]:
    """Count the spikes of each example's last presentation; those of failed tries and of the rest count for nothing.

    Parameters
    ----------
    spike_steps, spike_neurons : every excitatory spike of the chunk.
    shown_steps, shown_example, shown_attempt : every presentation of the chunk, in order.

    Returns
    -------
    counts [wanted, n_e], attempts [wanted], silent [wanted], as in `ChunkResult`.
    """
    attempts = np.zeros(wanted, dtype=np.uint16)
    np.maximum.at(attempts, shown_example, (shown_attempt + 1).astype(np.uint16))
    if not attempts.all():
        raise EngineError(
            f"the simulation ended early: {np.count_nonzero(attempts)} of {wanted} examples were presented; "
            "the last checkpoint is intact, run again with --resume"
        )
    accepted = shown_attempt + 1 == attempts[shown_example]
    which = np.searchsorted(shown_steps, spike_steps, side="right") - 1
    tick = spike_steps - shown_steps[which]
    valid = accepted[which] & (tick > 0) & (tick <= experiment.stimulus_steps)
    n_e = experiment.n_e
    flat = shown_example[which[valid]] * n_e + spike_neurons[valid]
    counts = np.bincount(flat, minlength=wanted * n_e).reshape(wanted, n_e)
    silent = counts.sum(axis=1) < experiment.presentation.min_spikes
    return np.minimum(counts, 65535).astype(np.uint16), attempts, silent
