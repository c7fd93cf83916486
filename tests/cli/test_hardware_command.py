"""The commands `hardware ...` on a network that learned ten images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.app import app


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
def test_costs_are_told_for_learning_and_for_answering_and_nothing_is_written(
    place: tuple[str, ...], copied: Workdir
) -> None:
    before = {path: path.stat().st_mtime_ns for path in copied.root.rglob("*")}
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
    assert {path: path.stat().st_mtime_ns for path in copied.root.rglob("*")} == before
    text = invoke("cost", "a", *place)
    for part in ("a learns", "a answers", "weight writes, normalization", "accesses to normalize"):
        assert part in text


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
