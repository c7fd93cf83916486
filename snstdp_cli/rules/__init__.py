"""Learning rules: a file each, found by itself. A new rule is a new file with a `RULES` tuple.

A rule may also be in a file outside the package; its name is then `my_rules.py:MY_RULE` (see `external`).
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from pydantic import ValidationError

from snstdp_cli.config import Experiment, RuleSettings, describe
from snstdp_cli.config.experiment import FILE_DIGEST, is_rule_file
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters
from snstdp_cli.rules.external import build_plasticity, file_digest, load_rule

__all__ = [
    "RULES",
    "Plasticity",
    "Rule",
    "RuleContext",
    "RuleParameters",
    "complete",
    "digest_of_rule",
    "find_rule",
    "plasticity_of",
]


def _collect() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        for rule in getattr(importlib.import_module(f"{__name__}.{module.name}"), "RULES", ()):
            found[rule.name] = rule
    return found


#: All known rules by name.
RULES: dict[str, Rule] = _collect()


def find_rule(name: str, where: str = "rule") -> Rule:
    """Return the rule of this name, or of a file, or raise a `ConfigError` that names the known ones."""
    if name in RULES:
        return RULES[name]
    if is_rule_file(name):
        return load_rule(name, where)
    close = difflib.get_close_matches(name, RULES, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"{where}: rule.name: unknown rule {name!r}; known rules: {', '.join(RULES)}{hint}")


def _parameters(experiment: Experiment, rule: Rule, where: str) -> RuleParameters:
    try:
        return rule.parameters.model_validate(experiment.rule.parameters)
    except ValidationError as error:
        found = describe(error, where, rule.parameters, prefix="rule.")
        for key in (str(item["loc"][0]) for item in error.errors() if item["type"] == "extra_forbidden"):
            if others := [other for other in RULES.values() if key in other.parameters.model_fields]:
                found += f"\n'{key}' belongs to {' and '.join(other.name for other in others)}, not to {rule.name}"
        raise ConfigError(found) from None


def complete(experiment: Experiment, where: str = "configuration") -> Experiment:
    """Validate the rule's parameters and fill in its defaults; a rule in a file also gets the file's digest.

    Settings that bear the digest of a file which is gone or has changed are those of weights that were trained with
    it. They are kept as they are: such weights can still be tested, and `plasticity_of` refuses to train.

    Raises
    ------
    ConfigError
        For an unknown rule, an unknown parameter or a value outside its range.
    """
    name, recorded = experiment.rule.name, experiment.rule.recorded_digest
    if recorded is not None and recorded != digest_of_rule(experiment):
        return experiment
    parameters = _parameters(experiment, find_rule(name, where), where).model_dump()
    if experiment.rule.is_own:
        parameters[FILE_DIGEST] = file_digest(name, where)
    return experiment.model_copy(update={"rule": RuleSettings(name=name, **parameters)})


def plasticity_of(experiment: Experiment, n_input: int) -> Plasticity:
    """Build the experiment's learning rule for neurons with `n_input` synapses."""
    settings, context = experiment.rule, RuleContext(experiment.dt, n_input)
    rule = find_rule(settings.name)
    recorded = settings.recorded_digest
    if recorded is not None and recorded != (found := file_digest(settings.name)):
        raise ConfigError(
            f"{settings.name}: the file has changed since its settings were recorded (SHA-256 {str(recorded)[:12]}..., "
            f"now {found[:12]}...); bring the file back, or train again without the key rule.{FILE_DIGEST}"
        )
    parameters = _parameters(experiment, rule, "configuration")
    if settings.is_own:
        return build_plasticity(settings.name, rule, parameters, context)
    return rule.build(parameters, context)


def digest_of_rule(experiment: Experiment) -> str | None:
    """Return the SHA-256 of the file that the rule is in; None for the package's rules, or if it cannot be read."""
    if not experiment.rule.is_own:
        return None
    try:
        return file_digest(experiment.rule.name)
    except ConfigError:
        return None
