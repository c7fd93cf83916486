"""The self-normalizing rule of Fahey, Ippolito & Matthews (2026), variants SMAX and SMIN.

On every postsynaptic spike all n weights of the neuron move linearly, `eta` of the way

* towards `s_max` where the presynaptic trace is at or above `x_tar` (an active synapse),
* towards `s_min` where it is below (an inactive one),

and `L_0` is the number of active synapses. The published part is the update, the target `L_tar = a_tar * n`, the
trace, `s_min = 0` for SMAX, and that `s_max` and `s_min` are variables of the neuron, updated from `L_0` in its reset.
Derived by us from the L1 target, because the paper's formulas for the scaling terms were not accessible to us:

    SMAX   s_max = L_tar / L_0            s_min = 0
    SMIN   s_max = share * L_tar / L_0    s_min = -(1 - share) * L_tar / (n - L_0)

With `scaling: instantaneous` and SMAX this gives `L1 -> (1 - eta) L1 + eta L_tar` exactly at each spike.
A trace that is *set* to 1 on arrival and decays with `tau_pre` is at or above `x_tar` exactly while its age is at most
`tau_pre * ln(1 / x_tar)`, so a synapse stores when its last spike arrived, and no exponential is evaluated.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from snstdp_cli.fields import Number
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters

CITATION = (
    "G. C. Fahey, S. J. Ippolito, G. I. Matthews, A linear self-normalizing spike-timing-dependent plasticity rule "
    "for online learning in spiking neural networks, Neurocomputing (2026), doi:10.1016/j.neucom.2026.133419"
)


class SmaxParameters(RuleParameters):
    """Parameters that both variants share."""

    eta: Number = Field(0.01, gt=0, le=1, description="learning rate: share of the way a weight moves at a spike")
    a_tar: Number = Field(78 / 784, gt=0, le=1000, description="target mean weight; L_tar = a_tar * n (78 for n = 784)")
    tau_pre_ms: Number = Field(20.0, gt=0, le=10_000, description="decay of the presynaptic trace, ms")
    x_tar: Number = Field(math.exp(-1), gt=0, lt=1, description="a trace at or above this makes a synapse active")
    scaling: Literal["lagged", "instantaneous"] = Field(
        "lagged", description="lagged: s_max, s_min from the neuron's previous spike, as published; or from this one"
    )


class SminParameters(SmaxParameters):
    """SMIN's additional parameter."""

    positive_share: Number = Field(
        0.5, ge=0, le=1, description="share of L_tar on positive weights: 0.5 = zero sum, 1 = SMAX"
    )


def window_steps(parameters: SmaxParameters, dt_ms: float) -> int:
    """Return the largest age in steps at which a trace is still at or above `x_tar`."""
    return math.floor(parameters.tau_pre_ms * math.log(1 / parameters.x_tar) / dt_ms + 1e-9)


def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Say the rule in Brian 2's terms.

    `L_0` is counted in a pathway of its own. The guard `usable` and the clipped denominators make a division by zero
    impossible: a spike with `L_0 = 0` (or `L_0 = n` where inactive synapses carry weight) changes no scaling.
    """
    assert isinstance(parameters, SmaxParameters)
    n = context.n_input
    share = parameters.positive_share if isinstance(parameters, SminParameters) else 1.0
    l_tar = parameters.a_tar * n
    up, down = share * l_tar, -(1 - share) * l_tar
    constants = {
        "eta": parameters.eta,
        "window": window_steps(parameters, context.dt_ms),
        "up_total": up,
        "down_total": down,
        "n_synapses": n,
        "L_0_most": n if down == 0 else n - 1,
    }
    active = "active = int(t_in_timesteps - arrived <= window)"
    count = f"{active}\nL_0_post += active"
    bounds = (min(down, 0.0), up) if down == 0 else (down, up)
    if parameters.scaling == "instantaneous":
        learn = f"""
            {active}
            usable = int(L_0_post >= 1 and L_0_post <= L_0_most)
            s_max = up_total / clip(L_0_post, 1, n_synapses)
            s_min = down_total / clip(n_synapses - L_0_post, 1, n_synapses)
            w += usable * eta * (active * s_max + (1 - active) * s_min - w)
            """
        variables, reset = {"L_0": 0.0}, "L_0 = 0"
    else:
        # `scaled` is 0 until a first usable L_0 was seen: before that there is no s_max to move towards.
        learn = f"""
            {active}
            w += scaled_post * eta * (active * s_max_post + (1 - active) * s_min_post - w)
            """
        variables = {"L_0": 0.0, "s_max": 0.0, "s_min": 0.0, "scaled": 0.0}
        reset = """
            usable = int(L_0 >= 1 and L_0 <= L_0_most)
            s_max = usable * up_total / clip(L_0, 1, n_synapses) + (1 - usable) * s_max
            s_min = usable * down_total / clip(n_synapses - L_0, 1, n_synapses) + (1 - usable) * s_min
            scaled = clip(scaled + usable, 0, 1)
            L_0 = 0
            """
    return Plasticity(
        on_post={"count": count, "learn": learn},
        neuron_variables=variables,
        reset=reset,
        constants=constants,
        bounds=bounds,
        l1_target=l_tar,
    )


_UPDATE = (
    "at a postsynaptic spike, for every synapse of the neuron:",
    "  x_pre >= x_tar :  w += eta * (s_max - w)",
    "  x_pre <  x_tar :  w -= eta * (w - s_min)",
    "x_pre = 1 on arrival of a presynaptic spike, dx_pre/dt = -x_pre / tau_pre",
    "L_0 = number of synapses with x_pre >= x_tar,  L_tar = a_tar * n",
)
_PUBLISHED = "Published: the update, the trace, L_tar, scaling updated from L_0 in the reset. Derived by us: "

RULES = (
    Rule(
        name="smax",
        title="self-normalizing STDP, SMAX: non-negative weights",
        equations=(*_UPDATE, "s_max = L_tar / L_0,  s_min = 0"),
        citation=CITATION,
        notes=_PUBLISHED + "the formula for s_max.",
        parameters=SmaxParameters,
        build=build,
    ),
    Rule(
        name="smin",
        title="self-normalizing STDP, SMIN: weights of both signs",
        equations=(
            *_UPDATE,
            "s_max = positive_share * L_tar / L_0,  s_min = -(1 - positive_share) * L_tar / (n - L_0)",
        ),
        citation=CITATION,
        notes=_PUBLISHED + "the formula for s_max and this closure with positive_share.",
        parameters=SminParameters,
        build=build,
    ),
)
