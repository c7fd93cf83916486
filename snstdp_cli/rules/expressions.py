"""Formulas that a user may put into a rule: what they may consist of, and a sentence for whatever else is in them.

A formula is arithmetic and nothing else: numbers, the names that its rule offers, `+ - * /`, powers with a whole
exponent, `abs(x)`, `sqrt(x)` and `clip(x, low, high)`. These operations give the same bits on NumPy, Cython and C++;
`exp`, `log` and broken powers come from the C library and do not.
"""

from __future__ import annotations

import ast
import difflib
import functools
import re
import warnings
from collections.abc import Collection

#: Beyond this no step of a formula has a value; products, quotients and sums of what is within it are finite.
LARGEST = 1e30
#: Number of arguments of each function.
FUNCTIONS = {"abs": 1, "sqrt": 1, "clip": 3}
OPERATORS: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_MAX_LENGTH, _MAX_DEPTH, _MAX_POWER = 300, 40, 8
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.+\-*/(), \t\n]")
_ALLOWED = "numbers, + - * / ** ( ), abs, sqrt and clip"


def check_expression(text: str, names: Collection[str]) -> str:
    """Return a formula in its usual spelling.

    Examples
    --------
    >>> check_expression("L_tar/(L_0+ 1)", ["L_tar", "L_0"])
    'L_tar / (L_0 + 1)'

    Raises
    ------
    ValueError
        With a sentence, if the text is anything but arithmetic with these names.
    """
    return _usual_spelling(text, tuple(names))


@functools.lru_cache(maxsize=256)
def _usual_spelling(text: str, names: tuple[str, ...]) -> str:
    """Check a formula once: a study builds thousands of experiments with the same few."""
    body = parse_formula(text)
    _check(body, names)
    return ast.unparse(body)


def parse_formula(text: str) -> ast.expr:
    """Return the syntax tree of a formula, whose parts are not checked yet."""
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"a formula of {len(text):,} characters; expected at most {_MAX_LENGTH}")
    if found := _FORBIDDEN.search(text):
        raise ValueError(f"found the character {found[0]!a}; a formula consists of {_ALLOWED}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python has opinions on `1or 2`; it is refused anyway
            body = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or "cannot be read"
        raise ValueError(f"no formula: {reason}; expected one such as L_tar / L_0") from None
    level: list[ast.AST] = [body]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(f"more than {_MAX_DEPTH} operations deep; expected a shorter formula")
    return body


def _check(node: ast.expr, names: Collection[str]) -> None:
    match node:
        case ast.Constant(value=value):
            _check_number(value)
        case ast.Name(id=name):
            if name not in names:
                raise ValueError(
                    f"unknown name '{name}'{_meant(name, [*names, *FUNCTIONS])}; known: {', '.join(names)}"
                )
        case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
            _check(node.operand, names)
        case ast.BinOp(op=ast.Pow()):
            _check(node.left, names)
            exponent_of(node.right)
        case ast.BinOp(op=operator) if type(operator) in OPERATORS:
            _check(node.left, names)
            _check(node.right, names)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            if name not in FUNCTIONS:
                raise ValueError(f"unknown function '{name}'{_meant(name, FUNCTIONS)}; known: {', '.join(FUNCTIONS)}")
            if len(node.args) != FUNCTIONS[name]:
                raise ValueError(f"{name} has {len(node.args)} arguments; expected {FUNCTIONS[name]}")
            for argument in node.args:
                _check(argument, names)
        case _:
            raise ValueError(f"found '{ast.unparse(node)[:40]}'; a formula consists of {_ALLOWED}")


def _check_number(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"found '{value}'; expected a number")
    if abs(value) > LARGEST:
        raise ValueError(f"a number in it is larger than {LARGEST:g}")


def exponent_of(node: ast.expr) -> int:
    """Return the whole number that a power's exponent is."""
    sign, number = (-1, node.operand) if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else (1, node)
    power = number.value if isinstance(number, ast.Constant) else None
    if isinstance(power, bool) or not isinstance(power, int) or power > _MAX_POWER:
        raise ValueError(
            f"found the exponent '{ast.unparse(node)[:40]}'; expected a whole number from -{_MAX_POWER} to "
            f"{_MAX_POWER} (a square root is sqrt(x))"
        )
    return sign * power


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
