"""Scores of a recorded network: neurons get labels from training responses, test responses get classes.

The labels come from training images only; the test images are never looked at before they are scored. Assignment and
the classifier `average` follow P. U. Diehl and M. Cook, "Unsupervised learning of digit recognition using
spike-timing-dependent plasticity", Front. Comput. Neurosci. 2015, doi 10.3389/fncom.2015.00099.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation.uncertainty import wilson_interval

Classifier = Literal["average", "selective"]
#: The label of a neuron that never fired, and the prediction for an example without evidence.
NONE = -1
# Counts are turned into floating point this many at a time (32 MB), not all at once.
_BLOCK = 4_000_000
# Scores are rounded here, so that the order of a summation cannot decide between two classes that are equal.
_DECIMALS = 9


@dataclass(frozen=True, eq=False)
class Assignment:
    """What the neurons answered to labelled training images.

    Attributes
    ----------
    labels : class that a neuron responds to most, [n_e]; -1 if it never fired. Of equals, the lowest class.
    mean_response : mean spike count of each neuron for the examples of each class, [num_classes, n_e].
    selectivity : 0 for a neuron that responds to all classes alike, 1 for one that responds to a single class, [n_e].
    num_spikes : recorded spikes of each neuron, [n_e].
    """

    labels: NDArray[np.int64]
    mean_response: NDArray[np.float64]
    selectivity: NDArray[np.float64]
    num_spikes: NDArray[np.float64]


class ClassResult(NamedTuple):
    """Result for the examples of one class; `accuracy` is None if there were none."""

    correct: int
    total: int
    accuracy: float | None
    ci95: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Score of a network on labelled test examples.

    Attributes
    ----------
    accuracy : share of correct predictions; examples without one count as wrong.
    ci95 : Wilson's 95 % interval of the accuracy: the chance in the choice of test examples, not that of the seeds.
    silent_examples : examples that never reached the required number of spikes.
    undecided_examples : examples for which no labelled neuron fired.
    unassigned_neurons : neurons that never fired for the training images.
    per_class : one result per class.
    confusion : examples by true class (row) and predicted class (column), [num_classes, num_classes].
    undecided_per_class : examples of each class without a prediction; with its row of `confusion` they are its total.
    predictions : predicted classes, [num]; -1 where undecided.
    correct : where the prediction is right, [num].
    scores : evidence for each class, [num, num_classes]; comparable within a row only.
    """

    accuracy: float
    ci95: tuple[float, float]
    num_examples: int
    num_correct: int
    silent_examples: int
    undecided_examples: int
    unassigned_neurons: int
    classifier: Classifier
    per_class: list[ClassResult]
    confusion: NDArray[np.int64]
    undecided_per_class: NDArray[np.int64]
    predictions: NDArray[np.int64]
    correct: NDArray[np.bool_]
    scores: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, without the values of single examples, as JSON can hold them."""
        return {
            "accuracy": self.accuracy,
            "ci95": list(self.ci95),
            "num_examples": self.num_examples,
            "num_correct": self.num_correct,
            "silent_examples": self.silent_examples,
            "undecided_examples": self.undecided_examples,
            "unassigned_neurons": self.unassigned_neurons,
            "classifier": self.classifier,
            "per_class": [{**result._asdict(), "ci95": list(result.ci95)} for result in self.per_class],
            "confusion": self.confusion.tolist(),
            "undecided_per_class": self.undecided_per_class.tolist(),
        }


def assign_labels(counts: NDArray[Any], labels: NDArray[Any], num_classes: int) -> Assignment:
    """Label each neuron with the class that it answers with most spikes on average (Diehl & Cook 2015).

    Parameters
    ----------
    counts : spike counts for training images, [num, n_e].
    labels : classes of these images, [num].

    Raises
    ------
    DataError
        If the arrays do not fit together or a label is not below `num_classes`.
    """
    _check_counts(counts, "training responses")
    _check_labels(labels, len(counts), num_classes, "training responses")
    return _assign(counts, labels, num_classes)


def classify(
    counts: NDArray[Any], assignment: Assignment, classifier: Classifier = "average"
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Score the classes for each example and predict the best; of equals, the lowest.

    `average` (Diehl & Cook 2015): the score of a class is the mean spike count of the neurons that carry its label. A
    class without neurons scores 0 and is never predicted.

    `selective`: each spike of neuron j adds `log(p[c, j] * num_classes)` to the score of class c, where `p[c, j]` is
    the share of class c in the neuron's own mean responses, after one more spike spread evenly over the classes. It is
    the logarithm of the posterior over classes, relative to chance, if every spike is taken as an independent witness
    (naive Bayes): a neuron that answers to 4 and 9 alike votes for both, an unselective one for none, and the extra
    spike keeps a neuron that was seen to fire twice from vetoing a class. Only ratios within a neuron count, so it has
    no parameter and no scale.

    Parameters
    ----------
    counts : spike counts, [num, n_e].
    assignment : from the training responses of the same network.

    Returns
    -------
    scores : [num, num_classes].
    predictions : [num]; -1 for an example in which no labelled neuron fired.

    Raises
    ------
    DataError
        If the counts do not fit the assignment.
    """
    _check_counts(counts, "responses", len(assignment.labels))
    _check_classifier(classifier)
    return _classify(counts, assignment, classifier)


