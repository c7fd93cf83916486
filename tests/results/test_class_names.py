"""Classes that have names are shown by them: evaluate, tables of answers, figures, findings and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from halves import train_halves
from stored_networks import NUM, make_network
from synthetic import SIDE
from typer.testing import CliRunner

import snstdp_cli as snstdp
from snstdp_cli.artefacts import DataRecord
from snstdp_cli.cli.app import app
from snstdp_cli.plots import confusion, mistakes
from snstdp_cli.results import TrainedNetwork, score_network
from snstdp_cli.results.findings import score_findings
from snstdp_cli.results.per_image import score_rows

NAMES = ["ant", "bee", "cat", "dragonfly"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> TrainedNetwork:
    root = tmp_path_factory.mktemp("named")
    folder, random = root / "images", np.random.default_rng(0)
    folder.mkdir()
    for split in ("train", "test"):
        np.savez(folder / f"my-{split}-imgs.npz", random.integers(0, 256, (NUM, SIDE, SIDE), dtype=np.uint8))
        np.savez(folder / f"my-{split}-labels.npz", np.array(NAMES)[np.arange(NUM) % 4])
    return TrainedNetwork(make_network(root, "mine"), "mine")


def command(network: TrainedNetwork, *arguments: str) -> str:
    where = ("--workdir", str(network.workdir.root))
    done = CliRunner().invoke(app, [*arguments, "mine", *where], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_scores_know_the_names(network: TrainedNetwork) -> None:
    score = score_network(network)
    assert score.class_names == NAMES
    assert score.as_dict()["class_names"] == NAMES
    assert f"class {score.class_name(score.evaluation.commonest_class)} " in score_findings(score)[0].sentence


def test_evaluate_heads_columns_by_numbers_where_names_are_long(network: TrainedNetwork) -> None:
    printed = command(network, "evaluate")
    assert "always answering ant" in " ".join(printed.replace("│", " ").split())
    for number, name in enumerate(NAMES):
        assert f"{name} {number} " in printed
    assert json.loads(command(network, "evaluate", "--json"))["class_names"] == NAMES


def test_answers_to_images_have_names_beside_numbers(network: TrainedNetwork) -> None:
    row = list(score_rows(score_network(network)))[-1]
    assert row["class_name"] == NAMES[row["class"]]
    assert row["prediction_names"]["average"] == NAMES[row["predictions"]["average"]]


def test_figures_and_the_report_show_names(network: TrainedNetwork) -> None:
    drawn = [text.get_text() for axes in confusion(network).axes for text in axes.get_yticklabels()]
    assert set(NAMES) <= set(drawn)
    titles = {axes.get_title(loc="left") for axes in mistakes(network).axes}
    assert titles & set(NAMES)
    command(network, "report", "--output", str(network.workdir.root / "report.html"))
    page = (network.workdir.root / "report.html").read_text()
    assert '"names":["ant","bee","cat","dragonfly"]' in page.replace(", ", ",").replace(": ", ":")
    assert "taken for" in page
    assert '<th scope="row">dragonfly</th>' in page


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], ["a\x1b", "b"], ["", "b"]])
def test_a_record_names_each_class_once(names: list[str]) -> None:
    fields: dict[str, Any] = {"name": "x", "identity": "x", "split": "train", "num_images": 2, "image_shape": (1, 1)}
    fields |= {"classes": [3, 8], "sha256": "0" * 64}
    assert DataRecord(**fields, class_names=("a", "b")).class_name(8) == "b"
    assert DataRecord(**fields).class_name(8) == "8"
    with pytest.raises(ValueError, match="class_names"):
        DataRecord(**fields, class_names=names)


def test_other_names_for_the_same_numbers_are_told_when_recording_and_when_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXX", "none")
    train_halves(tmp_path, "train")
    with np.load("halves.npz") as arrays:
        names = np.array(["x", "x", "x", "upper", "x", "x", "x", "x", "lower"])
        darker = {**arrays, "test_images": arrays["test_images"] // 2}
        np.savez("words.npz", **darker, class_names=names)
        np.savez("numbers.npz", **darker)
        np.savez("same.npz", **arrays, class_names=names)
    expected = "other names in ./halves.npz than in words.npz: 3 is '3' and 'upper', 8 is '8' and 'lower'; they are"
    for name in ("words.npz", "numbers.npz", "same.npz"):
        told: list[Any] = []
        snstdp.record("halves", split="test", data=name, workers=1, progress=told.append, force=True)
        notes = snstdp.evaluate("halves", data=name).notes
        assert [expected in str(told), expected in str(notes)] == [name == "words.npz"] * 2
    again = ["test", "--load-name", "halves", "--split", "test", "--data", "words.npz", "--workers", "1", "--force"]
    done = CliRunner().invoke(app, again, env={"COLUMNS": "300"})
    assert expected in " ".join(done.output.split())
    assert "evaluate halves --data words.npz" in done.output
