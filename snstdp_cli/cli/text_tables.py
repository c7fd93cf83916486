"""How a table of a study is printed: in a terminal as wide as that is, elsewhere a row a line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import out, print_line, print_rendered, print_unbroken, visible

if TYPE_CHECKING:
    from snstdp_cli.studies.formats import Shown, TextTable

#: Blanks between two columns.
_GAP = 2


def show_table(table: TextTable) -> None:
    """Print a table below its title; in a terminal that is too narrow in parts, where the table may be parted."""
    print_line((table.title, "bold"))
    for k, columns in enumerate(_parts(table, out.width) if out.is_terminal else [range(len(table.columns))]):
        if k:
            print_line("")
        _show_columns(table, columns)


def _parts(table: TextTable, room: int) -> list[Sequence[int]]:
    """Return which columns to show below each other: all of them, or as many blocks beside the first as there is room.

    Examples
    --------
    >>> from snstdp_cli.studies.formats import TextTable
    >>> table = TextTable("", ("rule", "average", "sd", "linear", "sd"), (), (1, 2, 2))
    >>> _parts(table, 29), _parts(table, 28)
    ([[0, 1, 2, 3, 4]], [[0, 1, 2], [0, 3, 4]])
    """
    ends = list(itertools.accumulate(table.blocks or (len(table.columns),)))
    names, *blocks = (list(range(first, end)) for first, end in itertools.pairwise((0, *ends)))
    least = _least_widths(table)
    parts: list[Sequence[int]] = [names]
    for block in blocks:
        if len(parts[-1]) > len(names) and _width(least, [*parts[-1], *block]) > room:
            parts.append(names)
        parts[-1] = [*parts[-1], *block]
    return parts


def _width(least: Sequence[int], columns: Sequence[int]) -> int:
    """Return how wide columns are beside each other."""
    return sum(least[k] for k in columns) + _GAP * (len(columns) - 1)


def _show_columns(table: TextTable, columns: Sequence[int]) -> None:
    """Print columns of a table: where they fit into the terminal texts wrap, elsewhere no line is broken."""
    least = _least_widths(table)
    if not out.is_terminal or _width(least, columns) > out.width:
        print_unbroken(_aligned(table, columns))
        return
    shown = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for k in columns:
        is_number = table.is_numeric(k)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        style = None if k else "cyan"
        shown.add_column(visible(table.columns[k]), justify=justify, min_width=least[k], no_wrap=is_number, style=style)
    for row in table.rows:
        shown.add_row(*(_cell(row[k]) for k in columns))
    print_rendered(shown)


def _least_widths(table: TextTable) -> list[int]:
    """Return how wide each column is if its numbers are on one line, and its texts are broken between words."""
    widths = []
    for k, column in enumerate(table.columns):
        texts = [visible(column), *(visible(row[k].text) for row in table.rows)]
        parts = texts if table.is_numeric(k) else [word for text in texts for word in text.split()]
        widths.append(max(map(cell_len, parts), default=0))
    return widths


def _aligned(table: TextTable, columns: Sequence[int]) -> list[str]:
    """Return the lines of a table with its columns below each other."""
    rows = [table.columns, *([cell.text for cell in row] for row in table.rows)]
    texts = [[visible(row[k]) for k in columns] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    lines = []
    for row in texts:
        gaps = [" " * (width - cell_len(text)) for width, text in zip(widths, row, strict=True)]
        cells = [
            gap + text if table.is_numeric(k) else text + gap for k, gap, text in zip(columns, gaps, row, strict=True)
        ]
        lines.append((" " * _GAP).join(cells).rstrip())
    return lines


def _cell(cell: Shown) -> Text:
    return Text(visible(cell.text), style="bold green" if cell.best else "")
