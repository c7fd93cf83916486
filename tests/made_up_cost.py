"""What counting a network might have found, without counting."""

from __future__ import annotations

import numpy as np

from snstdp_cli.artefacts import Workdir
from snstdp_cli.hardware import CostRecord, NetworkCost, SpikeCounts, cost_of_phase, growth, save_cost
from snstdp_cli.hardware.networks import declared_cost
from snstdp_cli.hardware.records import conditions_of
from snstdp_cli.results import TrainedNetwork


def made_up_cost(network: TrainedNetwork) -> CostRecord:
    """Return the cost of three presentations in which every input and neuron spikes twice."""
    experiment, (n_input, n_e) = network.experiment, network.weights.shape
    spikes = [np.full(num, 2) for num in (n_input, n_e, n_e)]
    counts, declared = SpikeCounts(3, 3, 300, *spikes), declared_cost(experiment, n_input)
    data = network.data
    assert data is not None
    cost = NetworkCost(
        name=network.name,
        rule=experiment.rule.name,
        shape=(n_input, n_e),
        phases={
            "learning": cost_of_phase(counts, network.weights, declared),
            "answering": cost_of_phase(counts, network.weights, None),
        },
        weight_bits=64,
        word_bits=16,
        neuron_words=9,
        synapse_words=1,
        learning_bytes=1000.0,
        answering_bytes=900.5,
        connection_sparsity=0.25,
        declared=True,
        growth=growth(experiment, (10, 20)),
    )
    return CostRecord(
        date="2026-03-04T05:06:07+00:00",
        weights=network.sha256,
        conditions=conditions_of(experiment),
        images=3,
        train=data,
        test=data,
        versions={"snstdp": "0.2.0"},
        cost=cost,
    )


def keep_made_up_cost(place: Workdir, name: str) -> None:
    """Write a cost beside a network."""
    save_cost(place, name, made_up_cost(TrainedNetwork(place, name)))
