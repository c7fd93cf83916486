"""Receptive fields: the input weights of a neuron, drawn where its inputs lie in the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snstdp_cli.errors import DataError
from snstdp_cli.fields.figures import Scale
from snstdp_cli.plots.drawing.style import VERMILION, WIDTH_IN, names_of, new_figure, plain, styled
from snstdp_cli.results.drawable import check_drawable

# Blue to white to red, centred on 0; and white to black.
_SIGNED_MAP, _UNSIGNED_MAP, _GAP_COLOUR = "RdBu_r", "Greys", "#d0d4d8"
# The few strongest weights do not set the scale; the colour bar's pointed ends say so.
_SCALE_PERCENTILE = 99.8
_MAX_SNAPSHOTS, _MAX_NEURONS = 8, 8

# A single neuron does not fill the page.
_MAX_FIELD_IN = 2.2


@styled
def receptive_fields(
    weights: NDArray[Any],
    image_shape: tuple[int, int] = (28, 28),
    *,
    labels: NDArray[Any] | None = None,
    class_names: Sequence[str] | None = None,
    order: NDArray[Any] | None = None,
    scale: Scale = "all",
    crossed: NDArray[np.bool_] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the input weights of all neurons (Diehl & Cook 2015, fig. 2a, doi 10.3389/fncom.2015.00099).

    Parameters
    ----------
    weights
        Input weights, [n_input, n_e].
    labels
        Class of each neuron, [n_e], -1 for none; every class then starts a row of its own, named in the margin.
    class_names
        Names for the labels; numbers without it.
    order
        Neurons in the order in which to draw them (within their class); all by number without it.
    scale
        `all` draws one weight in one colour everywhere; `neuron` lets each neuron's strongest weight have the darkest
        colour, so that neurons with few strong weights do not pale the others.
    crossed
        Neurons that are crossed out, [n_e].
    """
    _check_weights(weights, image_shape)
    n_e = weights.shape[1]
    order = np.arange(n_e) if order is None else np.asarray(order)
    _check_neurons(order, n_e)
    if labels is not None and labels.shape != (n_e,):
        raise DataError(f"expected a label for each of {n_e} neurons, found the shape {labels.shape}")
    groups = [order] if labels is None else _group_by_class(order, labels[order])
    cells = _lay_out(groups, image_shape)
    drawn = _scaled(weights) if scale == "neuron" else weights
    fields = np.full((*cells.shape, *image_shape), np.nan)
    fields[cells >= 0] = drawn.T.reshape(n_e, *image_shape)[cells[cells >= 0]]

    image = _tile(fields)
    margin = [] if labels is None else _margin(groups, labels, class_names)
    wide = WIDTH_IN - 1 - (0.2 + 0.07 * max(map(len, margin)) if margin else 0)
    figure = new_figure(0.5 + min(wide * image.shape[0] / image.shape[1], _MAX_FIELD_IN * len(cells), 9), "compressed")
    axes = figure.add_subplot()
    if scale == "neuron":
        _show(figure, axes, image, drawn, "weight, as a share of the neuron's strongest", limit=1.0)
    else:
        _show(figure, axes, image, drawn)
    if crossed is not None:
        _cross_out(axes, cells, crossed, image_shape)
    axes.set_title(title or f"Receptive fields ({len(order):,} neuron{'s' * (len(order) != 1)})")
    if margin:
        _name_classes(axes, margin, groups, cells.shape[1], image_shape[0])
    return figure


def _margin(groups: Sequence[NDArray[Any]], labels: NDArray[Any], class_names: Sequence[str] | None) -> list[str]:
    """Return the name of each group's class with the number of its neurons."""
    names = [*names_of(max(int(labels.max()) + 1, len(class_names or ())), class_names), "none"]
    return [f"{names[labels[group[0]]]}  ({len(group):,})" for group in groups]


def _name_classes(axes: Axes, margin: Sequence[str], groups: Sequence[NDArray[Any]], columns: int, rows: int) -> None:
    """Write the classes beside their rows of fields of so many pixel rows, and draw lines between them."""
    ends = np.cumsum([math.ceil(len(group) / columns) for group in groups]) * (rows + 1)
    starts = np.concatenate([[0], ends[:-1]])
    axes.set_yticks((starts + ends) / 2 - 1, margin)
    axes.set_ylabel("class (neurons)")
    for end in ends[:-1]:
        axes.axhline(end - 1, color="black", linewidth=0.6)


