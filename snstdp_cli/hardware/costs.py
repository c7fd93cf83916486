"""From counted spikes to synaptic operations, accesses to weights and operations by kind, for each example.

Synaptic operations are those of NeuroBench (Yik et al. 2025, doi:10.1038/s41467-025-56739-4): *dense* is every synapse
in every time step, *effective* only those that a spike reaches and whose weight is not 0. A sparsity is a share of
zeros: of weights (connections), and of neurons times steps without a spike (activation; inputs are not neurons).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.hardware.counting import SpikeCounts
from snstdp_cli.rules.costs import Cost, RuleCost

Phase = Literal["learning", "answering"]


@dataclass(frozen=True)
class PhaseCost:
    """What an example costs, on average, while the network learns or answers.

    Attributes
    ----------
    presentations, steps
        For an example, with failed tries.
    input_spikes, excitatory_spikes, inhibitory_spikes
        For an example.
    dense_operations, effective_operations
        Synaptic operations of all synapses: from the inputs, to the partners, and lateral ones.
    delivery, update, normalization
        Accesses to input weights, and operations; of lateral inhibition, whose weight is one constant, additions only.
    neuron_updates
        Neurons times steps; what one takes depends on how voltages are integrated and is not counted.
    activation_sparsity
        Share of neurons and steps without a spike.
    """

    presentations: float
    steps: float
    input_spikes: float
    excitatory_spikes: float
    inhibitory_spikes: float
    dense_operations: float
    effective_operations: float
    delivery: Cost
    update: Cost
    normalization: Cost
    neuron_updates: float
    activation_sparsity: float

    @property
    def operations(self) -> Cost:
        """All of them."""
        return self.delivery + self.update + self.normalization


def cost_of_phase(counts: SpikeCounts, weights: NDArray[np.float64], rule: RuleCost | None) -> PhaseCost:
    """Work out what an example cost.

    Parameters
    ----------
    weights
        [n_input, n_e], by which a synaptic operation is effective.
    rule
        What the learning rule declares; None while nothing is learned, or if it declares nothing.
    """
    n_input, n_e = weights.shape
    each = 1 / counts.examples
    excitatory, inhibitory = (int(spikes.sum()) for spikes in (counts.excitatory, counts.inhibitory))
    arrivals = int(counts.input.sum()) * n_e
    lateral = excitatory + inhibitory * (n_e - 1)
    reached = int((counts.input * np.count_nonzero(weights, axis=1)).sum())
    synapses = n_input * n_e + n_e + n_e * (n_e - 1)
    rule = rule or RuleCost()
    learned = rule.spike_synapse * n_input + rule.spike_neuron
    update = rule.arrival * arrivals + learned * excitatory + rule.step_neuron * (counts.steps * n_e)
    rescaled = rule.normalize_synapse * (n_input * n_e) + rule.normalize_neuron * n_e
    neurons = counts.steps * 2 * n_e
    return PhaseCost(
        presentations=counts.presentations * each,
        steps=counts.steps * each,
        input_spikes=int(counts.input.sum()) * each,
        excitatory_spikes=excitatory * each,
        inhibitory_spikes=inhibitory * each,
        dense_operations=synapses * counts.steps * each,
        effective_operations=(reached + lateral) * each,
        delivery=Cost(reads=arrivals, add=arrivals + lateral) * each,
        update=update * each,
        normalization=rescaled * (counts.presentations * each),
        neuron_updates=neurons * each,
        activation_sparsity=1 - (excitatory + inhibitory) / neurons,
    )


def footprint_bytes(synapses: int, neurons: int, weight_bits: int, words: tuple[int, int], word_bits: int) -> float:
    """Return the memory of weights and state.

    Parameters
    ----------
    words
        Numbers that a synapse and a neuron keep besides the weight.
    word_bits
        Bits of such a number.

    Examples
    --------
    >>> footprint_bytes(784 * 400, 400, 4, (0, 4), 16)
    160000.0
    """
    return (synapses * (weight_bits + words[0] * word_bits) + neurons * words[1] * word_bits) / 8
