"""Configurations for people and editors: a commented YAML file, a JSON Schema, and where each value came from.

Everything is taken from the fields of the models: a new key or a new rule appears here by itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from snstdp_cli.config import Experiment, RuleSettings, allowed
from snstdp_cli.rules import RULES, Rule, complete, find_rule

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LINE_LENGTH = 100
#: Settings that change names and speed, not results.
_NEUTRAL = (
    *("load_name", "save_name", "engine", "chunk", "checkpoint_every"),
    *("evaluation.curve_every", "evaluation.curve_examples"),
)


def commented_yaml(experiment: Experiment) -> str:
    """Write an experiment as YAML with every key, its meaning, its default and what is allowed as comments.

    Raises
    ------
    ConfigError
        If the experiment's rule is unknown or a parameter of it cannot be used.
    """
    experiment = complete(experiment)
    schema = Experiment.model_json_schema()
    lines = ["# Configuration of snstdp. Every key is optional: one that is left out has its default."]
    for key, value in experiment.model_dump().items():
        field = _resolved(schema["properties"][key], schema["$defs"])
        if key == "rule":
            lines += ["", *_comment(_rule_text(experiment)), "rule:", *_rule_lines(experiment)]
        elif isinstance(value, dict):
            lines += ["", *_comment(field["description"]), f"{key}:"]
            for inner, setting in value.items():
                lines += _setting_lines(inner, setting, field["properties"][inner], "  ")
        else:
            lines += _setting_lines(key, value, field, "")
    return "\n".join(lines) + "\n"


_OWN_RULE = r"\.py:\w+$"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a configuration file; the rule's parameters depend on its name."""
    schema = Experiment.model_json_schema()
    definitions = schema["$defs"]
    del definitions["RuleSettings"]
    for key, field in schema["properties"].items():
        # `network:` with nothing below it is an empty section.
        if "$ref" in field and key != "rule":
            schema["properties"][key] = {"anyOf": [{"$ref": field["$ref"]}, {"type": "null"}]}
    for rule in RULES.values():
        parameters = _rule_schema(rule)
        definitions |= parameters.pop("$defs", {})
        definitions[f"rule_{rule.name}"] = parameters
    schema["properties"]["rule"] = {
        "description": schema["properties"]["rule"]["description"],
        "oneOf": [
            {"enum": list(RULES), "description": "a rule with its default parameters"},
            {"type": "null"},
            *({"$ref": f"#/$defs/rule_{name}"} for name in RULES),
            {"type": "string", "pattern": _OWN_RULE, "description": "a rule in a file of your own"},
            {
                "type": "object",
                "properties": {"name": {"type": "string", "pattern": _OWN_RULE}},
                "required": ["name"],
                "description": "a rule in a file of your own with its parameters",
            },
        ],
    }
    return {"$schema": _SCHEMA_DIALECT, **schema, "title": "snstdp configuration"}


def resolved_rows(experiment: Experiment, sources: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """List every setting with where its value came from.

    Parameters
    ----------
    experiment : completed, so that the rule's parameters are in it.
    sources : dotted key -> a file's name or 'flag'; keys that are not in it have their default. A source of a whole
        section (`rule`, `network`) holds for the keys below it.

    Returns
    -------
    rows : (dotted key, value as in YAML, source), in the order of the models.
    """
    rows = []
    for key, value in setting_leaves(experiment.model_dump()):
        shown = _yaml_value(value)
        if key == "network.theta_step_mv" and value is None:
            shown = f"{experiment.theta_step_mv!r} (for n_e {experiment.n_e})"
        rows.append((key, shown, sources.get(key, sources.get(key.partition(".")[0], "default"))))
    return rows


def _rule_text(experiment: Experiment) -> str:
    others = ", ".join(name for name in RULES if name != experiment.rule.name)
    return f"{find_rule(experiment.rule.name).title}; other rules: {others} (see `snstdp rules`)"


def _rule_lines(experiment: Experiment) -> Iterator[str]:
    schema = find_rule(experiment.rule.name).parameters.model_json_schema()
    yield f"  name: {_yaml_value(experiment.rule.name)}"
    for key, value in experiment.rule.parameters.items():
        yield from _setting_lines(key, value, _resolved(schema["properties"][key], schema.get("$defs", {})), "  ")


def _setting_lines(key: str, value: Any, field: Mapping[str, Any], indent: str) -> list[str]:
    hints = [f"default {_short(field['default'])}"] if "default" in field else []
    hints += [range_] if (range_ := allowed(field)) else []
    comments = [*_comment(field.get("description", key), indent), *_comment("; ".join(hints), indent)]
    return ["", *comments, f"{indent}{key}: {_yaml_value(value)}"]


def _comment(text: str, indent: str = "") -> list[str]:
    lead = f"{indent}# "
    return textwrap.wrap(text, _LINE_LENGTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else _yaml_value(value)


def _yaml_value(value: Any) -> str:
    """Write a value on one line as YAML reads it back, exactly."""
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else yaml.safe_dump(value).split("\n")[0]
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _resolved(field: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a reference to a definition; descriptions beside the reference win."""
    reference = field.get("$ref", "").rpartition("/")[2]
    return {**definitions.get(reference, {}), **field}


def _rule_schema(rule: Rule) -> dict[str, Any]:
    """Return the schema of a rule's section; only the default rule's name may be left out."""
    schema = rule.parameters.model_json_schema()
    is_default = rule.name == RuleSettings.model_fields["name"].default
    name = {"const": rule.name, "description": rule.title}
    schema["properties"] = {"name": name, **schema.get("properties", {})}
    schema["required"] = [*([] if is_default else ["name"]), *schema.get("required", [])]
    return {**schema, "title": rule.title, "description": " / ".join(rule.equations)}


def differing_settings(experiments: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the settings of each experiment that all have and not all have alike, by dotted key.

    Those that cannot change a result, such as names, are left out.
    """
    rows = [dict(setting_leaves(experiment)) for experiment in experiments]
    shared = [key for key in rows[0] if key not in _NEUTRAL and all(key in row for row in rows)]
    keys = [key for key in shared if any(row[key] != rows[0][key] for row in rows)]
    return [{key: row[key] for key in keys} for row in rows]


def setting_notes(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as short notes, such as `rule.eta 0.02`."""
    return [f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in settings.items()]


def setting_leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting with its dotted key."""
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from setting_leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
