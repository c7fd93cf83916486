"""Tables as CSV, Markdown and LaTeX: whatever a setting, a path or an error holds, it stays text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

# A spreadsheet takes a cell that begins with one of these for a formula, also after spaces or a full-width form.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
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
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]

    def is_numeric(self, column: int) -> bool:
        """Tell whether a column holds numbers, which are aligned to the right."""
        return any(row[column].number for row in self.rows)


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV with a header; nothing where there are none.

    Numbers are written in full and never changed. Text that a spreadsheet would take for a formula gets an apostrophe
    before it (OWASP, "CSV Injection"); what is not known is empty.
    """
    if not records:
        return ""
    columns = list(dict.fromkeys(key for record in records for key in record))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_harmless(column) for column in columns])
    writer.writerows([_csv_value(record.get(column)) for column in columns] for record in records)
    return stream.getvalue()


def to_markdown(tables: Sequence[TextTable]) -> str:
    """Return tables as GitHub writes them; the best of a column is bold."""
    return "\n".join(_markdown(table) for table in tables)


def to_latex(tables: Sequence[TextTable]) -> str:
    """Return tables with the rules of booktabs; the best of a column is bold."""
    return "\n".join(["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}", *map(_latex, tables)])


def _csv_value(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return _harmless(value if isinstance(value, str) else json.dumps(value, default=str))


def _harmless(text: str) -> str:
    text = _one_line(text)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _one_line(text: str) -> str:
    """Write out control characters and line ends, which would end a row or command a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _markdown(table: TextTable) -> str:
    head = [_one_line(column).translate(_MARKDOWN) for column in table.columns]
    marks = ["---:" if table.is_numeric(k) else "---" for k in range(len(head))]
    lines = [f"{_one_line(table.title).translate(_MARKDOWN)}\n", _pipes(head), _pipes(marks)]
    for row in table.rows:
        texts = [_one_line(cell.text).translate(_MARKDOWN) for cell in row]
        lines.append(_pipes([f"**{text}**" if cell.best else text for text, cell in zip(texts, row, strict=True)]))
    return "\n".join(lines) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex(table: TextTable) -> str:
    columns = "".join("r" if table.is_numeric(k) else "l" for k in range(len(table.columns)))
    lines = [
        f"% {_one_line(table.title)}",
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
    text = _one_line(text).translate(_LATEX)
    # At the beginning of a row, `[` would be taken for the length that `\\` may have.
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
