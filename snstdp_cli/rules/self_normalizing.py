"""The self-normalizing rule of Fahey, Ippolito & Matthews (2026), variants SMAX and SMIN.

On every postsynaptic spike all n weights of the neuron move linearly, `eta` of the way

* towards `s_max` where the presynaptic trace is at or above `x_tar` (an active synapse),
* towards `s_min` where it is below (an inactive one),

and `L_0` is the number of active synapses. The published part is the update, the target `L_tar = a_tar * n`, the
trace, `s_min = 0` for SMAX, and that `s_max` and `s_min` are variables of the neuron, updated from `L_0` in its reset.
The formulas for `s_max` and `s_min` (the closures) are settings, because the paper's were not accessible to us; whoever
holds it can put its formulas in. The defaults are derived by us from the L1 target:

    SMAX   s_max = L_tar / L_0            s_min = 0
    SMIN   s_max = share * L_tar / L_0    s_min = -(1 - share) * L_tar / (n - L_0)

With `scaling: instantaneous` and SMAX's default this gives `L1 -> (1 - eta) L1 + eta L_tar` exactly at each spike.
A trace that is *set* to 1 on arrival and decays with `tau_pre` is at or above `x_tar` exactly while its age is at most
`tau_pre * ln(1 / x_tar)`, so a synapse stores when its last spike arrived, and no exponential is evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import Number, since_version
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters, Symptom
from snstdp_cli.rules.closures import Closures, ClosureText, make_closures
from snstdp_cli.rules.costs import Cost, RuleCost
from snstdp_cli.rules.scaling import Scaling, UpdateTable
from snstdp_cli.rules.slowing import MEANING, rate_of, slow_down

CITATION = (
    "G. C. Fahey, S. J. Ippolito, G. I. Matthews, A linear self-normalizing spike-timing-dependent plasticity rule "
    "for online learning in spiking neural networks, Neurocomputing (2026), doi:10.1016/j.neucom.2026.133419"
)


_SMAX_CLOSURES = ("L_tar / L_0", "0")
_SMIN_CLOSURES = ("share * L_tar / L_0", "-(1 - share) * L_tar / (n - L_0)")
_READS = "a formula in L_tar, L_0, n, share and the old s_max, s_min"


class SelfNormalizingParameters(RuleParameters):
    """Parameters that both variants share."""

    eta: Number = Field(0.01, gt=0, le=1, description="learning rate: share of the way a weight moves at a spike")
    a_tar: Number = Field(78 / 784, gt=0, le=1000, description="target mean weight; L_tar = a_tar * n (78 for n = 784)")
    tau_pre_ms: Number = Field(20.0, gt=0, le=10_000, description="decay of the presynaptic trace, ms")
    x_tar: Number = Field(math.exp(-1), gt=0, lt=1, description="a trace at or above this makes a synapse active")
    eta_decay: Number = Field(0.0, ge=0, le=1e9, description=MEANING, json_schema_extra=since_version("0.2"))
    scaling: Literal["lagged", "instantaneous"] = Field(
        "lagged", description="lagged: s_max, s_min from the neuron's previous spike, as published; or from this one"
    )


class SmaxParameters(SelfNormalizingParameters):
    """SMAX's closures; `share` is 1."""

    s_max: ClosureText = Field(_SMAX_CLOSURES[0], description=f"target of active synapses: {_READS}; derived by us")
    s_min: ClosureText = Field(_SMAX_CLOSURES[1], description="target of inactive synapses: a formula, as published")


class SminParameters(SelfNormalizingParameters):
    """SMIN's closures and the `share` in them."""

    positive_share: Number = Field(
        0.5, ge=0, le=1, description="share of L_tar on positive weights: 0.5 = zero sum, 1 = SMAX"
    )
    s_max: ClosureText = Field(_SMIN_CLOSURES[0], description=f"target of active synapses: {_READS}; derived by us")
    s_min: ClosureText = Field(
        _SMIN_CLOSURES[1], description="target of inactive synapses: such a formula; derived by us"
    )


