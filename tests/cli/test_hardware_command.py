"""The commands `hardware ...` on a network that learned ten images."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stored_networks import make_network
from typer.testing import CliRunner

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.app import app
from snstdp_cli.cli.hardware_cost import _show_abreast
from snstdp_cli.datasets import Dataset
from snstdp_cli.errors import ConfigError
from snstdp_cli.hardware import NetworkCost, cost_of_network


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["hardware", *arguments], env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout  # a slow machine is told of its progress


@pytest.fixture
def place(copied: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("CXX", "/no/such/compiler")  # NumPy: nothing is compiled
    return ("--workdir", str(copied.root), "--data-dir", str(small_data), "--images", "2")


@pytest.mark.compiles
def test_costs_are_told_for_learning_and_for_answering_and_kept(place: tuple[str, ...], copied: Workdir) -> None:
    before = {path: path.read_bytes() for path in copied.root.rglob("*") if path.is_file()}
    told = json.loads(invoke("cost", "a", *place, "--energy", "loihi", "--json"))
    (network,) = told["networks"]
    learning, answering = network["phases"]["learning"], network["phases"]["answering"]
    n_input, n_e = network["shape"]
    for phase in (learning, answering):
        assert phase["input_spikes"] > 0
        assert phase["delivery"]["reads"] == pytest.approx(phase["input_spikes"] * n_e)
    assert learning["update"]["writes"] == pytest.approx(learning["excitatory_spikes"] * n_input)
    assert answering["update"]["writes"] == 0
    assert network["energy_uj"]["learning"] > 0
    kept = copied.activity / "a.cost.json"
    after = {path: path.read_bytes() for path in copied.root.rglob("*") if path.is_file()}
    assert after == before | {kept: kept.read_bytes()}
    text = invoke("cost", "a", *place)
    for part in ("an example is learned", "an example is answered", "weight writes, normalization", "to normalize"):
        assert part in text


@pytest.mark.compiles
def test_the_same_is_not_counted_twice_and_a_damaged_or_foreign_file_is_counted_again(
    place: tuple[str, ...], copied: Workdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def count(*given: Any) -> NetworkCost:
        counted.append(given[-2])
        return cost_of_network(*given)

    monkeypatch.setattr("snstdp_cli.hardware.counted.cost_of_network", count)
    kept = copied.activity / "a.cost.json"
    first = invoke("cost", "a", *place, "--json")
    assert invoke("cost", "a", *place, "--json") == first
    assert counted == [2]
    kept.write_text(kept.read_text().replace('"images": 2', '"images": "two"'))
    assert invoke("cost", "a", *place, "--json") == first
    invoke("cost", "a", *place[:-1], "1", "--json")
    assert counted == [2, 2, 1]


def test_networks_that_do_not_fit_beside_each_other_follow_below(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[str]] = []
    monkeypatch.setattr("snstdp_cli.cli.hardware_cost.out", SimpleNamespace(width=80))
    monkeypatch.setattr("snstdp_cli.cli.hardware_cost.print_table", lambda columns, rows: shown.append(columns))
    _show_abreast("memory", {name * 20: {"a figure of a network": "1"} for name in "abcd"})
    assert shown == [["memory", "a" * 20, "b" * 20], ["memory", "c" * 20, "d" * 20]]


def test_an_unknown_table_of_energies_is_refused_before_anything_runs(tmp_path: Path) -> None:
    text = invoke("cost", "--energy", "wrong", "--workdir", str(tmp_path), code=2)
    assert "expected loihi, truenorth, horowitz45" in " ".join(text.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.compiles
def test_a_network_is_exported_in_whole_numbers_with_the_bits_that_are_set(
    place: tuple[str, ...], tmp_path: Path
) -> None:
    folder, bits = str(tmp_path / "chip"), ("--set", "precision.weights.bits=8")
    given = ("export", "a", "--to", folder, *place[:-2], "--example", "1", *bits)
    text = invoke(*given, code=2)
    assert "precision.state.bits: found null" in " ".join(text.split())
    assert not (tmp_path / "chip").exists()
    told = json.loads(invoke(*given, "--set", "precision.state.bits=16", "--json"))
    assert told["updates"] == 0
    assert told["without_learning"].startswith("the learning rate 0.01 is no power of two")
    assert {path for path in (tmp_path / "chip").rglob("*") if path.is_file()} == set(map(Path, told["files"]))
    assert "not an empty folder" in " ".join(invoke(*given, code=2).split())


def test_the_images_are_those_that_the_network_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another data set, other classes or another size a network would be counted on what it never learned."""
    place = make_network(tmp_path, "one", record=False, experiment={"input": {"classes": [1, 2]}})
    shown = list[Dataset]()

    def count(*given: Any) -> NetworkCost:
        shown.extend(given[2:4])
        raise ConfigError("seen")

    monkeypatch.setattr("snstdp_cli.hardware.counted.cost_of_network", count)
    told = invoke("cost", "one", "--workdir", str(place.root), "--data-dir", str(tmp_path / "images"), code=2)
    assert "seen" in told
    assert [set(one.labels.tolist()) for one in shown] == [{1, 2}] * 2
