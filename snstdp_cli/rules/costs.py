"""What a learning rule costs, event by event: declared beside its statements, compared with a counted run by a test.

Counted is what an event-driven chip does: a choice between two numbers is no operation, a product of constants is a
constant, and a stored weight is read or written as a whole. The delivery of a spike (one read, one addition) is the
network's and not the rule's.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Cost:
    """Accesses to weights, and operations by kind."""

    reads: float = 0
    writes: float = 0
    add: float = 0
    multiply: float = 0
    divide: float = 0
    compare: float = 0
    exp: float = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __mul__(self, times: float) -> Cost:
        return Cost(*(getattr(self, one.name) * times for one in fields(self)))


#: The kinds of operations of a `Cost`.
OPERATIONS = ("add", "multiply", "divide", "compare", "exp")


@dataclass(frozen=True)
class RuleCost:
    """What a rule does at each of its events.

    Attributes
    ----------
    arrival
        For each synapse, when a presynaptic spike arrives.
    spike_synapse
        For each synapse of a neuron that spikes.
    spike_neuron
        For a neuron that spikes, besides.
    normalize_synapse, normalize_neuron
        For each synapse and each neuron, before each presentation.
    step_neuron
        For each neuron in each time step.
    """

    arrival: Cost = Cost()
    spike_synapse: Cost = Cost()
    spike_neuron: Cost = Cost()
    normalize_synapse: Cost = Cost()
    normalize_neuron: Cost = Cost()
    step_neuron: Cost = Cost()