def window_steps(parameters: SelfNormalizingParameters, dt_ms: float) -> int:
    """Return the largest age in steps at which a trace is still at or above `x_tar`."""
    return math.floor(parameters.tau_pre_ms * math.log(1 / parameters.x_tar) / dt_ms + 1e-9)


def _closures(parameters: RuleParameters, n: int, scaling: Scaling | None) -> Closures:
    assert isinstance(parameters, SmaxParameters | SminParameters)
    share = parameters.positive_share if isinstance(parameters, SminParameters) else 1.0
    s_max, s_min = parameters.s_max, parameters.s_min
    if share == 1 and s_min == _SMIN_CLOSURES[1]:
        s_min = "0"  # nothing on negative weights: SMAX, also at L_0 = n, where SMIN's formula is 0 / 0
    try:
        return make_closures(s_max, s_min, parameters.a_tar * n, n, share, scaling)
    except ValueError as error:
        raise ConfigError(f"rule.s_max, rule.s_min: {error}") from None


_ACTIVE = "active = int(t_in_timesteps - arrived <= window)"
_OLD_VALUES = {"s_max": 0.0, "s_min": 0.0}
#: A neuron keeps its values at a spike for which the closures have none.
_KEEP = "s_max = usable * s_max_now + (1 - usable) * s_max\ns_min = usable * s_min_now + (1 - usable) * s_min"


def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Say the rule in Brian 2's terms.

    `L_0` is counted in a pathway of its own. A spike for which the closures have no finite value (`L_0 = 0`; for SMIN
    also `L_0 = n`) is not `usable` and changes no scaling: there is no division by zero, whatever the closures.

    Raises
    ------
    ConfigError
        If the closures have a value for no `L_0` at all.
    """
    assert isinstance(parameters, SelfNormalizingParameters)
    closures = _closures(parameters, context.n_input, context.scaling)
    scale = _instantaneous if parameters.scaling == "instantaneous" else _lagged
    learn, variables, reset, constants = scale(closures, rate_of("eta", parameters.eta_decay))
    plasticity = Plasticity(
        on_post={"count": f"{_ACTIVE}\nL_0_post += active", "learn": f"{_ACTIVE}\n{learn}"},
        neuron_variables={"L_0": 0.0, **variables},
        reset=f"{reset}\nL_0 = 0",
        constants={"eta": parameters.eta, "window": window_steps(parameters, context.dt_ms), **constants},
        bounds=closures.bounds,
        l1_target=closures.l1_target,
    )
    return slow_down(plasticity, parameters.eta_decay)


_Scaling = tuple[str, dict[str, float], str, dict[str, float]]


def _lagged(closures: Closures, rate: str) -> _Scaling:
    """Return `learn`, variables, reset and constants for values that the neuron's previous spike left."""
    scale, constants = closures.statements("L_0", {name: name for name in _OLD_VALUES})
    learn = f"w += scaled_post * {rate} * (active * s_max_post + (1 - active) * s_min_post - w)"
    # `scaled` is 0 until a first usable L_0 was seen: before that there is no s_max to move towards.
    reset = f"{scale}\n{_KEEP}\nscaled = clip(scaled + usable, 0, 1)"
    return learn, {**_OLD_VALUES, "scaled": 0.0}, reset, constants


def _instantaneous(closures: Closures, rate: str) -> _Scaling:
    """Return the same for values from this very spike, which every synapse works out for itself."""
    scale, constants = closures.statements("L_0_post", {name: f"{name}_post" for name in _OLD_VALUES})
    learn = f"{scale}\nw += usable * {rate} * (active * s_max_now + (1 - active) * s_min_now - w)"
    if not closures.use_old_values:
        return learn, {}, "", constants
    remember, _ = closures.statements("L_0", {name: name for name in _OLD_VALUES})
    return learn, dict(_OLD_VALUES), f"{remember}\n{_KEEP}", constants


def _memory(parameters: Mapping[str, Any]) -> float:
    """Return after how many spikes 1/e of a weight is left: each leaves 1 - eta of it."""
    return 1 / float(parameters["eta"])


