"""The learning rule of an experiment with limited precision: the one place where both meet."""

from __future__ import annotations

from dataclasses import replace

from snstdp_cli.config.precision import PrecisionSettings, ScalingPrecision, WeightPrecision
from snstdp_cli.config.rule import RuleSettings
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import (
    Plasticity,
    Rule,
    RuleContext,
    Scaling,
    UpdateTable,
    WeightGrid,
    build_plasticity,
    make_grid,
    plasticity_digest,
)


def build_limited(rule: RuleSettings, precision: PrecisionSettings, dt_ms: float, n_input: int) -> Plasticity:
    """Build a rule with the limited precision that is asked for; with none it is the rule's own.

    Raises
    ------
    ConfigError
        If the rule cannot be built, tells no range, or has no scaling that could be limited.
    """
    parameters = {**rule.parameters, **shifted_rates(rule.rule, precision.scaling)}
    context = RuleContext(dt_ms, n_input)
    built = build_plasticity(rule.rule, parameters, context, rule.name)
    weights = precision.weights
    if (limits := _scaling(precision, built, n_input)) is not None:
        limited = replace(context, scaling=limits)
        exact, built = built, build_plasticity(rule.rule, parameters, limited, rule.name)
        if plasticity_digest(exact) == plasticity_digest(built):
            raise ConfigError(
                f"precision.scaling: the rule {rule.name} has no s_max and s_min that could be limited; leave bits "
                "and divide out, or choose smax or smin"
            )
    if weights.bits is None:
        return built
    return replace(built, grid=_grid(built, n_input, weights, weights.bits, weights.rounding))


def table_of_update(rule: RuleSettings, precision: PrecisionSettings, dt_ms: float, n_input: int) -> UpdateTable | None:
    """Return what an implementation of the rule's update can look up, or None if it is no rule of that kind.

    Raises
    ------
    ConfigError
        If the rule cannot be built.
    """
    make = None if rule.at_hand is None else rule.at_hand.table
    if make is None:
        return None
    built = build_limited(rule, precision, dt_ms, n_input)
    parameters = rule.rule.parameters.model_validate({**rule.parameters, **shifted_rates(rule.rule, precision.scaling)})
    return make(parameters, RuleContext(dt_ms, n_input, _scaling(precision, built, n_input)))


def grid_for_answering(
    rule: RuleSettings, precision: PrecisionSettings, dt_ms: float, n_input: int
) -> WeightGrid | None:
    """Return the weights that a network which does not learn can store, or None for full precision.

    Raises
    ------
    ConfigError
        If the range is the rule's, which is the user's own and not at hand.
    """
    weights = precision.weights
    if weights.bits is None:
        return None
    if weights.range == "auto" and rule.at_hand is None:
        raise ConfigError(
            f"precision.weights.range: found auto, which the rule {rule.name} has to tell, and a rule of your own runs "
            "only if you name it where it is trained; expected the least and the greatest weight, such as [0, 1]"
        )
    built = None
    if weights.range == "auto":
        built = build_plasticity(rule.rule, rule.parameters, RuleContext(dt_ms, n_input), rule.name)
    return _grid(built, n_input, weights, weights.bits, weights.rounding)


def shifted_rates(rule: Rule, scaling: ScalingPrecision) -> dict[str, float]:
    """Return the learning rates of a rule that `eta_shift` replaces, by parameter.

    Raises
    ------
    ConfigError
        If it has none that is a share of a distance.
    """
    if scaling.eta_shift is None:
        return {}
    rates = [name for name, kind in rule.rates.items() if kind == "distance"]
    if not rates:
        raise ConfigError(
            f"precision.scaling.eta_shift: the rule {rule.name} does not declare a learning rate that is a share of "
            "a distance, as eta of smax and smin is; leave eta_shift out"
        )
    return dict.fromkeys(rates, 2.0**-scaling.eta_shift)


def rounding_warnings(rule: RuleSettings, precision: PrecisionSettings, plasticity: Plasticity) -> list[str]:
    """Return a sentence for each learning rate with which rounding would swallow every usual update.

    The largest usual update is the rate times the width of the range (an update towards a target in it) for a rate that
    is a share of a distance, and the rate itself for one that is added to a weight.
    """
    grid = plasticity.grid
    if grid is None or grid.rounding == "stochastic":
        return []
    parameters = {**rule.parameters, **shifted_rates(rule.rule, precision.scaling)}
    share = 0.5 if grid.rounding == "nearest" else 1.0
    what = "moves a weight" if grid.rounding == "nearest" else "raises a weight, while any lowers it by a whole step"
    sentences = []
    for name, kind in rule.rule.rates.items():
        least = share * grid.step / (grid.high - grid.low if kind == "distance" else 1.0)
        if 0 < parameters[name] < least:
            sentences.append(
                f"precision.weights: with {grid.bits} bits and rounding: {grid.rounding}, no usual update of rule."
                f"{name} = {parameters[name]:.4g} {what}: steps are {grid.step:.4g}; the smallest rate that can is "
                f"{least:.4g}. Use that, more bits, or rounding: stochastic"
            )
    return sentences


def _scaling(precision: PrecisionSettings, built: Plasticity, n_input: int) -> Scaling | None:
    """Return the limited precision of `s_max` and `s_min`, or None for full precision."""
    scaling, weights = precision.scaling, precision.weights
    if scaling.bits is None and scaling.divide == "exact":
        return None
    stored = None if scaling.bits is None else _grid(built, n_input, weights, scaling.bits, "nearest")
    return Scaling(scaling.divide, scaling.table_bits, stored)


def _grid(
    plasticity: Plasticity | None, n_input: int, weights: WeightPrecision, bits: int, rounding: str
) -> WeightGrid:
    return make_grid(plasticity, n_input, bits, None if weights.range == "auto" else weights.range, rounding)
