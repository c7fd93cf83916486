"""A synthetic set of ten tiny images in MNIST's format, and the smallest experiments that learn from it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

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
