"""A contact sheet of a data set: the mean image and the first images of each class, as the network gets them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.style import WIDTH_IN, names_of, new_figure, plain, styled

#: Classes and images of each that are drawn.
MAX_CLASSES, MAX_IMAGES = 40, 14
_GAP = 0.08
#: Letters of a title's line.
_LINE = 78
#: Neither the ground of images nor the paper.
_BETWEEN = "#bccad6"
#: Images as dark as these would be black.
_DARK = 128


@styled
def contact_sheet(
    images: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[int],
    class_names: Sequence[str],
    *,
    title: str | None = None,
) -> Figure:
    """Draw a row for each class: its name and number of images, its mean image, and its first images.

    Parameters
    ----------
    images
        Grey values from 0 to 255, [num, rows, cols].
    labels
        Class of each image, [num].
    classes
        The classes, of which the first 40 are drawn.
    class_names
        What they are called.
    """
    if images.ndim != 3 or len(images) == 0 or len(images) != len(labels):
        raise DataError(f"expected images and a label for each, found {images.shape} and {len(labels)}")
    names = names_of(len(classes), class_names)[:MAX_CLASSES]
    sheet, middles = _mosaic(images, labels, list(classes)[:MAX_CLASSES])
    counts = [int(np.count_nonzero(labels == one)) for one in classes]
    rows, cols = images.shape[1:]
    left = min(2.2, 0.45 + 0.075 * max(len(f"{name}  {count:,}") for name, count in zip(names, counts, strict=False)))
    width = WIDTH_IN - left
    figure = new_figure(min(0.55 + width * sheet.shape[0] / sheet.shape[1], 14.0), "compressed")
    axes = figure.subplots()
    axes.set_facecolor(_BETWEEN)
    brightest = max(int(images.max()), 1)
    axes.imshow(
        sheet,
        cmap="gray",
        vmin=0,
        vmax=255 if brightest >= _DARK else brightest,
        interpolation="nearest",
        aspect="equal",
    )
    axes.set_yticks(middles, [f"{name}  ({count:,})" for name, count in zip(names, counts, strict=False)])
    axes.set_xticks([cols / 2], ["mean"])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set(visible=False)
    more = f", first {MAX_CLASSES} of {len(classes)} classes" if len(classes) > MAX_CLASSES else ""
    more += f", drawn brighter: their brightest value is {brightest}" if brightest < _DARK else ""
    figure.suptitle(_wrapped((title or f"{rows} x {cols} pixels") + more), x=0.01, ha="left", fontsize=10)
    return figure


def _wrapped(title: str) -> str:
    """Return a title in lines that are not wider than the figure, at most three."""
    lines = textwrap.wrap(plain(title, 3 * _LINE), _LINE)[:3]
    return "\n".join(lines)


def _mosaic(images: NDArray[Any], labels: NDArray[Any], classes: list[int]) -> tuple[NDArray[np.float64], list[float]]:
    """Return all images in one array, with NaN between them, and the middle of each row."""
    rows, cols = images.shape[1:]
    gap = max(1, round(_GAP * max(rows, cols)))
    columns = 1 + min(MAX_IMAGES, max(int(np.count_nonzero(labels == one)) for one in classes))
    sheet = np.full((len(classes) * (rows + gap) - gap, columns * (cols + gap) + gap), np.nan)
    middles = []
    for k, one in enumerate(classes):
        top = k * (rows + gap)
        middles.append(top + rows / 2)
        of_class = images[labels == one]
        if len(of_class) == 0:
            continue
        sheet[top : top + rows, :cols] = of_class.mean(axis=0)
        for place, image in enumerate(of_class[: columns - 1]):
            begin = cols + 2 * gap + place * (cols + gap)
            sheet[top : top + rows, begin : begin + cols] = image
    return sheet, middles
