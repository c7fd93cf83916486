"""The kinds of figures by name, with the functions that draw them and the options that these take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from snstdp_cli.fields.figures import FIGURES, FigureKind
from snstdp_cli.plots import comparisons, networks, presentations, responses

_MODULES = (networks, responses, comparisons, presentations)


@dataclass(frozen=True)
class Kind:
    """A kind of figure that can be drawn.

    Attributes
    ----------
    draw
        Takes a `TrainedNetwork` (a sequence of them if `figure` compares) and the options by name.
    figure
        What it shows, and of what.
    """

    draw: Callable[..., Figure]
    figure: FigureKind

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that it takes."""
        parameters = inspect.signature(self.draw).parameters.values()
        return tuple(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)


def _drawing_function(name: str) -> Callable[..., Figure]:
    draw: Callable[..., Figure] = next(getattr(module, name) for module in _MODULES if hasattr(module, name))
    return draw


#: What can be drawn, by name.
KINDS: dict[str, Kind] = {name: Kind(_drawing_function(name), figure) for name, figure in FIGURES.items()}
