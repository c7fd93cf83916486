"""A rule in a file is a program: which commands run it, and that it must be named there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stored_networks import make_network
from typer.testing import CliRunner

from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment, read_file
from snstdp_cli.hardware import load_cost
from snstdp_cli.results import TrainedNetwork

FILE = """
from pathlib import Path
from snstdp_cli.rules import Plasticity, Rule, RuleParameters
from snstdp_cli.rules.costs import Cost, RuleCost
Path("ran").touch()
class Parameters(RuleParameters):
    gain: float = 0.1
def build(p, c):
    return Plasticity({"learn": "w += gain * 1e-6"}, constants={"gain": p.gain}, bounds=(-1.0, 2.0))
def cost(p, c):
    return RuleCost(spike_neuron=Cost(add=7))
MINE = Rule("mine", "my rule", (), "nobody", "", Parameters, build, cost=cost)
"""
NAME = "mine.py:MINE"
IMAGES = ("--data-dir", "images", "--images", "2")
NAMED = "runs only if you name it: --rule mine.py:MINE"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXX", "/no/such/compiler")  # NumPy: nothing is compiled
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "theirs.yaml").write_text(f"rule: {NAME}\n")
    return tmp_path


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize("named", [("--rule", NAME), ("--set", f"rule={NAME}"), ("--set", f"rule.name={NAME}")])
def test_init_describes_a_rule_that_an_option_names(named: tuple[str, str]) -> None:
    invoke("init", "new.yaml", *named, "--set", "rule.gain=0.5")
    assert build_experiment(read_file(Path("new.yaml"))).rule.parameters == {"gain": 0.5}


def test_init_does_not_run_what_only_a_configuration_names(desk: Path) -> None:
    assert NAMED in invoke("init", "new.yaml", "--config", "theirs.yaml", code=2)
    invoke("init", "new.yaml", "--config", "theirs.yaml", "--rule", "smax")
    assert not (desk / "ran").exists()


def test_export_runs_no_file(desk: Path) -> None:
    make_network(desk, "one", record=False)
    bits = [f"precision.{part}.bits=8" for part in ("weights", "state")]
    words = [word for text in (*bits, f"rule={NAME}") for word in ("--set", text)]
    told = invoke("hardware", "export", "one", *IMAGES[:2], "--to", "chip", *words, code=2)
    assert "a rule of your own runs only if you name it" in told
    assert not (desk / "ran").exists()


@pytest.fixture
def trained(desk: Path) -> TrainedNetwork:
    """A network of a rule in a file, which did not run since."""
    place = make_network(desk, "one", record=False, experiment={"rule": NAME})
    (desk / "ran").unlink()
    return TrainedNetwork(place, "one")


def test_costs_of_a_rule_in_a_file_are_counted_if_it_is_named(trained: TrainedNetwork, desk: Path) -> None:
    told = invoke("hardware", "cost", "one", *IMAGES, code=2)
    assert f"run here only if you name it: --run-rule {NAME}" in told
    assert not (desk / "ran").exists()
    invoke("hardware", "cost", "one", *IMAGES, "--run-rule", NAME)
    counted = load_cost(trained)
    assert counted is not None
    assert counted.cost.declared
    learning = counted.cost.phases["learning"]
    assert learning.update.add == pytest.approx(7 * learning.excitatory_spikes)


def test_costs_of_another_rule_in_the_same_file_are_refused(trained: TrainedNetwork, desk: Path) -> None:
    (desk / "mine.py").write_text(FILE.replace("    gain: float", "    speed: float = 1\n    gain: float"))
    told = invoke("hardware", "cost", "one", *IMAGES, "--run-rule", NAME, code=2)
    assert "mine.py:MINE has other parameters now (gain, speed) than when the network was trained (gain)" in told


def test_costs_of_a_rule_that_was_a_value_are_refused(desk: Path) -> None:
    place = make_network(desk, "one", record=False)
    path = place.weights / "one.json"
    content = json.loads(path.read_text())
    content["experiment"]["rule"]["name"] = "mine"
    path.write_text(json.dumps(content))
    told = invoke("hardware", "cost", "one", *IMAGES, code=2)
    assert "one: its rule 'mine' was given in Python" in told
