"""An exported network in whole numbers is the network that the engine simulates: spikes and every update."""

from __future__ import annotations

import importlib.util
import json
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
from snstdp_cli.config import Experiment
from snstdp_cli.datasets.in_memory import ArrayDataset
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.hardware import Export, export_network, refuse_full_folder, write_export
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
