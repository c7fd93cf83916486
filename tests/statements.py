"""Run the network's statements as plain Python, without Brian 2: each line is an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_FUNCTIONS = {"int": lambda value: np.asarray(value).astype(int), "abs": np.abs}


def run(statements: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names after the statements."""
    after = dict(names)
    for line in filter(None, map(str.strip, statements.splitlines())):
        target, _, expression = line.partition("=")
        target, operator = target.rstrip(), ""
        if target[-1] in "+-":
            target, operator = target[:-1].rstrip(), target[-1]
        value = evaluate(expression.strip(), after)
        after[target] = value if not operator else after[target] + (value if operator == "+" else -value)
    return after


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression."""
    return eval(expression, {"__builtins__": {}}, {**_FUNCTIONS, **names})
