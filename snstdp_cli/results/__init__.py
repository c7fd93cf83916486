"""What trained networks are: weights, records, recordings and scores; figures, reports and Python look at it."""

from snstdp_cli.results.network import TrainedNetwork, guess_shape
from snstdp_cli.results.refusals import current_recordings
from snstdp_cli.results.scoring import (
    AssignFrom,
    Score,
    compare_scores,
    score_ancestor_pairs,
    score_network,
    score_responses,
)
from snstdp_cli.results.selection import recorded_variants

__all__ = [
    "AssignFrom",
    "Score",
    "TrainedNetwork",
    "compare_scores",
    "current_recordings",
    "guess_shape",
    "recorded_variants",
    "score_ancestor_pairs",
    "score_network",
    "score_responses",
]
