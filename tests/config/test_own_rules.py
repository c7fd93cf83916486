"""Rules of the user's: in a file, as a Python value, and as a record tells of them."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from enum import Enum
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict, Field, field_validator

from snstdp_cli.config import build_experiment, recorded_experiment, resolved_rows, setting_leaves
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import Number
from snstdp_cli.rules import RULES, Plasticity, Rule, RuleContext, RuleParameters, plasticity_digest


class Mode(Enum):
    SLOW = "slow"
    FAST = "fast"


class GainParameters(RuleParameters):
    gain: Number = Field(0.1, gt=0, le=1, description="how much")
    taus_ms: tuple[float, ...] = (1.0, 2.0)
    mode: Mode = Mode.SLOW
    table: dict[str, list[int]] = Field(default_factory=lambda: {"a": [1], "b": []})


def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
    assert isinstance(parameters, GainParameters)
    return Plasticity(on_post={"learn": "w += gain"}, constants={"gain": parameters.gain * len(parameters.taus_ms)})


MINE = Rule("mine", "my rule", ("w += gain",), "nobody", "", GainParameters, build)
PARAMETERS = {"gain": 0.1, "taus_ms": [1.0, 2.0], "mode": "slow", "table": {"a": [1], "b": []}}
FILE = """
from snstdp_cli.rules import Plasticity, Rule, RuleParameters
open({mark!r}, "a").write("ran\\n")
class Parameters(RuleParameters):
    gain: float = 0.1
def build(p, c):
    return Plasticity({{"learn": "w += gain"}}, constants={{"gain": p.gain}})
