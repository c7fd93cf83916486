"""Scores of a recorded network, by each read-out that is asked for.

The labels of neurons come from training images only; the test images are never looked at before they are scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation.checks import check_counts, check_labels, check_marks, occurring_classes
from snstdp_cli.evaluation.linear import fit_linear
from snstdp_cli.evaluation.readouts import NONE, Assignment, Ties, assign, classify, predict_best
from snstdp_cli.evaluation.uncertainty import wilson_interval
from snstdp_cli.fields.readouts import CLASSIFIERS, READ_OUTS, TRAINED, Classifier


class ClassResult(NamedTuple):
    """Result for the examples of one class, `label`; `accuracy` is None if there were none."""

    correct: int
    total: int
    accuracy: float | None
    ci95: tuple[float, float]
    label: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Score of a network on labelled test examples by one read-out.

    Attributes
    ----------
    accuracy
        Share of correct predictions; examples without one count as wrong.
    ci95
        Wilson's 95 % interval of the accuracy: the chance in the choice of test examples, not that of the seeds.
    classes
        The classes that occur among training and test examples, sorted, [num_classes].
    chance
        Accuracy of the best constant answer: the share of the most frequent class among the scored examples.
    commonest_class
        This most frequent class; of equals, the lowest.
    silent_examples
        Examples that never reached the required number of spikes.
    undecided_examples
        Examples for which no labelled neuron fired.
    unassigned_neurons
        Neurons without a label: they never fired for the training images, or never learned.
    never_learned_neurons
        Those of them that are known never to have fired while the network learned.
    per_class
        One result per class, in the order of `classes`; `by_class` finds one by its class.
    confusion
        Examples by true class (row) and predicted class (column), [num_classes, num_classes], in the order of
        `classes`.
    undecided_per_class
        Examples of each class without a prediction; with its row of `confusion` they are its total.
    predictions
        Predicted classes, [num]; -1 where undecided.
    correct
        Where the prediction is right, [num].
    scores
        Evidence for each class, [num, num_classes]; comparable within a row only.
    assignment
        The labels of the neurons and what they were made from; the same for all read-outs.
    """

    accuracy: float
    ci95: tuple[float, float]
    classes: NDArray[np.int64]
    chance: float
    commonest_class: int
    num_examples: int
    num_correct: int
    silent_examples: int
    undecided_examples: int
    unassigned_neurons: int
    never_learned_neurons: int
    classifier: Classifier
    per_class: list[ClassResult]
    confusion: NDArray[np.int64]
    undecided_per_class: NDArray[np.int64]
    predictions: NDArray[np.int64]
    correct: NDArray[np.bool_]
    scores: NDArray[np.float64]
    assignment: Assignment

    @property
    def label_use(self) -> Literal["naming", "trained"]:
        """Whether labels trained the read-out or only name neurons."""
        return "trained" if self.classifier in TRAINED else "naming"

    @property
    def by_class(self) -> dict[int, ClassResult]:
        """The results per class, by class."""
        return {result.label: result for result in self.per_class}

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, without the values of single examples, as JSON can hold them."""
        return {
            "accuracy": self.accuracy,
            "ci95": list(self.ci95),
            "classes": self.classes.tolist(),
            "chance": self.chance,
            "num_examples": self.num_examples,
            "num_correct": self.num_correct,
            "silent_examples": self.silent_examples,
            "undecided_examples": self.undecided_examples,
            "unassigned_neurons": self.unassigned_neurons,
            "never_learned_neurons": self.never_learned_neurons,
            "classifier": self.classifier,
            "label_use": self.label_use,
            "per_class": [{**result._asdict(), "ci95": list(result.ci95)} for result in self.per_class],
            "confusion": self.confusion.tolist(),
            "undecided_per_class": self.undecided_per_class.tolist(),
        }


def evaluate_all(
    assign_counts: NDArray[Any],
    assign_labels: NDArray[Any],
    test_counts: NDArray[Any],
    test_labels: NDArray[Any],
    silent: NDArray[Any] | None = None,
    *,
    never_learned: NDArray[Any] | None = None,
    read_outs: Sequence[Classifier] = CLASSIFIERS,
    ties: Ties = "lowest",
) -> dict[Classifier, Evaluation]:
    """Label the neurons with the training responses and score the test responses, by each read-out.

    Parameters
    ----------
    assign_counts, assign_labels
        Spike counts for training images, [num_assign, n_e], and their classes.
    test_counts, test_labels
        Spike counts for test images, [num, n_e], and their classes.
    silent
        Where a test image never reached the required number of spikes, [num]; without it, where there is no spike.
    never_learned
        Neurons that never fired while the network learned, [n_e]: they have no label and do not vote.
    read_outs
        Which ones; `linear` is trained by the labels of the training responses and takes seconds.
    ties
        Which of several best classes is predicted (see `classify`).

    Raises
    ------
    ConfigError
        If `linear` is asked for and scikit-learn is not installed.
    DataError
        If the arrays do not fit together, or a read-out is not known.

    Examples
    --------
    >>> counts, labels = np.array([[4, 0], [0, 6]]), np.array([3, 8])
    >>> scored = evaluate_all(counts, labels, counts, labels)
    >>> scored["average"].classes.tolist(), scored["average"].accuracy, scored["selective"].chance
    ([3, 8], 1.0, 0.5)
    """
    check_counts(assign_counts, "training responses")
    check_labels(assign_labels, len(assign_counts), "training responses")
    check_counts(test_counts, "test responses", assign_counts.shape[1])
    check_labels(test_labels, len(test_counts), "test responses")
    if silent is None:
        silent = test_counts.max(axis=1) == 0
    check_marks(silent, len(test_labels), "test responses", "examples (silent or not)")
    if never_learned is None:
        never_learned = np.zeros(assign_counts.shape[1], bool)
    check_marks(never_learned, assign_counts.shape[1], "training", "neurons (never learned or not)")
    classes = occurring_classes(assign_labels, test_labels)
    assignment = assign(assign_counts, assign_labels, classes, never_learned)
    marked = int(np.count_nonzero(silent)), int(np.count_nonzero(never_learned))
    evaluations: dict[Classifier, Evaluation] = {}
    for name in read_outs:
        if name in TRAINED:
            answers = _classify_linear(assign_counts, assign_labels, test_counts, classes, ties)
        else:
            answers = classify(test_counts, assignment, name, ties)
        evaluations[name] = _score(assignment, answers, test_labels, name, *marked)
    return evaluations


def evaluate(
    assign_counts: NDArray[Any],
    assign_labels: NDArray[Any],
    test_counts: NDArray[Any],
    test_labels: NDArray[Any],
    silent: NDArray[Any] | None = None,
    classifier: Classifier = "average",
    *,
    never_learned: NDArray[Any] | None = None,
    ties: Ties = "lowest",
) -> Evaluation:
    """Label the neurons with the training responses and score the test responses by one read-out.

    See `evaluate_all` for the parameters.
    """
    if classifier not in READ_OUTS:
        raise DataError(f"unknown classifier '{classifier}'; expected one of {', '.join(READ_OUTS)}")
    scored = evaluate_all(
        assign_counts,
        assign_labels,
        test_counts,
        test_labels,
        silent,
        never_learned=never_learned,
        read_outs=(classifier,),
        ties=ties,
    )
    return scored[classifier]


def _classify_linear(
    assign_counts: NDArray[Any],
    assign_labels: NDArray[Any],
    counts: NDArray[Any],
    classes: NDArray[np.int64],
    ties: Ties,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Score the classes by logistic regression; a class that no label trained has the least evidence of all."""
    fitted = fit_linear(assign_counts, assign_labels)
    known = fitted.scores(counts)
    scores = np.tile(known.min(axis=1, keepdims=True) - 1, len(classes))
    scores[:, np.searchsorted(classes, fitted.classes)] = known
    return predict_best(scores, counts.max(axis=1) > 0, classes, ties)


