"""`evaluate --read-out` and `--ties`: which read-outs are told, and which of several best classes is predicted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stored_networks import NUM, make_network
from typer.testing import CliRunner, Result

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.app import app
from snstdp_cli.evaluation import READ_OUTS, TRAINED
from snstdp_cli.results import TrainedNetwork, score_network


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainedNetwork:
    """A network whose neurons answer so rarely that classes often tie."""
    monkeypatch.chdir(tmp_path)
    make_network(tmp_path, "one")
    return TrainedNetwork(Workdir(tmp_path), "one")


def evaluate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", "one", *arguments])


def told(*arguments: str) -> dict[str, Any]:
    done = evaluate(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_read_outs_are_scored_on_the_same_recording(network: TrainedNetwork) -> None:
    pytest.importorskip("sklearn")
    found = told("--read-out", "all")
    assert set(found["read_outs"]) == set(READ_OUTS)
    for name, one in found["read_outs"].items():
        assert one["label_use"] == ("trained" if name in TRAINED else "naming")
        assert one["num_correct"] == one["accuracy"] * NUM


def test_a_read_out_that_is_asked_for_is_the_one_that_is_told_first(network: TrainedNetwork) -> None:
    found = told("--read-out", "proportion")
    assert found["classifier"] == "proportion"
    assert found["accuracy"] == score_network(network, classifier="proportion").evaluation.accuracy
    assert set(found["read_outs"]) >= {"proportion", "average", "selective"}


def test_an_unknown_read_out_is_a_sentence(network: TrainedNetwork) -> None:
    done = evaluate("--read-out", "proportional")
    assert done.exit_code == 2
    assert f"--read-out: found 'proportional', expected {', '.join(READ_OUTS)} or all" in done.stderr


def test_ties_go_to_the_lowest_class_or_as_in_the_ancestors_script_to_the_highest(network: TrainedNetwork) -> None:
    lowest = score_network(network).evaluation
    highest = score_network(network, ties="ancestor").evaluation
    differ = lowest.predictions != highest.predictions
    assert differ.any()
    assert (highest.predictions[differ] > lowest.predictions[differ]).all()
    for arguments, wanted in (((), lowest), (("--ties", "ancestor"), highest)):
        found = told(*arguments, "--read-out", "average", "--per-image", "answers.json", "--force")
        answers = json.loads(Path("answers.json").read_text())["images"]
        assert found["num_correct"] == wanted.num_correct
        predicted = [answer["predictions"]["average"] for answer in answers]
        assert predicted == [None if k < 0 else k for k in wanted.predictions.tolist()]
