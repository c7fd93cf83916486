"""Printing: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")


def print_error(message: str) -> None:
    """Print what went wrong."""
    _tell(f"[bold red]error[/] {escape(message)}")


def print_warning(message: str) -> None:
    """Print what the user should know before trusting a result."""
    _tell(f"[bold yellow]note[/] {escape(message)}")


def print_note(message: str) -> None:
    """Print what is going on."""
    _tell(f"[dim]{escape(message)}[/]")


def _tell(markup: str) -> None:
    """Print to standard error, after what standard output was told before."""
    sys.stdout.flush()
    err.print(markup, soft_wrap=not err.is_terminal)


def print_next(command: str, workdir: Path = Path()) -> None:
    """Print the command to try next, with the program's path where it is not on the search path."""
    program = "snstdp" if shutil.which("snstdp") else os.path.relpath(sys.argv[0])
    where = "" if workdir == Path() else f" --workdir {workdir}"
    print_note(f"next: {program} {command}{where}")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text; the last column may wrap."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for k, column in enumerate(columns):
        table.add_column(column, no_wrap=k < len(columns) - 1, overflow="fold", style="cyan" if k == 0 else None)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def print_files(paths: Sequence[Path]) -> None:
    """Print the files that were written."""
    for path in paths:
        out.print(f"  {path}", soft_wrap=True, markup=False)


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.{digits}f} %"
