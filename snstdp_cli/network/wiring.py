"""Connections and start values as arrays, drawn from the experiment's seed: no Brian 2 here.

Brian 2 runs through synapses in the order in which they were made. Those of the input are sorted by (input, delay,
neuron), so that the synapses that one spike reaches at one moment lie side by side in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment

# Independent random streams of one seed; the input noise has its own kind of random numbers (`randomness`).
_WEIGHTS, _INPUT_DELAYS, _INHIBITION_DELAYS, _ORDER = range(4)


def generator(seed: int, stream: int, *more: int) -> np.random.Generator:
    """Return the random generator of one purpose."""
    return np.random.default_rng([seed, stream, *more])


@dataclass(frozen=True)
class Wiring:
    """The network's connections.

    Attributes
    ----------
    pre, post
        Input and excitatory neuron of each synapse, in Brian's order, [n_input * n_e].
    delay_steps
        Delay of each synapse in time steps; all zero without input delays.
    order
        `matrix.ravel()[order]` puts a [n_input, n_e] matrix into Brian's order.
    inhibition_delay_steps
        [n_e, n_e] for dense inhibition with delays, else None.
    """

    n_input: int
    n_e: int
    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    delay_steps: NDArray[np.int32]
    order: NDArray[np.int64]
    inhibition_delay_steps: NDArray[np.int32] | None

    def to_synapses(self, matrix: NDArray[np.generic]) -> NDArray[np.generic]:
        """Flatten a [n_input, n_e] matrix into Brian's order of synapses."""
        return np.asarray(matrix).reshape(-1)[self.order]

    def to_matrix(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Put values in Brian's order of synapses back into a [n_input, n_e] matrix."""
        flat = np.empty_like(values)
        flat[self.order] = values
        return flat.reshape(self.n_input, self.n_e)


def draw_wiring(experiment: Experiment, n_input: int) -> Wiring:
    """Draw delays and order the synapses."""
    n_e, dt, network = experiment.n_e, experiment.dt, experiment.network
    if network.input_delay_ms > 0:
        drawn = generator(experiment.seed, _INPUT_DELAYS).random((n_input, n_e)) * network.input_delay_ms
        steps = np.rint(drawn / dt).astype(np.int32)
        order = (np.arange(n_input)[:, None] * n_e + np.argsort(steps, axis=1, kind="stable")).reshape(-1)
    else:
        steps = np.zeros((n_input, n_e), dtype=np.int32)
        order = np.arange(n_input * n_e)
    inhibition = None
    if network.inhibition == "dense" and network.inhibition_delay_ms > 0:
        drawn = generator(experiment.seed, _INHIBITION_DELAYS).random((n_e, n_e)) * network.inhibition_delay_ms
        inhibition = np.rint(drawn / dt).astype(np.int32)
    return Wiring(
        n_input=n_input,
        n_e=n_e,
        pre=(order // n_e).astype(np.int32),
        post=(order % n_e).astype(np.int32),
        delay_steps=steps.reshape(-1)[order],
        order=order,
        inhibition_delay_steps=inhibition,
    )


def draw_weights(
    experiment: Experiment, n_input: int, l1_target: float | None, signed: bool = False
) -> NDArray[np.float64]:
    """Draw the initial input weights [n_input, n_e].

    `weight_init * (U(0, 1) + 0.01)`, normalized so that each neuron's L1 norm is `l1_target` (Diehl & Cook 2015).
    Signed weights are drawn with random signs and the same norm.
    """
    random = generator(experiment.seed, _WEIGHTS)
    weights = experiment.network.weight_init * (random.random((n_input, experiment.n_e)) + 0.01)
    if l1_target is not None:
        weights *= l1_target / weights.sum(axis=0)
    if signed:
        weights *= random.choice(np.array([-1.0, 1.0]), size=weights.shape)
    return weights


def training_order(experiment: Experiment, first: int, count: int, available: int) -> NDArray[np.int64]:
    """Return which training images the examples `first .. first + count - 1` of the run show.

    Example j is image j of those that are shown, as in the ancestor; beyond their end it starts again. With `order:
    shuffled` every epoch has its own permutation; other orders are those of the images that are shown.
    """
    examples = np.arange(first, first + count)
    images = examples % available
    if experiment.order == "shuffled":
        for epoch in np.unique(examples // available):
            here = examples // available == epoch
            permutation = generator(experiment.seed, _ORDER, int(epoch)).permutation(available)
            images[here] = permutation[images[here]]
    return images
