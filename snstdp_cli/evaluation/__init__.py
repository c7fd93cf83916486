"""Scores of recorded networks, and how sure they are; pure NumPy."""

from snstdp_cli.evaluation.scores import (
    NONE,
    Assignment,
    Classifier,
    ClassResult,
    Evaluation,
    assign_labels,
    classify,
    evaluate,
)
from snstdp_cli.evaluation.uncertainty import Z95, Comparison, mcnemar, mean_and_sd, wilson_interval

__all__ = [
    "NONE",
    "Z95",
    "Assignment",
    "ClassResult",
    "Classifier",
    "Comparison",
    "Evaluation",
    "assign_labels",
    "classify",
    "evaluate",
    "mcnemar",
    "mean_and_sd",
    "wilson_interval",
]
