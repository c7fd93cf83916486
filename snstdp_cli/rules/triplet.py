"""The baseline of Diehl & Cook (2015): the triplet rule with divisive normalization.

An arriving presynaptic spike depresses, a postsynaptic spike potentiates if the neuron had fired before (the slow trace
`post2`, read before the spike sets it to 1). Before each presentation the weights of every neuron are rescaled to a
fixed sum, which is the step that neuromorphic hardware cannot do and that the self-normalizing rule replaces.
"""

from __future__ import annotations

import math

from pydantic import Field

from snstdp_cli.fields import Number, since_version
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters
from snstdp_cli.rules.costs import Cost, RuleCost
from snstdp_cli.rules.slowing import MEANING, rate_of, slow_down

#: Age of an arrival, in time constants, from which on its trace gets no smaller: e^-300 changes no weight, and an
#: exponential that is 0 takes the library long to find.
_FORGOTTEN = 300


class TripletParameters(RuleParameters):
    """Constants of the triplet rule, with Diehl & Cook's values."""

    nu_pre: Number = Field(1e-4, ge=0, le=1, description="depression at an arriving presynaptic spike")
    nu_post: Number = Field(1e-2, ge=0, le=1, description="potentiation at a postsynaptic spike")
    eta_decay: Number = Field(
        0.0, ge=0, le=1e9, description=f"of nu_pre and nu_post: {MEANING}", json_schema_extra=since_version("0.2")
    )
    tau_pre_ms: Number = Field(20.0, gt=0, le=10_000, description="decay of the presynaptic trace, ms")
    tau_post1_ms: Number = Field(20.0, gt=0, le=10_000, description="decay of the fast postsynaptic trace, ms")
    tau_post2_ms: Number = Field(40.0, gt=0, le=10_000, description="decay of the slow postsynaptic trace, ms")
    w_max: Number = Field(1.0, gt=0, le=1000, description="weights stay in 0 .. w_max at every spike")
    a_tar: Number = Field(
        78 / 784, gt=0, le=1000, description="weights are rescaled to the sum a_tar * n (78 for n = 784)"
    )


def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Say the rule in Brian 2's terms."""
    assert isinstance(parameters, TripletParameters)
    total = parameters.a_tar * context.n_input
    nu_pre, nu_post = (rate_of(name, parameters.eta_decay) for name in ("nu_pre", "nu_post"))
    plasticity = Plasticity(
        on_pre=f"w = clip(w - {nu_pre} * post1_post, 0, w_max)",
        on_post={
            "learn": f"""
            pre1 = exp(clip(arrived - t_in_timesteps, forgotten, 0) * step_over_tau_pre)
            w = clip(w + {nu_post} * pre1 * post2_post, 0, w_max)
            """
        },
        traces={"post1": parameters.tau_post1_ms, "post2": parameters.tau_post2_ms},
        reset="post1 = 1\npost2 = 1",
        constants={
            "nu_pre": parameters.nu_pre,
            "nu_post": parameters.nu_post,
            "w_max": parameters.w_max,
            "step_over_tau_pre": context.dt_ms / parameters.tau_pre_ms,
            "forgotten": -math.ceil(_FORGOTTEN * parameters.tau_pre_ms / context.dt_ms),
        },
        normalize_to=total,
        # Rescaling may lift a weight over w_max until its next spike clips it.
        bounds=(0.0, max(parameters.w_max, total)),
        l1_target=total,
    )
    return slow_down(plasticity, parameters.eta_decay)


def cost(parameters: RuleParameters, context: RuleContext) -> RuleCost:
    """Tell what the rule costs: `post1` and `post2` decay in every step, `pre1` is worked out from a synapse's age.

    A weight that is delivered need not be read again to be depressed.
    """
    return RuleCost(
        arrival=Cost(writes=1, add=1, multiply=1, compare=2),
        spike_synapse=Cost(reads=1, writes=1, add=2, multiply=3, compare=2, exp=1),
        step_neuron=Cost(multiply=2),
        normalize_synapse=Cost(reads=2, writes=1, add=1, multiply=1),
        normalize_neuron=Cost(divide=1, compare=1),
    )


RULES = (
    Rule(
        name="triplet",
        title="triplet STDP with divisive normalization (the baseline)",
        equations=(
            "at an arriving presynaptic spike :  w -= nu_pre * post1",
            "at a postsynaptic spike          :  w += nu_post * pre1 * post2 (post2 before this spike)",
            "pre1, post1, post2 are set to 1 at their spike and decay with tau_pre, tau_post1, tau_post2",
            "w is clipped to 0 .. w_max; before each presentation w *= a_tar * n / sum(w) for every neuron",
        ),
        citation=(
            "P. U. Diehl, M. Cook, Unsupervised learning of digit recognition using spike-timing-dependent plasticity, "
            "Front. Comput. Neurosci. 9:99 (2015), doi:10.3389/fncom.2015.00099"
        ),
        notes="All values are Diehl & Cook's; they have no eta_decay.",
        parameters=TripletParameters,
        build=build,
        advice={
            "silent": "a larger rule.a_tar",
            "runaway": "a smaller rule.a_tar",
            "norm too high": "a smaller rule.nu_post (weights are rescaled only before each presentation)",
            "norm too low": "a smaller rule.nu_pre (weights are rescaled only before each presentation)",
            "never learned": "a larger rule.a_tar",
        },
        rates={"nu_pre": "weight", "nu_post": "weight"},
        cost=cost,
    ),
)