def evaluate(
    assign_counts: NDArray[Any],
    assign_labels: NDArray[Any],
    test_counts: NDArray[Any],
    test_labels: NDArray[Any],
    silent: NDArray[Any] | None = None,
    classifier: Classifier = "average",
    num_classes: int = 10,
) -> Evaluation:
    """Label the neurons with the training responses and score the test responses.

    Parameters
    ----------
    assign_counts, assign_labels : spike counts for training images, [num_assign, n_e], and their classes.
    test_counts, test_labels : spike counts for test images, [num, n_e], and their classes.
    silent : where a test image never reached the required number of spikes, [num]; without it, where there is no spike.
    classifier : see `classify`.

    Raises
    ------
    DataError
        If the arrays do not fit together or a label is not below `num_classes`.
    """
    _check_counts(assign_counts, "training responses")
    _check_labels(assign_labels, len(assign_counts), num_classes, "training responses")
    _check_counts(test_counts, "test responses", assign_counts.shape[1])
    _check_labels(test_labels, len(test_counts), num_classes, "test responses")
    _check_classifier(classifier)
    if silent is None:
        silent = test_counts.max(axis=1) == 0
    if silent.shape != test_labels.shape or silent.dtype != bool:
        raise DataError(
            f"test responses: expected true or false for each of {len(test_labels)} examples (silent or not), "
            f"found {silent.dtype} of the shape {silent.shape}"
        )

    assignment = _assign(assign_counts, assign_labels, num_classes)
    scores, predictions = _classify(test_counts, assignment, classifier)
    correct = predictions == test_labels
    table = np.zeros((num_classes, num_classes + 1), np.int64)
    np.add.at(table, (test_labels, predictions), 1)  # -1 is the last column
    totals = table.sum(axis=1)
    num_correct, num = int(correct.sum()), len(correct)
    return Evaluation(
        accuracy=num_correct / num,
        ci95=wilson_interval(num_correct, num),
        num_examples=num,
        num_correct=num_correct,
        silent_examples=int(np.count_nonzero(silent)),
        undecided_examples=int(table[:, NONE].sum()),
        unassigned_neurons=int(np.count_nonzero(assignment.labels == NONE)),
        classifier=classifier,
        per_class=[_class_result(int(table[c, c]), int(totals[c])) for c in range(num_classes)],
        confusion=table[:, :-1].copy(),
        undecided_per_class=table[:, NONE].copy(),
        predictions=predictions,
        correct=correct,
        scores=scores,
    )


