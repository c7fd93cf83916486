"""Read-outs: neurons get labels from training responses, and the labelled neurons answer for an example.

Assignment and the read-out `average` follow P. U. Diehl and M. Cook, "Unsupervised learning of digit recognition using
spike-timing-dependent plasticity", Front. Comput. Neurosci. 2015, doi 10.3389/fncom.2015.00099.
`proportion` and `all_activity` are the `proportion_weighting` and `all_activity` of BindsNET's module
`bindsnet.evaluation`: H. Hazan et al., "BindsNET: a machine learning-oriented spiking neural networks library in
Python", Front. Neuroinform. 2018, doi 10.3389/fninf.2018.00089.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation.checks import check_counts, check_labels, check_marks, occurring_classes
from snstdp_cli.fields.readouts import NAMING, Classifier

#: Which of several classes with the best score is predicted: the lowest, or as in the ancestor's script the highest.
Ties = Literal["lowest", "ancestor"]
#: The label of a neuron that has none, and the prediction for an example without evidence.
NONE = -1
# Counts are turned into floating point this many at a time (32 MB), not all at once.
_BLOCK = 4_000_000
#: What a spike of each neuron counts for each class, [num_classes, n_e], and the sums' divisor, [num_classes].
_Votes = tuple[NDArray[np.float64], NDArray[np.float64]]
# Scores are rounded here, so that the order of a summation cannot decide between two classes that are equal.
_DECIMALS = 9


@dataclass(frozen=True, eq=False)
class Assignment:
    """What the neurons answered to labelled training images.

    Attributes
    ----------
    classes
        The classes that are told apart, sorted, [num_classes].
    labels
        Class that a neuron responds to most, [n_e]; -1 if it never fired or never learned. Of equals, the lowest class.
    mean_response
        Mean spike count of each neuron for the examples of each class, [num_classes, n_e], rows as in `classes`.
    selectivity
        0 for a neuron that responds to all classes of the training images alike, 1 for one that responds to a single
        class, [n_e].
    num_spikes
        Recorded spikes of each neuron, [n_e].
    """

    classes: NDArray[np.int64]
    labels: NDArray[np.int64]
    mean_response: NDArray[np.float64]
    selectivity: NDArray[np.float64]
    num_spikes: NDArray[np.float64]


def assign_labels(
    counts: NDArray[Any],
    labels: NDArray[Any],
    *,
    never_learned: NDArray[np.bool_] | None = None,
) -> Assignment:
    """Label each neuron with the class that it answers with most spikes on average (Diehl & Cook 2015).

    Parameters
    ----------
    counts
        Spike counts for training images, [num, n_e].
    labels
        Classes of these images, [num].
    never_learned
        Neurons that never fired while the network learned, [n_e]: they get no label, whatever they answer.

    Raises
    ------
    DataError
        If the arrays do not fit together.
    """
    check_counts(counts, "training responses")
    check_labels(labels, len(counts), "training responses")
    if never_learned is not None:
        check_marks(never_learned, counts.shape[1], "training", "neurons (never learned or not)")
    return assign(counts, labels, occurring_classes(labels), never_learned)


def classify(
    counts: NDArray[Any], assignment: Assignment, classifier: Classifier = "average", ties: Ties = "lowest"
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Score the classes for each example by a read-out that uses labels only to name neurons, and predict the best.

    `average` (Diehl & Cook 2015): the score of a class is the mean spike count of the neurons that carry its label. A
    class without neurons scores 0 and is never predicted.

    `selective`: each spike of neuron j adds `log(p[c, j] * k)` to the score of class c of k, where `p[c, j]` is the
    share of class c in the neuron's own mean responses, after one more spike spread evenly over the classes. It is the
    logarithm of the posterior over classes, relative to chance, if every spike is taken as an independent witness
    (naive Bayes): a neuron that answers to 4 and 9 alike votes for both, an unselective one for none, and the extra
    spike keeps a neuron that was seen to fire twice from vetoing a class. Only ratios within a neuron count, so it has
    no parameter and no scale.

    `proportion` (BindsNET): as `average`, but each spike of a neuron counts only by the share of the neuron's own label
    in its mean responses.

    `all_activity` (BindsNET): as `average`, but every neuron has a label, also one that never learned; one that never
    fired has that of the lowest class, and takes part in the mean. (BindsNET also names a class, the first, for an
    example without any spike; here it is undecided.)

    Parameters
    ----------
    counts
        Spike counts, [num, n_e].
    assignment
        From the training responses of the same network.
    ties
        Which class is predicted where several have the best score: the lowest, or as in the ancestor's script, which
        sorts ascending and takes the last, the highest.

    Returns
    -------
    scores
        [num, num_classes], columns as in `assignment.classes`.
    predictions
        Classes, [num]; -1 for an example in which no labelled neuron fired.

    Raises
    ------
    DataError
        If the counts do not fit the assignment, or the read-out is trained by labels (see `evaluate_all`).
    """
    check_counts(counts, "responses", len(assignment.labels))
    if classifier not in _VOTES:
        raise DataError(f"unknown classifier '{classifier}'; expected one of {', '.join(NAMING)}")
    votes, divisor = _VOTES[classifier](assignment)
    has_say = np.ones(len(assignment.labels)) if classifier == "all_activity" else assignment.labels != NONE
    columns = np.vstack([votes, has_say]).T
    sums = np.empty((len(counts), len(votes) + 1))
    for rows in _blocks(counts):
        sums[rows] = counts[rows].astype(np.float64) @ columns
    return predict_best(sums[:, :-1] / divisor, sums[:, -1] > 0, assignment.classes, ties)


