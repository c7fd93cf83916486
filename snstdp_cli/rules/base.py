"""What a learning rule is: validated parameters and one value that says it in Brian 2's terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from snstdp_cli.rules.costs import RuleCost
from snstdp_cli.rules.grids import WeightGrid
from snstdp_cli.rules.scaling import Scaling, UpdateTable

#: What a training may look like when something is wrong; a rule says for each which of its parameters helps.
Symptom = Literal[
    "silent",
    "runaway",
    "not finite",
    "norm too high",
    "norm too low",
    "never learned",
    "few neurons dominate",
    "classes without neurons",
    "learns too fast",
    "learns too slowly",
    "weights out of bounds",
]
SYMPTOMS: tuple[Symptom, ...] = get_args(Symptom)


class RuleParameters(BaseModel):
    """Base of a rule's parameters; fields carry a description, a default and bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True)
class RuleContext:
    """What a rule may know of the network.

    Attributes
    ----------
    dt_ms
        Time step, ms.
    n_input
        Number of inputs of a neuron.
    scaling
        Limited precision of what a self-normalizing rule scales by, or None; a rule may leave it alone.
    """

    dt_ms: float
    n_input: int
    scaling: Scaling | None = None


@dataclass(frozen=True)
class Plasticity:
    """A learning rule in Brian 2's terms.

    Every plastic synapse has the weight `w` and the integer `arrived`, the time step at which the last presynaptic
    spike arrived; its age in steps is `t_in_timesteps - arrived`.

    Attributes
    ----------
    on_pre
        Statements for each arriving presynaptic spike, after the weight was added to the conductance.
    on_post
        Named statements for all synapses of a neuron that spikes, run in this order.
    neuron_variables
        Additional variables of the excitatory neuron with their initial values.
    traces
        Additional variables of the neuron that decay exponentially, with their time constants in ms.
    reset
        Statements of the neuron's reset, after all synapses.
    constants
        The names used in the statements above.
    normalize_to
        Sum to which each neuron's weights are rescaled before each presentation, or None.
    bounds
        The interval that no weight may leave.
    l1_target
        What the L1 norm of a neuron's weights is expected to approach, or None.
    grid
        The weights that can be stored, or None for full precision; set by the experiment and not by a rule. Whatever
        the statements make of a weight is rounded to the grid after them.
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
    grid: WeightGrid | None = None


@dataclass(frozen=True)
class Rule:
    """A named learning rule.

    Attributes
    ----------
    name
        What a user writes to choose it.
    title
        One line that says what it is.
    equations
        Its equations, for people, a line each.
    citation
        Where it was published.
    notes
        What is published and what is not, or anything else worth knowing.
    parameters
        The class of its parameters.
    build
        Makes the `Plasticity` from the parameters and the context.
    advice
        What to change of *this rule* when a training shows a symptom, as the object of "use": "a smaller rule.eta".
        A symptom that is not there is one that the rule's parameters do not mend.
    memory
        After how many spikes of its own a neuron has forgotten two thirds of what its weights were (1 - 1/e), from the
        values of its parameters by name; None if that does not follow from them.
    rates
        The parameters that are learning rates: `distance` for one that is the share of the way to a target, `weight`
        for one that is the most that is added to a weight. Only used to tell what few bits cannot hold.
    cost
        Tells from parameters and context what the rule costs on a chip; None if that is not declared.
    table
        Makes from both what an implementation of the update can look up; None if the rule is of another kind.
    """

    name: str
    title: str
    equations: tuple[str, ...]
    citation: str
    notes: str
    parameters: type[RuleParameters]
    build: Callable[[RuleParameters, RuleContext], Plasticity]
    advice: Mapping[Symptom, str] = field(default_factory=dict, hash=False)
    memory: Callable[[Mapping[str, Any]], float] | None = None
    rates: Mapping[str, Literal["distance", "weight"]] = field(default_factory=dict, hash=False)
    cost: Callable[[RuleParameters, RuleContext], RuleCost] | None = None
    table: Callable[[RuleParameters, RuleContext], UpdateTable | None] | None = None
