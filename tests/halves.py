"""A network of eight neurons that tells upper from lower halves, trained by the program that `SMALL` has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import snstdp_cli as snstdp

QUICK: dict[str, Any] = {
    "n_e": 8,
    "num_examples": 12,
    "chunk": 4,
    "save_name": "halves",
    "data": "./halves.npz",
    "network": {"input_delay_ms": 3},
    "presentation": {"stimulus_ms": 60, "rest_ms": 15, "intensity": 8, "max_intensity": 10, "min_spikes": 2},
    "evaluation": {"curve_every": 6, "curve_examples": 4, "assign_examples": 12, "test_examples": 8},
}
CLASSES = (3, 8)


def write_halves(path: Path, num: int = 24) -> np.ndarray[Any, Any]:
    """Write pictures whose upper (class 3) or lower half (class 8) is bright; return the test images."""
    labels = np.where(np.arange(num) % 2, *CLASSES[::-1])
    images = np.zeros((num, 6, 6), dtype=np.uint8)
    images[labels == CLASSES[0], :3] = 250
    images[labels == CLASSES[1], 3:] = 250
    np.savez(path, train_images=images, train_labels=labels, test_images=images[:8], test_labels=labels[:8])
    return images[:8]


def train_halves(folder: Path, *splits: Any) -> snstdp.TrainedNetwork:
    """Train in `folder`, which must be the current one, and record these splits."""
    write_halves(folder / "halves.npz")
    network = snstdp.train(snstdp.experiment(QUICK), workdir=folder)
    for split in splits:
        snstdp.record(network, split=split, workers=1)
    return network
