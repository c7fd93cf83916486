"""The kinds of figures by name, and which options each takes: what `snstdp plot` offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from snstdp_cli.plots import networks, responses


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes
    ----------
    draw
        Takes a `TrainedNetwork` (a sequence of them if it `compares`) and the options by name.
    compares
        Whether it draws several networks in one figure.
    simulates
        Whether it simulates a presentation, which takes seconds.
    """

    draw: Callable[..., Figure]
    compares: bool = False
    simulates: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that it takes."""
        parameters = inspect.signature(self.draw).parameters.values()
        return tuple(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)

    @property
    def meaning(self) -> str:
        """What it shows, in one sentence."""
        return (self.draw.__doc__ or "").partition("\n")[0]


#: What can be drawn, by name.
KINDS: dict[str, Kind] = {
    "fields": Kind(networks.fields),
    "classes": Kind(networks.classes),
    "evolution": Kind(networks.evolution),
    "confusion": Kind(responses.confusion),
    "accuracy": Kind(responses.accuracy),
    "mistakes": Kind(responses.mistakes),
    "comparison": Kind(responses.comparison, compares=True),
    "curve": Kind(networks.curve),
    "norm": Kind(networks.norm),
    "online": Kind(responses.online),
    "weights": Kind(networks.weights),
    "raster": Kind(responses.raster, simulates=True),
    "traces": Kind(responses.traces, simulates=True),
}
