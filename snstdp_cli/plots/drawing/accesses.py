"""How often weights are read and written, by what for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import current_theme, grid_lines, new_figure, plain, styled

#: More bars could not be told apart.
MAX_BARS = 24
_HATCH = "////"


@styled
def stacked_accesses(bars: Mapping[str, Mapping[str, float]], *, title: str | None = None) -> Figure:
    """Draw a bar of stacked parts for each network and phase; writes are hatched.

    Parameters
    ----------
    bars
        By what stands beside the bar, accesses by their kind; every bar has the same kinds.
    """
    if not bars or len(bars) > MAX_BARS:
        raise DataError(f"expected 1 to {MAX_BARS} bars of accesses, found {len(bars)}; name fewer networks")
    figure = new_figure(1.3 + 0.34 * len(bars))
    axes = figure.add_subplot()
    left = np.zeros(len(bars))
    theme = current_theme()
    places = np.arange(len(bars))
    for k, kind in enumerate(next(iter(bars.values()))):
        values = np.array([parts[kind] for parts in bars.values()])
        drawn = axes.barh(places, values, left=left, height=0.72, linewidth=0.4, label=kind)
        for part in drawn:
            part.set(
                facecolor=theme.series[k % len(theme.series)],
                edgecolor=theme.paper,
                hatch=_HATCH if "write" in kind else "",
            )
        left += values
    for place, total in zip(places, left, strict=True):
        axes.annotate(f" {total:,.0f}", (total, place), va="center", fontsize=8)
    axes.set_yticks(places, [plain(name, 40) for name in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.16 * max(float(left.max()), 1.0))
    axes.set_xlabel("accesses to input weights for an example")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    grid_lines(axes, "x")
    figure.legend(loc="outside lower center", ncols=3)
    figure.suptitle(title or "Accesses by kind", x=0.01, ha="left", fontsize=10)
    return figure
