"""Learning rules: a file each, found by itself. A new rule is a new file with a `RULES` tuple."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from pydantic import ValidationError

from snstdp_cli.config import Experiment, RuleSettings, describe
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters

__all__ = ["RULES", "Plasticity", "Rule", "RuleContext", "RuleParameters", "complete", "find_rule", "plasticity_of"]


def _collect() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        for rule in getattr(importlib.import_module(f"{__name__}.{module.name}"), "RULES", ()):
            found[rule.name] = rule
    return found


#: All known rules by name.
RULES: dict[str, Rule] = _collect()


def find_rule(name: str, where: str = "rule") -> Rule:
    """Return the rule of this name, or raise a `ConfigError` that names the known ones."""
    if name in RULES:
        return RULES[name]
    close = difflib.get_close_matches(name, RULES, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"{where}: rule.name: unknown rule {name!r}; known rules: {', '.join(RULES)}{hint}")


def _parameters(experiment: Experiment, where: str) -> RuleParameters:
    rule = find_rule(experiment.rule.name, where)
    try:
        return rule.parameters.model_validate(experiment.rule.parameters)
    except ValidationError as error:
        raise ConfigError(describe(error, where, rule.parameters, prefix="rule.")) from None


def complete(experiment: Experiment, where: str = "configuration") -> Experiment:
    """Validate the rule's parameters and fill in its defaults.

    Raises
    ------
    ConfigError
        For an unknown rule, an unknown parameter or a value outside its range.
    """
    parameters = _parameters(experiment, where)
    settings = RuleSettings(name=experiment.rule.name, **parameters.model_dump())
    return experiment.model_copy(update={"rule": settings})


def plasticity_of(experiment: Experiment, n_input: int) -> Plasticity:
    """Build the experiment's learning rule for neurons with `n_input` synapses."""
    rule = find_rule(experiment.rule.name)
    return rule.build(_parameters(experiment, "configuration"), RuleContext(experiment.dt, n_input))
