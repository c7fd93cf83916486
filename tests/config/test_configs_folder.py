"""The experiments in `configs/` are what a new user copies: each must be valid, short and commented."""

from pathlib import Path

import pytest

from snstdp_cli.config import THETA_STEPS_MV, Experiment, build_experiment, differences, read_file, settings_of
from snstdp_cli.rules import RULES

FOLDER = Path(__file__).parents[2] / "configs"
FILES = sorted(FOLDER.glob("*.yaml"))
#: What a search found; the others have the defaults.
TUNED = [path for path in FILES if path.stem.endswith("_tuned")]
DEFAULT = [path for path in FILES if path not in TUNED]
SIZED = [f"{rule}_{n_e}" for rule in ("smax", "smin") for n_e in THETA_STEPS_MV]
NAMES = {"demo", "ancestor_400", *SIZED, "triplet_100", "triplet_400", "triplet_1600"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_default = pytest.mark.parametrize("path", DEFAULT, ids=lambda path: path.stem)


def load(path: Path) -> Experiment:
    return build_experiment(read_file(path), where=path.name)


def test_the_folder_has_the_documented_experiments():
    assert {path.stem for path in FILES} >= NAMES


@each_file
def test_a_file_is_valid_and_saves_under_its_own_name(path):
    assert load(path).save_name == path.stem


@each_default
def test_a_file_uses_diehls_threshold_step_for_its_size(path):
    experiment = load(path)
    assert experiment.theta_step_mv == THETA_STEPS_MV[experiment.n_e]


@each_file
def test_a_file_is_short_and_commented(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("# ")
    assert sum("# " in line for line in lines) >= 4


@each_default
def test_rule_parameters_are_the_defaults(path):
    experiment = load(path)
    assert experiment.rule.parameters == RULES[experiment.rule.name].parameters().model_dump()


@pytest.mark.parametrize("path", TUNED, ids=lambda path: path.stem)
def test_tuned_settings_are_those_for_400_neurons_but_for_what_goes_with_the_size(path):
    experiment, searched = load(path), load(FOLDER / f"{path.stem.split('_')[0]}_400_tuned.yaml")
    steps = [one.theta_step_mv / THETA_STEPS_MV[one.n_e] for one in (experiment, searched)]
    assert steps[0] == pytest.approx(steps[1], rel=0.01)
    apart = differences(*(settings_of(one, "training") for one in (experiment, searched)))
    assert {name.split(" ")[0] for name in apart} <= {"n_e", "network.theta_step_mv", "rule.eta_decay"}
    decays = [one.rule.parameters["eta_decay"] * one.n_e for one in (experiment, searched)]
    assert decays[0] == pytest.approx(decays[1], rel=0.001)


@pytest.mark.parametrize("name", sorted({path.stem for path in FILES} - {"demo"}))
def test_a_name_tells_rule_and_size(name):
    experiment = load(FOLDER / f"{name}.yaml")
    rule, size, *_ = name.split("_")
    assert experiment.rule.name == ("triplet" if rule == "ancestor" else rule)
    assert experiment.n_e == int(size)
    assert (experiment.data, experiment.num_examples) == ("mnist", 60_000)
    assert experiment.evaluation.assign_examples == experiment.evaluation.test_examples == 10_000


@pytest.mark.parametrize("name", SIZED)
def test_the_published_scaling_is_written_out(name):
    content = read_file(FOLDER / f"{name}.yaml")
    assert content["rule"]["scaling"] == "lagged"
    assert content["network"]["theta_step_mv"] == THETA_STEPS_MV[content["n_e"]]


def test_the_demo_needs_nothing_but_the_package():
    demo = load(FOLDER / "demo.yaml")
    assert demo.data == "bundled"
    assert (demo.n_e, demo.num_examples) == (100, 1500)
    assert (demo.evaluation.assign_examples, demo.evaluation.test_examples) == (1500, 1000)


def test_the_ancestors_settings_differ_from_the_defaults():
    network = load(FOLDER / "ancestor_400.yaml").network
    assert (network.integration, network.inhibition, network.input_delay_ms) == ("euler", "dense", 0)
    assert network.inhibition_delay_ms > 0
