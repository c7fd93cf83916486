"""Images that a network got wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import GREY, new_figure, plain, styled

_MAX_MISCLASSIFIED = 24
_MISCLASSIFIED_COLUMNS = 8


@styled
def misclassified(
    images: NDArray[Any],
    labels: Sequence[str],
    guesses: Sequence[Sequence[str]],
    numbers: Sequence[int],
    *,
    title: str | None = None,
) -> Figure:
    """Draw examples that the network got wrong: true class and number above, its guesses below, best first.

    Parameters
    ----------
    images
        The examples in question, [num, height, width]; the first 24 are drawn.
    labels
        Their true classes, [num].
    guesses
        What the network took each for, best first; none where there is no answer.
    numbers
        Their places in the data set, [num].
    """
    if images.ndim != 3 or not len(images) == len(labels) == len(guesses) == len(numbers):
        raise DataError(
            f"expected a label, guesses and a number for each image, found the shape {images.shape} and "
            f"{len(labels)}, {len(guesses)} and {len(numbers)}"
        )
    if len(images) == 0:
        raise DataError("expected at least one example to draw, found none")
    num = min(len(images), _MAX_MISCLASSIFIED)
    longest = max(len(name) for row in (labels, *guesses) for name in row)
    columns = _MISCLASSIFIED_COLUMNS if longest <= 3 else _MISCLASSIFIED_COLUMNS // 2
    rows = math.ceil(num / columns)
    cell = min(6.6 / columns * images.shape[1] / images.shape[2], 3.0)
    figure = new_figure(0.5 + rows * (cell + 0.42))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[num:]:
        axes.set_axis_off()
    for axes, image, label, taken, number in zip(grid, images[:num], labels, guesses, numbers, strict=False):
        axes.imshow(image, cmap="Greys", vmin=0, vmax=max(image.max(), 1), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="#bbbbbb")
        axes.set_title(plain(label, 20), loc="left", fontsize=9, fontweight="bold", pad=2)
        axes.set_title(f"#{number}", loc="right", fontsize=8, color=GREY, pad=2)
        axes.set_xlabel(plain(", ".join(taken), 40) or "no answer", fontsize=8, labelpad=2)
    figure.suptitle(
        title or "True class and image number above, the network's guesses below", x=0.01, ha="left", fontsize=10
    )
    return figure
