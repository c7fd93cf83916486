"""The weights that the ancestor's script saved on its way, as the course of a training that has no record.

Each of them is a network of its own, whose name is the number of examples; those of which responses are recorded give
the points of a learning curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import UNNAMED, list_recordings, series_numbers
from snstdp_cli.evaluation import Classifier, CurvePoint
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.scoring import score_network


@dataclass(frozen=True, eq=False)
class Norms:
    """L1 norms of the neurons' weights at the snapshots of a training: mean, smallest and largest, [num]."""

    examples: tuple[int, ...]
    mean: NDArray[np.float64]
    smallest: NDArray[np.float64]
    largest: NDArray[np.float64]


def norms_of_snapshots(network: TrainedNetwork) -> Norms:
    """Return the norms at the snapshots, in order."""
    shots = network.snapshots
    norms = [np.abs(shot.weights).sum(axis=0) for shot in shots]
    columns = (np.array([choose(norm) for norm in norms]) for choose in (np.mean, np.min, np.max))
    return Norms(tuple(shot.examples for shot in shots), *columns)


def is_series(network: TrainedNetwork) -> bool:
    """Tell whether these are the weights without a name, with others that were saved on the way."""
    return network.name == UNNAMED and network.record is None and bool(series_numbers(network.workdir.weights))


def series_curve(network: TrainedNetwork, classifier: Classifier = "average") -> list[CurvePoint]:
    """Return the accuracy on test images of each of the series of which both splits are recorded.

    Raises
    ------
    SnstdpError
        If responses do not belong together.
    """
    points = []
    for number in series_numbers(network.workdir.weights) if is_series(network) else []:
        one = TrainedNetwork(network.workdir, str(number))
        if all(list_recordings(network.workdir, one.name, split) for split in ("train", "test")):
            found = score_network(one, classifier=classifier).evaluation
            points.append(CurvePoint(number, found.num_correct, found.num_examples))
    return points
