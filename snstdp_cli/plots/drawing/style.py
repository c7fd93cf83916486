"""The common look of all figures, and their way to the disk.

Figures are 7 inches wide with letters of 8 points or more: legible across the two columns of a page.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from snstdp_cli.artefacts.files import write_files
from snstdp_cli.errors import DataError
from snstdp_cli.fields import percent, printable

P = ParamSpec("P")
T = TypeVar("T")

WIDTH_IN = 7.0
#: Marks of a figure's series, in the order of their colours.
MARKS = ("o", "D", "s", "^", "v", "P", "X")
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
_MAX_TEXT = 90


@dataclass(frozen=True)
class Theme:
    """Colours of paper, letters, shaded spans, lines of the grid, and of series."""

    paper: str
    ink: str
    shade: str
    grid: str
    series: tuple[str, ...]


LIGHT = Theme("white", "black", "#eeeeee", "#dddddd", COLOURS)
#: The same hues, bright enough for dark paper: that of a report in a dark browser.
DARK = Theme(
    *("#1d2125", "#e8eaed", "#31373d", "#3a4148"),
    ("#5cb2f0", "#ff8c42", "#35c79b", "#e68fc0", "#e6bd3e", "#9bd3f7", "#c9c9c9"),
)
_THEME: ContextVar[Theme] = ContextVar("theme", default=LIGHT)

_STYLE: dict[str, Any] = {
    # Names that others chose are text, whatever dollars are in them.
    "text.parse_math": False,
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
            mpl.rcParams.update(_colours_of(_THEME.get()))
            return function(*args, **kwargs)

    return run


@contextmanager
def use_theme(theme: Theme) -> Iterator[None]:
    """Draw figures on another paper while the context lasts."""
    token = _THEME.set(theme)
    try:
        yield
    finally:
        _THEME.reset(token)


def current_theme() -> Theme:
    """Return the colours to draw with."""
    return _THEME.get()


def _colours_of(theme: Theme) -> dict[str, Any]:
    letters = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    paper = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    cycle = {"axes.prop_cycle": f"cycler('color', {list(theme.series)})"}
    return dict.fromkeys(letters, theme.ink) | dict.fromkeys(paper, theme.paper) | cycle


def plain(text: str, most: int = _MAX_TEXT) -> str:
    """Return text that somebody else wrote as it can be drawn: nothing invisible, and no line too long."""
    return "\n".join(printable(line, most) for line in text.split("\n"))


def new_figure(height_in: float, layout: Literal["constrained", "compressed"] = "constrained") -> Figure:
    """Return an empty figure of the common width; `compressed` is for images, whose shape is given."""
    return Figure(figsize=(WIDTH_IN, height_in), layout=layout)


def names_of(num: int, class_names: Sequence[str] | None) -> list[str]:
    """Return a name for each class: the given ones, or the numbers."""
    if class_names is None:
        return [str(c) for c in range(num)]
    if len(class_names) != num:
        raise DataError(f"expected a name for each of {num} classes, found {len(class_names)}")
    return [plain(str(name), 30) for name in class_names]


def looks(num: int) -> list[tuple[str, str]]:
    """Return a colour and a mark for each of so many series.

    Raises
    ------
    DataError
        If there are not so many.
    """
    if num > len(MARKS):
        raise DataError(f"{num} read-outs could not be told apart, expected at most {len(MARKS)}")
    return list(zip(current_theme().series[:num], MARKS[:num], strict=True))


def is_near(level: float, values: Sequence[float]) -> bool:
    """Tell whether a level, such as chance, can be drawn beside values without squeezing them together."""
    return min(values) - level <= 1.5 * (max(values) - min(values)) + 0.02


def percent_ticks() -> FuncFormatter:
    """Return a formatter of shares as percentages, with a decimal only where one is needed."""
    return FuncFormatter(lambda share, _: percent(share, None))


@styled
def render_figure(figure: Figure, kind: Literal["png", "svg"], *, dpi: int = DPI) -> bytes:
    """Return the figure as the content of a PNG or SVG file; the same figure gives the same bytes.

    Parameters
    ----------
    dpi
        Pixels of an inch; figures are 7 inches wide.
    """
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with warnings.catch_warnings():
        # A letter that the font lacks, in somebody's path, is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
    return stream.getvalue()


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Write the figure as PNG and as SVG, each complete or not at all.

    Parameters
    ----------
    path
        With or without one of the two suffixes; missing folders are made.

    Returns
    -------
    paths
        The PNG and the SVG file.

    Raises
    ------
    ArtefactError
        If a file cannot be written.
    """
    stem = path.name.removesuffix(".png").removesuffix(".svg")
    targets = [path.with_name(f"{stem}.png"), path.with_name(f"{stem}.svg")]
    png = render_figure(figure, "png")
    with _in_its_places(figure):
        svg = render_figure(figure, "svg")
    write_files(dict(zip(targets, (png, svg), strict=True)))
    return targets


@contextmanager
def _in_its_places(figure: Figure) -> Iterator[None]:
    """Leave all of a figure where its last drawing put it: finding the places takes as long as drawing it."""
    layout = figure.get_layout_engine()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(layout)


def grid_lines(axes: Any, axis: Literal["x", "y", "both"]) -> None:
    """Draw a grid behind the data."""
    axes.grid(axis=axis, color=current_theme().grid, linewidth=0.6)
    axes.set_axisbelow(True)


def power_ticks() -> FuncFormatter:
    """Return a formatter of counts on a logarithmic axis, without mathematical notation."""
    return FuncFormatter(lambda count, _: f"{count:,.0f}" if 1 <= count < 1e6 else f"{count:.0e}".replace("e+0", "e"))
