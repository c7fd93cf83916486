"""Figures of trained networks, for the screen and for print.

Each kind is a function that takes a `TrainedNetwork` and returns a `matplotlib.figure.Figure`; `KINDS` lists them with
their options, `save_figure` writes one as PNG and SVG, and `drawing` holds the functions that draw plain arrays.

Examples
--------
>>> from snstdp_cli import plots
>>> plots.save_figure(plots.fields(network), Path("figures/mine"))  # doctest: +SKIP
"""

from snstdp_cli.matplotlib_import import import_matplotlib

import_matplotlib()  # before all that follows

from snstdp_cli.plots import drawing
from snstdp_cli.plots.comparisons import comparison
from snstdp_cli.plots.drawing import growth, render_figure, save_figure
from snstdp_cli.plots.kinds import KINDS, Kind
from snstdp_cli.plots.networks import classes, curve, evolution, fields, norm, weights
from snstdp_cli.plots.presentations import raster, traces
from snstdp_cli.plots.responses import accuracy, confusion, mistakes, online

__all__ = [
    "KINDS",
    "Kind",
    "accuracy",
    "classes",
    "comparison",
    "confusion",
    "curve",
    "drawing",
    "evolution",
    "fields",
    "growth",
    "mistakes",
    "norm",
    "online",
    "raster",
    "render_figure",
    "save_figure",
    "traces",
    "weights",
]
