"""Studies of the smallest cells, on the synthetic ten-image set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from synthetic import SMALL, write_idx_set

from snstdp_cli.studies import Study, load_study


def write_study(folder: Path, name: str = "small", **keys: Any) -> Path:
    """Write a study file; its base is the small experiment unless `keys` has another."""
    content = {"name": name, "base": {**SMALL, "data": "./images"}, **keys}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def small_study(folder: Path, **keys: Any) -> Study:
    """Write images and a study file, and load it."""
    write_idx_set(folder / "images")
    return load_study(write_study(folder, **keys), folder)
