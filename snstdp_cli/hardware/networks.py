"""The costs of one trained network: while it learns, while it answers, and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, check_fit
from snstdp_cli.hardware.costs import Phase, PhaseCost, cost_of_phase, footprint_bytes
from snstdp_cli.hardware.counting import count_spikes
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.rules import Plasticity, RuleContext
from snstdp_cli.rules.costs import Cost, RuleCost

#: Bits of a weight as the engines hold it, and of a word of state, where none are chosen.
FULL_BITS, WORD_BITS = {"double": 64, "single": 32}, 16
#: Numbers of inputs of which the growth is told: a quarter and four times those of MNIST.
SIZES = (196, 784, 3136)
#: State of an excitatory neuron besides its rule's: voltage, two conductances, refractory time, threshold.
_NEURON_WORDS = 5


@dataclass(frozen=True)
class Growth:
    """What one neuron costs with so many inputs.

    Attributes
    ----------
    spike
        The update of its weights at a spike of its own.
    normalization
        Before each presentation.
    neuron_words
        Numbers that it keeps while learning, besides weights and what each synapse keeps.
    """

    spike: Cost
    normalization: Cost
    neuron_words: int


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs.

    Attributes
    ----------
    name, rule
        Of the network.
    shape
        Inputs and neurons.
    phases
        For an example, by phase.
    weight_bits, word_bits
        Of a stored weight, and of a word of state.
    neuron_words, synapse_words
        Numbers that a neuron and a synapse keep while learning, besides the weight.
    learning_bytes, answering_bytes
        Memory of input weights and excitatory state.
    connection_sparsity
        Share of input weights that are 0.
    declared
        Whether the rule tells what it costs.
    growth
        What `growth` tells for a few numbers of inputs.
    """

    name: str
    rule: str
    shape: tuple[int, int]
    phases: dict[Phase, PhaseCost]
    weight_bits: int
    word_bits: int
    neuron_words: int
    synapse_words: int
    learning_bytes: float
    answering_bytes: float
    connection_sparsity: float
    declared: bool
    growth: dict[int, Growth]


def declared_cost(experiment: Experiment, n_input: int) -> RuleCost | None:
    """Return what the experiment's rule declares, or None."""
    rule = experiment.rule.rule
    if rule.cost is None:
        return None
    parameters = rule.parameters.model_validate(experiment.rule.parameters)
    return rule.cost(parameters, RuleContext(experiment.dt, n_input))


def words_of(plasticity: Plasticity) -> tuple[int, int]:
    """Return how many numbers a synapse and an excitatory neuron keep while learning, besides the weight."""
    statements = " ".join([plasticity.on_pre, *plasticity.on_post.values()])
    rescaled = int(plasticity.normalize_to is not None)
    own = len(plasticity.neuron_variables) + len(plasticity.traces) + rescaled
    return int("arrived" in statements), _NEURON_WORDS + own


def cost_of_network(
    network: TrainedNetwork,
    experiment: Experiment,
    training: Dataset,
    test: Dataset,
    examples: int,
    say: Callable[[str], None] = lambda text: None,
) -> NetworkCost:
    """Present the first images of both parts to a network and work out what an example costs.

    Parameters
    ----------
    experiment
        The network's, with its learning rule at hand.
    training, test
        Images to learn from and to answer; nothing is written.
    examples
        How many of each.

    Raises
    ------
    SnstdpError
        If the images do not fit, the rule is not at hand, or the engine fails.
    """
    weights, (n_input, n_e) = network.stored_for(experiment), network.weights.shape
    for dataset in (training, test):
        check_fit(dataset, n_input, f"the network '{network.name}'")
    declared = declared_cost(experiment, n_input)
    grid = experiment.weight_grid(n_input)
    # By the weights that a chip would hold, of which more are 0 in few bits.
    held = weights.weights if grid is None else grid.weights(np.rint((weights.weights - grid.low) / grid.step))
    phases: dict[Phase, PhaseCost] = {}
    parts: tuple[tuple[Phase, Dataset], ...] = (("learning", training), ("answering", test))
    for phase, dataset in parts:
        images = dataset.images[:examples].reshape(min(examples, len(dataset)), -1)
        counts = count_spikes(experiment, weights, images, learning=phase == "learning", say=say)
        phases[phase] = cost_of_phase(counts, held, declared if phase == "learning" else None)
    bits = FULL_BITS[experiment.arithmetic] if grid is None else grid.bits
    words, word_bits = words_of(experiment.plasticity(n_input)), experiment.precision.state.bits or WORD_BITS
    sizes = n_input * n_e, n_e, bits
    return NetworkCost(
        name=network.name,
        rule=experiment.rule.name,
        shape=(n_input, n_e),
        phases=phases,
        weight_bits=bits,
        word_bits=word_bits,
        neuron_words=words[1],
        synapse_words=words[0],
        learning_bytes=footprint_bytes(*sizes, words, word_bits),
        answering_bytes=footprint_bytes(*sizes, (0, _NEURON_WORDS), word_bits),
        connection_sparsity=float(np.mean(held == 0)),
        declared=declared is not None,
        growth=growth(experiment, SIZES),
    )


def growth(experiment: Experiment, n_inputs: Iterable[int]) -> dict[int, Growth]:
    """Return what one neuron costs, by the number of its inputs."""
    found = {}
    for n in n_inputs:
        rule = declared_cost(experiment, n) or RuleCost()
        update = rule.spike_synapse * n + rule.spike_neuron
        rescaled = rule.normalize_synapse * n + rule.normalize_neuron
        # As floats, which they are again when they are read from a file.
        found[n] = Growth(update * 1.0, rescaled * 1.0, words_of(experiment.plasticity(n))[1])
    return found
