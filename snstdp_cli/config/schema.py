"""The JSON Schema of a configuration file, for editors: taken from the fields of the models."""

from __future__ import annotations

from typing import Any

from snstdp_cli.config.experiment import Experiment
from snstdp_cli.config.facets import affected
from snstdp_cli.config.rule import DEFAULT_RULE
from snstdp_cli.fields import AFFECTS, FACETS
from snstdp_cli.rules import RULES, Rule

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OWN_RULE = r"\.py:\w+$"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a configuration file; the rule's parameters depend on its name.

    Every setting says under `affects` what it shapes (see `snstdp_cli.fields.Facet`); editors leave that alone.
    """
    schema = Experiment.model_json_schema()
    definitions = schema["$defs"]
    del definitions["RuleSettings"], schema["required"]
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
        AFFECTS: schema["properties"]["rule"][AFFECTS],
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
    return {"$schema": _DIALECT, **schema, "title": "snstdp configuration"}


def _rule_schema(rule: Rule) -> dict[str, Any]:
    """Return the schema of a rule's section; only the default rule's name may be left out."""
    schema = rule.parameters.model_json_schema()
    is_default = rule.name == DEFAULT_RULE
    name = {"const": rule.name, "description": rule.title}
    schema["properties"] = {"name": name, **schema.get("properties", {})}
    for key, field in schema["properties"].items():
        field[AFFECTS] = [facet for facet in FACETS if facet in affected(f"rule.{key}")]
    schema["required"] = [*([] if is_default else ["name"]), *schema.get("required", [])]
    return {**schema, "title": rule.title, "description": " / ".join(rule.equations)}
