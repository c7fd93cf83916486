"""A synthetic set of ten tiny images in MNIST's format, and the smallest experiments that learn from it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from snstdp_cli.artefacts import DataRecord, RecordingFigures, RecordingRecord, TrainingRecord, WeightsRecord
from snstdp_cli.config import Experiment, build_experiment

SIDE = 6
#: A network that is quick to compile and to run.
SMALL: dict[str, Any] = {
    "n_e": 8,
    "chunk": 4,
    "num_examples": 10,
    "checkpoint_every": 4,
    "rule": {"name": "smin", "a_tar": 0.5},
    "network": {"theta_init_mv": 5.0, "input_delay_ms": 3.0},
    "presentation": {"stimulus_ms": 60.0, "rest_ms": 20.0, "max_intensity": 6.0, "min_spikes": 1, "intensity": 4.0},
    "evaluation": {"assign_examples": 10, "test_examples": 10, "curve_every": 4, "curve_examples": 4},
}


def write_idx_set(folder: Path, num: int = 10, seed: int = 5) -> Path:
    """Write training and test files of `num` images, a bright block at a place of its class."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for prefix in ("train", "t10k"):
        labels = (np.arange(num) % 4).astype(np.uint8)
        images = random.integers(0, 40, (num, SIDE, SIDE), dtype=np.uint8)
        for k, label in enumerate(labels):
            row, column = divmod(int(label), 2)
            images[k, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3] = 255
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
            struct.pack(">iiii", 0x803, num, SIDE, SIDE) + images.tobytes()
        )
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 0x801, num) + labels.tobytes())
    return folder


def small(**changes: Any) -> Experiment:
    """Return the small experiment with changes by dotted key, or by key of a section."""
    return build_experiment(SMALL, changes)


def training_record(**changes: Any) -> TrainingRecord:
    """Return a record of a training that nobody ran."""
    run = {"date": "2026-01-01", "duration_s": 1.0, "engine": "none", "experiment": small(), "versions": {}}
    return TrainingRecord(**{"kind": "training", **run, **changes})


def recording_record(name: str = "a", split: str = "test", **changes: Any) -> RecordingRecord:
    """Return a record of responses that nobody recorded."""
    run = {"date": "2026-01-01", "duration_s": 1.0, "engine": "none", "experiment": small(), "versions": {}}
    data = DataRecord(
        name="mnist",
        identity="unknown images in MNIST's files",
        split=split,
        num_images=10,
        image_shape=(SIDE, SIDE),
        sha256="1" * 64 if split == "train" else "2" * 64,
        set_sha256="3" * 64,
    )
    figures = RecordingFigures(spikes_per_example=1.0, retries=0, silent_examples=0)
    weights = WeightsRecord(name=name, sha256="0" * 64)
    return RecordingRecord(**{**run, "weights": weights, "data": data, "figures": figures, **changes})
