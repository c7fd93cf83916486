"""What is usual for a rule, a size and a number of examples: our own measured results (`usual.csv`).

Each row tells the mean and the standard deviation of the accuracy over seeds, of how many seeds, and the command that
made it; with one seed there is no deviation, which the sentence says.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from snstdp_cli.fields import percent
from snstdp_cli.results.finding import Finding
from snstdp_cli.results.scoring import Score


@dataclass(frozen=True)
class Usual:
    """An accuracy that was measured; the first five fields say of what.

    Attributes
    ----------
    examples
        Training examples.
    images
        Scored test images.
    mean, sd
        Over the seeds; no deviation of a single one.
    """

    rule: str
    n_e: int
    examples: int
    data: str
    read_out: str
    images: int
    mean: float
    sd: float | None
    seeds: int


@cache
def usual_results() -> tuple[Usual, ...]:
    """Return all that was measured."""
    with files("snstdp_cli.results").joinpath("usual.csv").open(encoding="utf-8") as table:
        return tuple(
            Usual(
                rule=row["rule"],
                n_e=int(row["n_e"]),
                examples=int(row["examples"]),
                data=row["data"],
                read_out=row["read_out"],
                images=int(row["images"]),
                mean=float(row["mean"]),
                sd=float(row["sd"]) if row["sd"] else None,
                seeds=int(row["seeds"]),
            )
            for row in csv.DictReader(table)
        )


def usual_finding(score: Score, rule: str, n_e: int, examples: int) -> Finding | None:
    """Compare a score with what is usual for its rule and size; None where nothing comparable was measured.

    Parameters
    ----------
    examples
        How many examples the network was trained on.
    """
    if score.circular or score.scored_on != "test":
        return None
    wanted = (rule, n_e, score.data, score.classifier)
    found = next((one for one in usual_results() if (one.rule, one.n_e, one.data, one.read_out) == wanted), None)
    if found is None:
        return None
    seeds = "one seed, so that a point of difference says little" if found.seeds == 1 else f"{found.seeds} seeds"
    spread = "" if found.sd is None else f", standard deviation {percent(found.sd)}"
    gap = score.evaluation.accuracy - found.mean
    here = "here it is as much" if abs(gap) < 0.0005 else f"here it is {100 * abs(gap):.1f} points {_side(gap)}"
    trained = "" if examples == found.examples else f" after {examples:,}"
    return Finding(
        "usual",
        f"Usual for {rule} with {n_e:,} neurons after {found.examples:,} examples of {found.data} is "
        f"{percent(found.mean)} by {found.read_out} ({seeds}{spread}); {here}{trained}.",
    )


def _side(gap: float) -> str:
    return "more" if gap > 0 else "less"
