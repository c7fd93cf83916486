"""Learning rules: a file each, found by itself. A new rule is a new file with a `RULES` tuple.

A rule may also be in a file outside the package; its name is then `my_rules.py:MY_RULE` (see `external`). Such a file
is a program: it runs in `load_rule`, and `find_rule` calls that only if it is told to.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import check_name, describe, shown
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters, Symptom
from snstdp_cli.rules.checking import build_plasticity as build_checked
from snstdp_cli.rules.checking import plasticity_digest, problem_of_rule
from snstdp_cli.rules.external import load_rule, only_rule_files
from snstdp_cli.rules.grids import WeightGrid, make_grid
from snstdp_cli.rules.naming import is_rule_file
from snstdp_cli.rules.scaling import Scaling, UpdateTable

__all__ = [
    "RULES",
    "Plasticity",
    "Rule",
    "RuleContext",
    "RuleParameters",
    "Scaling",
    "Symptom",
    "UpdateTable",
    "WeightGrid",
    "build_plasticity",
    "complete_parameters",
    "find_rule",
    "is_rule_file",
    "load_rule",
    "make_grid",
    "only_rule_files",
    "plasticity_digest",
    "refuse_unusable",
]


def _collect() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        for rule in getattr(importlib.import_module(f"{__name__}.{module.name}"), "RULES", ()):
            found[rule.name] = rule
    return found


#: All known rules by name.
RULES: dict[str, Rule] = _collect()


def find_rule(name: str, where: str = "rule", *, run_files: bool = False) -> Rule:
    """Return the rule of this name.

    Parameters
    ----------
    run_files
        Load a rule in a file of the user's, which runs the file. Only for names that the user gave for this very run.

    Raises
    ------
    ConfigError
        If there is no such rule, or it is in a file that may not run.
    """
    if name in RULES:
        return RULES[name]
    if is_rule_file(name):
        if run_files:
            return load_rule(name, where)
        raise ConfigError(f"{where}: rule.name: {shown(name)} is a program of yours that this command does not run")
    close = difflib.get_close_matches(name, RULES, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"{where}: rule.name: unknown rule {shown(name)}; known rules: {', '.join(RULES)}{hint}")


def refuse_unusable(rule: Rule, where: str = "rule") -> None:
    """Refuse a rule that was given as a Python value if its name or its parameters cannot be written down.

    Raises
    ------
    ConfigError
        If its name is no plain name or that of another rule, or the `Rule` is not made as one.
    """
    if RULES.get(str(rule.name)) == rule:
        return
    problem = _problem_of_name(rule.name) or problem_of_rule(rule)
    if not problem and rule.name in RULES:
        problem = "has the name of a rule of the package; choose another name"
    if problem:
        raise ConfigError(f"{where}: rule.name: {shown(rule.name)} {problem}; see docs/own-rule.md")


def _problem_of_name(name: object) -> str:
    """Say why a value does not do as the name of a rule, as the end of a sentence, or ''."""
    try:
        if isinstance(name, str) and not is_rule_file(check_name(name)):
            return ""
    except ValueError as error:
        return f"has a name that cannot be used: {error}"
    return "has a name that is not plain text"


def complete_parameters(rule: Rule, given: Mapping[str, Any], where: str = "configuration") -> dict[str, Any]:
    """Return all parameters of a rule, as JSON has them: those that were given, checked, and its defaults.

    Raises
    ------
    ConfigError
        For an unknown parameter, a value outside its range, or one that JSON does not have.
    """
    checked = _checked(rule, given, where)
    try:
        return checked.model_dump(mode="json")
    except Exception as error:  # what serializes a parameter of the user's is not our code
        raise ConfigError(
            f"{where}: rule: a parameter of {rule.name} cannot be written down as JSON: {error}"
        ) from None


def build_plasticity(
    rule: Rule, parameters: Mapping[str, Any], context: RuleContext, name: str | None = None
) -> Plasticity:
    """Build a rule for a time step and a number of inputs.

    Parameters
    ----------
    name
        What the user wrote to choose it, with which an error begins; by default the rule's name.

    Raises
    ------
    ConfigError
        If a parameter, or what a rule of the user's says, cannot be used.
    """
    checked = _checked(rule, parameters, "configuration")
    if rule in RULES.values():
        return rule.build(checked, context)
    return build_checked(name or rule.name, rule, checked, context)


def _checked(rule: Rule, given: Mapping[str, Any], where: str) -> RuleParameters:
    try:
        return rule.parameters.model_validate(dict(given))
    except ValidationError as error:
        found = describe(error, where, rule.parameters, prefix="rule.")
        for key in (str(item["loc"][0]) for item in error.errors() if item["type"] == "extra_forbidden"):
            if others := [other for other in RULES.values() if key in other.parameters.model_fields]:
                found += f"\n'{key}' belongs to {' and '.join(other.name for other in others)}, not to {rule.name}"
        raise ConfigError(found) from None
    except Exception as error:  # what checks a parameter of the user's is not our code
        if rule in RULES.values():
            raise
        problem = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise ConfigError(f"{where}: rule: the parameters of {rule.name} cannot be checked: {problem}") from None
