"""One thing that a reader should know of a trained network, and the figure that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from snstdp_cli.results.network import TrainedNetwork

FindingKind = Literal[
    "accuracy",
    "usual",
    "collapsed",
    "circular",
    "data",
    "thresholds",
    "learning",
    "norm",
    "theta",
    "learning rate",
    "never learned",
    "classes without neurons",
    "dominating",
    "retries",
    "silent",
]
#: The kind of figure (`snstdp plot`) that shows what a finding is about.
FIGURES: dict[FindingKind, str] = {
    "accuracy": "accuracy",
    "usual": "confusion",
    "collapsed": "classes",
    "circular": "confusion",
    "thresholds": "weights",
    "learning": "curve",
    "norm": "norm",
    "theta": "weights",
    "learning rate": "evolution",
    "never learned": "fields",
    "classes without neurons": "classes",
    "dominating": "accuracy",
    "retries": "raster",
    "silent": "raster",
}


@dataclass(frozen=True)
class Finding:
    """One thing that a reader should know.

    Attributes
    ----------
    kind
        What it is about.
    sentence
        It, in plain words.
    advice
        What to change, in a sentence of its own; None where nothing needs to change or nobody knows.
    alarming
        Whether the figures may not mean what they seem to.
    """

    kind: FindingKind
    sentence: str
    advice: str | None = None
    alarming: bool = False

    @property
    def figure(self) -> str | None:
        """The kind of figure that shows it, if there is one."""
        return FIGURES.get(self.kind)


def figure_of(finding: Finding, network: TrainedNetwork) -> str | None:
    """Return the kind of figure that shows a finding of a network, or what shows it nearly as well.

    A training without snapshots has no evolution to draw, and one of a single chunk no course of its norm.
    """
    if finding.figure == "evolution" and not network.snapshots:
        return "fields"
    if finding.figure == "norm" and len(network.history.examples) < 2:
        return "weights"
    return finding.figure
