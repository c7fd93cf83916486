"""The figures of a cost by the names that tables give them, on the command line and in reports."""

from __future__ import annotations

from snstdp_cli.fields import percent
from snstdp_cli.hardware.costs import PhaseCost
from snstdp_cli.hardware.networks import NetworkCost
from snstdp_cli.rules.costs import OPERATIONS, Cost


def accesses_by_kind(cost: PhaseCost) -> dict[str, float]:
    """Return how often an example reads and writes input weights, by what for."""
    return {
        "weight reads, delivery": cost.delivery.reads,
        "weight reads, update": cost.update.reads,
        "weight reads, normalization": cost.normalization.reads,
        "weight writes, update": cost.update.writes,
        "weight writes, normalization": cost.normalization.writes,
    }


def phase_figures(cost: PhaseCost) -> dict[str, float]:
    """Return what an example costs, by what it is."""
    return {
        "input spikes": cost.input_spikes,
        "excitatory spikes": cost.excitatory_spikes,
        "inhibitory spikes": cost.inhibitory_spikes,
        "synaptic operations, dense": cost.dense_operations,
        "synaptic operations, effective": cost.effective_operations,
        **accesses_by_kind(cost),
        **{f"operations: {kind}": getattr(cost.operations, kind) for kind in OPERATIONS},
        "neuron updates": cost.neuron_updates,
    }


def phase_rows(cost: PhaseCost) -> dict[str, str]:
    """Return the rows of a table about an example."""
    numbers = {key: f"{value:,.0f}" for key, value in phase_figures(cost).items()}
    sparsity = {"activation sparsity": percent(cost.activation_sparsity, 4)}
    return {"presentations": f"{cost.presentations:.3g}"} | numbers | sparsity


def memory_rows(cost: NetworkCost) -> dict[str, str]:
    """Return the rows of a table about memory."""
    return {
        "rule": cost.rule,
        "inputs x neurons": f"{cost.shape[0]:,} x {cost.shape[1]:,}",
        "bits of a weight": f"{cost.weight_bits}",
        "words of a neuron": f"{cost.neuron_words}",
        "words of a synapse": f"{cost.synapse_words}",
        "bits of a word": f"{cost.word_bits}",
        "to learn, bytes": f"{cost.learning_bytes:,.0f}",
        "to answer, bytes": f"{cost.answering_bytes:,.0f}",
        "connection sparsity": percent(cost.connection_sparsity, 2),
    }


#: The columns of `growth_rows`.
GROWTH_COLUMNS = ("accesses of one neuron", "inputs", "at its spike", "to normalize", "words of state")


def growth_rows(cost: NetworkCost) -> list[list[str]]:
    """Return the rows of a table about growth with the inputs."""

    def accesses(one: Cost) -> str:
        return f"{one.reads + one.writes:,.0f}"

    return [
        [cost.name, f"{n:,}", accesses(cell.spike), accesses(cell.normalization), f"{cell.neuron_words}"]
        for n, cell in cost.growth.items()
    ]
