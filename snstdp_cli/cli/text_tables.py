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
GAP = 2


def show_table(table: TextTable) -> None:
    """Print a table below its title; in a terminal that is too narrow in parts, where the table may be parted."""
    print_line((table.title, "bold"))
    least = _least_widths(table)
    for k, columns in enumerate(_parts(table, least) if out.is_terminal else [range(len(table.columns))]):
        if k:
            print_line("")
        _show_columns(table, columns, least)


def in_parts(names: int, blocks: Sequence[int], room: int) -> list[list[int]]:
    """Return which blocks of columns stand beside each other, in parts that all begin with the columns of names.

    Parameters
    ----------
    names, blocks
        How wide the columns of names are, and each block with the gaps before its columns.
    room
        How wide a part may be; a block that is wider stands alone.

    Examples
    --------
    >>> in_parts(4, [10, 10, 30, 5], 24)
    [[0, 1], [2], [3]]
    """
    parts, width = list[list[int]](), names
    for k, block in enumerate(blocks):
        if not parts or width + block > room:
            parts.append([])
            width = names
        parts[-1].append(k)
        width += block
    return parts


def _parts(table: TextTable, least: Sequence[int]) -> list[Sequence[int]]:
    """Return which columns stand beside each other: all of them, or as many blocks beside the first as have room."""
    ends = list(itertools.accumulate(table.blocks or (len(table.columns),)))
    names, *blocks = (range(first, end) for first, end in itertools.pairwise((0, *ends)))
    widths = [sum(least[k] + GAP for k in block) for block in blocks]
    parts = in_parts(_width(least, names), widths, out.width)
    return [[*names, *(k for one in part for k in blocks[one])] for part in parts] or [names]


def _width(least: Sequence[int], columns: Sequence[int]) -> int:
    """Return how wide columns are beside each other."""
    return sum(least[k] for k in columns) + GAP * (len(columns) - 1)


def _show_columns(table: TextTable, columns: Sequence[int], least: Sequence[int]) -> None:
    """Print columns of a table: where they fit into the terminal texts wrap, elsewhere no line is broken."""
    if not out.is_terminal or _width(least, columns) > out.width:
        print_unbroken(_aligned(table, columns))
        return
    shown = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
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
        lines.append((" " * GAP).join(cells).rstrip())
    return lines


def _cell(cell: Shown) -> Text:
    return Text(visible(cell.text), style="bold green" if cell.best else "")
