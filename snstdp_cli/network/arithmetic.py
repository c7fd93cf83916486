"""Single precision: the statements of a network with every operation rounded to a number of 32 bits (IEEE 754).

The statements are those of double precision; `round_statements` puts `single(...)` around each operation in them. For
+ - * / and square roots, the result in double precision rounded once to single precision is the nearest single number
to the exact result, as a double has more than twice the digits of a single and two (S. A. Figueroa, When is double
rounding innocuous?, SIGNUM Newsl. 1995, doi:10.1145/221332.221334). So it does not matter whether a target works in
double or in single precision in between: NumPy, Cython and C++ give the same bits, and a C++ compiler is free to use the
processor's operations on single numbers. Any other function is worked out in double precision and rounded.

What stays double: the thresholds, which lose 5e-8 of themselves in a step, less than a single number can tell; the
constants, which are rounded where they meet a single number; random numbers, times and the controller. Whole numbers
stay whole, and a truth that is calculated with is 0 or 1.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.network.names import state_variables
from snstdp_cli.network.neurons import COUNTER, NeuronModel
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.rules.base import Plasticity

if TYPE_CHECKING:
    from snstdp_cli.brian_import import Function

#: What a value is. `whole` is a whole number that is written or named, `integer` one of a variable.
Kind = Literal["boolean", "whole", "integer", "constant", "single", "double"]
#: Whole numbers below this are single numbers too.
_EXACT = 2**24
_INTEGERS = frozenset({"arrived", "t_in_timesteps", "i", "j", "N"})
_DOUBLES = frozenset({"theta", COUNTER, "t", "dt"})
#: Variables in single precision that do not outlive a chunk.
_PASSING = frozenset({"w_sum", "w_factor", "count"})
_LARGEST_POWER = 8
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
#: What the statements call, in C, which is also how Cython calls it.
_C = {
    "single": "float single(double x) { return (float)x; }",
    "widened": "double widened(double x) { return x; }",
    "truth": "float truth(bool x) { return x ? 1.0f : 0.0f; }",
    "quotient": "float quotient(float a, float b) { return a / b; }",
}
_TARGET = re.compile(r"_(?:pre|post)$")


@dataclass(frozen=True)
class Arithmetic:
    """How the network's statements calculate.

    Attributes
    ----------
    rounds
        Whether to single precision; otherwise statements stay as they are.
    variables
        Single numbers of neurons and synapses.
    constants
        Names in the statements that stand for a number, and what it is.
    """

    rounds: bool
    variables: frozenset[str] = frozenset()
    constants: Mapping[str, Kind] = field(default_factory=dict)

    def statements(self, text: str) -> str:
        """Return statements, or a condition, as they are run."""
        return round_statements(text, self.variables, self.constants) if self.rounds else text

    def pathways(self, statements: Mapping[str, str]) -> dict[str, str]:
        """Return the statements of each pathway as they are run."""
        return {name: self.statements(text) for name, text in statements.items()}

    def functions(self) -> dict[str, Function]:
        """Return what the statements call, for every target."""
        return _rounding_functions() if self.rounds else {}

    def types(self) -> dict[str, Any]:
        """Return the types of variables that are not double."""
        return dict.fromkeys(self.variables, np.float32) if self.rounds else {}


def choose_arithmetic(experiment: Experiment, plasticity: Plasticity | None, *models: NeuronModel) -> Arithmetic:
    """Return the arithmetic of an experiment's network, whose neurons are `models`."""
    if experiment.arithmetic == "double":
        return Arithmetic(rounds=False)
    numbers: dict[str, object] = {**run_time_numbers(experiment, plasticity)}
    for model in models:
        numbers |= model.named_constants()
    kinds: dict[str, Kind] = {
        name: "whole" if isinstance(number, Integral) else "constant" for name, number in numbers.items()
    }
    return Arithmetic(True, single_variables(plasticity), kinds)


def single_variables(plasticity: Plasticity | None) -> frozenset[str]:
    """Return the variables that single precision holds in 32 bits."""
    state = {name for _, name in state_variables(plasticity)}
    return frozenset((state | _PASSING) - _INTEGERS - _DOUBLES)


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
                return f"{ast.unparse(target)} {_written(sign)}= {change}"
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
        return _TARGET.sub("", name) in self.variables | _INTEGERS | _DOUBLES

    def _kind(self, name: str) -> Kind:
        stem = _TARGET.sub("", name)
        if name in self.temporary:
            return self.temporary[name]
        if stem in _INTEGERS:
            return "integer"
        if stem in _DOUBLES:
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
        node, kind = self._value(base)
        if kind in ("constant", "whole", "double"):
            return ast.BinOp(node, ast.Pow(), self._value(exponent)[0]), "constant" if kind == "whole" else kind
        number = _whole_number(exponent)
        if number is None or not 0 < abs(number) <= _LARGEST_POWER:
            operands = [_call_of("widened", one) for one in (node, self._value(exponent)[0])]
            return _call_of("single", ast.BinOp(operands[0], ast.Pow(), operands[1])), "single"
        one = _single(node, kind)
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
    if "double" in kinds and not (compares and "single" in kinds):
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


def _written(sign: ast.operator) -> str:
    return {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}[type(sign)]


def _rounding_functions() -> dict[str, Function]:
    """Return what the statements call on every target.

    A quotient is a function of its own, as Brian 2 would multiply by the reciprocal of a constant.
    """
    from snstdp_cli.brian_import import Function

    def unchanged(unit: Any) -> Any:
        return unit

    kinds: dict[str, tuple[Any, list[Any], Any, str]] = {
        "single": (_to_single, [None], unchanged, "any"),
        "widened": (_to_double, [None], unchanged, "any"),
        "truth": (_to_single, [1], 1, "boolean"),
        "quotient": (_divide, [None, None], operator.truediv, "any"),
    }
    functions = {}
    for name, (python, units, result, kind) in kinds.items():
        made = Function(python, arg_units=units, return_unit=result, arg_types=[kind] * len(units), return_type="float")
        made.implementations.add_implementation("cpp", f"static inline {_C[name]}")
        declared = _C[name].partition("{")[0].replace("bool", "bint")
        made.implementations.add_implementation(
            "cython", f'cdef extern from *:\n    """\n    static inline {_C[name]}\n    """\n    {declared}\n'
        )
        functions[name] = made
    return functions


def _to_single(values: Any) -> Any:
    return np.float32(values)


def _to_double(values: Any) -> Any:
    return np.float64(values)


def _divide(a: Any, b: Any) -> Any:
    return np.float32(a) / np.float32(b)
