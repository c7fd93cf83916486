"""The command line as users meet it: the installed program, on a synthetic ten-image set."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.cli.app import app

PROGRAM = Path(sys.executable).with_name("snstdp")


def snstdp(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the installed program in a folder; its output is checked for tracebacks."""
    done = subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode == code, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a configuration, in which the journey below takes place."""
    folder = tmp_path_factory.mktemp("journey")
    write_idx_set(folder / "MNIST")
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return folder


@pytest.mark.compiles
class TestJourney:
    """One journey through the commands, in the order in which a user takes them."""

    def test_initial_weights(self, place: Path) -> None:
        done = snstdp(place, "init-weights", "--n-e", "8", "--n-input", "36", "--save-name", "start", "--seed", "4")
        assert "XeAestart.npy" in done.stdout
        assert np.load(place / "weights" / "XeAestart.npy").shape == (288,)

    def test_train_with_overrides(self, place: Path) -> None:
        done = snstdp(
            place,
            *("train", "--config", "small.yaml", "--num-examples", "5", "--save-name", "mine", "--seed", "3"),
            *("--set", "rule.eta=0.02", "--load-name", "start", "--json"),
        )
        told = json.loads(done.stdout)
        assert told["figures"]["examples"] == 5
        assert told["seed"] == 3
        provenance = json.loads((place / "weights" / "mine.json").read_text())
        assert provenance["experiment"]["rule"]["eta"] == 0.02
        assert provenance["start"]["name"] == "start"

    def test_training_again_is_refused_without_force(self, place: Path) -> None:
        done = snstdp(place, "train", "--config", "small.yaml", "--save-name", "mine", code=2)
        assert "weights named 'mine' exist" in done.stderr

    def test_record_both_splits(self, place: Path) -> None:
        for split in ("train", "test"):
            done = snstdp(place, "test", "--load-name", "mine", "--split", split, "--workers", "2")
            assert f"mine.{split}.10.npz" in done.stdout

    def test_evaluate_prints_one_json_object(self, place: Path) -> None:
        told = json.loads(snstdp(place, "evaluate", "--load-name", "mine", "--json").stdout)
        assert {
            "accuracy",
            "ci95",
            "num_examples",
            "num_correct",
            "silent_examples",
            "unassigned_neurons",
            "assign_from",
            "classifier",
            "confusion",
        } <= told.keys()
        assert told["num_examples"] == 10
        assert told["accuracy"] == told["num_correct"] / 10
        assert sum(map(sum, told["confusion"])) + sum(told["undecided_per_class"]) == 10

    def test_labels_from_the_test_responses_are_called_flattering(self, place: Path) -> None:
        done = snstdp(place, "evaluate", "--load-name", "mine", "--assign-from", "test", "--json")
        assert "flatters" in done.stderr
        assert json.loads(done.stdout)["assign_from"] == "test"

    def test_the_ancestors_pair_is_written_and_scored(self, place: Path) -> None:
        for split in ("train", "test"):
            folder = place / split
            folder.mkdir()
            snstdp(place, "test", "--load-name", "mine", "--split", split, "--format", "ancestor")
            for path in (place / "activity").glob("*10.npy"):
                path.rename(folder / path.name)
        pairs = ("--responses", "test/resultPopVecs10.npy", "--assign-responses", "train/resultPopVecs10.npy")
        theirs = json.loads(snstdp(place, "evaluate", *pairs, "--json").stdout)
        ours = json.loads(snstdp(place, "evaluate", "--load-name", "mine", "--json").stdout)
        assert theirs["num_correct"] == ours["num_correct"]
        done = snstdp(place, "evaluate", "--responses", "test/resultPopVecs10.npy", code=2)
        assert "--assign-responses" in done.stderr

    def test_run_joins_them_and_several_seeds_get_a_mean(self, place: Path) -> None:
        done = snstdp(place, "run", "--config", "small.yaml", "--save-name", "whole", "--json")
        told = json.loads(done.stdout)
        assert len(told["files"]) == 5
        names = ("--load-name", "mine", "--load-name", "whole")
        both = json.loads(snstdp(place, "evaluate", *names, "--json").stdout)
        assert both["mean"] == pytest.approx(np.mean([run["accuracy"] for run in both["runs"]]))

    def test_compare_two_networks(self, place: Path) -> None:
        done = snstdp(place, "evaluate", "--compare", "mine", "whole")
        assert "McNemar p = " in done.stdout

    def test_plot_every_kind(self, place: Path) -> None:
        done = snstdp(place, "plot", "all", "--load-name", "whole")
        kinds = {path.name.split(".")[1] for path in (place / "figures").glob("whole.*.png")}
        assert {"fields", "classes", "evolution", "confusion", "curve", "raster", "traces", "norm"} <= kinds, (
            done.stderr
        )

    def test_a_run_without_a_terminal_writes_plain_lines(self, place: Path) -> None:
        done = snstdp(place, "train", "--config", "small.yaml", "--save-name", "lines")
        assert "training 10 / 10" in done.stderr
        assert "\x1b" not in done.stderr + done.stdout
        quiet = snstdp(place, "train", "--config", "small.yaml", "--save-name", "quiet", "--quiet")
        assert "training" not in quiet.stderr


def test_help_comes_at_once_and_knows_every_command() -> None:
    """Without Brian 2 and without matplotlib: what takes time is imported in the command."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from snstdp_cli.cli.app import app; app(['--help'])"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    for command in ("init-weights", "train", "test", "evaluate", "run", "plot", "rules", "config", "data", "doctor"):
        assert command in done.stdout
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert not {"brian2", "matplotlib", "sympy", "pooch"} & imported


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_rules_are_listed_with_equations_defaults_and_citations() -> None:
    code, text = invoke("rules")
    assert code == 0
    for part in ("w += eta * (s_max - w)", "positive_share", "0.01", "doi:10.1016/j.neucom.2026.133419", "triplet"):
        assert part in text


