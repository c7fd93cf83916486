"""The figures of networks: the one list that `snstdp plot`, its help and `plots` are made from, and their choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

#: Scales of colours of receptive fields: one for all neurons, or each neuron's own.
Scale = Literal["all", "neuron"]
SCALES: tuple[Scale, ...] = get_args(Scale)


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure.

    Attributes
    ----------
    meaning
        What it shows.
    of_responses
        Whether it needs recorded responses.
    compares
        Whether it draws several networks in one figure.
    """

    meaning: str
    of_responses: bool = False
    compares: bool = False


#: What can be drawn, by name; the function of this name in `plots` draws it.
FIGURES: dict[str, FigureKind] = {
    "fields": FigureKind("receptive fields"),
    "classes": FigureKind("receptive fields by the class that each neuron answers to", of_responses=True),
    "evolution": FigureKind("receptive fields at the snapshots of the training"),
    "confusion": FigureKind("which class is taken for which", of_responses=True),
    "accuracy": FigureKind("accuracy by class", of_responses=True),
    "mistakes": FigureKind("misclassified images with the three best guesses", of_responses=True),
    "comparison": FigureKind(
        "accuracy of several networks, and the settings that differ", of_responses=True, compares=True
    ),
    "curve": FigureKind("accuracy on withheld training images during the training"),
    "norm": FigureKind("L1 norm of the weights during the training"),
    "online": FigureKind(
        "accuracy after each stage of a training with order: by_class or by_data, and what was forgotten"
    ),
    "weights": FigureKind("how weights, norms and thresholds are distributed"),
    "raster": FigureKind("spikes during one presentation"),
    "traces": FigureKind("voltages and conductances during one presentation"),
}
