"""What every engine does: take the network's state and a chunk of images, return the new state and the responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.errors import EngineError
from snstdp_cli.network import neurons
from snstdp_cli.network.arithmetic import single_variables
from snstdp_cli.network.fixed_point import state_format
from snstdp_cli.network.names import EXC, INH, INPUT_EXC, state_variables
from snstdp_cli.network.rounding import round_start
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

#: State of a network between two chunks: "object.variable" -> array. Synaptic ones in Brian's order.
State = dict[str, NDArray[np.generic]]

#: `arrived` of a synapse that no spike has reached: older than any window.
NEVER = -1_000_000_000


class Stream(IntEnum):
    """What input spikes are drawn for: example k of one purpose shares no random number with example k of another.

    The values enter the random numbers and therefore never change. Version 0.1 drew the spikes of every recording from
    stream 2.
    """

    TRAINING = 1
    TEST_RECORDING = 2
    #: Responses to training images, which label the neurons.
    TRAINING_RECORDING = 3
    #: The learning curve: responses to withheld images while the network is trained.
    CURVE_RECORDING = 4
    #: Responses to the validation images, by which settings are chosen.
    VALIDATION_RECORDING = 5


@dataclass(frozen=True)
class Chunk:
    """Images to present.

    Attributes
    ----------
    first
        Number of the first example in the run; part of the random numbers' counter.
    images
        [num, n_input] grey values.
    stream
        What the images are presented for.
    """

    first: int
    images: NDArray[np.uint8]
    stream: Stream


@dataclass(frozen=True)
class ChunkResult:
    """What a chunk left.

    Attributes
    ----------
    state
        The network's state after the last presentation.
    counts
        [num, n_e] spikes of each excitatory neuron in the accepted presentation of each example.
    attempts
        [num] presentations that each example needed.
    silent
        [num] whether even the last presentation made fewer than `min_spikes` spikes.
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
    weights
        [n_input, n_e]; with limited or single precision they are rounded here.
    theta_mv
        [n_e] adaptive thresholds; the configured initial value if None. In fixed point they are rounded here.
    """
    n_e = experiment.n_e
    grid = experiment.weight_grid(wiring.n_input) if plasticity is None else plasticity.grid
    if grid is not None:
        weights = round_start(grid, weights, experiment.seed)
    if theta_mv is None:
        theta_mv = np.full(n_e, experiment.network.theta_init_mv)
    form = state_format(experiment)
    theta = theta_mv / 1000 if form is None else np.array([form.stored_volts(value) for value in theta_mv.tolist()])
    begin: State = {
        f"{EXC}.v": np.full(n_e, neurons.EXCITATORY.v_start_mv / 1000),
        f"{EXC}.theta": theta,
        f"{INH}.v": np.full(n_e, neurons.INHIBITORY.v_start_mv / 1000),
        f"{INPUT_EXC}.w": wiring.to_synapses(weights.astype(np.float64)),
        f"{INPUT_EXC}.arrived": np.full(len(wiring.pre), NEVER, dtype=np.int32),
    }
    if plasticity is not None:
        begin |= {f"{EXC}.{name}": np.full(n_e, value) for name, value in plasticity.neuron_variables.items()}
    names = [f"{owner}.{variable}" for owner, variable in state_variables(plasticity)]
    whole: State = {name: begin[name] if name in begin else np.zeros(n_e) for name in names}
    if experiment.arithmetic == "double":
        return whole
    short = single_variables(plasticity)
    return {
        name: values.astype(np.float32) if name.partition(".")[2] in short else values for name, values in whole.items()
    }


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
        "stream": int(chunk.stream),
        "seed": experiment.seed if experiment.noise_seed is None else experiment.noise_seed,
    }


def age_arrivals(state: State, steps: int) -> None:
    """Restart the clock: count `arrived` from the end of a chunk of this many steps, in place."""
    if f"{INPUT_EXC}.arrived" in state:
        arrived = state[f"{INPUT_EXC}.arrived"].astype(np.int64) - steps
        state[f"{INPUT_EXC}.arrived"] = np.maximum(arrived, NEVER).astype(np.int32)


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
    spike_steps, spike_neurons
        Every excitatory spike of the chunk.
    shown_steps, shown_example, shown_attempt
        Every presentation of the chunk, in order.

    Returns
    -------
    counts, attempts, silent
        [wanted, n_e], [wanted] and [wanted], as in `ChunkResult`.
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
