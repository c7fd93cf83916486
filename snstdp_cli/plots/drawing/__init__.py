"""Drawing: each function takes arrays and returns a `matplotlib.figure.Figure`; nothing is loaded and nothing written.

No window is opened and pyplot is not used: figures can be drawn on a machine without a display.
"""

from snstdp_cli.plots.drawing.accesses import stacked_accesses
from snstdp_cli.plots.drawing.activity import raster, traces
from snstdp_cli.plots.drawing.fields import evolution, receptive_fields
from snstdp_cli.plots.drawing.growth import growth
from snstdp_cli.plots.drawing.mistakes import misclassified
from snstdp_cli.plots.drawing.online import online_learning
from snstdp_cli.plots.drawing.scores import (
    Bar,
    Series,
    accuracy_bars,
    class_accuracy,
    confusion_matrix,
    learning_curve,
)
from snstdp_cli.plots.drawing.sheet import contact_sheet
from snstdp_cli.plots.drawing.style import render_figure, save_figure
from snstdp_cli.plots.drawing.weights import l1_norm_over_training, weight_distribution

__all__ = [
    "Bar",
    "Series",
    "accuracy_bars",
    "class_accuracy",
    "confusion_matrix",
    "contact_sheet",
    "evolution",
    "growth",
    "l1_norm_over_training",
    "learning_curve",
    "misclassified",
    "online_learning",
    "raster",
    "receptive_fields",
    "render_figure",
    "save_figure",
    "stacked_accesses",
    "traces",
    "weight_distribution",
]
