"""One dialect of docstrings: a name alone on its line, and its description indented below it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import snstdp_cli

PACKAGE = Path(snstdp_cli.__file__).parent
#: `name : text`, in the place of a description below the name.
_BESIDE = re.compile(r"^ *[a-z_]\w*(, \w+)* : ", re.MULTILINE)
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
#: Still to be mended.
KNOWN = {"engines/program.py"}


def beside(source: str) -> Iterator[str]:
    """Yield the lines of docstrings in which a description stands beside its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED):
            yield from (found.group().strip() for found in _BESIDE.finditer(ast.get_docstring(node) or ""))


def test_a_description_stands_below_its_name() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    assert len(files) > 300
    wrong = {name: found for name, path in files.items() if (found := [*beside(path.read_text())])}
    assert wrong.keys() <= KNOWN, wrong


def test_the_other_dialect_is_noticed() -> None:
    head = 'def f(a, b):\n    """F.\n\n    Parameters\n    ----------\n'
    assert list(beside(f'{head}    a, b : both.\n    """\n')) == ["a, b :"]
    assert list(beside(f'{head}    a\n        One, two: three.\n    """\n')) == []
