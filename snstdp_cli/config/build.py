"""From settings as they were given to a complete experiment: the one call that files, flags, studies and Python use."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import ValidationError

from snstdp_cli.config.experiment import Experiment, usual_theta_step_mv
from snstdp_cli.config.rule import DEFAULT_RULE, problem_of_own_rule
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import describe, printable, shown
from snstdp_cli.rules import (
    RULES,
    Rule,
    complete_parameters,
    find_rule,
    is_rule_file,
    only_rule_files,
    refuse_unusable,
)

#: The key beside a rule's parameters in records of version 0.1: the digest of the rule's file.
_OLD_DIGEST = "file_sha256"
_OPTIONS = "options"
#: Finds a rule by its name; None for one of the user's that is not at hand.
_Find = Callable[[str], Rule | None]


def build_experiment(
    content: Mapping[str, Any] | Experiment | None = None,
    overrides: Mapping[str, Any] | None = None,
    where: str = "configuration",
    *,
    run_rule_files: bool = True,
) -> Experiment:
    """Build a complete experiment; what is left out has its default.

    Parameters
    ----------
    content
        Settings as a YAML file has them; valid without the overrides. `rule` may be a name, a mapping, or a `Rule`.
        Or an experiment that is to be changed: it keeps its rule, and a threshold step that is the usual one of its
        size follows another size.
    overrides
        Dotted keys with their values, such as `{"rule.eta": 0.02, "n_e": 100}`; they win. A rule chosen here keeps
        those parameters of `content` that it has.
    where
        What errors call the source of `content`.
    run_rule_files
        Whether a rule in a file of the user's is loaded, which runs the file. Without it such a rule keeps the
        parameters that were given, and the experiment can be shown but not trained.

    Raises
    ------
    ConfigError
        For a key or value that cannot be used: each key, what was found and what is allowed.

    Examples
    --------
    >>> experiment = build_experiment({"rule": "smax"}, {"n_e": 100, "rule.eta": 0.02})
    >>> experiment.rule.parameters["eta"], experiment.theta_step_mv
    (0.02, 0.025)
    """
    changes = {} if overrides is None else overrides
    merge({}, changes, _OPTIONS)
    chosen = changes.get("rule", changes.get("rule.name"))
    replaces_rule = "rule" in changes or "rule.name" in changes

    def find(name: str) -> Rule | None:
        if isinstance(content, Experiment) and name == content.rule.name and not replaces_rule:
            return content.rule.at_hand
        if is_rule_file(name) and not run_rule_files:
            return None
        return find_rule(name, _OPTIONS if name == chosen else where, run_files=True)

    if isinstance(content, Experiment):
        experiment, settings = content, _changeable(content, changes)
    else:
        settings = merge({} if content is None else content, {}, where)
        # A rule file that an override replaces was not asked for: it does not run.
        experiment = _validate(settings, where, lambda n: None if replaces_rule and is_rule_file(n) else find(n))
    if not changes:
        return experiment
    return _validate(merge(_for_rule(settings, chosen, find), changes, _OPTIONS), _OPTIONS, find)


def recorded_experiment(content: object, where: str) -> Experiment:
    """Return the experiment that a record describes; no file that it names is opened, let alone run.

    A rule that the package does not know is one of the user's: its parameters stay as they were written down.

    Raises
    ------
    ConfigError
        If it describes none: it is no mapping, or a key or value cannot be used.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: found {shown(content)} as the experiment, expected keys and values")
    settings = merge(content, {}, where)
    rule = settings.get("rule")
    if isinstance(rule, dict) and isinstance(rule.get("name"), str) and is_rule_file(rule["name"]):
        rule.pop(_OLD_DIGEST, None)
    return _validate(settings, where, RULES.get)


def with_rule_at_hand(experiment: Experiment, run_rules: Collection[str], where: str) -> Experiment:
    """Return an experiment that a record described with its rule at hand; one in a file runs if it is named.

    Parameters
    ----------
    run_rules
        Rules in files that may run, such as `my_rules.py:MY_RULE`.
    where
        What errors call the record.

    Raises
    ------
    ConfigError
        If it was a Python value, or is in a file that is not named, cannot be loaded, or has other parameters now.
    """
    rule = experiment.rule
    if rule.at_hand is not None:
        return experiment
    if not is_rule_file(rule.name):
        raise ConfigError(
            f"{where}: its rule '{rule.name}' was given in Python and is in no file; expected one that comes with "
            "snstdp, or one in a file (docs/own-rule.md)"
        )
    with only_rule_files(run_rules):
        found = build_experiment(experiment, {"rule": rule.name})
    if found.rule.parameters != rule.parameters:
        now, then = (", ".join(sorted(one.parameters)) for one in (found.rule, rule))
        raise ConfigError(
            f"{where}: {rule.name} has other parameters now ({now}) than when the network was trained ({then}); "
            "bring the file back as it was"
        )
    return found


