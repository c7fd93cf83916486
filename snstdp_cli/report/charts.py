"""Charts as inline SVG: they take the page's colours, so that they look right on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.report.markup import Markup, number, tag

#: Colours and marks in the style sheet and in `_mark`; a series beyond takes the first ones again.
NUM_LOOKS = 6
# Small, so that letters are legible when a telephone shows the whole width.
_WIDTH, _HEIGHT = 440, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 42


@dataclass(frozen=True)
class Series:
    """Points of one network; `lows` and `highs` are an interval at each point, or a band."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()


@dataclass(frozen=True)
class Axis:
    """A label, an interval, the places of the ticks with their names."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, value: float, start: float, end: float) -> float:
        """Return where a value lies between two positions."""
        share = (self._on(value) - self._on(self.low)) / ((self._on(self.high) - self._on(self.low)) or 1.0)
        return round(start + share * (end - start), 2)

    def _on(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.log else value


def linear_axis(
    label: str,
    values: Iterable[float],
    shown: Callable[[float], str] = number,
    *,
    zero: bool = False,
    whole: bool = False,
) -> Axis:
    """Return an axis over all values, with ticks at round numbers; from 0, or at whole numbers only, if asked."""
    known = [v for v in values if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low = min(0.0, low) if zero else low
    if high - low < 1e-9 * max(abs(high), 1e-9):
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    step = _round_step((high - low) / 4)
    step = max(1.0, math.ceil(step)) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    places = [round(k * step, 12) for k in range(first, last + 1)]
    return Axis(label, places[0], places[-1], tuple((place, shown(place)) for place in places))


def log_axis(label: str, high: float) -> Axis:
    """Return a logarithmic axis of counts, from below one to `high`."""
    powers = range(math.ceil(math.log10(max(high, 10))) + 1)
    every = 1 + len(powers) // 6
    return Axis(label, 0.7, 10 ** powers[-1], tuple((10**k, _short(10**k)) for k in powers if k % every == 0), log=True)


def class_axis(label: str, names: Sequence[str]) -> Axis:
    """Return an axis with a place for each class."""
    every = 1 + len(names) // 20
    ticks = tuple((float(k), name) for k, name in enumerate(names) if k % every == 0)
    return Axis(label, -0.6, len(names) - 0.4, ticks)


def draw_points(
    series: Sequence[Series],
    x_axis: Axis,
    y_axis: Axis,
    title: str,
    *,
    joined: bool = True,
    band: bool = False,
    target: float | None = None,
    shown: Callable[[float], str] = number,
) -> Markup:
    """Draw points with their intervals, joined by lines or not.

    Parameters
    ----------
    band
        The intervals are an area, and single points are not marked.
    target
        A dashed line across.
    shown
        A value of y as the tooltip of a point says it.
    """
    parts: list[Markup] = []
    if target is not None:
        height = _y(y_axis, target)
        parts.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=height, y2=height, class_="target"))
    for look, one in enumerate(series):
        places = [(_x(x_axis, x), _y(y_axis, y)) for x, y in zip(one.xs, one.ys, strict=True)]
        content: list[Markup] = []
        if band and one.lows:
            content.append(_band(one, x_axis, y_axis))
        elif one.lows:
            content += [
                _interval(x, _y(y_axis, a), _y(y_axis, b))
                for (x, _), a, b in zip(places, one.lows, one.highs, strict=True)
            ]
        if joined:
            content.append(tag("polyline", points=" ".join(f"{x},{y}" for x, y in places), class_="line"))
        if not band:
            content += [_mark(look, x, y, _tooltip(one, k, x_axis, shown)) for k, (x, y) in enumerate(places)]
        parts.append(tag("g", content, class_=f"look{look % NUM_LOOKS}"))
    return _frame(x_axis, y_axis, title, parts)


def draw_histograms(
    values: Sequence[NDArray[np.float64]], label: str, y_label: str, title: str, bins: int, *, log: bool = False
) -> Markup:
    """Draw how values are distributed, an outline for each network."""
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    # Values that are all but equal, such as norms that a rule holds, are not blown up to their rounding errors.
    least = max(0.01 * max(abs(low), abs(high)), 1e-9)
    x_axis = linear_axis(label, [min(low, high - least), max(high, low + least)])
    edges = np.linspace(x_axis.low, x_axis.high, bins + 1)
    counts = [np.histogram(v, edges)[0] for v in values]
    most = float(max(c.max() for c in counts))
    y_axis = log_axis(y_label, most) if log else linear_axis(y_label, [0, most], whole=True)
    parts = []
    for look, count in enumerate(counts):
        heights = np.concatenate([[0], np.repeat(count, 2), [0]])
        corners = zip(np.repeat(edges, 2), heights, strict=True)
        points = " ".join(f"{_x(x_axis, float(x))},{_y(y_axis, float(y))}" for x, y in corners)
        parts.append(tag("polyline", points=points, class_=f"outline look{look % NUM_LOOKS}"))
    return _frame(x_axis, y_axis, title, parts)


def legend(names: Sequence[str], *extra: tuple[str, str], marks: bool = True) -> Markup | None:
    """Return the names with their colours and marks; `extra` are (class of a line, name). Nothing for a single name."""
    if len(names) + len(extra) < 2:
        return None
    entries = [
        tag("li", _swatch(f"look{look % NUM_LOOKS}", "line", look if marks else None), name)
        for look, name in enumerate(names)
    ]
    entries += [tag("li", _swatch("", kind, None), name) for kind, name in extra]
    return tag("ul", entries, class_="legend")


def _frame(x_axis: Axis, y_axis: Axis, title: str, parts: Sequence[Markup]) -> Markup:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    grid: list[Markup] = []
    for place, name in y_axis.ticks:
        y = _y(y_axis, place)
        grid.append(tag("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"))
        grid.append(tag("text", name, x=_LEFT - 6, y=y + 4, text_anchor="end"))
    for place, name in x_axis.ticks:
        x = _x(x_axis, place)
        grid.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis"))
        # The name of a tick at the very edge would be cut off.
        anchor = "end" if x > right - 18 and len(name) > 4 else "middle"
        grid.append(tag("text", name, x=right + 8 if anchor == "end" else x, y=bottom + 17, text_anchor=anchor))
    grid.append(tag("line", x1=_LEFT, x2=right, y1=bottom, y2=bottom, class_="axis"))
    middle = (_TOP + bottom) / 2
    labels = [
        tag("text", x_axis.label, x=(_LEFT + right) / 2, y=_HEIGHT - 6, text_anchor="middle"),
        tag("text", y_axis.label, transform=f"translate(12 {middle}) rotate(-90)", text_anchor="middle"),
    ]
    return tag(
        "svg",
        grid,
        labels,
        list(parts),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=title,
        class_="chart",
    )


def _x(axis: Axis, value: float) -> float:
    return axis.place(value, _LEFT, _WIDTH - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return axis.place(value, _HEIGHT - _BOTTOM, _TOP)


def _band(one: Series, x_axis: Axis, y_axis: Axis) -> Markup:
    upper = [f"{_x(x_axis, x)},{_y(y_axis, y)}" for x, y in zip(one.xs, one.highs, strict=True)]
    lower = [f"{_x(x_axis, x)},{_y(y_axis, y)}" for x, y in zip(one.xs, one.lows, strict=True)]
    return tag("polygon", points=" ".join([*upper, *reversed(lower)]), class_="band")


def _interval(x: float, low: float, high: float) -> Markup:
    return tag("path", d=f"M{x} {low}V{high}M{x - 3} {low}h6M{x - 3} {high}h6", class_="interval")


def _mark(look: int, x: float, y: float, tooltip: str | None = None) -> Markup:
    """Draw a circle, square, triangle, diamond, cross or pentagon: not by colour alone."""
    title = () if tooltip is None else (tag("title", tooltip),)
    if look % NUM_LOOKS == 0:
        return tag("circle", *title, cx=x, cy=y, r=3.6, class_="mark")
    shapes = (
        ((-3.3, -3.3), (3.3, -3.3), (3.3, 3.3), (-3.3, 3.3)),
        ((0, -4.4), (4.2, 3.2), (-4.2, 3.2)),
        ((0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)),
        ((0, 4.4), (4.2, -3.2), (-4.2, -3.2)),
        ((0, -4.2), (4, -1.3), (2.5, 3.4), (-2.5, 3.4), (-4, -1.3)),
    )
    points = " ".join(f"{x + dx:.2f},{y + dy:.2f}" for dx, dy in shapes[look % NUM_LOOKS - 1])
    return tag("polygon", *title, points=points, class_="mark")


def _tooltip(one: Series, k: int, x_axis: Axis, shown: Callable[[float], str]) -> str:
    place = next((name for value, name in x_axis.ticks if value == round(one.xs[k])), number(one.xs[k]))
    text = f"{one.name}: {shown(one.ys[k])} at {x_axis.label} {place}"
    return f"{text} ({shown(one.lows[k])} to {shown(one.highs[k])})" if one.lows else text


def _swatch(look: str, kind: str, mark: int | None) -> Markup:
    drawn = [tag("line", x1=0, x2=22, y1=6, y2=6, class_=kind)]
    drawn += [] if mark is None else [_mark(mark, 11, 6)]
    return tag("svg", tag("g", drawn, class_=look or None), viewBox="0 0 22 12", class_="swatch", aria_hidden="true")


def _short(count: int) -> str:
    return next(
        (f"{count // size}{unit}" for size, unit in ((10**9, "G"), (10**6, "M"), (1000, "k")) if count >= size),
        str(count),
    )


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)
