"""The Python API: stable names, nothing printed, nothing of the user's Brian 2 changed, arrays in and arrays out."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import snstdp_cli as snstdp

STABLE = {
    *("Dataset", "Experiment", "Plasticity", "Rule", "RuleContext", "RuleParameters", "Score", "SnstdpError"),
    *("Prediction", "Trace", "predict", "trace", "study"),
    *("TrainedNetwork", "__version__", "evaluate", "experiment", "load", "plot", "record", "run", "train"),
}
#: The program of `SMALL`, which other tests compile too.
QUICK: dict[str, Any] = {
    "n_e": 8,
    "num_examples": 12,
    "chunk": 4,
    "save_name": "halves",
    "network": {"input_delay_ms": 3},
    "presentation": {"stimulus_ms": 40, "rest_ms": 15, "intensity": 8, "max_intensity": 8},
    "evaluation": {"curve_every": 6, "curve_examples": 4, "assign_examples": 12, "test_examples": 8},
}
#: For NumPy: four images are shown.
SHORT: dict[str, Any] = {
    **QUICK,
    "num_examples": 4,
    "evaluation": {"curve_every": 0, "curve_examples": 4, "assign_examples": 4, "test_examples": 4},
}


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let NumPy run the network: nothing is compiled."""
    monkeypatch.setenv("CXX", "/no/such/compiler")


def halves(num: int = 24) -> snstdp.Dataset:
    """Return pictures whose upper (class 3) or lower half (class 8) is bright."""
    labels = np.where(np.arange(num) % 2, 8, 3)
    images = np.zeros((num, 6, 6), dtype=np.uint8)
    images[labels == 3, :3] = 250
    images[labels == 8, 3:] = 250
    return snstdp.Dataset(images, labels, images[:8], labels[:8], name="halves")


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of the user's in a folder of its own."""
    script = folder / "script.py"
    script.write_text(code)
    return subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_stable_names_are_these_and_all_are_there() -> None:
    assert set(snstdp.__all__) == STABLE
    for name in STABLE:
        assert getattr(snstdp, name) is not None
    assert set(dir(snstdp)) >= STABLE
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        snstdp.tarin  # noqa: B018


def test_the_page_on_python_lists_the_stable_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
    listed = page.partition("## Stable names")[2].partition(". A test holds this list")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == STABLE


def test_importing_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys, time
began = time.perf_counter()
import snstdp_cli
took = time.perf_counter() - began
print(took, sorted({"brian2", "numpy", "pydantic", "matplotlib", "typer"} & set(sys.modules)))
"""
    runs = [python(code, tmp_path).stdout.split(maxsplit=1) for _ in range(3)]
    assert {loaded for _, loaded in runs} == {"[]\n"}
    assert min(float(took) for took, _ in runs) < 0.1


def test_train_record_and_evaluate_on_arrays_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Any] = []
    experiment = snstdp.experiment(QUICK)
    network = snstdp.train(experiment, data=halves(), workdir=tmp_path, progress=events.append)
    for split in ("train", "test"):
        responses = snstdp.record(network, split=split, data=halves())
        assert responses.counts.shape == (len(responses.labels), 8)
    score = snstdp.evaluate(network)
    assert capsys.readouterr() == ("", "")
    assert network.weights.shape == (36, 8)
    assert network.theta_mv.shape == (8,)
    assert (network.weights != 0).any()
    assert network.image_shape == (6, 6)
    assert score.evaluation.classes.tolist() == [3, 8]
    assert score.data == "halves"
    assert score.evaluation.num_examples == 8
    assert [event.examples for event in events if hasattr(event, "l1_mean")] == [4, 6, 10, 12]
    assert snstdp.load("halves", tmp_path).sha256 == network.sha256
    # The same in one call, and by the name of the network.
    again = snstdp.run(experiment, data=halves(), workdir=tmp_path / "again")
    assert again.evaluation.as_dict() == score.evaluation.as_dict()
    assert snstdp.evaluate("halves", workdir=tmp_path).as_dict() == score.as_dict()


def test_settings_win_over_a_file_and_may_be_nested_or_dotted(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("n_e: 50\nrule:\n  name: smax\n  eta: 0.5\n")
    made = snstdp.experiment(file, n_e=60, network={"w_inh_exc": 10}, **{"rule.a_tar": 0.2})
    assert (made.n_e, made.network.w_inh_exc) == (60, 10)
    assert (made.rule.name, made.rule.parameters["eta"], made.rule.parameters["a_tar"]) == ("smax", 0.5, 0.2)
    assert snstdp.experiment(str(file)).n_e == 50
    with pytest.raises(snstdp.SnstdpError, match="did you mean 'n_e'"):
        snstdp.experiment(n_ee=3)


def test_the_users_own_brian_2_goes_on_as_if_nothing_had_been(tmp_path: Path, without_compiler: None) -> None:
    import brian2

    brian2.prefs.codegen.target = "numpy"
    before = {"clock": brian2.defaultclock.dt_, "float": brian2.prefs.core.default_float_dtype}
    brian2.defaultclock.dt = 0.3 * brian2.ms
    brian2.prefs.core.default_float_dtype = np.float32
    try:
        group = brian2.NeuronGroup(1, "dv/dt = -v / (10*ms) : 1", method="exact", name="own")
        group.v = 1
        own = brian2.Network(group)
        own.run(3 * brian2.ms, namespace={})
        snstdp.train(snstdp.experiment(SHORT), data=halves(), workdir=tmp_path)
        own.run(3 * brian2.ms, namespace={})
        assert group.v[0] == pytest.approx(np.exp(-0.6), rel=1e-5)
        assert group.variables["v"].dtype == np.float32
        assert brian2.prefs.codegen.target == "numpy"
        assert brian2.prefs.core.default_float_dtype is np.float32
        assert brian2.defaultclock.dt_ == pytest.approx(0.0003)
        assert type(brian2.get_device()).__name__ == "RuntimeDevice"
    finally:
        brian2.defaultclock.dt = before["clock"] * brian2.second
        brian2.prefs.core.default_float_dtype = before["float"]
    reference = snstdp.train(snstdp.experiment(SHORT), data=halves(), workdir=tmp_path / "reference")
    assert reference.sha256 == snstdp.load("halves", tmp_path).sha256


def test_it_works_while_an_event_loop_runs_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> snstdp.TrainedNetwork:
        return snstdp.train(snstdp.experiment(QUICK), data=halves(), workdir=tmp_path)

    assert asyncio.run(cell()).n_e == 8


SCRIPT = """
import json, os
os.environ["CXX"] = "/no/such/compiler"
import numpy as np
import snstdp_cli as snstdp


