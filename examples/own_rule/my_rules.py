"""A learning rule of one's own, in one file: graded STDP, which needs no threshold and no normalization.

At a postsynaptic spike every weight moves towards `w_max * x_pre`, eta of the way. A weight thus becomes a running mean
of what its presynaptic trace was when the neuron fired, and stays between 0 and w_max without being clipped.
"""

from __future__ import annotations

from pydantic import Field

from snstdp_cli.config import Number
from snstdp_cli.rules import Plasticity, Rule, RuleContext, RuleParameters


class GradedParameters(RuleParameters):
    """What a user can set, with defaults and limits."""

    eta: Number = Field(0.02, gt=0, le=1, description="learning rate: share of the way a weight moves at a spike")
    tau_pre_ms: Number = Field(20.0, gt=0, le=1000, description="decay of the presynaptic trace, ms")
    w_max: Number = Field(1.0, gt=0, le=1000, description="weight of an input that always fires just before")


def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Say the rule in Brian 2's terms."""
    assert isinstance(parameters, GradedParameters)
    return Plasticity(
        on_post={
            "learn": """
            trace = exp((arrived - t_in_timesteps) * step_over_tau)  # from the last presynaptic spike's age in steps
            w += eta * (w_max * trace - w)
            """
        },
        constants={
            "eta": parameters.eta,
            "w_max": parameters.w_max,
            "step_over_tau": context.dt_ms / parameters.tau_pre_ms,
        },
        bounds=(0.0, max(parameters.w_max, 1.0)),  # initial weights may be above a small w_max
    )


GRADED = Rule(
    name="graded",
    title="graded STDP: weights follow the presynaptic trace",
    equations=(
        "at a postsynaptic spike :  w += eta * (w_max * x_pre - w)",
        "x_pre = 1 on arrival, decays with tau_pre",
    ),
    citation="the instar rule of S. Grossberg, Biol. Cybern. 23 (1976) 121, with a spike's trace as the input",
    notes="An example of a rule in a file of one's own; see docs/own-rule.md.",
    parameters=GradedParameters,
    build=build,
    advice={
        "silent": "a larger rule.w_max",
        "runaway": "a smaller rule.w_max",
        "norm too high": "a smaller rule.w_max",
    },
)
