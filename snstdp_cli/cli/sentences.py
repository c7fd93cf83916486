"""What the figures of a network mean, in sentences, below a result."""

from __future__ import annotations

from snstdp_cli.cli.console import print_note, print_warning
from snstdp_cli.results import Finding, Score, TrainedNetwork, findings

#: These are in the score's own panel and warnings.
_TOLD_ABOVE = ("accuracy", "collapsed", "circular", "data")


def tell_findings(network: TrainedNetwork, score: Score | None = None) -> None:
    """Print what to know of a network: alarms as warnings, all else as notes."""
    for finding in findings(network, score):
        if finding.kind not in _TOLD_ABOVE:
            (print_warning if finding.alarming else print_note)(sentence_of(finding))


def sentence_of(finding: Finding) -> str:
    """Return a finding with its advice."""
    return finding.sentence if finding.advice is None else f"{finding.sentence} {finding.advice}"
