"""Figures of what a network answers: its recorded responses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.evaluation import Classifier
from snstdp_cli.fields import percent
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.plots.titles import images_of, read_outs_of
from snstdp_cli.results import Score, TrainedNetwork, find_mistakes, online_course, score_network


def confusion(
    network: TrainedNetwork,
    *,
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
) -> Figure:
    """Draw which class is taken for which; the title tells the accuracy by both read-outs.

    Parameters
    ----------
    network
        A network with recorded responses.
    classifier
        The read-out whose answers are drawn.
    data, mark
        Which of several recordings: its data set, its name.

    Raises
    ------
    SnstdpError
        If the recordings are not there, or do not belong together.
    """
    score = score_network(network, classifier=classifier, data=data, mark=mark)
    result = score.evaluation
    return drawing.confusion_matrix(
        result.confusion,
        score.class_names,
        undecided=result.undecided_per_class,
        title=_headline(score),
    )


def accuracy(
    network: TrainedNetwork,
    *,
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
) -> Figure:
    """Draw the accuracy by class by both read-outs, with Wilson's 95 % intervals, and chance.

    Parameters
    ----------
    network
        A network with recorded responses.
    classifier
        The read-out that is named first.
    data, mark
        Which of several recordings: its data set, its name.

    Raises
    ------
    SnstdpError
        If the recordings are not there, or do not belong together.
    """
    score = score_network(network, classifier=classifier, data=data, mark=mark)
    results = {kind: score.evaluations[kind].per_class for kind in read_outs_of(classifier)}
    return drawing.class_accuracy(
        score.class_names,
        [drawing.Series(kind, [r.correct for r in per], [r.total for r in per]) for kind, per in results.items()],
        chance=score.evaluation.chance,
        title=f"{network.name}: accuracy by class, with 95 % intervals\n{images_of(score)}",
    )


def mistakes(
    network: TrainedNetwork,
    *,
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Figure:
    """Draw misclassified images of the recorded data set with their numbers and the three best guesses.

    Parameters
    ----------
    network
        A network with recorded responses.
    classifier
        The read-out.
    data, mark
        Which of several recordings: its data set, its name.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If recordings or images are not there, or the images are others than those that were recorded.
    """
    score = score_network(network, classifier=classifier, data=data, mark=mark)
    wrong = find_mistakes(score, data_dir)
    shape = network.image_shape if not wrong else wrong[0].image.shape
    return drawing.misclassified(
        np.stack([one.image for one in wrong]) if wrong else np.zeros((0, *shape)),
        [score.class_name(one.label) for one in wrong],
        [[score.class_name(guess) for guess in one.guesses] for one in wrong],
        [one.number for one in wrong],
        title=f"{network.name}: images of {plain(score.data, 40)} taken for others by {classifier}",
    )


def online(network: TrainedNetwork, *, classifier: Classifier = "average") -> Figure:
    """Draw what a network knew after each stage of a training in the order `by_class` or `by_data`.

    Parameters
    ----------
    network
        A network that `run` trained in this order.
    classifier
        The read-out.

    Raises
    ------
    SnstdpError
        If it is not written down.
    """
    course = online_course(network, classifier)
    lost = "" if course.forgetting is None else f", forgetting {percent(course.forgetting)}"
    return drawing.online_learning(
        course.learned,
        [str(c) for c in course.classes],
        course.accuracies,
        course.by_class,
        title=f"{network.name}: {percent(course.accuracies[-1])} by {classifier} at the end{lost}",
    )


def _headline(score: Score) -> str:
    shares = ", ".join(
        f"{percent(score.evaluations[kind].accuracy)} by {kind}" for kind in read_outs_of(score.classifier)
    )
    return f"{score.name}: {shares}\n{images_of(score)}; chance {percent(score.evaluation.chance)}"
