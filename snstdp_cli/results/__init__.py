"""What trained networks are: weights, provenance, recordings, scores; figures, reports and Python look at it."""

from snstdp_cli.results.scoring import (
    Score,
    compare_networks,
    evaluate_activity,
    evaluate_ancestor_pairs,
    load_recording,
)

__all__ = ["Score", "compare_networks", "evaluate_activity", "evaluate_ancestor_pairs", "load_recording"]
