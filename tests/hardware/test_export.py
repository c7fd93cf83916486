"""An exported network in whole numbers is the network that the engine simulates: spikes and every update."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from reference import draw_images, small_experiment

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.datasets.in_memory import ArrayDataset
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.hardware import Export, export_network, refuse_full_folder, write_export
from snstdp_cli.hardware.integers import formats_of, update_format
from snstdp_cli.network.wiring import draw_weights

EXAMPLES = Path(__file__).parents[2] / "examples" / "hardware"


@cache
def chip() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chip", EXAMPLES / "chip.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def few_bits(rule: str, bits: int, rounding: str = "nearest", **changes: Any) -> Experiment:
    precision = {
        "weights": {"bits": bits, "rounding": rounding},
        "scaling": {"bits": 8, "eta_shift": 3, **changes.pop("scaling", {})},
        "state": {"bits": 16, **changes.pop("state", {})},
    }
    return small_experiment(rule, n_e=10, precision=precision, **changes)


def exported(experiment: Experiment, examples: tuple[int, ...] = (0, 2)) -> Export:
    images, labels = (draw_images(4, seed=seed).reshape(4, 4, 4) for seed in (3, 4)), np.arange(4)
    data = ArrayDataset(next(images), labels, next(images), labels)
    weights = draw_weights(experiment, 16, 8.0)
    stored = TrainedWeights(weights, np.full(10, 12.0), None, "0" * 64)
    return export_network("small", experiment, stored, data.split("train"), data.split("test"), examples)


@cache
def one_image() -> Export:
    return exported(few_bits("smin-lagged", 8), (0,))


def assert_equal(folder: Path, made: Export) -> list[str]:
    write_export(folder, made)
    found = chip().Chip(folder)
    return [chip().check(found, told) for told in found.told["vectors"]]


CASES: list[tuple[str, int, str, dict[str, Any]]] = [
    ("smin-lagged", 8, "stochastic", {}),
    ("smax-lagged", 4, "nearest", {"network": {"integration": "euler"}, "scaling": {"bits": None, "divide": "shift"}}),
    (
        *("smin-instantaneous", 4, "floor"),
        {
            "network": {"inhibition": "dense", "inhibition_delay_ms": 3},
            "presentation": {"rest_ms": 20},
            "scaling": {"divide": "table", "table_bits": 2},
            "state": {"bits": 14, "fraction": 3},
        },
    ),
    ("smax-instantaneous", 8, "stochastic", {"presentation": {"rest": "reset"}}),
]


@pytest.mark.parametrize(
    ("rule", "bits", "rounding", "changes"),
    [pytest.param(*case, marks=() if k < 2 else pytest.mark.slow) for k, case in enumerate(CASES)],
)
def test_whole_numbers_reproduce_every_spike_and_every_update(
    rule: str, bits: int, rounding: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    made = exported(few_bits(rule, bits, rounding, **changes))
    assert not made.without_learning
    assert min(made.spikes) >= 5
    assert made.updates == 16 * made.spikes[1]
    said = assert_equal(tmp_path / "chip", made)
    assert len(said) == 3
    updates = np.load(tmp_path / "chip" / "learn" / "updates.npy")
    assert (updates[:, -1] != updates[:, -2]).any()
    if shutil.which("iverilog"):
        assert simulate_verilog(tmp_path / "chip") == f"{made.updates} updates, 0 wrong"


def simulate_verilog(folder: Path) -> str:
    """Check the golden updates by the datapath in Verilog; return its last line."""
    sources = [str(EXAMPLES / name) for name in ("neuron_update.v", "neuron_update_tb.v")]
    compiled = ["iverilog", "-g2005", "-Wall", "-I", ".", "-o", "update", *sources]
    done = subprocess.run(compiled, cwd=folder, capture_output=True, text=True, check=True)
    assert not done.stderr
    run = subprocess.run(["vvp", "update"], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-1]


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed")
def test_verilog_tells_each_update_that_is_not_the_golden_one(tmp_path: Path) -> None:
    made = one_image()
    write_export(tmp_path, made)
    updates = tmp_path / "learn" / "updates.mem"
    *lines, last = updates.read_text().split()
    updates.write_text("\n".join([*lines, last[:-1] + f"{int(last[-1], 16) ^ 1:x}"]))
    assert simulate_verilog(tmp_path) == f"{made.updates} updates, 1 wrong"
    found = chip().Chip(tmp_path)
    with pytest.raises(AssertionError, match="updates of neuron"):
        chip().check(found, found.told["vectors"][-1])


def test_words_in_hexadecimal_hold_what_the_arrays_hold(tmp_path: Path) -> None:
    write_export(tmp_path, one_image())
    weights = np.load(tmp_path / "learn" / "weights_after.npy")
    assert weights.shape == np.load(tmp_path / "weights.npy").shape == (16, 10)
    assert weights.min() < 0
    words = (tmp_path / "learn" / "weights_after.mem").read_text().split()
    assert [int(word, 16) for word in words] == (weights.ravel() % 256).tolist()
    assert {len(word) for word in words} == {2}
    answer = np.load(tmp_path / "answer" / "image_0" / "input_spikes.npy")
    assert answer.shape[1] == 2
    assert (np.diff(answer[:, 0]) >= 0).all()


def test_a_rule_without_a_table_is_exported_to_answer_and_that_is_told(tmp_path: Path) -> None:
    made = exported(few_bits("triplet", 8, scaling={"bits": None, "eta_shift": None}), (1,))
    assert made.without_learning.startswith("the rule triplet does not learn by s_max")
    assert made.updates == 0
    assert len(assert_equal(tmp_path / "chip", made)) == 1


@pytest.mark.parametrize(
    ("scaling", "reason"),
    [
        ({"eta_shift": None}, "the learning rate 0.1 is no power of two; set precision.scaling.eta_shift"),
        ({"bits": None}, "s_max and s_min have too many digits; set precision.scaling.bits"),
        ({"eta_shift": 30}, "an update has over 24 digits more than a weight"),
    ],
)
def test_an_update_that_is_no_whole_number_is_told(scaling: dict[str, Any], reason: str) -> None:
    experiment = few_bits("smax-lagged", 8, scaling=scaling)
    found = update_format(experiment, 16, formats_of(experiment, 16)[0])
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_what_cannot_be_exported_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"precision.weights.bits: found null.*--set precision.weights.bits=8"):
        exported(small_experiment("smin-lagged", n_e=10))
    with pytest.raises(ConfigError, match="precision.state.bits: found null"):
        exported(small_experiment("smin-lagged", n_e=10, precision={"weights": {"bits": 8}}))
    uneven = few_bits("smin-lagged", 8)
    uneven = build_experiment(uneven, {"precision.weights.range": [-0.3, 1]})
    with pytest.raises(ConfigError, match=r"precision.weights.range: found -0.3 to 1 in 8 bits.*expected auto"):
        exported(uneven)
    with pytest.raises(DataError, match="--example: expected 0 to 3, found 4"):
        exported(few_bits("smin-lagged", 8), (4,))
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(ConfigError, match="not an empty folder"):
            refuse_full_folder(folder)
    refuse_full_folder(tmp_path / "new")


def test_the_reference_has_no_floating_point_number_and_nothing_of_the_package() -> None:
    tree = ast.parse((EXAMPLES / "chip.py").read_text())
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not isinstance(node, ast.Div)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
            assert {str(name).partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
