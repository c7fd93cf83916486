"""Statements in single precision: every operation is rounded to a number of 32 bits (IEEE 754).

The statements are those of double precision with `single(...)` around each operation. For + - * and square roots, the
result in double precision rounded once to single precision is the nearest single number to the exact result, as a
double has more than twice the digits of a single and two (S. A. Figueroa, When is double rounding innocuous?, SIGNUM
Newsl. 1995, doi:10.1145/221332.221334). So it does not matter whether a target works in double or in single precision
in between: NumPy, Cython and C++ give the same bits, and a C++ compiler may use the processor's operations on single
numbers. Quotients are functions. Any other function is worked out in double precision and rounded.

What stays double: the thresholds, which lose 5e-8 of themselves in a step, less than a single number can tell; the
constants, which are rounded where they meet a single number; times and counters. Whole numbers stay whole, and a truth
that is calculated with is 0 or 1.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal

from snstdp_cli.network.neurons import COUNTER
from snstdp_cli.rules.expressions import OPERATORS

#: What a value is. `whole` is a whole number that is written or named, `integer` one of a variable.
Kind = Literal["boolean", "whole", "integer", "constant", "single", "double"]
#: Whole numbers below this are single numbers too.
_EXACT = 2**24
INTEGERS = frozenset({"arrived", "t_in_timesteps", "i", "j", "N"})
DOUBLES = frozenset({"theta", COUNTER, "t", "dt"})
_LARGEST_POWER = 8
_ARITHMETIC = tuple(OPERATORS)
_TARGET = re.compile(r"_(?:pre|post)$")


def round_statements(text: str, variables: frozenset[str], constants: Mapping[str, Kind]) -> str:
    """Round every operation of Brian 2's statements, or of a condition, to single precision.

    Examples
    --------
    >>> round_statements("w += eta * (1 - w)", frozenset({"w"}), {"eta": "constant"})
    'w += single(single(eta) * single(1 - w))'
    """
    rounding = _Rounding(variables, constants)
    lines = [line.partition("#")[0].strip() for line in re.split(r"[;\n]", text)]
    return "\n".join(rounding.line(line) for line in lines if line)


class _Rounding:
    """Goes through statements in their order, as it must know what the temporary names before stand for."""

    def __init__(self, variables: frozenset[str], constants: Mapping[str, Kind]) -> None:
        self.variables = variables
        self.constants = constants
        self.temporary: dict[str, Kind] = {}

    def line(self, text: str) -> str:
        statement = ast.parse(text).body[0]
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return f"{name} = {self._assigned(name, value)}"
            case ast.AugAssign(target=ast.Name(id=name) as target, op=sign, value=value):
                kind = self._kind(name)
                if kind != "single" or name in self.temporary or not isinstance(sign, _ARITHMETIC):
                    whole = ast.BinOp(ast.Name(name), sign, value)
                    return text if kind == "double" else f"{name} = {self._assigned(name, whole)}"
                # Stored in 32 bits, which rounds; several synapses may add to one target.
                change = ast.unparse(_single(*self._value(value)))
                return f"{ast.unparse(target)} {OPERATORS[type(sign)]}= {change}"
            case ast.Expr(value=condition):
                return ast.unparse(self._value(condition)[0])
        raise AssertionError(text)  # Brian 2 has no other statements

    def _assigned(self, name: str, value: ast.expr) -> str:
        node, kind = self._value(value)
        if not self._is_variable(name):
            self.temporary[name] = {"whole": "integer", "constant": "single"}.get(kind, kind)  # type: ignore[assignment]
            node = _single(node, kind) if kind == "constant" else node
        elif self._kind(name) == "single":
            node = _single(node, kind)
        return ast.unparse(node)

    def _is_variable(self, name: str) -> bool:
        return _TARGET.sub("", name) in self.variables | INTEGERS | DOUBLES

    def _kind(self, name: str) -> Kind:
        stem = _TARGET.sub("", name)
        if name in self.temporary:
            return self.temporary[name]
        if stem in INTEGERS:
            return "integer"
        if stem in DOUBLES:
            return "double"
        if stem in self.variables:
            return "single"
        return "boolean" if name in ("True", "False") else self.constants.get(name, "constant")

    def _value(self, node: ast.expr) -> tuple[ast.expr, Kind]:
        """Return an expression as it is worked out, and what its value is."""
        match node:
            case ast.Constant(value=bool()):
                return node, "boolean"
            case ast.Constant(value=number):
                return node, "whole" if isinstance(number, int) else "constant"
            case ast.Name(id=name):
                return node, self._kind(name)
            case ast.UnaryOp(op=sign, operand=operand):
                inner, kind = self._value(operand)
                return ast.UnaryOp(sign, inner), kind
            case ast.BoolOp(op=sign, values=values):
                return ast.BoolOp(sign, [self._value(value)[0] for value in values]), "boolean"
            case ast.Compare(left=left, ops=operators, comparators=others):
                first, *rest = _meet([self._value(one) for one in (left, *others)], compares=True)
                return ast.Compare(first[0], operators, [one[0] for one in rest]), "boolean"
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right)
            case ast.BinOp(left=left, op=sign, right=right):
                return _operation(sign, self._value(left), self._value(right))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return _call(name, [self._value(argument) for argument in arguments])
        raise AssertionError(ast.dump(node))  # Brian 2 has no other expressions

    def _power(self, base: ast.expr, exponent: ast.expr) -> tuple[ast.expr, Kind]:
        """Return a power; a small whole one as products, as the library's last digit is not the same everywhere."""
        operands = [self._value(base), self._value(exponent)]
        kinds = {kind for _, kind in operands}
        number = _whole_number(exponent)
        if kinds <= {"whole", "constant"} or "double" in kinds:
            (left, _), (right, _) = _meet(operands)
            return ast.BinOp(left, ast.Pow(), right), "double" if "double" in kinds else "constant"
        if number is None or not 0 < abs(number) <= _LARGEST_POWER:
            wide = [_call_of("widened", node) for node, _ in operands]
            return _call_of("single", ast.BinOp(wide[0], ast.Pow(), wide[1])), "single"
        one = _single(*operands[0])
        product = one
        for _ in range(abs(number) - 1):
            product = _call_of("single", ast.BinOp(product, ast.Mult(), one))
        if number < 0:
            product = _call_of("quotient", ast.Constant(1), product)
        return product, "single"


