"""Figures of what a network answers: recorded responses, and single presentations simulated again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.evaluation import Classifier, told
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.results import (
    Score,
    SeedGroup,
    TrainedNetwork,
    find_mistakes,
    group_seeds,
    on_same_data,
    online_course,
    score_network,
)

if TYPE_CHECKING:
    from snstdp_cli.recording.tracing import Trace

#: More notes below a name could not be read.
_MAX_NOTES = 6


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
    results = {kind: score.evaluations[kind].per_class for kind in _order(classifier)}
    return drawing.class_accuracy(
        score.class_names,
        [drawing.Series(kind, [r.correct for r in per], [r.total for r in per]) for kind, per in results.items()],
        chance=score.evaluation.chance,
        title=f"{network.name}: accuracy by class, with 95% intervals\n{_images(score)}",
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


def comparison(
    networks: Sequence[TrainedNetwork],
    *,
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
) -> Figure:
    """Draw the accuracies of several networks by both read-outs, with every setting in which any two differ.

    Networks that differ in nothing but the seed share a row: their mean, its bar the standard deviation over seeds, and
    a point for each. A single network's bar is Wilson's 95 % interval.

    Parameters
    ----------
    networks
        Networks with recorded responses.
    classifier
        The read-out that is drawn first.
    data, mark
        Which of several recordings of each: its data set, its name.

    Raises
    ------
    SnstdpError
        If recordings are not there, or do not belong together.
    """
    scores = [score_network(one, classifier=classifier, data=data, mark=mark) for one in networks]
    groups = group_seeds(scores)
    readouts = _order(classifier)
    same, first = on_same_data(scores), scores[0].evaluation
    bars = "standard deviations over seeds" if all(len(group.scores) > 1 for group in groups) else "95% intervals"
    mixed = len({len(group.scores) > 1 for group in groups}) > 1
    name = (
        f"chance: always class {scores[0].class_name(first.commonest_class)}, {first.chance:.1%}"
        if same
        else "chance: the commonest class"
    )
    return drawing.accuracy_bars(
        [(_label(group), [_bar(group, kind) for kind in readouts]) for group in groups],
        readouts,
        chances=[group.scores[0].evaluation.chance for group in groups],
        chance_name=name,
        title=f"Accuracy on {_images(scores[0]) if same else 'different images (see the names)'}, with {bars}"
        f"{', of several seeds standard deviations' if mixed else ''}",
    )


def online(network: TrainedNetwork, *, classifier: Classifier = "average") -> Figure:
    """Draw what a network knew after each class of a training in the order `by_class`.

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
    lost = "" if course.forgetting is None else f", forgetting {course.forgetting:.1%}"
    return drawing.online_learning(
        [str(c) for c in course.classes],
        course.accuracies,
        course.by_class,
        title=f"{network.name}: {course.accuracies[-1]:.1%} by {classifier} at the end{lost}",
    )


def raster(
    network: TrainedNetwork,
    *,
    example: int = 0,
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Figure:
    """Simulate one test image again and draw the spikes of all neurons (ms).

    Parameters
    ----------
    network
        A trained network.
    example
        Number of the image, from 0.
    data, mark
        Which of several recordings to repeat: its data set, its name. Without recordings, the test images of the
        training's data set.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image.
    """
    from snstdp_cli.results.presentation import present_again

    return draw_raster(network, example, present_again(network, example, data=data, mark=mark, data_dir=data_dir))


def traces(
    network: TrainedNetwork,
    *,
    example: int = 0,
    neurons: Sequence[int] | None = None,
    data: str | None = None,
    mark: str | None = None,
    data_dir: Path | None = None,
) -> Figure:
    """Simulate one test image again and draw voltage (mV), threshold (mV) and conductances (in units of the leak).

    Parameters
    ----------
    network
        A trained network.
    example
        Number of the image, from 0.
    neurons
        Numbers of the excitatory neurons, from 0; by default the three that answer most.
    data, mark
        Which of several recordings to repeat: its data set, its name. Without recordings, the test images of the
        training's data set.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image or neuron.
    """
    from snstdp_cli.results.presentation import present_again

    trace = present_again(network, example, neurons=neurons, data=data, mark=mark, data_dir=data_dir)
    return draw_traces(network, example, trace)


def draw_raster(network: TrainedNetwork, example: int, trace: Trace) -> Figure:
    """Draw the spikes of a presentation."""
    title = _presented(network, example, trace)
    return drawing.raster(
        trace.spikes, sizes=trace.sizes, end_ms=trace.end_ms, stimulus_ms=trace.stimuli_ms, title=title
    )


def draw_traces(network: TrainedNetwork, example: int, trace: Trace) -> Figure:
    """Draw voltages, thresholds and conductances of a presentation."""
    return drawing.traces(
        trace.times_ms,
        trace.values,
        neurons=trace.neurons,
        levels={"v (mV)": ("threshold of each neuron", trace.thresholds_mv)},
        stimulus_ms=trace.stimuli_ms,
        title=_presented(network, example, trace),
    )


def _presented(network: TrainedNetwork, example: int, trace: Trace) -> str:
    again = f", shown {len(trace.stimuli_ms)} times" if len(trace.stimuli_ms) > 1 else ""
    return f"{network.name}: test image {example} of class {network.class_name(trace.label)}{again}"


def _order(classifier: Classifier) -> list[Classifier]:
    """Return the read-outs that are drawn, the chosen one first."""
    return list(told(classifier))


def _images(score: Score) -> str:
    assign, test = score.assign.record, score.test.record
    labelled = ", labelled by these very images" if score.circular else ""
    if assign is not None and test is not None and not assign.data.belongs_to(test.data):
        labelled = f", labelled by {plain(assign.data.identity, 40)}"
    return f"{score.evaluation.num_examples:,} test images of {plain(score.data, 40)}{labelled}"


def _headline(score: Score) -> str:
    shares = ", ".join(f"{score.evaluations[kind].accuracy:.1%} by {kind}" for kind in _order(score.classifier))
    return f"{score.name}: {shares}\n{_images(score)}; chance {score.evaluation.chance:.1%}"


def _label(group: SeedGroup) -> str:
    num = len(group.scores)
    name = group.names[0] if num == 1 else f"{group.names[0]} and {num - 1} more seed{'s' * (num > 2)}"
    notes = list(group.notes)
    if len(notes) > _MAX_NOTES:
        notes = [*notes[: _MAX_NOTES - 1], f"and {len(notes) - _MAX_NOTES + 1} settings more"]
    return "\n".join([name, *notes])


def _bar(group: SeedGroup, classifier: Classifier) -> drawing.Bar:
    mean, sd = group.mean_and_sd(classifier)
    if sd is None:
        return drawing.Bar(mean, group.scores[0].evaluations[classifier].ci95)
    return drawing.Bar(mean, (mean - sd, mean + sd), tuple(group.accuracies(classifier)))
