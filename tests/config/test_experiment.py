"""An experiment: frozen, complete, checked, and what follows from its values."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from configurations import with_overrides
from pydantic import ValidationError

from snstdp_cli.config import (
    THETA_STEPS_MV,
    Experiment,
    NetworkSettings,
    RuleSettings,
    build_experiment,
    recorded_experiment,
)

# What follows from the values


def test_the_threshold_step_is_diehls_for_the_nearest_size() -> None:
    assert {n: build_experiment({"n_e": n}).theta_step_mv for n in THETA_STEPS_MV} == THETA_STEPS_MV
    assert build_experiment({"n_e": 1}).theta_step_mv == 0.025
    assert build_experiment({"n_e": 199}).theta_step_mv == 0.025
    assert build_experiment({"n_e": 201}).theta_step_mv == 0.05
    assert build_experiment({"n_e": 100_000}).theta_step_mv == 0.5
    assert build_experiment({"network": {"theta_step_mv": 0}}).theta_step_mv == 0


def test_steps_and_attempts_follow_from_the_presentation() -> None:
    experiment = build_experiment()
    assert (experiment.stimulus_steps, experiment.presentation_steps, experiment.max_attempts) == (700, 1000, 31)
    assert build_experiment({"dt": 0.1}).presentation_steps == 5000


def test_an_experiment_cannot_be_changed() -> None:
    experiment = build_experiment()
    with pytest.raises(ValidationError, match="frozen"):
        experiment.n_e = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        experiment.network.w_exc_inh = 3  # type: ignore[misc]
    experiment.rule.parameters["eta"] = 3
    assert experiment == build_experiment()
    assert experiment.rule.parameters["eta"] == 0.01


def test_an_experiment_survives_json() -> None:
    experiment = with_overrides({}, "rule=triplet", "network.theta_step_mv=0.1", "load_name=a", "dt=0.1")
    assert recorded_experiment(json.loads(json.dumps(experiment.model_dump(mode="json"))), "net") == experiment
    assert build_experiment(experiment.model_dump()) == experiment


NETWORKS = sorted((Path(__file__).parents[2] / "weights").glob("*.json"))


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_networks_that_come_with_the_project_are_read(path: Path) -> None:
    record = json.loads(path.read_text())["experiment"]
    experiment = recorded_experiment(record, path.stem)
    assert f"pretrained_{experiment.save_name}" == path.stem
    assert experiment.theta_step_mv == (record["network"]["theta_step_mv"] or THETA_STEPS_MV[experiment.n_e])
    # A parameter that a rule gets later has its default.
    assert experiment.rule.model_dump().items() >= record["rule"].items()


# Nothing incomplete, nothing unchecked


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"rule": {}},
        {"rule": {"name": "smin"}},
        {"rule": {"name": "smin", "eta": 0.1}},
        {"rule": {**build_experiment().rule.model_dump(), "eta": -5}},
        {"rule": {**build_experiment().rule.model_dump(), "extra": 1}},
        {"rule": {**build_experiment().rule.model_dump(), "name": "smax"}},
        {"rule": {"name": "my rule"}},
        {"rule": {"name": "my.py:RULE", "gain": float("nan")}},
        {"rule": {"name": "my.py:RULE", "gain": object()}},
        {"rule": {"name": "my.py:RULE", "gain": [[[[[[[1]]]]]]]}},
    ],
)
def test_an_incomplete_experiment_does_not_exist(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Experiment.model_validate(content)


def test_a_changed_copy_is_checked() -> None:
    experiment = build_experiment()
    assert experiment.model_copy(update={"n_e": 100}).n_e == 100
    with pytest.raises(ValidationError, match="n_e"):
        experiment.model_copy(update={"n_e": -3})
    with pytest.raises(ValidationError, match="zzz"):
        experiment.model_copy(update={"zzz": 3})
    with pytest.raises(ValidationError, match="rest_ms"):
        experiment.model_copy(
            update={
                "network": NetworkSettings(input_delay_ms=50, inhibition_delay_ms=50, inhibition="dense"),
                "presentation": {"rest_ms": 60},
            }
        )
    with pytest.raises(TypeError, match="build_experiment"):
        Experiment.model_construct(n_e=3)
    with pytest.raises(TypeError, match="build_experiment"):
        RuleSettings.model_construct(name="smin")
    with pytest.raises(ValidationError, match="eta"):
        experiment.rule.model_copy(update={"eta": -3})


def test_the_threshold_step_is_always_there() -> None:
    for experiment in (build_experiment(), build_experiment().model_copy(update={"network": NetworkSettings()})):
        assert experiment.network.theta_step_mv == experiment.theta_step_mv == 0.05
        assert experiment.model_dump()["network"]["theta_step_mv"] == 0.05


def sent_to_a_worker(experiment: Experiment) -> Any:
    """Return what a spawned process gets."""
    return ForkingPickler.loads(ForkingPickler.dumps(experiment))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, sent_to_a_worker])
def test_copies_are_equal_and_hash_alike(duplicate: Any) -> None:
    experiment = build_experiment({"rule": {"name": "smax", "eta": 0.03}, "n_e": 100})
    other = duplicate(experiment)
    assert other == experiment
    assert hash(other) == hash(experiment)
    assert other.plasticity(784) == experiment.plasticity(784)
    assert experiment != build_experiment({"rule": {"name": "smax", "eta": 0.04}, "n_e": 100})
    assert experiment.rule != "smax"


def test_numbers_are_kept_as_the_rule_reads_them() -> None:
    parameters = {**build_experiment().rule.model_dump(), "eta": 1, "a_tar": "1e-1"}
    found = Experiment.model_validate({"rule": parameters}).rule.parameters
    assert (repr(found["eta"]), repr(found["a_tar"])) == ("1.0", "0.1")


def test_zero_is_zero() -> None:
    """Equal settings have equal fingerprints: JSON would write -0.0 and 0.0 differently."""
    assert str(build_experiment({"network": {"input_delay_ms": "-0.0"}}).network.input_delay_ms) == "0.0"


def test_the_configuration_is_read_without_brian_and_numpy() -> None:
    code = "import sys, snstdp_cli.config; print([m for m in ('brian2', 'numpy', 'typer') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_norm_that_grows_is_blamed_on_a_coarse_table_first() -> None:
    usual = build_experiment({}, {}).advice()
    table = build_experiment({}, {"precision.scaling.divide": "table"}).advice()
    assert table["norm too high"] == f"more precision.scaling.table_bits, or {usual['norm too high']}"
    assert {**table, "norm too high": ""} == {**usual, "norm too high": ""}
