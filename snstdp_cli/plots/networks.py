"""Figures of a trained network: its weights, and how its training went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.fields.command_lines import command_line, place_words
from snstdp_cli.fields.figures import SCALES, Scale
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.results import TrainedNetwork, score_network, training_stages
from snstdp_cli.results.ancestor_series import is_series, norms_of_snapshots, series_curve
from snstdp_cli.results.findings import norm_of


def fields(network: TrainedNetwork, *, scale: Scale = "all") -> Figure:
    """Draw the receptive fields of all neurons; those that never learned are crossed out.

    Parameters
    ----------
    network
        A trained network.
    scale
        `all` draws one weight in one colour everywhere; `neuron` gives each neuron's strongest weight the darkest
        colour, so that a few strong weights do not pale all others.

    Raises
    ------
    SnstdpError
        If the weights are not there or cannot be drawn.
    """
    _check_scale(scale)
    never = network.never_learned
    crossed = "" if never is None or not never.any() else f", {int(never.sum()):,} never learned (crossed out)"
    return drawing.receptive_fields(
        network.weights,
        network.image_shape,
        scale=scale,
        crossed=never,
        title=f"{network.name}: receptive fields of {network.n_e:,} neurons{crossed}",
    )


def classes(
    network: TrainedNetwork,
    *,
    scale: Scale = "all",
    classifier: Classifier = "average",
    data: str | None = None,
    mark: str | None = None,
) -> Figure:
    """Draw the receptive fields sorted by the class that each neuron answers to, the most selective first.

    Neurons without a label, among them those that never learned, are the last row.

    Parameters
    ----------
    network
        A trained network with recorded responses.
    scale
        As for `fields`.
    classifier
        The read-out; both use the same labels.
    data, mark
        Which of several recordings to label the neurons for: its data set, its name.

    Raises
    ------
    SnstdpError
        If weights or recordings are not there, or do not belong together.
    """
    _check_scale(scale)
    score = score_network(network, classifier=classifier, data=data, mark=mark)
    assigned = score.evaluation.assignment
    if len(assigned.labels) != network.n_e:
        raise ArtefactError(
            f"{score.assign.path}: responses of {len(assigned.labels)} neurons, but the weights are those of "
            f"{network.n_e}; record again"
        )
    # Rows are numbered by the classes that occur, which need not begin at 0.
    rows = np.where(assigned.labels < 0, -1, np.searchsorted(assigned.classes, assigned.labels))
    return drawing.receptive_fields(
        network.weights,
        network.image_shape,
        labels=rows,
        class_names=score.class_names,
        order=np.argsort(-assigned.selectivity, kind="stable"),
        scale=scale,
        crossed=network.never_learned,
        title=f"{network.name}: receptive fields by class\nlabels from {plain(score.labels_from, 60)}",
    )


def evolution(network: TrainedNetwork, *, neurons: Sequence[int] | None = None) -> Figure:
    """Draw the receptive fields of a few neurons at even steps of the training.

    Parameters
    ----------
    network
        A network with snapshots of its training.
    neurons
        Numbers of the neurons, from 0; by default eight that have learned.

    Raises
    ------
    SnstdpError
        If no snapshot was kept, or a neuron is not there.
    """
    if neurons and not all(0 <= j < network.n_e for j in neurons):
        raise DataError(f"--neuron: expected 0 to {network.n_e - 1}, found {', '.join(map(str, neurons))}")
    stages = training_stages(network, list(neurons) if neurons else None)
    *marks, last = stages.examples
    names = [f"{mark:,}" + ("\nmissing" if mark in stages.missing else "") for mark in marks if mark is not None]
    uneven = "" if stages.is_even else " (steps uneven)"
    return drawing.evolution(
        list(zip([*names, "end" if last is None else f"{last:,}\nend"], stages.weights, strict=True)),
        network.image_shape,
        neurons=stages.neurons.tolist(),
        title=f"{network.name}: receptive fields during training{uneven}",
    )


def weights(network: TrainedNetwork) -> Figure:
    """Draw how weights, L1 norms and adaptive thresholds (mV) are distributed.

    Parameters
    ----------
    network
        A trained network.

    Raises
    ------
    SnstdpError
        If the weights are not there or cannot be drawn.
    """
    title = f"{network.name}: weights, norms and thresholds"
    return drawing.weight_distribution(network.weights, network.theta_mv, title=title)


def norm(network: TrainedNetwork) -> Figure:
    """Draw the L1 norm of the neurons' weights over the training, and the rule's target.

    Parameters
    ----------
    network
        A network whose record holds the course of its training.

    Raises
    ------
    SnstdpError
        If nothing is written down, or the norm was noted once only.
    """
    history = network.history
    if not history.examples and len(network.snapshots) > 1:
        return _norm_of_snapshots(network)
    if not history.examples:
        raise ArtefactError(
            f"the record of '{network.name}' does not tell how the training went; expected weights trained by snstdp"
        )
    if len(history.examples) < 2:
        raise ArtefactError(
            f"the norm of '{network.name}' was noted once only; it is noted every `chunk` examples: train on more, or "
            "with a smaller one, such as --set chunk=50"
        )
    figures = None if network.record is None else network.record.figures
    told = norm_of(network)
    return drawing.l1_norm_over_training(
        history.examples,
        history.l1_mean,
        history.l1_min,
        history.l1_max,
        None if figures is None else figures.l1_target,
        caption=None if told is None else told.sentence,
        title=f"{network.name}: norm of the weights during training",
    )


def _norm_of_snapshots(network: TrainedNetwork) -> Figure:
    """Draw the norm at the snapshots of a training without a record, such as the ancestor's."""
    found = norms_of_snapshots(network)
    return drawing.l1_norm_over_training(
        found.examples,
        found.mean.tolist(),
        found.smallest.tolist(),
        found.largest.tolist(),
        None,
        caption=f"Measured at the {len(found.examples):,} snapshots; the target is not written down.",
        title=f"{network.name}: norm of the weights during training",
    )


def curve(network: TrainedNetwork) -> Figure:
    """Draw the accuracy on withheld training images during the training, with Wilson's 95 % intervals.

    Parameters
    ----------
    network
        A network whose record holds a learning curve.

    Raises
    ------
    SnstdpError
        If there is no learning curve.
    """
    points, kind = list(network.learning_curve), "withheld training"
    if not points and is_series(network):
        points, kind = series_curve(network), "test"
    if not points and is_series(network):
        number, place = network.snapshots[-1].examples, place_words(network.workdir.root)
        raise ArtefactError(
            f"{network.workdir.activity}: no responses of the weights that were saved during the training are "
            "recorded; record both splits of some of them: "
            + command_line("test", "--load-name", str(number), "--split", "train", *place)
        )
    if not points:
        raise ArtefactError(
            f"the record of '{network.name}' has no learning curve; train with evaluation.curve_every below "
            "num_examples, such as --set evaluation.curve_every=500"
        )
    totals = sorted({point.total for point in points})
    images = f"{totals[0]:,}" if len(totals) == 1 else f"{totals[0]:,} to {totals[-1]:,}"
    return drawing.learning_curve(
        [point.examples for point in points],
        [point.accuracy for point in points],
        [point.ci95 for point in points],
        title=f"{network.name}: accuracy on {images} {kind} images, with 95 % intervals",
    )


def _check_scale(scale: str) -> None:
    if scale not in SCALES:
        raise DataError(f"--scale: expected {' or '.join(SCALES)}, found {plain(str(scale), 40)}")
