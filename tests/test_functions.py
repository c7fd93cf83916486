"""A function fits on a screen and takes few parameters; what does not yet is listed here, and the list only shrinks."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import snstdp_cli

PACKAGE = Path(snstdp_cli.__file__).parent
#: Lines of a function, its docstring left out.
MOST_LINES = 45
MOST_PARAMETERS = 10
#: Longer ones that are left, by file and name, with their lines.
LONG = {"report/page.py: _parts": 50, "training/train.py: train_network": 47}
#: Those with more parameters: commands, whose parameters are their options, and the call behind the longest of them.
WIDE = {
    "cli/evaluate.py: evaluate": 17,
    "cli/plot.py: plot": 14,
    "cli/predict.py: predict": 11,
    "cli/study_run.py: run": 12,
    "cli/test.py: record": 12,
    "cli/trace.py: trace": 11,
    "recording/record.py: record_activity": 13,
}


def functions(source: str, file: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, lines without docstring and number of parameters of each function."""
    for node in ast.walk(ast.parse(source, file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = 0 if ast.get_docstring(node) is None else (first.end_lineno or 0) - first.lineno + 1
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield f"{file}: {node.name}", lines, len(parameters)


def above(sizes: Mapping[str, int], most: int, known: Mapping[str, int]) -> list[str]:
    """Return what is too large and not known as such, and what is listed larger than it is."""
    wrong = [
        f"{name}: {size}, expected at most {known.get(name, most)}"
        for name, size in sizes.items()
        if size > known.get(name, most)
    ]
    for name, listed in known.items():
        size = sizes.get(name, 0)
        if size <= most:
            wrong.append(f"{name}: {size}, which is no exception any more: take it off the list")
        elif size < listed:
            wrong.append(f"{name}: {size}, listed with {listed}: lower the number")
    return wrong


def largest(sizes: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the size of the largest function of each name."""
    return dict(sorted(sizes, key=lambda one: one[1]))


def measured() -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found += functions(path.read_text(), path.relative_to(PACKAGE).as_posix())
    assert len(found) > 1000
    return found


def test_a_function_fits_on_a_screen() -> None:
    assert above(largest((name, lines) for name, lines, _ in measured()), MOST_LINES, LONG) == []


def test_a_function_takes_few_parameters() -> None:
    assert above(largest((name, number) for name, _, number in measured()), MOST_PARAMETERS, WIDE) == []


def test_lines_are_counted_without_the_docstring() -> None:
    source = 'def one(a, /, b, *, c=1):\n    """Say\n\n    what it does.\n    """\n    return a\n'
    assert list(functions(source, "x.py")) == [("x.py: one", 2, 3)]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (3, "x: 3, which is no exception any more: take it off the list"),
        (5, "x: 5, listed with 6: lower the number"),
        (7, "x: 7, expected at most 6"),
    ],
)
def test_the_list_only_shrinks(size: int, message: str) -> None:
    assert above({"x": size}, 4, {"x": 6}) == [message]
    assert above({"x": 6, "y": 4}, 4, {"x": 6}) == []
    assert above({"y": 5}, 4, {}) == ["y: 5, expected at most 4"]
