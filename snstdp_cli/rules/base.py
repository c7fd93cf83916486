"""What a learning rule is: validated parameters and one value that says it in Brian 2's terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict


class RuleParameters(BaseModel):
    """Base of a rule's parameters; fields carry a description, a default and bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True)
class RuleContext:
    """What a rule may know of the network: its time step in ms and the number of inputs of a neuron."""

    dt_ms: float
    n_input: int


@dataclass(frozen=True)
class Plasticity:
    """A learning rule in Brian 2's terms.

    Every plastic synapse has the weight `w` and the integer `arrived`, the time step at which the last presynaptic
    spike arrived; its age in steps is `t_in_timesteps - arrived`.

    Attributes
    ----------
    on_pre : statements for each arriving presynaptic spike, after the weight was added to the conductance.
    on_post : named statements for all synapses of a neuron that spikes, run in this order.
    neuron_variables : additional variables of the excitatory neuron with their initial values.
    traces : additional variables of the neuron that decay exponentially, with their time constants in ms.
    reset : statements of the neuron's reset, after all synapses.
    constants : the names used in the statements above.
    normalize_to : sum to which each neuron's weights are rescaled before each presentation, or None.
    bounds : the interval that no weight may leave.
    l1_target : what the L1 norm of a neuron's weights is expected to approach, or None.
    """

    on_post: Mapping[str, str]
    on_pre: str = ""
    neuron_variables: Mapping[str, float] = field(default_factory=dict)
    traces: Mapping[str, float] = field(default_factory=dict)
    reset: str = ""
    constants: Mapping[str, float] = field(default_factory=dict)
    normalize_to: float | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    l1_target: float | None = None


@dataclass(frozen=True)
class Rule:
    """A named learning rule: its equations for people, its parameters, and how to build its `Plasticity`."""

    name: str
    title: str
    equations: tuple[str, ...]
    citation: str
    notes: str
    parameters: type[RuleParameters]
    build: Callable[[RuleParameters, RuleContext], Plasticity]
