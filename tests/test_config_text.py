from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from snstdp_cli.config import Experiment, check_name, merge, read_file, validate
from snstdp_cli.config_text import commented_yaml, json_schema, resolved_rows
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import RULES, complete
from snstdp_cli.rules.base import Rule, RuleParameters


def experiment_of(**overrides: Any) -> Experiment:
    content = merge({}, {key.replace("__", "."): value for key, value in overrides.items()})
    return complete(validate(content, "test"))


def read_back(folder: Path, text: str) -> Experiment:
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return complete(validate(read_file(path), "my.yaml"), "my.yaml")


class _FourthParameters(RuleParameters):
    gain: float = Field(1e-7, gt=0, description="how much")
    signed: bool = Field(False, description="weights of both signs")
    taus_ms: list[float] = Field(default_factory=lambda: [1.0, 2.0])
    mode: str = Field("on", description="a word that YAML 1.1 reads as true")


@pytest.fixture
def fourth_rule(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """Register a rule as a new file under `rules/` would."""
    rule = Rule("fourth", "a fourth rule", ("w += gain",), "nobody", "", _FourthParameters, RULES["smax"].build)
    monkeypatch.setitem(RULES, "fourth", rule)
    return rule


# Commented YAML


@pytest.mark.parametrize("rule", RULES)
def test_commented_yaml_reads_back_to_the_same_experiment(tmp_path: Path, rule: str) -> None:
    experiment = experiment_of(rule=rule, n_e=100, save_name="my", network__theta_tau_ms=1e9)
    assert read_back(tmp_path, commented_yaml(experiment)) == experiment


numbers = st.floats(1e-300, 1)
stems = st.text("abcXYZ0123456789_-.+=", min_size=1, max_size=12) | st.sampled_from(
    [
        "on",
        "no",
        "null",
        "true",
        "400",
        "007",
        "1e5",
        "2026-01-01",
        "0o17",
        "1_0",
        "-1",
        "=",
        "-",
        "+1",
        "y",
        "1.5",
        "x" * 100,
    ]
)


def _is_name(text: str) -> bool:
    try:
        return bool(check_name(text))
    except ValueError:
        return False


@settings(max_examples=150, deadline=None)
@given(
    rule=st.sampled_from(["smax", "smin"]),
    rule__eta=numbers,
    rule__x_tar=st.floats(1e-300, 0.999),
    n_e=st.integers(1, 100_000),
    epochs=st.booleans(),
    save_name=stems.filter(_is_name),
    load_name=st.none() | stems.filter(_is_name),
    network__theta_step_mv=st.none() | numbers,
    network__theta_tau_ms=st.floats(1e-300, 1e15),
    presentation__intensity=st.floats(1e-3, 32),
)
def test_any_values_survive_commented_yaml(tmp_path_factory: pytest.TempPathFactory, **overrides: Any) -> None:
    experiment = experiment_of(**overrides)
    assert read_back(tmp_path_factory.getbasetemp(), commented_yaml(experiment)) == experiment


def test_commented_yaml_completes_the_rule() -> None:
    assert commented_yaml(validate({"rule": "smax"}, "x")) == commented_yaml(experiment_of(rule="smax"))


def test_commented_yaml_refuses_an_unknown_rule() -> None:
    with pytest.raises(ConfigError, match="unknown rule 'smaxx'"):
        commented_yaml(validate({"rule": "smaxx"}, "x"))


def test_commented_yaml_has_every_key_with_meaning_default_and_range() -> None:
    text = commented_yaml(experiment_of(n_e=100, rule__eta=0.02))
    content = yaml.safe_load(text)
    assert list(content) == list(Experiment.model_fields)
    assert list(content["rule"]) == ["name", *RULES["smin"].parameters.model_fields]
    lines = text.split("\n")
    row = lines.index("n_e: 100")
    assert lines[row - 2 : row] == [
        "# number of excitatory neurons (as many inhibitory ones)",
        "# default 400; a whole number from 1 to 100,000",
    ]
    row = lines.index("  eta: 0.02")
    assert lines[row - 2 : row] == [
        "  # learning rate: share of the way a weight moves at a spike",
        "  # default 0.01; a number above 0 and at most 1",
    ]


def test_every_key_of_commented_yaml_has_a_comment_and_no_line_is_long() -> None:
    lines = commented_yaml(experiment_of()).split("\n")
    assert max(map(len, lines)) <= 100
    for before, line in pairwise(lines):
        if line and not line.strip().startswith("#") and line != "  name: smin":
            assert before.strip().startswith("# "), line


def test_a_fourth_rule_needs_nothing_here(tmp_path: Path, fourth_rule: Rule) -> None:
    experiment = experiment_of(rule="fourth", rule__signed=True)
    text = commented_yaml(experiment)
    assert "  gain: 1e-07" in text
    assert "  taus_ms: [1.0, 2.0]" in text
    assert "# weights of both signs\n  # default false; true or false\n  signed: true" in text
    assert read_back(tmp_path, text) == experiment
    assert ("rule.taus_ms", "[1.0, 2.0]", "default") in resolved_rows(experiment, {})
    assert json_schema()["$defs"]["rule_fourth"]["properties"]["signed"]["type"] == "boolean"


# JSON Schema


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
        complete(validate(content, "x"))
    else:
        with pytest.raises(ConfigError):
            complete(validate(content, "x"))


@pytest.mark.parametrize("rule", RULES)
def test_the_schema_accepts_what_commented_yaml_writes(rule: str) -> None:
    schema = json_schema()
    assert accepts(schema, yaml.safe_load(commented_yaml(experiment_of(rule=rule))), schema)


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


# Rows


def test_rows_tell_key_value_and_source_of_every_leaf() -> None:
    experiment = experiment_of(n_e=100, rule="smax", rule__eta=0.02, load_name="400", epochs=False)
    rows = resolved_rows(experiment, {"n_e": "flag", "rule.name": "my.yaml", "rule.eta": "my.yaml"})
    table = {key: (value, source) for key, value, source in rows}
    assert len(table) == len(rows)
    assert table["n_e"] == ("100", "flag")
    assert table["rule.name"] == ("smax", "my.yaml")
    assert table["rule.eta"] == ("0.02", "my.yaml")
    assert table["rule.scaling"] == ("lagged", "default")
    assert table["load_name"] == ("'400'", "default")
    assert table["epochs"] == ("false", "default")
    assert table["network.theta_step_mv"] == ("0.025 (for n_e 100)", "default")
    assert [key for key, _, _ in rows][:4] == ["n_e", "rule.name", "rule.eta", "rule.a_tar"]
    dumped = experiment.model_dump().values()
    assert len(rows) == sum(len(value) if isinstance(value, dict) else 1 for value in dumped)


def test_a_configured_threshold_step_is_shown_as_it_is() -> None:
    rows = resolved_rows(experiment_of(network__theta_step_mv=0.1), {"network.theta_step_mv": "my.yaml"})
    assert ("network.theta_step_mv", "0.1", "my.yaml") in rows


def test_the_source_of_a_section_holds_for_its_keys() -> None:
    table = {key: source for key, _, source in resolved_rows(experiment_of(), {"rule": "flag", "rule.eta": "my.yaml"})}
    assert table["rule.name"] == table["rule.x_tar"] == "flag"
    assert table["rule.eta"] == "my.yaml"
    assert table["n_e"] == "default"
