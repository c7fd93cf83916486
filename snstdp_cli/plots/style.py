"""The common look of all figures, and their way to the disk.

Figures are 7 inches wide with letters of 8 points or more: legible across the two columns of a page.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from snstdp_cli.artefacts.files import write_files
from snstdp_cli.errors import DataError

P = ParamSpec("P")
T = TypeVar("T")

WIDTH_IN = 7.0
DPI = 200
#: Colours that colour-blind readers can tell apart: M. Okabe and K. Ito, "Color universal design", 2008.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
GREY = "#666666"

_STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "lines.linewidth": 1.5,
    "image.interpolation": "antialiased",
    "svg.hashsalt": "snstdp",
}


def styled(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function with the common look, whatever the user's matplotlibrc says."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(_STYLE)
            return function(*args, **kwargs)

    return run


def new_figure(height_in: float, layout: Literal["constrained", "compressed"] = "constrained") -> Figure:
    """Return an empty figure of the common width; `compressed` is for images, whose shape is given."""
    return Figure(figsize=(WIDTH_IN, height_in), layout=layout)


def names_of(num: int, class_names: Sequence[str] | None) -> list[str]:
    """Return a name for each class: the given ones, or the numbers."""
    if class_names is None:
        return [str(c) for c in range(num)]
    if len(class_names) != num:
        raise DataError(f"expected a name for each of {num} classes, found {len(class_names)}")
    return list(class_names)


def percent_ticks() -> FuncFormatter:
    """Return a formatter of shares as percentages, with a decimal only where one is needed."""
    return FuncFormatter(lambda share, _: f"{100 * share:.4g}%")


@styled
def render_figure(figure: Figure, kind: Literal["png", "svg"]) -> bytes:
    """Return the figure as the content of a PNG or SVG file; the same figure gives the same bytes."""
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(stream, format=kind, dpi=DPI, metadata=metadata)
    return stream.getvalue()


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write the figure as PNG and as SVG, each complete or not at all.

    Parameters
    ----------
    path : with or without one of the two suffixes; missing folders are made.

    Returns
    -------
    paths : the PNG and the SVG file.

    Raises
    ------
    ArtefactError
        If a file cannot be written.
    """
    stem = path.name.removesuffix(".png").removesuffix(".svg")
    targets = [path.with_name(f"{stem}.png"), path.with_name(f"{stem}.svg")]
    contents = [render_figure(figure, "png"), render_figure(figure, "svg")]
    write_files(dict(zip(targets, contents, strict=True)))
    return targets
