"""Commented YAML, and where each value came from."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from snstdp_cli.config import (
    Experiment,
    build_experiment,
    check_name,
    commented_yaml,
    json_schema,
    read_file,
    recorded_experiment,
    resolved_rows,
    setting_leaves,
)
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import RULES
from snstdp_cli.rules.base import Rule, RuleParameters


def experiment_of(**overrides: Any) -> Experiment:
    return build_experiment({}, {key.replace("__", "."): value for key, value in overrides.items()})


def read_back(folder: Path, text: str) -> Experiment:
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return build_experiment(read_file(path), where="my.yaml")


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


def test_a_rule_that_yaml_cannot_name_is_refused(tmp_path: Path) -> None:
    rule = Rule("mine", "my rule", ("w += gain",), "nobody", "", _FourthParameters, RULES["smax"].build)
    with pytest.raises(ConfigError, match="'mine' is a Python value"):
        commented_yaml(build_experiment({"rule": rule}))
    with pytest.raises(ConfigError, match="come from a file or a record.*--rule my.py:MINE"):
        commented_yaml(recorded_experiment({"rule": {"name": "my.py:MINE"}}, "net"))


def test_another_size_in_the_file_gets_its_own_threshold_step(tmp_path: Path) -> None:
    text = commented_yaml(experiment_of())
    assert "theta_step_mv: null" in text
    assert read_back(tmp_path, text.replace("n_e: 400", "n_e: 100")).theta_step_mv == 0.025
    assert "theta_step_mv: 0.07" in commented_yaml(experiment_of(network__theta_step_mv=0.07))


def test_commented_yaml_has_every_key_with_meaning_default_and_range() -> None:
    text = commented_yaml(experiment_of(n_e=100, rule__eta=0.02))
    content = yaml.safe_load(text)
    assert list(content) == list(Experiment.model_fields)
    assert list(content["rule"]) == ["name", *RULES["smin"].parameters.model_fields]
    lines = text.split("\n")
    row = lines.index("n_e: 100")
    assert lines[row - 2 : row] == [
        "# number of excitatory neurons (as many inhibitory ones)",
        "# default 400; a whole number from 1 to 100,000; affects program, training, recording",
    ]
    row = lines.index("  eta: 0.02")
    assert lines[row - 2 : row] == [
        "  # learning rate: share of the way a weight moves at a spike",
        "  # default 0.01; a number above 0 and at most 1; affects training",
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
    assert "# weights of both signs\n  # default false; true or false; affects training\n  signed: true" in text
    assert read_back(tmp_path, text) == experiment
    assert ("rule.taus_ms", "[1.0, 2.0]", "default") in resolved_rows(experiment, {})
    assert json_schema()["$defs"]["rule_fourth"]["properties"]["signed"]["type"] == "boolean"


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
    # Since version 0.2 an experiment is complete: the value is the step itself, and the source says why.
    assert table["network.theta_step_mv"] == ("0.025", "default for n_e 100")
    assert [key for key, _, _ in rows][:4] == ["n_e", "rule.name", "rule.eta", "rule.a_tar"]
    assert [key for key, _, _ in rows] == [key for key, _ in setting_leaves(experiment.model_dump())]


def test_a_configured_threshold_step_is_shown_as_it_is() -> None:
    rows = resolved_rows(experiment_of(network__theta_step_mv=0.1), {"network.theta_step_mv": "my.yaml"})
    assert ("network.theta_step_mv", "0.1", "my.yaml") in rows


def test_the_source_of_a_section_holds_for_its_keys() -> None:
    table = {key: source for key, _, source in resolved_rows(experiment_of(), {"rule": "flag", "rule.eta": "my.yaml"})}
    assert table["rule.name"] == table["rule.x_tar"] == "flag"
    assert table["rule.eta"] == "my.yaml"
    assert table["n_e"] == "default"


def test_settings_that_change_no_result_say_so() -> None:
    text = commented_yaml(experiment_of())
    assert "affects no result\nsave_name: default" in text
    assert "affects program\nchunk: 500" in text