def cost(parameters: RuleParameters, context: RuleContext) -> RuleCost:
    """Tell what the rule costs with the default formulas; other formulas are not counted.

    Of a synapse: its age, whether that is in the window, one more in `L_0`, and `w + eta * (s - w)`. Of a neuron: is
    `L_0` usable, and L_tar / L_0; for both signs also n - L_0 and the other quotient.
    """
    assert isinstance(parameters, SelfNormalizingParameters)
    both_signs = isinstance(parameters, SminParameters) and parameters.positive_share < 1
    return RuleCost(
        spike_synapse=Cost(reads=1, writes=1, add=4, multiply=1, compare=1),
        spike_neuron=Cost(add=1, divide=2, compare=2) if both_signs else Cost(divide=1, compare=1),
    )


def update_table(parameters: RuleParameters, context: RuleContext) -> UpdateTable | None:
    """Return what the update looks up; None if `s_max` and `s_min` hang on more than `L_0`, or the rate falls."""
    assert isinstance(parameters, SelfNormalizingParameters)
    closures = _closures(parameters, context.n_input, context.scaling)
    if closures.use_old_values or parameters.eta_decay:
        return None
    usable, s_max, s_min = closures.table()
    return UpdateTable(
        window=window_steps(parameters, context.dt_ms),
        rate=parameters.eta,
        lagged=parameters.scaling == "lagged",
        usable=tuple(usable.tolist()),
        s_max=tuple(s_max.tolist()),
        s_min=tuple(s_min.tolist()),
    )


_UPDATE = (
    "at a postsynaptic spike, for every synapse of the neuron:",
    "  x_pre >= x_tar :  w += eta * (s_max - w)",
    "  x_pre <  x_tar :  w -= eta * (w - s_min)",
    "x_pre = 1 on arrival of a presynaptic spike, dx_pre/dt = -x_pre / tau_pre",
    "L_0 = number of synapses with x_pre >= x_tar,  L_tar = a_tar * n",
)
_REPLACEABLE = "our defaults; rule.s_max and rule.s_min take other formulas"
_PUBLISHED = "Published: the update, the trace, L_tar, scaling updated from L_0 in the reset. Derived by us: "
#: Negative weights that outweigh the leak let a membrane run away (docs/network.md).
_SMIN_ADVICE: dict[Symptom, str] = {"not finite": "a larger rule.positive_share"}
_ADVICE: dict[Symptom, str] = {
    "silent": "a larger rule.a_tar",
    "runaway": "a smaller rule.a_tar",
    "norm too high": "a smaller rule.eta, or rule.scaling: instantaneous",
    "norm too low": "a larger rule.eta",
    "never learned": "a larger rule.a_tar",
    "learns too fast": "a smaller rule.eta",
    "learns too slowly": "a larger rule.eta, or more examples",
    "weights out of bounds": "the default formulas of rule.s_max and rule.s_min",
}

RULES = (
    Rule(
        name="smax",
        title="self-normalizing STDP, SMAX: non-negative weights",
        equations=(*_UPDATE, f"s_max = {_SMAX_CLOSURES[0]},  s_min = {_SMAX_CLOSURES[1]}", _REPLACEABLE),
        citation=CITATION,
        notes=_PUBLISHED + "the formula for s_max.",
        parameters=SmaxParameters,
        build=build,
        advice=_ADVICE,
        memory=_memory,
        rates={"eta": "distance"},
        cost=cost,
        table=update_table,
    ),
    Rule(
        name="smin",
        title="self-normalizing STDP, SMIN: weights of both signs",
        equations=(
            *_UPDATE,
            f"s_max = {_SMIN_CLOSURES[0]},  s_min = {_SMIN_CLOSURES[1]}",
            "share = positive_share",
            _REPLACEABLE,
        ),
        citation=CITATION,
        notes=_PUBLISHED + "the formula for s_max and this closure with positive_share.",
        parameters=SminParameters,
        build=build,
        advice={**_ADVICE, **_SMIN_ADVICE},
        memory=_memory,
        rates={"eta": "distance"},
        cost=cost,
        table=update_table,
    ),
)
