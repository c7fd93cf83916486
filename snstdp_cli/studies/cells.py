"""What became of each cell of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class CellResult:
    """One experiment of a study.

    Attributes
    ----------
    cell
        Fingerprint of its experiment, and name of its folder.
    settings
        The varied keys, dotted, without the seed.
    accuracies
        By read-out ("average", "selective"); empty before it is scored.
    figures
        What else was measured, by name.
    error
        Why it failed, in a sentence.
    """

    cell: str
    settings: dict[str, Any]
    seed: int
    state: Literal["finished", "missing", "failed", "running", "interrupted"]
    accuracies: dict[str, float]
    chance: float | None
    num_examples: int | None
    figures: dict[str, float]
    error: str | None
    folder: Path
