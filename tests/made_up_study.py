"""Cells of a study that nobody ran: settings, seeds and accuracies, made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.studies.cells import CellResult


def make_cell(settings: dict[str, Any], seed: int, accuracy: float | None = None, /, **changes: Any) -> CellResult:
    """Return a finished cell, or without an accuracy a missing one; `selective` is a point below `average`."""
    name = "-".join([*(f"{key}={value}" for key, value in settings.items()), f"seed={seed}"])
    known: dict[str, Any] = {
        "cell": name,
        "settings": settings,
        "seed": seed,
        "state": "missing" if accuracy is None else "finished",
        "accuracies": {} if accuracy is None else {"average": accuracy, "selective": accuracy - 0.01},
        "chance": None if accuracy is None else 0.125,
        "num_examples": None if accuracy is None else 200,
        "figures": {} if accuracy is None else {"duration_s": 10.0 + seed, "l1_mean": 78.4},
        "error": None,
        "folder": Path("studies/made-up/cells") / name,
    }
    return CellResult(**(known | changes))


def make_cells(accuracies: dict[tuple[tuple[str, Any], ...], list[float | None]]) -> list[CellResult]:
    """Return cells by settings (as items), a seed for each accuracy from 0."""
    return [
        make_cell(dict(items), seed, accuracy)
        for items, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]


def load_correct(cell: CellResult, read_out: str) -> NDArray[np.bool_]:
    """Return answers as good as the cell's accuracy says: the first images are right."""
    assert cell.num_examples is not None
    return np.arange(cell.num_examples) < round(cell.accuracies[read_out] * cell.num_examples)
