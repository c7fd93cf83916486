"""The command line as users meet it: the program, on a synthetic ten-image set."""

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
from forked import program
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.cli.app import app

PROGRAM = Path(sys.executable).with_name("snstdp")


def snstdp(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder; its output is checked for tracebacks."""
    done = subprocess.run(
        [program(), *arguments],
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
        assert "there are weights named 'mine' already" in done.stderr

    def test_record_both_splits(self, place: Path) -> None:
        for split, after in (("train", "test --load-name mine --split test --workers 2"), ("test", "evaluate mine")):
            done = snstdp(place, "test", "--load-name", "mine", "--split", split, "--workers", "2")
            assert re.search(rf"mine\.{split}\.10\.[0-9a-f]+\.npz", done.stdout)
            assert f"snstdp {after}\n" in done.stderr

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
        both = json.loads(snstdp(place, "evaluate", "mine", "--load-name", "whole", "--json").stdout)
        assert both["mean"] == pytest.approx(np.mean([run["accuracy"] for run in both["runs"]]))
        assert [run["settings"]["seed"] for run in both["runs"]] == [3, told_seed(place, "whole")]
        assert "rule.eta" in both["differ_in"]
        done = snstdp(place, "evaluate", "mine", "whole")
        assert "no mean over seeds: the networks differ in" in done.stderr
        assert "rule.eta 0.02" in done.stdout

    def test_a_run_leads_to_pictures_and_to_a_comparison(self, place: Path) -> None:
        done = snstdp(place, "run", "--config", "small.yaml", "--save-name", "whole", "--force")
        assert "snstdp plot classes whole\n" in done.stderr
        assert "snstdp report mine whole\n" in done.stderr

    def test_compare_two_networks(self, place: Path) -> None:
        done = snstdp(place, "evaluate", "--compare", "mine", "whole")
        assert "McNemar p = " in done.stdout

    def test_a_comparison_honours_the_options_of_a_score(self, place: Path) -> None:
        options = ("--num-examples", "6", "--assign-from", "test", "--classifier", "selective")
        done = snstdp(place, "evaluate", "--compare", "mine", "whole", *options, "--json")
        told = json.loads(done.stdout)
        for network in ("a", "b"):
            assert told[network]["num_examples"] == 6
            assert told[network]["assign_from"] == "test"
            assert told[network]["classifier"] == "selective"
        assert told["comparison"]["num_examples"] == 6
        assert "flatters" in done.stderr
        for name, others in (("mine", ["mine"]), ("other", ["--responses", "x.npy"])):
            snstdp(place, "evaluate", "--compare", "mine", name, *others, code=2)

    def test_plot_every_kind(self, place: Path) -> None:
        done = snstdp(place, "plot", "all", "whole")
        kinds = {path.name.split(".")[1] for path in (place / "figures").glob("whole.*.png")}
        assert {"fields", "classes", "evolution", "confusion", "curve", "raster", "traces", "norm"} <= kinds, (
            done.stderr
        )
        assert "comparison" not in kinds  # of one network with itself

    def test_plot_draws_every_network_that_is_named_and_one_comparison(self, place: Path) -> None:
        done = snstdp(place, "plot", "fields", "mine", "--load-name", "whole", "--json")
        names = [Path(path).name for path in json.loads(done.stdout)["files"]]
        assert names == ["mine.fields.png", "mine.fields.svg", "whole.fields.png", "whole.fields.svg"]
        done = snstdp(place, "plot", "comparison", "mine", "whole")
        assert done.stdout.split() == ["figures/mine_vs_whole.comparison.png", "figures/mine_vs_whole.comparison.svg"]
        picture = (place / "figures" / "mine_vs_whole.comparison.svg").read_text()
        for text in ("rule.eta 0.02", "chance", "10 test images"):
            assert text in picture

    def test_a_name_that_nothing_has_is_told_with_the_nearest_and_a_choice_is_not_guessed(self, place: Path) -> None:
        for command in (("plot", "fields", "whol"), ("report", "whol"), ("evaluate", "whol")):
            assert "no weights named 'whol'; did you mean 'whole'?" in snstdp(place, *command, code=2).stderr
        for command in (("plot", "fields"), ("report",)):
            assert "name the network: mine, start, whole" in snstdp(place, *command, code=2).stderr
        assert "expected a folder" in snstdp(place, "plot", "fields", "mine", "--output", "x.png", code=2).stderr

    def test_a_run_without_a_terminal_writes_plain_lines(self, place: Path) -> None:
        done = snstdp(place, "train", "--config", "small.yaml", "--save-name", "lines")
        assert "training 10 / 10" in done.stderr
        assert "\x1b" not in done.stderr + done.stdout
        quiet = snstdp(place, "train", "--config", "small.yaml", "--save-name", "quiet", "--quiet")
        assert "training" not in quiet.stderr
        assert "next:" not in quiet.stderr
        assert quiet.stderr.startswith("note MNIST: the files have the names of MNIST's, but hold other images")
        assert quiet.stderr.count("\n") == 1


def told_seed(place: Path, name: str) -> int:
    return int(json.loads((place / "weights" / f"{name}.json").read_text())["experiment"]["seed"])


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


def test_garbage_is_not_looked_for_at_the_end() -> None:
    """After `plot` that took 0.3 s of CPU."""
    code = (
        "import atexit, gc, sys; atexit.register(lambda: print('frozen', gc.get_freeze_count() > 0)); "
        "sys.argv = ['snstdp', '--version']; from snstdp_cli.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "frozen True"


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


def test_config_show_takes_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text("n_e: 50")
    assert json.loads(invoke("config", "show", "my.yaml", "--json")[1])["experiment"]["n_e"] == 50
    code, text = invoke("config", "show", "my.yaml", "--config", "other.yaml")
    assert code == 2
    assert "expected one file, found my.yaml and --config other.yaml" in text


def test_a_rules_parameter_beside_the_rule_is_refused_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("rule: smax\neta: 0.05\n")
    code, text = invoke("config", "check", str(tmp_path / "my.yaml"))
    assert code == 2
    assert "unknown key 'eta'; did you mean 'rule.eta'?" in re.sub(r"\s+", " ", text)


def test_completion_is_offered_for_the_shell() -> None:
    done = subprocess.run(
        [PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "_SNSTDP_COMPLETE": "complete_bash", "COMP_WORDS": "snstdp ini", "COMP_CWORD": "1"},
    )
    assert done.stdout.split() == ["init-weights", "init"]


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
        (["train", "--n-e", "0"], "options: n_e: found 0"),
        (["train", "--set", "rule.etta=1"], "did you mean 'rule.eta'"),
        (["train", "--set", "nonsense"], "expected KEY=VALUE"),
        (["train", "--set", "eta=0.05"], "unknown key 'eta'; did you mean 'rule.eta'?"),
        (
            ["train", "--rule", "smax", "--set", "rule.positive_share=0.3"],
            "'positive_share' belongs to smin, not to smax",
        ),
        (["train", "--set", "rule.zzz=1"], "known: rule.eta, rule.a_tar"),
        (["train", "--save-name", "../x"], "save_name"),
        (["train", "--config", "missing.yaml"], "; write one with: snstdp init missing.yaml"),
        (["test", "--load-name", "nobody"], "no weights named 'nobody'"),
        (["test", "--load-name", "../../etc/passwd"], "a name, not a path"),
        (["evaluate", "--load-name", "nobody"], "no weights named 'nobody'"),
        (["evaluate"], "no responses are recorded"),
        (["plot", "fields"], "no weights; train a network first"),
        (["test", "--format", "zip"], "npz"),
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


def test_init_takes_the_flags_of_run_and_says_how_to_try_a_long_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = invoke(
        "init", "short.yaml", "--n-e", "50", "--num-examples", "200", "--data", "bundled", "--seed", "3"
    )
    assert code == 0, text
    assert "--data bundled" not in text
    code, shown = invoke("config", "show", "short.yaml", "--json")
    experiment = json.loads(shown)["experiment"]
    assert [experiment[key] for key in ("n_e", "num_examples", "data", "seed", "save_name")] == [
        *(50, 200, "bundled", 3, "short")
    ]
    assert "--num-examples 1500 --save-name first --data bundled" in invoke("init", "long.yaml")[1]


def test_defaults_are_shown_in_the_help() -> None:
    """Those that are written by hand look like markup and would vanish unless they are escaped."""
    for command, defaults in {
        "train": ("400", "smin", "0.5", "60000", "0", "mnist"),
        "test": ("pretrained_smax_400", "test", "all cores"),
        "plot": ("the only one", "figures/ in the workdir", "average"),
        "report": ("the only one",),
    }.items():
        text = re.sub(r"[\s│]+", " ", invoke(command, "--help")[1])
        for default in defaults:
            assert f"[default: {default}]" in text


OWN_RULE = """
from pathlib import Path
from snstdp_cli.rules import Plasticity, Rule, RuleParameters
Path("ran").touch()
def build(parameters, context):
    return Plasticity({"learn": "w = clip(w + nothing, 0, 1)"}, bounds=(0.0, 1.0))
BROKEN = Rule("broken", "a broken rule", ("w += nothing",), "none", "For a test.", RuleParameters, build)
"""


def test_looking_at_a_configuration_does_not_run_its_rule_and_rules_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/snstdp")
    (tmp_path / "own.py").write_text(OWN_RULE)
    (tmp_path / "my.yaml").write_text("rule: own.py:BROKEN")
    for arguments in (["config", "check", "my.yaml"], ["config", "show", "my.yaml"]):
        code, text = invoke(*arguments)
        assert code == 0, text
        assert "was not run" in text
        assert "snstdp rules own.py:BROKEN" in text
        assert not (tmp_path / "ran").exists()
    code, text = invoke("rules", "own.py:BROKEN")
    assert code == 2
    assert "unknown name 'nothing'" in text
    assert (tmp_path / "ran").exists()


def test_recording_takes_the_step_and_the_seed_as_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the training hold unless they are given."""
    from snstdp_cli.cli.options import GivenSettings
    from snstdp_cli.cli.settings import resolve_for_weights

    monkeypatch.chdir(tmp_path)
    invoke("init-weights", "--n-e", "3", "--seed", "7", "--save-name", "x")
    experiment, _ = resolve_for_weights(GivenSettings(flags={"load_name": "x", "dt": 0.1}), tmp_path)
    assert (experiment.n_e, experiment.seed, experiment.dt) == (3, 7, 0.1)
    assert "--seed" in invoke("test", "--help")[1]
