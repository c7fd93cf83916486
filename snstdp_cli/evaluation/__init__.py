"""Scores of recorded networks, and how sure they are; pure NumPy but for the linear read-out, by scikit-learn."""

from snstdp_cli.evaluation.linear import LinearReadOut, fit_linear
from snstdp_cli.evaluation.pairing import Recorded, difference_of_labels, same_responses
from snstdp_cli.evaluation.readouts import NONE, Assignment, Ties, assign_labels, classify
from snstdp_cli.evaluation.scores import ClassResult, Evaluation, evaluate, evaluate_all
from snstdp_cli.evaluation.uncertainty import Z95, Comparison, CurvePoint, mcnemar, mean_and_sd, wilson_interval
from snstdp_cli.evaluation.verdict import collapsed
from snstdp_cli.fields.readouts import CLASSIFIERS, NAMING, READ_OUTS, TRAINED, Classifier, read_out_title, with_usual

__all__ = [
    "CLASSIFIERS",
    "NAMING",
    "NONE",
    "READ_OUTS",
    "TRAINED",
    "Z95",
    "Assignment",
    "ClassResult",
    "Classifier",
    "Comparison",
    "CurvePoint",
    "Evaluation",
    "LinearReadOut",
    "Recorded",
    "Ties",
    "assign_labels",
    "classify",
    "collapsed",
    "difference_of_labels",
    "evaluate",
    "evaluate_all",
    "fit_linear",
    "mcnemar",
    "mean_and_sd",
    "read_out_title",
    "same_responses",
    "wilson_interval",
    "with_usual",
]