def _assign(counts: NDArray[Any], labels: NDArray[Any], num_classes: int) -> Assignment:
    is_class = labels[:, None] == np.arange(num_classes)
    totals = np.zeros((num_classes, counts.shape[1]))
    for rows in _blocks(counts):
        totals += is_class[rows].T.astype(np.float64) @ counts[rows].astype(np.float64)
    num_spikes = totals.sum(axis=0)
    fired = num_spikes > 0
    mean_response = totals / np.maximum(is_class.sum(axis=0), 1)[:, None]
    best_share = _class_shares(mean_response).max(axis=0)
    selectivity = (num_classes * best_share - 1) / (num_classes - 1) if num_classes > 1 else np.zeros(len(fired))
    return Assignment(
        labels=np.where(fired, mean_response.argmax(axis=0), NONE),
        mean_response=mean_response,
        selectivity=np.where(fired, np.clip(selectivity, 0, 1), 0.0),
        num_spikes=num_spikes,
    )


def _class_shares(mean_response: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each neuron's mean responses as shares of their sum, [num_classes, n_e]; zeros if it never fired."""
    whole = mean_response.sum(axis=0)
    shares: NDArray[np.float64] = mean_response / np.where(whole > 0, whole, 1)
    return shares


def _classify(
    counts: NDArray[Any], assignment: Assignment, classifier: Classifier
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    num_classes = len(assignment.mean_response)
    is_assigned = assignment.labels != NONE
    if classifier == "average":
        votes = (assignment.labels == np.arange(num_classes)[:, None]).astype(np.float64)
        divisor = np.maximum(votes.sum(axis=1), 1)
    else:
        # One more spike, spread evenly over the classes; exactly 0 for a neuron that never fired.
        expected = _class_shares(assignment.mean_response) * assignment.num_spikes * num_classes
        votes = np.log((expected + 1) / (assignment.num_spikes + 1))
        divisor = np.ones(num_classes)
    columns = np.vstack([votes, is_assigned]).T
    sums = np.empty((len(counts), num_classes + 1))
    for rows in _blocks(counts):
        sums[rows] = counts[rows].astype(np.float64) @ columns
    scores = np.round(sums[:, :-1] / divisor, _DECIMALS) + 0.0
    return scores, np.where(sums[:, -1] > 0, scores.argmax(axis=1), NONE)


def _blocks(counts: NDArray[Any]) -> Iterator[slice]:
    step = max(1, _BLOCK // counts.shape[1])
    return (slice(start, start + step) for start in range(0, len(counts), step))


def _class_result(correct: int, total: int) -> ClassResult:
    return ClassResult(correct, total, correct / total if total else None, wilson_interval(correct, total))


def _check_counts(counts: NDArray[Any], where: str, n_e: int | None = None) -> None:
    if counts.ndim != 2 or 0 in counts.shape:
        raise DataError(f"{where}: expected spike counts of the shape [num_examples, n_e], found {counts.shape}")
    if n_e is not None and counts.shape[1] != n_e:
        raise DataError(
            f"{where}: expected {n_e} neurons as in the training responses, found {counts.shape[1]}; "
            f"record both with the same weights"
        )
    if counts.dtype.kind not in "uif":
        raise DataError(f"{where}: expected spike counts as numbers, found {counts.dtype}")
    if counts.dtype.kind != "u" and not (counts.min() >= 0 and np.isfinite(counts.max())):
        raise DataError(f"{where}: expected spike counts of 0 or more, found {counts.min()} to {counts.max()}")


def _check_labels(labels: NDArray[Any], num: int, num_classes: int, where: str) -> None:
    if num_classes < 1:
        raise DataError(f"{where}: expected at least one class, found {num_classes}")
    if labels.shape != (num,):
        raise DataError(f"{where}: expected a label for each of {num} examples, found the shape {labels.shape}")
    if labels.dtype.kind not in "ui":
        raise DataError(f"{where}: expected labels as whole numbers, found {labels.dtype}")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise DataError(f"{where}: expected labels 0 to {num_classes - 1}, found {labels.min()} to {labels.max()}")


def _check_classifier(classifier: str) -> None:
    if classifier not in ("average", "selective"):
        raise DataError(f"unknown classifier '{classifier}'; expected average or selective")
