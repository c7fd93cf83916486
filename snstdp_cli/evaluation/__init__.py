"""Scores of recorded networks, and how sure they are; pure NumPy."""

from snstdp_cli.evaluation.pairing import Recorded, difference_of_labels, paired, same_responses
from snstdp_cli.evaluation.readouts import CLASSIFIERS, NONE, Assignment, Classifier, assign_labels, classify
from snstdp_cli.evaluation.scores import ClassResult, Evaluation, evaluate, evaluate_all
from snstdp_cli.evaluation.uncertainty import Z95, Comparison, CurvePoint, mcnemar, mean_and_sd, wilson_interval
from snstdp_cli.evaluation.verdict import collapsed

__all__ = [
    "CLASSIFIERS",
    "NONE",
    "Z95",
    "Assignment",
    "ClassResult",
    "Classifier",
    "Comparison",
    "CurvePoint",
    "Evaluation",
    "Recorded",
    "assign_labels",
    "classify",
    "collapsed",
    "difference_of_labels",
    "evaluate",
    "evaluate_all",
    "mcnemar",
    "mean_and_sd",
    "paired",
    "same_responses",
    "wilson_interval",
]