MINE = Rule("mine", "my rule", (), "nobody", "", Parameters, build)
"""


@pytest.fixture
def rule_file(tmp_path: Path) -> tuple[str, Path]:
    """Return the name of a rule in a file and the file that appears when it runs."""
    (tmp_path / "mine.py").write_text(FILE.format(mark=str(tmp_path / "mark")))
    return f"{tmp_path / 'mine.py'}:MINE", tmp_path / "mark"


# Python values


def test_a_rule_is_given_as_a_value() -> None:
    experiment = build_experiment({"rule": MINE})
    assert (experiment.rule.name, experiment.rule.parameters, experiment.rule.is_own) == ("mine", PARAMETERS, True)
    assert experiment.rule.rule is MINE
    experiment.rule.parameters["taus_ms"].append(3.0)
    assert experiment.rule.parameters == PARAMETERS
    assert experiment.plasticity(784).constants == {"gain": 0.2}


def test_a_rule_is_given_as_a_value_with_parameters() -> None:
    experiment = build_experiment({"rule": {"name": MINE, "gain": "1e-2", "mode": "fast"}}, {"rule.taus_ms": [3]})
    assert experiment.rule.parameters == {**PARAMETERS, "gain": 0.01, "mode": "fast", "taus_ms": [3.0]}
    assert experiment.plasticity(784).constants == {"gain": 0.01}
    assert build_experiment({}, {"rule": MINE, "rule.gain": 0.5}).rule.parameters["gain"] == 0.5
    assert build_experiment({"rule": "smax"}, {"rule.name": MINE}).rule.parameters == PARAMETERS


def test_a_value_of_the_package_is_the_rule_of_that_name() -> None:
    assert build_experiment({"rule": RULES["smax"]}) == build_experiment({"rule": "smax"})


def test_what_is_wrong_with_its_parameters_is_said() -> None:
    with pytest.raises(ConfigError, match=r"rule\.gain: found 2, expected a number above 0 and at most 1"):
        build_experiment({"rule": {"name": MINE, "gain": 2}})
    with pytest.raises(ConfigError, match=r"n_e: found 0.*\n.*unknown key 'rule\.gian'; did you mean 'rule\.gain'"):
        build_experiment({"rule": {"name": MINE, "gian": 2}, "n_e": 0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "smin"}, "'smin' has the name of a rule of the package"),
        ({"name": "my.py:RULE"}, "has a name that cannot be used"),
        ({"name": "my.py"}, "has a name that is not plain text"),
        ({"name": "a/b"}, "has a name that cannot be used"),
        ({"name": "\x1b[31m"}, r"'\\x1b\[31m' has a name that cannot be used"),
        ({"name": ""}, "has a name that cannot be used"),
        ({"parameters": dict}, "has parameters that are no class derived from RuleParameters"),
        ({"build": None}, "has a build that is no function"),
    ],
)
def test_a_value_that_cannot_be_written_down_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_experiment({"rule": replace(MINE, **changes)})
    with pytest.raises(ConfigError, match=message):
        build_experiment({"rule": {"eta": 0.5}}, {"rule": replace(MINE, **changes)})


class Opaque(RuleParameters):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    thing: object = Field(default_factory=object)


class Endless(RuleParameters):
    cap: float = float("inf")


@pytest.mark.parametrize(("parameters", "message"), [(Opaque, "written down as JSON"), (Endless, "cap: found inf")])
def test_parameters_that_json_does_not_have_are_refused(parameters: type[RuleParameters], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_experiment({"rule": replace(MINE, parameters=parameters)})


class Broken(RuleParameters):
    gain: float = 0.1

    @field_validator("gain")
    @classmethod
    def _check(cls, value: float) -> float:
        return 1 / 0


def test_a_check_of_the_users_that_fails_gives_a_sentence() -> None:
    with pytest.raises(ConfigError, match="the parameters of mine cannot be checked: ZeroDivisionError: division by"):
        build_experiment({"rule": replace(MINE, parameters=Broken)})
    with pytest.raises(ConfigError, match="unknown key 'rule.zzz'"):
        build_experiment({"rule": {"name": replace(MINE, parameters=Opaque), "zzz": 1}})


# Records


def test_a_record_of_a_value_is_equal_and_has_no_rule() -> None:
    experiment = build_experiment({"rule": {"name": MINE, "gain": 0.5}, "n_e": 100})
    recorded = recorded_experiment(json.loads(json.dumps(experiment.model_dump(mode="json"))), "net")
    assert recorded == experiment
    assert hash(recorded) == hash(experiment)
    assert recorded.rule.at_hand is None
    told = "mine: the settings come from a file or a record.*give the Rule itself, in Python"
    with pytest.raises(ConfigError, match=told):
        recorded.plasticity(784)


def test_a_recorded_rule_comes_to_hand_by_naming_it(rule_file: tuple[str, Path]) -> None:
    name, mark = rule_file
    for rule, given in (("mine", MINE), (name, name)):
        recorded = recorded_experiment({"rule": {"name": rule, "gain": 0.5}, "n_e": 100}, "net")
        assert recorded.rule.at_hand is None
        assert not mark.exists()
        named = build_experiment(recorded, {"rule": given})
        assert named.n_e == 100
        assert named.rule.rule.name == "mine"
        assert named.rule.parameters["gain"] == 0.5


def test_a_recorded_rule_stays_recorded_when_other_settings_change(rule_file: tuple[str, Path]) -> None:
    name, mark = rule_file
    recorded = recorded_experiment({"rule": {"name": name, "gain": 0.5, "old": [1]}}, "net")
    changed = build_experiment(recorded, {"chunk": 7})
    assert changed.chunk == 7
    assert changed.rule == recorded.rule
    assert not mark.exists()


def test_a_recorded_rule_is_replaced_by_another() -> None:
    recorded = recorded_experiment({"rule": {"name": "mine", "gain": 0.5}}, "net")
    for given in ({"rule": None}, {"rule": {}}, {"rule": {"name": "smin"}}, {"rule": "smin"}, {"rule.name": "smin"}):
        assert build_experiment(recorded, given) == build_experiment()
    with pytest.raises(ConfigError, match="options: rule.name: unknown rule 'smxa'"):
        build_experiment(recorded, {"rule": "smxa"})


def test_no_file_is_opened_for_a_record(rule_file: tuple[str, Path]) -> None:
    name, mark = rule_file
    # Version 0.1 wrote the digest of the file beside the parameters.
    recorded = recorded_experiment({"rule": {"name": name, "gain": 0.5, "file_sha256": "ab" * 32}}, "net")
    assert recorded.rule.parameters == {"gain": 0.5}
    shown = build_experiment({"rule": {"name": name, "gain": 0.5}}, run_rule_files=False)
    assert shown.rule == recorded.rule
    assert not mark.exists()
    with pytest.raises(ConfigError, match=f"runs only if you name it: --rule {name}"):
        shown.plasticity(784)


def test_a_file_runs_if_it_is_named(rule_file: tuple[str, Path]) -> None:
    name, mark = rule_file
    experiment = build_experiment({}, {"rule": name, "rule.gain": 0.5})
    assert mark.read_text() == "ran\n"
    assert (experiment.rule.name, experiment.plasticity(784).constants) == (name, {"gain": 0.5})


def test_a_rule_in_a_file_may_be_called_like_one_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(FILE.format(mark=str(tmp_path / "mark")).replace('Rule("mine"', 'Rule("smax"'))
    experiment = build_experiment({"rule": f"{tmp_path / 'x.py'}:MINE"})
    assert experiment.rule.is_own
    assert experiment.rule.rule.parameters is not RULES["smax"].parameters


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "mine.py:MINE", "gain": {"a": {"b": float("nan")}}},
        {"name": "mine.py:MINE", "gain": "x" * 20_000},
        {"name": "mine.py:MINE", "gain": 10**400},
        {"name": "mine.py:MINE", "gain": "\ud800"},
        {"name": "mine.py:MINE", "gain": {"\x1b[31m": 1}},
        {"name": "mine.py:MINE", "not a name": 1},
        {"name": "\x1b[31m.py:MINE"},
        {"name": "a/b"},
        {"name": "x" * 2000 + ".py:MINE"},
        {"name": ["mine.py:MINE"]},
    ],
)
def test_a_record_that_is_no_rules_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"net: rule") as caught:
        recorded_experiment({"rule": rule}, "net")
    assert str(caught.value).isprintable()


def test_every_parameter_is_shown_on_one_line() -> None:
    rows = {key: value for key, value, _ in resolved_rows(build_experiment({"rule": MINE}), {})}
    assert rows["rule.taus_ms"] == "[1.0, 2.0]"
    assert (rows["rule.mode"], rows["rule.table.a"], rows["rule.table.b"]) == ("slow", "[1]", "[]")
    assert dict(setting_leaves({"a": {"b": {}}})) == {"a.b": {}}


# Other processes


def test_a_worker_gets_the_settings_and_not_the_rule(rule_file: tuple[str, Path]) -> None:
    """A frozen network needs no rule, and the worker could not import one from a file or a notebook."""
    for rule in (MINE, rule_file[0]):
        experiment = build_experiment({"rule": rule})
        sent = bytes(ForkingPickler.dumps(experiment))
        assert b"snstdp_own_rule" not in sent
        assert b"GainParameters" not in sent
        arrived = ForkingPickler.loads(sent)
        assert arrived == experiment
        assert arrived.rule.at_hand is None
        assert copy.deepcopy(experiment).plasticity(9) == experiment.plasticity(9)


# The digest


def test_the_digest_tells_built_rules_apart() -> None:
    def digest(**changes: Any) -> str:
        return plasticity_digest(replace(Plasticity({"a": "w += 1", "b": "w *= 2"}), **changes))

    digests = [
        *(digest(), digest(on_post={"b": "w *= 2", "a": "w += 1"}), digest(on_pre="w = 0"), digest(bounds=(0, 1))),
        *(digest(traces={"x": 1.0}), digest(neuron_variables={"x": 1.0}), digest(constants={"x": 1.0})),
        *(digest(normalize_to=1.0), digest(l1_target=1.0), digest(reset="v = v_reset")),
    ]
    assert len(set(digests)) == len(digests)
    assert digest() == digest()
