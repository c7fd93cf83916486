"""Every spike of some presentations, counted by the engine: of failed tries and of the rest too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.engines import Chunk, Stream, initial_state, open_engine
from snstdp_cli.network.names import COUNTERS
from snstdp_cli.network.wiring import draw_wiring


@dataclass(frozen=True)
class SpikeCounts:
    """Spikes of a number of examples.

    Attributes
    ----------
    examples
        How many were shown.
    presentations
        How often: with the tries that were answered by too few spikes.
    steps
        Time steps of all of them that were simulated: of a rest that is reset, only its beginning.
    input, excitatory, inhibitory
        Spikes of each input and neuron.
    """

    examples: int
    presentations: int
    steps: int
    input: NDArray[np.int64]
    excitatory: NDArray[np.int64]
    inhibitory: NDArray[np.int64]


def count_spikes(
    experiment: Experiment,
    weights: TrainedWeights,
    images: NDArray[np.uint8],
    *,
    learning: bool,
    say: Callable[[str], None] = lambda text: None,
) -> SpikeCounts:
    """Present images to a network and count; nothing is written, and learning begins from its weights.

    Parameters
    ----------
    images
        Grey values, [num, n_input].

    Raises
    ------
    ConfigError
        If it shall learn and its rule is the user's own and not at hand.
    EngineError
        If the engine fails.
    """
    experiment = experiment.model_copy(update={"chunk": min(experiment.chunk, len(images))})
    wiring = draw_wiring(experiment, images.shape[1])
    plasticity = experiment.plasticity(images.shape[1]) if learning else None
    state = initial_state(experiment, wiring, plasticity, weights.weights, weights.theta_mv)
    sizes = {"inputs": images.shape[1]}
    state |= {f"{group}.{name}": np.zeros(sizes.get(group, experiment.n_e)) for group, name in COUNTERS}
    presentations = 0
    stream = Stream.TRAINING if learning else Stream.TEST_RECORDING
    engine = open_engine(experiment, plasticity, wiring, say, count=True)
    try:
        for first in range(0, len(images), experiment.chunk):
            result = engine.run(state, Chunk(first, images[first : first + experiment.chunk], stream))
            state, presentations = result.state, presentations + int(result.attempts.sum())
    finally:
        engine.close()
    counted = [np.rint(state[f"{group}.{name}"].astype(np.float64)).astype(np.int64) for group, name in COUNTERS]
    steps = presentations * (experiment.presentation_steps - experiment.skipped_steps)
    return SpikeCounts(len(images), presentations, steps, *counted)
