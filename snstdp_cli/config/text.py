"""Configurations for people: a commented YAML file, and where each value came from.

Everything is taken from the fields of the models: a new key or a new rule appears here by itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from snstdp_cli.config.experiment import Experiment, usual_theta_step_mv
from snstdp_cli.config.facets import affected, setting_leaves
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import FACETS, allowed
from snstdp_cli.rules import RULES, is_rule_file

_LINE_LENGTH = 100
_HEAD = (
    "# Configuration of snstdp. Every key is optional: one that is left out has its default.",
    "# A key that affects the program makes it compile again; training, recording and score are results.",
)


def commented_yaml(experiment: Experiment) -> str:
    """Write an experiment as YAML with every key, its meaning, its default and what is allowed as comments.

    Raises
    ------
    ConfigError
        If the experiment's rule is the user's own and not at hand, or in no file that YAML could name.
    """
    if experiment.rule.is_own and not is_rule_file(experiment.rule.name):
        raise ConfigError(
            f"rule.name: '{experiment.rule.name}' is a Python value, which a configuration file cannot name; put the "
            "rule into a file and name that: my_rules.py:MY_RULE"
        )
    schema = Experiment.model_json_schema()
    lines = list(_HEAD)
    for key, value in experiment.model_dump().items():
        field = _resolved(schema["properties"][key], schema["$defs"])
        if key == "rule":
            lines += ["", *_comment(_rule_text(experiment)), "rule:", *_rule_lines(experiment)]
        elif isinstance(value, dict):
            usual = experiment.theta_step_mv == usual_theta_step_mv(experiment.n_e)
            if key == "network" and usual:
                value = {**value, "theta_step_mv": None}  # so that another n_e in the file gets its own
            lines += [
                "",
                *_comment(field["description"]),
                f"{key}:",
                *_section_lines(key, value, field, schema["$defs"]),
            ]
        else:
            lines += _setting_lines(key, value, field)
    return "\n".join(lines) + "\n"


def resolved_rows(experiment: Experiment, sources: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """List every setting with where its value came from.

    Parameters
    ----------
    sources
        Dotted key -> a file's name or 'flag'; keys that are not in it have their default. A source of a whole section
        (`rule`, `network`) holds for the keys below it.

    Returns
    -------
    rows
        (dotted key, value as in YAML, source), in the order of the models.
    """
    rows = []
    for key, value in setting_leaves(experiment.model_dump()):
        source = sources.get(key, sources.get(key.partition(".")[0], "default"))
        if key == "network.theta_step_mv" and source == "default":
            source = f"default for n_e {experiment.n_e}"
        rows.append((key, _yaml_value(value), source))
    return rows


def _rule_text(experiment: Experiment) -> str:
    others = ", ".join(name for name in RULES if name != experiment.rule.name)
    return f"{experiment.rule.rule.title}; other rules: {others} (see `snstdp rules`)"


def _rule_lines(experiment: Experiment) -> Iterator[str]:
    schema = experiment.rule.rule.parameters.model_json_schema()
    yield f"  name: {_yaml_value(experiment.rule.name)}"
    for key, value in experiment.rule.parameters.items():
        field = _resolved(schema["properties"][key], schema.get("$defs", {}))
        yield from _setting_lines(f"rule.{key}", value, field)


def _section_lines(
    key: str, values: Mapping[str, Any], field: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the lines of a section's settings, and of the parts below it."""
    for inner, value in values.items():
        name, below = f"{key}.{inner}", _resolved(field["properties"][inner], definitions)
        if isinstance(value, dict):
            indent = _indent(name)
            yield from ("", *_comment(below["description"], indent), f"{indent}{inner}:")
            yield from _section_lines(name, value, below, definitions)
        else:
            yield from _setting_lines(name, value, below)


def _indent(key: str) -> str:
    return "  " * key.count(".")


def _setting_lines(key: str, value: Any, field: Mapping[str, Any]) -> list[str]:
    """Return the lines of one setting, by its dotted key: meaning, default, range, what it affects, value."""
    name, indent = key.rpartition(".")[2], _indent(key)
    hints = [f"default {_short(field['default'])}"] if "default" in field else []
    hints += [range_] if (range_ := allowed(field)) else []
    hints.append(f"affects {', '.join(f for f in FACETS if f in affected(key)) or 'no result'}")
    comments = [*_comment(field.get("description", name), indent), *_comment("; ".join(hints), indent)]
    return ["", *comments, f"{indent}{name}: {_yaml_value(value)}"]


def _comment(text: str, indent: str = "") -> list[str]:
    lead = f"{indent}# "
    return textwrap.wrap(text, _LINE_LENGTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else _yaml_value(value)


def _yaml_value(value: Any) -> str:
    """Write a value on one line as YAML reads it back, exactly."""
    value = list(value) if isinstance(value, tuple) else value
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else yaml.safe_dump(value).split("\n")[0]
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _resolved(field: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a reference to a definition; descriptions beside the reference win."""
    reference = field.get("$ref", "").rpartition("/")[2]
    return {**definitions.get(reference, {}), **field}
