"""From settings as they were given to a complete experiment: the one call that files, flags, studies and Python use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from snstdp_cli.config.experiment import Experiment, RuleSettings
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import describe, printable, shown
from snstdp_cli.rules import RULES, Rule, complete_parameters, find_rule, is_rule_file

#: The key beside a rule's parameters in records of version 0.1: the digest of the rule's file.
_OLD_DIGEST = "file_sha256"


def build_experiment(
    content: Mapping[str, Any] | None = None,
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
    """
    content, overrides = content or {}, overrides or {}
    for settings, place in ((content, where), (overrides, "options")):
        _refuse_misplaced(settings, place)
    experiment = _validate(merge(content, {}, where), where, run_rule_files)
    if not overrides:
        return experiment
    merged = merge(_for_rule(merge(content, {}, where), overrides, run_rule_files), overrides, "options")
    return _validate(merged, "options", run_rule_files)


def recorded_experiment(content: object, where: str) -> Experiment:
    """Return the experiment that a record describes; no file that it names is opened, let alone run.

    Raises
    ------
    ConfigError
        If it describes none: it is no mapping, or a key or value cannot be used.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: found {shown(content)} as the experiment, expected keys and values")
    settings = merge(content, {}, where)
    if isinstance(settings.get("rule"), dict):
        settings["rule"].pop(_OLD_DIGEST, None)
    return _validate(settings, where, run_rule_files=False)


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
        inner = merged.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: {printable(key)}: '{printable(section)}' has no keys of its own")
        inner[field] = value
    return merged


def _section(key: str, value: Any) -> Any:
    """Return a section's settings in their full form, in a new dictionary; any other value as it is."""
    if key == "rule" and isinstance(value, str | Rule):
        return {"name": value}
    if value is None and key in ("rule", "network", "presentation", "evaluation"):
        return {}
    return dict(value) if isinstance(value, Mapping) else value


def _validate(settings: dict[str, Any], where: str, run_rule_files: bool) -> Experiment:
    """Complete the rule, then let the model check all the rest."""
    problems: list[str] = []
    given = settings.get("rule", {})
    rule: Rule | None = None
    if isinstance(given, dict):
        try:
            given, rule = _complete_rule(given, where, run_rule_files)
        except ConfigError as error:
            problems.append(str(error))
            given, _ = _complete_rule({}, where, run_rule_files=False)
    try:
        experiment = Experiment.model_validate({**settings, "rule": given})
    except ValidationError as error:
        problems.insert(0, describe(error, where, Experiment))
    if problems:
        raise ConfigError("\n".join(problems))
    return experiment if rule is None else experiment.model_copy(update={"rule": experiment.rule.with_rule(rule)})


def _complete_rule(given: Mapping[str, Any], where: str, run_rule_files: bool) -> tuple[dict[str, Any], Rule | None]:
    """Return a rule's name with all its parameters, and the rule if it is at hand."""
    name = given.get("name", RuleSettings.model_fields["name"].default)
    parameters = {key: value for key, value in given.items() if key != "name"}
    if isinstance(name, Rule):
        rule = name
    elif not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: rule.name: found {shown(name)}, expected the name of a rule, such as smin")
    elif is_rule_file(name) and not run_rule_files:
        return {"name": name, **_plain_values(parameters, where)}, None
    else:
        rule = find_rule(name, where, run_files=run_rule_files)
    shown_name = rule.name if isinstance(name, Rule) else name
    return {"name": shown_name, **complete_parameters(rule, parameters, where)}, rule


def _plain_values(parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the parameters of a rule that is not at hand, if they can be a rule's: names with single values."""
    for key, value in parameters.items():
        if not (isinstance(key, str) and key.isidentifier() and len(key) <= 100):
            raise ConfigError(f"{where}: rule: found the key {shown(key)}, expected the name of a parameter")
        if not isinstance(value, str | int | float | bool | None) or len(str(value)) > 1000:
            raise ConfigError(f"{where}: rule.{key}: found {shown(value)}, expected a single value")
    return dict(parameters)


def _refuse_misplaced(settings: Mapping[str, Any], where: str) -> None:
    """Refuse a rule's parameter that stands beside `rule`."""
    for key in settings if isinstance(settings, Mapping) else ():
        if key not in Experiment.model_fields and any(key in rule.parameters.model_fields for rule in RULES.values()):
            raise ConfigError(f"{where}: unknown key '{key}'; did you mean 'rule.{key}'?")


def _for_rule(content: Mapping[str, Any], overrides: Mapping[str, Any], run_rule_files: bool) -> Mapping[str, Any]:
    """Return the settings without the parameters that a rule chosen by an override does not have."""
    chosen, settings = overrides.get("rule", overrides.get("rule.name")), content.get("rule")
    if chosen is None or not isinstance(settings, dict) or settings.get("name") == chosen:
        return content
    if isinstance(chosen, str):
        if is_rule_file(chosen) and not run_rule_files:
            return {**content, "rule": {"name": chosen}}
        chosen = find_rule(chosen, "options", run_files=run_rule_files)
    if not isinstance(chosen, Rule):
        return content
    known = chosen.parameters.model_fields
    return {**content, "rule": {k: v for k, v in settings.items() if k == "name" or k in known}}