def merge(content: Mapping[str, Any], overrides: Mapping[str, Any], where: str = "overrides") -> dict[str, Any]:
    """Return `content` with dotted keys of `overrides` set; neither argument is changed.

    Sections without keys (`network:` and nothing below it) become empty, and `rule: smax` the rule's name.

    Raises
    ------
    ConfigError
        If an argument is not a mapping, a key not a string, or a dotted key is below what is not a section.
    """
    for argument in (content, overrides):
        if not isinstance(argument, Mapping):
            raise ConfigError(f"{where}: found {shown(argument)}, expected keys and values")
        if odd := [key for key in argument if not isinstance(key, str)]:
            raise ConfigError(f"{where}: unknown key {shown(odd[0])}; known: {', '.join(Experiment.model_fields)}")
    merged = {key: _section(key, value) for key, value in content.items()}
    for key, value in overrides.items():
        section, dot, field = key.partition(".")
        if section == "rule" and isinstance(value, str | Rule) and not dot:
            field = "name"
        elif not dot:
            merged[key] = _section(key, value)
            continue
        *parts, field = [field] if section == "rule" else field.split(".")
        inner = merged.setdefault(section, {})
        for part in parts:
            if isinstance(inner, dict):
                # A part below a section is not copied yet, and may be empty.
                inner[part] = {} if inner.get(part) is None else copy.copy(inner[part])
                inner, section = inner[part], part
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: {printable(key)}: '{printable(section)}' has no keys of its own")
        inner[field] = value
    return merged


def _section(key: str, value: Any) -> Any:
    """Return a section's settings in their full form, in a new dictionary; any other value as it is."""
    if key == "rule" and isinstance(value, str | Rule):
        return {"name": value}
    if value is None and key in ("rule", "input", "network", "presentation", "evaluation", "precision"):
        return {}
    return dict(value) if isinstance(value, Mapping) else value


def _changeable(experiment: Experiment, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an experiment of which `changes` will be made."""
    settings = experiment.model_dump()
    if "n_e" in changes and experiment.theta_step_mv == usual_theta_step_mv(experiment.n_e):
        settings["network"]["theta_step_mv"] = None
    return settings


def _for_rule(settings: Mapping[str, Any], chosen: object, find: _Find) -> Mapping[str, Any]:
    """Return the settings without the parameters that a rule chosen by an override does not have."""
    given = settings.get("rule")
    if not isinstance(chosen, str | Rule) or not isinstance(given, dict) or given.get("name", DEFAULT_RULE) == chosen:
        return settings
    rule = chosen if isinstance(chosen, Rule) else find(chosen)
    if isinstance(chosen, Rule):
        refuse_unusable(chosen, _OPTIONS)
    known = {} if rule is None else rule.parameters.model_fields
    return {**settings, "rule": {key: value for key, value in given.items() if key in known}}


def _validate(settings: Mapping[str, Any], where: str, find: _Find) -> Experiment:
    """Complete the rule and let the model check all the rest; everything that was found is in one error."""
    rule: Rule | None = None
    given = settings.get("rule", {})
    settings, problems = _without_misplaced(settings, where)
    if isinstance(given, dict):
        try:
            given, rule = _complete_rule(given, where, find)
        except ConfigError as error:
            problems.append(str(error))
            given, _ = _complete_rule({}, where, RULES.get)
    try:
        experiment = Experiment.model_validate({**settings, "rule": given})
    except ValidationError as error:
        problems.insert(0, describe(error, where, Experiment))
    if problems:
        raise ConfigError("\n".join(problems))
    if rule is None or not experiment.rule.is_own:
        return experiment
    return experiment.model_copy(update={"rule": experiment.rule.with_rule(rule)})


def _complete_rule(given: Mapping[str, Any], where: str, find: _Find) -> tuple[dict[str, Any], Rule | None]:
    """Return a rule's name with all its parameters, and the rule if it is at hand."""
    name = given.get("name", DEFAULT_RULE)
    parameters = {key: value for key, value in given.items() if key != "name"}
    rule: Rule | None
    if isinstance(name, Rule):
        refuse_unusable(name, where)
        rule, name = name, name.name
    elif not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: rule.name: found {shown(name)}, expected the name of a rule, such as smin")
    else:
        if is_rule_file(name) and (problem := problem_of_own_rule(name, {})):
            raise ConfigError(f"{where}: {problem}")
        rule = find(name)
    complete = parameters if rule is None else complete_parameters(rule, parameters, where)
    if name not in RULES and (problem := problem_of_own_rule(name, complete)):
        raise ConfigError(f"{where}: {problem}")
    return {"name": name, **complete}, rule


def _without_misplaced(settings: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    """Return the settings without a rule's parameters that stand beside `rule`, and a sentence for each."""
    parameters = {key for rule in RULES.values() for key in rule.parameters.model_fields}
    misplaced = [key for key in settings if key in parameters and key not in Experiment.model_fields]
    problems = [f"{where}: unknown key '{key}'; did you mean 'rule.{key}'?" for key in misplaced]
    return {key: value for key, value in settings.items() if key not in misplaced}, problems