@styled
def evolution(
    snapshots: Sequence[tuple[str, NDArray[Any] | None]],
    image_shape: tuple[int, int] = (28, 28),
    *,
    neurons: Sequence[int] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw how the receptive fields of a few neurons form: a row per neuron, a column per snapshot.

    Parameters
    ----------
    snapshots
        What to write below a column, such as the number of training examples, and the weights, [n_input, num]; None
        for a snapshot that is missing, whose column stays grey. Of more than eight, eight are drawn, evenly chosen with
        the first and the last.
    neurons
        Numbers of the neurons, [num]; without it up to eight are drawn, evenly chosen.
    """
    there = [weights for _, weights in snapshots if weights is not None]
    if not there:
        raise DataError("expected at least one snapshot of the weights, found none")
    for weights in there:
        _check_weights(weights, image_shape)
    num = there[0].shape[1]
    if any(weights.shape[1] != num for weights in there):
        raise DataError("expected snapshots of one network, found different numbers of neurons")
    if neurons is not None and len(neurons) != num:
        raise DataError(f"expected a number for each of {num} neurons, found {len(neurons)}")
    shown = [snapshots[k] for k in _evenly(len(snapshots), _MAX_SNAPSHOTS)]
    columns = _evenly(num, _MAX_NEURONS) if neurons is None else list(range(num))
    chosen = columns if neurons is None else list(neurons)
    gap = np.full((there[0].shape[0], len(columns)), np.nan)
    stack = np.stack([gap if one is None else one[:, columns] for _, one in shown])  # [snapshots, n_input, neurons]
    image = _tile(stack.transpose(2, 0, 1).reshape(len(chosen), len(shown), *image_shape))

    figure = new_figure(
        0.9 + min((WIDTH_IN - 1.7) * image.shape[0] / image.shape[1], _MAX_FIELD_IN * len(chosen), 8.5), "compressed"
    )
    axes = figure.add_subplot()
    _show(figure, axes, image, stack[np.isfinite(stack).all(axis=(1, 2))])
    high, wide = image_shape
    axes.set_xticks(np.arange(len(shown)) * (wide + 1) + (wide - 1) / 2, [plain(name, 20) for name, _ in shown])
    axes.set_yticks(np.arange(len(chosen)) * (high + 1) + (high - 1) / 2, [str(j) for j in chosen])
    axes.set(xlabel="training examples", ylabel="neuron", title=title or "Receptive fields during training")
    return figure


def _show(
    figure: Figure,
    axes: Any,
    image: NDArray[Any],
    weights: NDArray[Any],
    label: str = "weight",
    limit: float | None = None,
) -> None:
    """Draw an image of weights with its colour bar; the scale is that of all `weights`."""
    signed = bool(weights.min() < 0)
    if limit is None:
        limit = float(np.percentile(np.abs(weights), _SCALE_PERCENTILE)) or float(np.abs(weights).max()) or 1.0
    norm = Normalize(-limit if signed else 0, limit)
    colours = mpl.colormaps[_SIGNED_MAP if signed else _UNSIGNED_MAP].with_extremes(bad=_GAP_COLOUR)
    drawn = axes.imshow(image, cmap=colours, norm=norm)
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    beyond = (bool(weights.min() < norm.vmin), bool(weights.max() > limit))
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    figure.colorbar(drawn, ax=axes, label=label, extend=extend, shrink=0.8, aspect=30, pad=0.02)


def _scaled(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Return each neuron's weights as shares of its strongest one."""
    strongest = np.abs(weights).max(axis=0)
    return np.asarray(weights / np.where(strongest > 0, strongest, 1), dtype=np.float64)


def _cross_out(axes: Any, cells: NDArray[np.int64], crossed: NDArray[np.bool_], image_shape: tuple[int, int]) -> None:
    """Draw a line from corner to corner over each crossed neuron."""
    high, wide = image_shape
    for row, column in zip(*np.nonzero((cells >= 0) & crossed[cells]), strict=True):
        left, top = column * (wide + 1) - 0.5, row * (high + 1) - 0.5
        axes.plot([left, left + wide], [top + high, top], color=VERMILION, linewidth=0.8, scalex=False, scaley=False)


def _tile(fields: NDArray[Any]) -> NDArray[np.float64]:
    """Join fields, [rows, columns, height, width], into one image with a line of NaN between them."""
    rows, columns, high, wide = fields.shape
    padded = np.full((rows, high + 1, columns, wide + 1), np.nan)
    padded[:, :high, :, :wide] = fields.transpose(0, 2, 1, 3)
    return padded.reshape(rows * (high + 1), columns * (wide + 1))[:-1, :-1]


def _group_by_class(order: NDArray[Any], labels: NDArray[Any]) -> list[NDArray[Any]]:
    """Split the neurons by class, those without a label last."""
    classes = [c for c in np.unique(labels) if c >= 0]
    groups = [order[labels == c] for c in classes] + [order[labels < 0]]
    return [group for group in groups if len(group)]


def _lay_out(groups: list[NDArray[Any]], image_shape: tuple[int, int]) -> NDArray[np.int64]:
    """Place groups of neurons row by row, each from the start of a row, in a grid that is about as high as wide."""
    num = sum(len(group) for group in groups)
    high, wide = image_shape
    columns = 1
    while columns < num and sum(math.ceil(len(g) / columns) for g in groups) * high > columns * wide:
        columns += 1
    rows = [math.ceil(len(group) / columns) for group in groups]
    cells = np.full((sum(rows), columns), -1)
    start = 0
    for group, used in zip(groups, rows, strict=True):
        cells[start : start + used].reshape(-1)[: len(group)] = group
        start += used
    return cells


def _evenly(num: int, most: int) -> list[int]:
    return [int(k) for k in np.unique(np.linspace(0, num - 1, min(num, most)).round())]


def _check_neurons(neurons: NDArray[Any], n_e: int) -> None:
    if neurons.size == 0:
        raise DataError("expected at least one neuron to draw, found none")
    if neurons.min() < 0 or neurons.max() >= n_e:
        raise DataError(f"expected neurons 0 to {n_e - 1}, found {neurons.min()} to {neurons.max()}")


def _check_weights(weights: NDArray[Any], image_shape: tuple[int, int]) -> None:
    if weights.ndim != 2 or weights.shape[1] == 0 or weights.shape[0] != image_shape[0] * image_shape[1]:
        high, wide = image_shape
        raise DataError(f"expected weights of the shape [{high * wide}, n_e] ({high} x {wide}), found {weights.shape}")
    check_drawable(weights, "weights")
