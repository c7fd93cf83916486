"""Studies of the smallest cells, on the synthetic ten-image set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from synthetic import SMALL, write_idx_set

from snstdp_cli.config import merge
from snstdp_cli.studies import Study, load_study

#: A second for NumPy, and the program of `SMALL`, which other tests compile too.
QUICK: dict[str, Any] = merge(
    SMALL,
    {
        "presentation": {
            "stimulus_ms": 40.0,
            "rest_ms": 15.0,
            "max_intensity": 8.0,
            "min_spikes": 1,
            "intensity": 8.0,
        },
        "evaluation": {"assign_examples": 6, "test_examples": 10, "curve_every": 0, "curve_examples": 2},
        "num_examples": 6,
    },
)


def write_study(folder: Path, name: str = "small", **keys: Any) -> Path:
    """Write a study file; its base is the quick experiment unless `keys` has another."""
    content = {"name": name, "base": {**QUICK, "data": "./images"}, **keys}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def small_study(folder: Path, **keys: Any) -> Study:
    """Write images and a study file, and load it."""
    write_idx_set(folder / "images")
    return load_study(write_study(folder, **keys), folder)
