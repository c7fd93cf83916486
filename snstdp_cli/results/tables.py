"""Tables for spreadsheets and programs: CSV whose text cells cannot be taken for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Cell: TypeAlias = str | int | float | bool | None
#: A spreadsheet takes a text that begins so for a formula, and runs it; a full-width form as well, and after spaces.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as CSV (RFC 4180, lines end with a line feed).

    Numbers are written in full and stay numbers, true and false are 1 and 0, None is an empty cell. A
    text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"); control
    characters are written out.

    Examples
    --------
    >>> print(csv_text(["network", "score", "silent"], [["=1+1", -0.5, True]]), end="")
    network,score,silent
    '=1+1,-0.5,1
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_csv_cell(cell) for cell in row] for row in [header, *rows])
    return stream.getvalue()


def one_line(text: str) -> str:
    """Write out control characters and line ends, which would end a row or command a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _csv_cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if value.lstrip(" ").startswith(_FORMULA) else text
