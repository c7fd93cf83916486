"""Printing: results to standard output, everything else to standard error.

All text passes through `visible`: names, paths and notes come from files, and a terminal obeys what they contain.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def visible(text: str, *, lines: bool = False) -> str:
    """Return text with control characters, escape sequences and undecodable bytes written out.

    Parameters
    ----------
    lines
        Keep line ends.
    """
    return "".join(
        c if c.isprintable() or (lines and c == "\n") else c.encode("unicode_escape").decode("ascii") for c in text
    )


def styled(*parts: str | tuple[str, str], lines: bool = False) -> Text:
    """Join parts of a text, some with a style: `styled("trained ", (name, "bold"))`."""
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((visible(text, lines=lines), style) for text, style in pairs))


def print_line(*parts: str | tuple[str, str], indent: int = 0) -> None:
    """Print one line of a result; in a terminal it is wrapped between words, below its indentation."""
    if out.is_terminal and any(parts):  # padding leaves nothing of an empty line
        out.print(Padding(styled(*parts), (0, 0, 0, indent), expand=False))
    else:
        out.print(styled(" " * indent, *parts), soft_wrap=True)


def print_columns(cells: Sequence[str | tuple[str, str]], widths: Sequence[int]) -> None:
    """Print one row as soon as it is known, in columns of these widths; the last cell is wrapped below itself."""
    if out.is_terminal:
        grid = Table.grid(padding=(0, 1))
        for width in widths:
            grid.add_column(width=width, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(*(styled(cell) for cell in cells))
        out.print(grid)
        return
    *first, last = (styled(cell) for cell in cells)
    for cell, width in zip(first, widths, strict=True):
        cell.pad_right(max(0, width - cell.cell_len) + 1)
    out.print(Text.assemble(*first, last), soft_wrap=True)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object in ASCII; what is no number is null."""
    text = json.dumps(_plain(content), indent=2, default=str, allow_nan=False)
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_error(message: str) -> None:
    """Print what went wrong."""
    _tell("error", "bold red", message)


def print_warning(message: str) -> None:
    """Print what the user should know before trusting a result."""
    _tell("note", "bold yellow", message)


def print_note(message: str, *, to_copy: bool = False) -> None:
    """Print what is going on; a command that can be copied is never broken."""
    sys.stdout.flush()
    err.print(styled((message, "dim"), lines=True), soft_wrap=to_copy or not err.is_terminal)


def _tell(label: str, style: str, message: str) -> None:
    """Print to standard error, after what standard output was told before; beside its label in a terminal."""
    sys.stdout.flush()
    if not err.is_terminal:
        err.print(styled((label, style), " ", message, lines=True), soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style), styled(message, lines=True))
    err.print(grid)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text; the last column may wrap, and others that hold words, so that none is cut off."""
    table = Table(box=None, pad_edge=False)
    cells = list(zip(*rows, strict=True))
    for k, column in enumerate(columns):
        words = bool(cells) and any(" " in cell for cell in cells[k])
        table.add_column(
            column,
            no_wrap=k == 0 or not (words or k == len(columns) - 1),
            overflow="fold",
            style="cyan" if k == 0 else None,
        )
    for row in rows:
        table.add_row(*(styled(cell) for cell in row))
    out.print(table)


def print_unbroken(lines: Iterable[str]) -> None:
    """Print lines of any width as they are, so that another program can read them."""
    for line in lines:
        out.print(styled(line), soft_wrap=True)


def print_rendered(shown: Table) -> None:
    """Print a table whose cells were made by `styled` or `visible`."""
    out.print(shown)


def write_file_text(text: str) -> None:
    """Write text of a file format, such as CSV, that has its own escapes."""
    sys.stdout.write(text)


def print_files(paths: Sequence[Path]) -> None:
    """Print the files that were written; a path is never broken, so that it can be copied."""
    for path in paths:
        out.print(styled(f"  {path}"), soft_wrap=True)


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