def _score(
    assignment: Assignment,
    answers: tuple[NDArray[np.float64], NDArray[np.int64]],
    labels: NDArray[Any],
    classifier: Classifier,
    silent: int,
    never_learned: int,
) -> Evaluation:
    scores, predictions = answers
    classes, correct = assignment.classes, predictions == labels
    table = _confusion(classes, labels, predictions)
    totals = table.sum(axis=1)
    num_correct, num = int(correct.sum()), len(correct)
    return Evaluation(
        accuracy=num_correct / num,
        ci95=wilson_interval(num_correct, num),
        classes=classes,
        chance=int(totals.max()) / num,
        commonest_class=int(classes[totals.argmax()]),
        num_examples=num,
        num_correct=num_correct,
        silent_examples=silent,
        undecided_examples=int(table[:, NONE].sum()),
        unassigned_neurons=int(np.count_nonzero(assignment.labels == NONE)),
        never_learned_neurons=never_learned,
        classifier=classifier,
        per_class=[_class_result(int(c), int(table[k, k]), int(totals[k])) for k, c in enumerate(classes)],
        confusion=table[:, :-1].copy(),
        undecided_per_class=table[:, NONE].copy(),
        predictions=predictions,
        correct=correct,
        scores=scores,
        assignment=assignment,
    )


def _confusion(classes: NDArray[np.int64], labels: NDArray[Any], predictions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count examples by true class and prediction, [num_classes, num_classes + 1]; the last column is undecided."""
    table = np.zeros((len(classes), len(classes) + 1), np.int64)
    columns = np.where(predictions == NONE, NONE, np.searchsorted(classes, predictions))
    np.add.at(table, (np.searchsorted(classes, labels), columns), 1)
    return table


def _class_result(label: int, correct: int, total: int) -> ClassResult:
    return ClassResult(correct, total, correct / total if total else None, wilson_interval(correct, total), label)