def predict_best(
    scores: NDArray[np.float64], has_answer: NDArray[np.bool_], classes: NDArray[np.int64], ties: Ties
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Round scores [num, num_classes], and predict the class of the best one where there is an answer."""
    scores = np.round(scores, _DECIMALS) + 0.0
    best = scores.argmax(axis=1) if ties == "lowest" else len(classes) - 1 - scores[:, ::-1].argmax(axis=1)
    return scores, np.where(has_answer, classes[best], NONE)


def assign(
    counts: NDArray[Any], labels: NDArray[Any], classes: NDArray[np.int64], never_learned: NDArray[np.bool_] | None
) -> Assignment:
    """Label each neuron as `assign_labels` does; the arrays have been checked."""
    is_class = labels[:, None] == classes
    totals = np.zeros((len(classes), counts.shape[1]))
    for rows in _blocks(counts):
        totals += is_class[rows].T.astype(np.float64) @ counts[rows].astype(np.float64)
    num_spikes = totals.sum(axis=0)
    mean_response = totals / np.maximum(is_class.sum(axis=0), 1)[:, None]
    has_label = num_spikes > 0 if never_learned is None else (num_spikes > 0) & ~never_learned
    # Classes without training images can have no response; they must not make every neuron look selective.
    num_seen = int(np.count_nonzero(is_class.any(axis=0)))
    best_share = _class_shares(mean_response).max(axis=0)
    selectivity = (num_seen * best_share - 1) / (num_seen - 1) if num_seen > 1 else np.zeros(len(num_spikes))
    return Assignment(
        classes=classes,
        labels=np.where(has_label, classes[mean_response.argmax(axis=0)], NONE),
        mean_response=mean_response,
        selectivity=np.where(num_spikes > 0, np.clip(selectivity, 0, 1), 0.0),
        num_spikes=num_spikes,
    )


def _average_votes(assignment: Assignment) -> _Votes:
    votes = (assignment.labels == assignment.classes[:, None]).astype(np.float64)
    return votes, np.maximum(votes.sum(axis=1), 1)


def _proportion_votes(assignment: Assignment) -> _Votes:
    votes, num_neurons = _average_votes(assignment)
    return votes * _class_shares(assignment.mean_response), num_neurons


def _all_activity_votes(assignment: Assignment) -> _Votes:
    best = assignment.mean_response.argmax(axis=0)
    votes = (best == np.arange(len(assignment.classes))[:, None]).astype(np.float64)
    return votes, np.maximum(votes.sum(axis=1), 1)


def _selective_votes(assignment: Assignment) -> _Votes:
    num_classes = len(assignment.classes)
    # One more spike, spread evenly over the classes; exactly 0 for a neuron that never fired.
    expected = _class_shares(assignment.mean_response) * assignment.num_spikes * num_classes
    votes = np.log((expected + 1) / (assignment.num_spikes + 1))
    return np.where(assignment.labels != NONE, votes, 0.0), np.ones(num_classes)


def _class_shares(mean_response: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each neuron's mean responses as shares of their sum, [num_classes, n_e]; zeros if it never fired."""
    whole = mean_response.sum(axis=0)
    shares: NDArray[np.float64] = mean_response / np.where(whole > 0, whole, 1)
    return shares


def _blocks(counts: NDArray[Any]) -> Iterator[slice]:
    step = max(1, _BLOCK // counts.shape[1])
    return (slice(start, start + step) for start in range(0, len(counts), step))


_VOTES: dict[Classifier, Callable[[Assignment], _Votes]] = {
    "average": _average_votes,
    "selective": _selective_votes,
    "proportion": _proportion_votes,
    "all_activity": _all_activity_votes,
}
