"""HTML that cannot be forgotten to escape: whatever is not `Markup` is text."""

from __future__ import annotations

import html
import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from snstdp_cli import fields

_VOID = frozenset(
    {"br", "circle", "img", "input", "line", "meta", "path", "polygon", "polyline", "rect", "source", "wbr"}
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


class Cell(NamedTuple):
    """A cell of a table: what is shown, and the number that it is sorted by."""

    shown: object
    value: float | None = None


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element; children that are not markup are escaped, those that are None are left out.

    An attribute is written with `_` for `-` (`class_` for `class`); True is an attribute without a value, None and
    False none at all.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in _VOID and not children:
        return Markup(
            f"<{name}{written}>" if name in ("br", "img", "input", "meta", "source", "wbr") else f"<{name}{written}/>"
        )
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Markup:
    """Return children one after another: markup as it is, lists joined, anything else as escaped text."""
    return Markup("".join(map(_child, children)))


def embedded_json(content: object, **attributes: object) -> Markup:
    """Return data for the script; it cannot end its element, whatever it holds."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, default=str)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return tag("script", Markup(text), type="application/json", **attributes)


def table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], caption: object = None, **attributes: Any
) -> Markup:
    """Return a table whose first column names the rows; the script lets the reader sort it.

    Parameters
    ----------
    rows
        Cells as text, markup or `Cell`; a `Cell` with a number is aligned to the right.
    """
    rows = list(rows)
    numeric = [any(_is_number(row[k]) for row in rows) for k in range(len(columns))]
    kinds = ["number" if k and is_number else None for k, is_number in enumerate(numeric)]
    head = tag("tr", [tag("th", column, scope="col", class_=kind) for column, kind in zip(columns, kinds, strict=True)])
    body = [
        tag("tr", [_cell(cell, "th" if k == 0 else "td") for k, cell in enumerate(row)], class_=_row_class(row))
        for row in rows
    ]
    attributes.setdefault("class_", "sortable" if len(rows) > 1 else None)
    content = tag("table", caption and tag("caption", caption), tag("thead", head), tag("tbody", body), **attributes)
    return tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=caption or "table")


class Marked(tuple[object, ...]):
    """A row of a table whose values differ between the runs."""

    __slots__ = ()


def number(value: float, digits: int = 3) -> str:
    """Return a number as people read it: whole ones in full, others to a few digits."""
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def percent(share: float, digits: int | None = 1) -> str:
    """Return a share as a percentage that does not break over lines, with a minus as wide as a plus."""
    return fields.percent(share, digits).replace(" ", "\u00a0").replace("-", "\u2212")


def interval_text(limits: tuple[float, float]) -> Markup:
    """Return the limits of a share as percentages."""
    return tag("span", f"{percent(limits[0], 2)} to {percent(limits[1], 2)}", class_="interval-text")


def signed(value: float) -> str:
    """Return a number with its sign and two decimals; the minus is as wide as the plus."""
    return f"{value:+.2f}".replace("-", "\u2212")


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 100:
        return f"{seconds:.3g}\u00a0s"
    minutes = round(seconds / 60)
    return f"{minutes}\u00a0min" if minutes < 100 else f"{minutes // 60}\u00a0h {minutes % 60:02d}\u00a0min"


def _is_number(cell: object) -> bool:
    return isinstance(cell, Cell) and cell.value is not None


def _row_class(row: Sequence[object]) -> str | None:
    return "differs" if isinstance(row, Marked) else None


def _cell(cell: object, name: str) -> Markup:
    scope = "row" if name == "th" else None
    if not isinstance(cell, Cell):
        return tag(name, cell, scope=scope)
    kind = None if cell.value is None or name == "th" else "number"
    return tag(name, cell.shown, scope=scope, class_=kind, data_sort=cell.value)


def _child(child: object) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, list | tuple | Iterator):
        return join(child)
    return _escaped(child)


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(value)}"'


def _escaped(value: object) -> str:
    """Escape text; bytes of a path that are no text, and control characters, are written out as `\\xff`."""
    return html.escape("".join(c if _is_text(c) else c.encode("unicode_escape").decode() for c in str(value)))


def _is_text(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