def _operation(sign: ast.operator, *operands: tuple[ast.expr, Kind]) -> tuple[ast.expr, Kind]:
    kinds = {kind for _, kind in operands}
    (left, _), (right, _) = _meet(list(operands), divides=isinstance(sign, ast.Div))
    node = ast.BinOp(left, sign, right)
    if "double" in kinds:
        return node, "double"
    if kinds <= {"whole", "constant"}:
        return node, "constant" if "constant" in kinds or isinstance(sign, ast.Div) else "whole"
    if kinds <= {"whole", "integer"} and not isinstance(sign, ast.Div):
        return node, "integer"
    if isinstance(sign, ast.Div):
        return _call_of("quotient", left, right), "single"
    if not isinstance(sign, _ARITHMETIC):
        node = ast.BinOp(_call_of("widened", left), sign, _call_of("widened", right))
    return _call_of("single", node), "single"


def _call(name: str, arguments: list[tuple[ast.expr, Kind]]) -> tuple[ast.expr, Kind]:
    kinds = {kind for _, kind in arguments}
    plain = ast.Call(ast.Name(name), [node for node, _ in arguments], [])
    if name == "int" and kinds == {"boolean"}:
        return _single(*arguments[0]), "single"
    if name in ("int", "floor", "ceil"):
        return plain, "integer"
    if "double" in kinds:
        return plain, "double"
    if kinds <= {"whole", "constant"}:
        return plain, "constant"
    if name in ("abs", "clip"):
        if kinds <= {"whole", "integer"}:
            return plain, "integer"
        return ast.Call(ast.Name(name), [_single(*one) for one in arguments], []), "single"
    wide = [node if kind in ("whole", "constant") else _call_of("widened", node) for node, kind in arguments]
    return _call_of("single", ast.Call(ast.Name(name), wide, [])), "single"


def _meet(
    operands: list[tuple[ast.expr, Kind]], *, divides: bool = False, compares: bool = False
) -> list[tuple[ast.expr, Kind]]:
    """Return what meets in an operation or a comparison, in single precision if it takes place in that.

    An operation with a double number takes place in double, a comparison with a single number in single precision.
    """
    kinds = {kind for _, kind in operands}
    mixed = kinds >= {"integer", "constant"} or (divides and "integer" in kinds)
    if "double" in kinds and not compares:
        # NumPy would take a double number that is no array for a single one where it meets an array of those.
        return [(_call_of("widened", node), "double") if kind == "single" else (node, kind) for node, kind in operands]
    if not (mixed or kinds & {"single", "boolean"}) or kinds == {"boolean"}:
        return operands
    return [(_single(node, kind), "single") for node, kind in operands]


def _single(node: ast.expr, kind: Kind) -> ast.expr:
    """Return a value as a single number."""
    number = _whole_number(node)
    if kind == "single" or (number is not None and abs(number) < _EXACT):
        return node
    return _call_of("truth" if kind == "boolean" else "single", node)


def _whole_number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return -number
    return None


def _call_of(name: str, *nodes: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name), list(nodes), [])