def test_an_unknown_rule_gets_a_suggestion() -> None:
    code, text = invoke("rules", "smix")
    assert code == 2
    assert "did you mean" in text


def test_config_show_tells_the_source_of_each_value(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("n_e: 50\nrule: {name: smax, eta: 0.02}\n")
    code, text = invoke("config", "show", "--config", str(tmp_path / "my.yaml"), "--dt", "0.25", "--json")
    told = json.loads(text)
    assert code == 0
    assert told["sources"]["dt"] == "flag"
    assert told["sources"]["n_e"].endswith("my.yaml")
    assert told["sources"]["seed"] == "default"


def test_a_rule_chosen_by_a_flag_leaves_the_other_rules_parameters_behind(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("rule: {name: smin, eta: 0.02, positive_share: 0.7}\n")
    code, text = invoke("config", "show", "--config", str(tmp_path / "my.yaml"), "--rule", "smax", "--json")
    assert code == 0, text
    rule = json.loads(text)["experiment"]["rule"]
    assert rule["name"] == "smax"
    assert rule["eta"] == 0.02
    assert "positive_share" not in rule


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--n-e", "0"], "flags: n_e: found 0"),
        (["train", "--set", "rule.etta=1"], "did you mean 'rule.eta'"),
        (["train", "--set", "nonsense"], "expected KEY=VALUE"),
        (["train", "--save-name", "../x"], "save_name"),
        (["train", "--config", "missing.yaml"], "missing.yaml: cannot read"),
        (["test", "--load-name", "nobody"], "no weights named 'nobody'"),
        (["test", "--load-name", "../../etc/passwd"], "a name, not a path"),
        (["evaluate", "--load-name", "nobody"], "no responses of 'nobody'"),
        (["test", "--format", "zip"], "expected npz or ancestor"),
        (["plot", "feilds"], "did you mean 'fields'"),
        (["data", "fetch", "mnits"], "did you mean 'mnist'"),
        (["train", "--engine", "gpu"], "gpu"),
        (["trian"], "train"),
    ],
)
def test_bad_input_gets_a_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = invoke(*arguments)
    assert code == 2, text
    assert sentence in text
    assert not list(tmp_path.iterdir())


def test_init_writes_a_configuration_that_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = invoke("init", "my.yaml", "--rule", "smax", "--n-e", "25")
    assert code == 0, text
    code, text = invoke("config", "check", "my.yaml")
    assert code == 0
    assert "25 neurons, rule smax" in text
    assert invoke("init", "my.yaml")[0] == 2


def test_every_command_has_an_example_in_its_help() -> None:
    for command in ("run", "init-weights", "train", "test", "evaluate", "plot", "rules", "init", "doctor", "bench"):
        code, text = invoke(command, "--help")
        assert code == 0
        assert f"Example: snstdp {command}" in re.sub(r"\s+", " ", text)
