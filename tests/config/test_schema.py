"""The JSON Schema agrees with the validation."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from snstdp_cli.config import build_experiment, commented_yaml, json_schema
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import FACETS
from snstdp_cli.rules import RULES


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Check a value against the few words of JSON Schema that ours has."""
    if "$ref" in schema:
        return accepts(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    if "anyOf" in schema or "oneOf" in schema:
        hits = sum(accepts(choice, value, root) for choice in schema.get("anyOf", schema.get("oneOf")))
        return hits == 1 if "oneOf" in schema else hits > 0
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    types = {"object": dict, "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if value is None or isinstance(value, bool):
        return ("null" if value is None else "boolean") in kinds
    if not any(isinstance(value, types[kind]) for kind in kinds if kind not in ("null", "boolean")):
        return False
    if isinstance(value, dict):
        known = schema["properties"]
        return set(schema.get("required", [])) <= set(value) <= set(known) and all(
            accepts(known[key], inner, root) for key, inner in value.items()
        )
    if isinstance(value, str):
        return "\\.py" not in schema.get("pattern", "") or re.search(schema["pattern"], value) is not None
    if isinstance(value, list):
        return True
    return (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


CONTENTS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"n_e": 100, "rule": "smax"}, True),
    ({"rule": {"eta": 0.1, "positive_share": 1}}, True),
    ({"rule": {"name": "triplet", "nu_pre": 0}}, True),
    ({"rule": None, "network": None}, True),
    ({"save_name": 400, "load_name": None}, True),
    ({"network": {"theta_step_mv": None, "inhibition": "dense"}}, True),
    ({"network": {"theta_step_mv": 101}}, False),
    ({"rule": "smaxx"}, False),
    ({"rule": {"name": "smaxx"}}, False),
    ({"rule": {"name": "smax", "positive_share": 1}}, False),
    ({"rule": {"name": "triplet", "eta": 0.1}}, False),
    ({"rule": {"eta": 0}}, False),
    ({"rule": 3}, False),
    ({"n_e": 0}, False),
    ({"n_e": True}, False),
    ({"n_ex": 3}, False),
    ({"dt": 2.5}, False),
    ({"network": {"zzz": 1}}, False),
    ({"network": 3}, False),
    ({"engine": "Auto"}, False),
    ({"epochs": 1}, False),
]


@pytest.mark.parametrize("rule", ["my_rules.py:MY_RULE", {"name": "my_rules.py:MY_RULE"}])
def test_the_schema_knows_rules_in_files(rule: Any) -> None:
    schema = json_schema()
    assert accepts(schema, {"rule": rule}, schema)


@pytest.mark.parametrize(("content", "good"), CONTENTS)
def test_the_schema_agrees_with_the_validation(content: dict[str, Any], good: bool) -> None:
    schema = json_schema()
    assert accepts(schema, content, schema) is good
    if good:
        build_experiment(content)
    else:
        with pytest.raises(ConfigError):
            build_experiment(content)


@pytest.mark.parametrize("rule", RULES)
def test_the_schema_accepts_what_commented_yaml_writes(rule: str) -> None:
    schema = json_schema()
    assert accepts(schema, yaml.safe_load(commented_yaml(build_experiment({"rule": rule}))), schema)


def test_the_schema_is_plain_json_with_every_reference_defined() -> None:
    schema = json_schema()
    text = json.dumps(schema, allow_nan=False)
    assert json.loads(text) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    named = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert named == set(schema["$defs"])
    assert {f"rule_{name}" for name in RULES} < named


def test_every_property_of_the_schema_is_described() -> None:
    schema = json_schema()
    for owner in (schema, *schema["$defs"].values()):
        for key, field in owner["properties"].items():
            assert "description" in field or "anyOf" in field, key


def test_each_schema_is_a_new_one() -> None:
    json_schema()["properties"].clear()
    assert "n_e" in json_schema()["properties"]
    assert json_schema() == json_schema()


def test_every_setting_of_the_schema_says_what_it_affects() -> None:
    schema = json_schema()
    sections = {"input", "network", "presentation", "evaluation", "precision"}
    for owner in (schema, *schema["$defs"].values()):
        for key, field in owner["properties"].items():
            if key not in sections and "$ref" not in field:
                assert set(field["affects"]) <= set(FACETS), key
    assert schema["properties"]["n_e"]["affects"] == ["program", "training", "recording"]
    assert schema["$defs"]["rule_smax"]["properties"]["eta"]["affects"] == ["training"]
    assert schema["properties"]["save_name"]["affects"] == []
