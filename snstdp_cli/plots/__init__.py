"""Figures of networks and results, for the screen and for print.

Each function takes values and returns a `matplotlib.figure.Figure`; `save_figure` writes it as PNG and SVG. No
window is opened and pyplot is not used: figures can be drawn on a machine without a display.
"""

from snstdp_cli.plots.activity import raster, traces
from snstdp_cli.plots.fields import evolution, receptive_fields
from snstdp_cli.plots.growth import growth
from snstdp_cli.plots.scores import comparison, confusion_matrix, learning_curve, misclassified, per_class_accuracy
from snstdp_cli.plots.style import render_figure, save_figure
from snstdp_cli.plots.weights import l1_norm_over_training, weight_distribution

__all__ = [
    "comparison",
    "confusion_matrix",
    "evolution",
    "growth",
    "l1_norm_over_training",
    "learning_curve",
    "misclassified",
    "per_class_accuracy",
    "raster",
    "receptive_fields",
    "render_figure",
    "save_figure",
    "traces",
    "weight_distribution",
]
