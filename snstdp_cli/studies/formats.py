"""Tables as CSV, Markdown and LaTeX: whatever a setting, a path or an error holds, it stays text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from snstdp_cli.results.tables import Cell, csv_text, one_line

_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_{}[]<>#|~$"} | {ord("&"): "&amp;"}
_LATEX = {
    ord("\\"): r"\textbackslash{}",
    ord("~"): r"\textasciitilde{}",
    ord("^"): r"\textasciicircum{}",
    ord("<"): r"\textless{}",
    ord(">"): r"\textgreater{}",
    ord("|"): r"\textbar{}",
    ord('"'): r"\textquotedbl{}",
    ord("−"): "$-$",
    ord("–"): "--",
    ord("±"): "$\\pm$",
    **{ord(c): f"\\{c}" for c in "{}$&#_%"},
}


class Shown(NamedTuple):
    """A cell of a table for people: its text, whether it is the best of its column, whether it is a number."""

    text: str
    best: bool = False
    number: bool = False


@dataclass(frozen=True)
class TextTable:
    """A table for people, as text.

    Attributes
    ----------
    title
        What it shows.
    rows
        As many cells as there are columns, each.
    blocks
        How many columns belong together, from the first on. Those of the first block tell what a row is of: where a
        table is too wide it is shown in parts, each of which begins with them. Without blocks it is never parted.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    blocks: tuple[int, ...] = ()

    def is_numeric(self, column: int) -> bool:
        """Tell whether a column holds numbers, which are aligned to the right."""
        return any(row[column].number for row in self.rows)


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV with a header (see `csv_text`); nothing where there are none. Other values become JSON."""
    if not records:
        return ""
    columns = list(dict.fromkeys(key for record in records for key in record))
    return csv_text(columns, ([_csv_value(record.get(column)) for column in columns] for record in records))


def to_markdown(tables: Sequence[TextTable]) -> str:
    """Return tables as GitHub writes them; the best of a column is bold."""
    return "\n".join(_markdown(table) for table in tables)


def to_latex(tables: Sequence[TextTable]) -> str:
    """Return tables with the rules of booktabs; the best of a column is bold."""
    return "\n".join(["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}", *map(_latex, tables)])


def _csv_value(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value, default=str)


def _markdown(table: TextTable) -> str:
    head = [one_line(column).translate(_MARKDOWN) for column in table.columns]
    marks = ["---:" if table.is_numeric(k) else "---" for k in range(len(head))]
    lines = [f"{one_line(table.title).translate(_MARKDOWN)}\n", _pipes(head), _pipes(marks)]
    for row in table.rows:
        texts = [one_line(cell.text).translate(_MARKDOWN) for cell in row]
        lines.append(_pipes([f"**{text}**" if cell.best else text for text, cell in zip(texts, row, strict=True)]))
    return "\n".join(lines) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex(table: TextTable) -> str:
    columns = "".join("r" if table.is_numeric(k) else "l" for k in range(len(table.columns)))
    lines = [
        f"% {one_line(table.title)}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _ampersands([_latex_text(column) for column in table.columns]),
        "\\midrule",
    ]
    for row in table.rows:
        texts = [_latex_text(cell.text) for cell in row]
        lines.append(_ampersands([f"\\textbf{{{t}}}" if cell.best else t for t, cell in zip(texts, row, strict=True)]))
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _latex_text(text: str) -> str:
    text = one_line(text).translate(_LATEX)
    # At the beginning of a row, `[` would be taken for the length that `\\` may have.
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