class Parameters(snstdp.RuleParameters):
    step: float = 0.25


def build(parameters, context):
    learn = {{"learn": "w = clip(w + step, 0, 1)"}}
    return snstdp.Plasticity(learn, constants={{"step": parameters.step}}, bounds=(0, 1))


RULE = snstdp.Rule("up", "all weights rise", ("w += step",), "none", "For a test.", Parameters, build)
images = np.zeros((24, 6, 6), dtype=np.uint8)
images[::2, :3] = 250
images[1::2, 3:] = 250
data = snstdp.Dataset(images, np.arange(24) % 2, images, np.arange(24) % 2)
score = snstdp.run(snstdp.experiment({quick!r}, rule={{"name": RULE, "step": 0.5}}), data=data)
network = snstdp.load("halves")
print(json.dumps([float(network.weights.max()), network.experiment.rule.name, network.experiment.rule.parameters]))
"""


def test_a_rule_class_of_a_script_without_a_guard(tmp_path: Path) -> None:
    done = python(SCRIPT.format(quick=SHORT), tmp_path)
    assert done.returncode == 0, done.stderr
    largest, name, parameters = json.loads(done.stdout)
    assert (largest, name, parameters) == (1.0, "up", {"step": 0.5})


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((4, 6, 6)), np.zeros(4, int), "uint8"),
        (np.zeros((4, 36), np.uint8), np.zeros(4, int), "rows, cols"),
        (np.zeros((4, 6, 6), np.uint8), np.zeros(3, int), "4 images but 3 labels"),
        (np.zeros((4, 6, 6), np.uint8), np.array(["a"] * 4), "whole numbers"),
        (np.zeros((0, 6, 6), np.uint8), np.zeros(0, int), "at least one"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(images: Any, labels: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(snstdp.SnstdpError, match=message):
        snstdp.Dataset(images, labels).split("train")


def test_test_images_that_are_not_there_are_asked_for_in_vain() -> None:
    data = snstdp.Dataset(np.zeros((4, 6, 6), np.uint8), np.zeros(4, int), name="four")
    with pytest.raises(snstdp.SnstdpError, match="four: has no test images"):
        data.split("test")


def test_a_name_that_nothing_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(snstdp.SnstdpError, match="neither weights nor recorded responses of 'nobody'"):
        snstdp.load("nobody", tmp_path)
