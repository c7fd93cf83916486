"""A checked formula as single operations: worked out for arrays, or written as statements of Brian 2.

A formula has **no value** where a step of it divides by less than `SMALLEST`, takes the root of a negative number,
clips to a low end above the high end, or leaves +-`LARGEST`. Whoever uses it must ask `evaluate`, or the statements of
`write` with `guarded=True`, whether there is a value: nothing that is not finite comes out of either.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snstdp_cli.rules.expressions import FUNCTIONS, LARGEST, OPERATORS, exponent_of, parse_formula

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What is nearer to 0 is not divided by.
SMALLEST = 1e-30

#: The name of a variable or of an earlier step, or a number.
Operand = str | float


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes
    ----------
    name
        What later steps call its result.
    operation
        `+ - * /`, or the name of a function.
    operands
        Its arguments, in order.
    """

    name: str
    operation: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Formula:
    """A translated formula.

    Attributes
    ----------
    steps
        Its operations, in the order in which they are done.
    result
        The last step, or a variable or a number where there is no operation.
    """

    steps: tuple[Step, ...]
    result: Operand

    def uses(self, name: str) -> bool:
        """Tell whether the formula reads this variable."""
        return name == self.result or any(name in step.operands for step in self.steps)


def translate(text: str, constants: Mapping[str, float], prefix: str) -> Formula:
    """Translate a checked formula into steps; what depends on no variable is worked out now.

    Parameters
    ----------
    text
        A formula that `check_expression` has accepted.
    constants
        Names whose values are known; all others are variables.
    prefix
        What the names of its steps begin with.
    """
    steps: list[Step] = []

    def do(operation: str, *operands: Operand) -> Operand:
        if all(isinstance(operand, float) for operand in operands):
            value, good = _do(operation, *operands)
            if good:
                return float(value) + 0.0  # no negative zero
        steps.append(Step(f"{prefix}_step{len(steps) + 1}", operation, operands))
        return steps[-1].name

    def visit(node: ast.expr) -> Operand:
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name):
                return float(constants[name]) if name in constants else name
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return visit(operand)
            case ast.UnaryOp(operand=operand):
                return do("-", 0.0, visit(operand))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return power(visit(left), exponent_of(right))
            case ast.BinOp(left=left, op=operator, right=right):
                return do(OPERATORS[type(operator)], visit(left), visit(right))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return do(name, *(visit(argument) for argument in arguments))
        raise AssertionError(ast.dump(node))  # check_expression lets nothing else pass

    def power(base: Operand, exponent: int) -> Operand:
        product: Operand = 1.0 if exponent == 0 else base
        for _ in range(abs(exponent) - 1):
            product = do("*", product, base)
        return do("/", 1.0, product) if exponent < 0 else product

    result = visit(parse_formula(text))
    return Formula(tuple(steps), result)


def _do(operation: str, *operands: Any) -> tuple[Any, Any]:
    """Return the result of one operation, 0 where it has none, and where it has one; also for arrays."""
    import numpy as np

    a, *rest = operands
    with np.errstate(all="ignore"):
        # The root of a negative number is not a number, and so not within +-LARGEST.
        allowed = {"/": lambda: np.abs(rest[0]) >= SMALLEST, "clip": lambda: rest[0] <= rest[1]}
        calculate: dict[str, Callable[[], Any]] = {
            "+": lambda: np.add(a, *rest),
            "-": lambda: np.subtract(a, *rest),
            "*": lambda: np.multiply(a, *rest),
            "/": lambda: np.divide(a, *rest),
            "abs": lambda: np.abs(a),
            "sqrt": lambda: np.sqrt(a),
            "clip": lambda: np.clip(a, *rest),
        }
        value = calculate[operation]()
        good = np.logical_and(allowed.get(operation, lambda: True)(), np.abs(value) <= LARGEST)
        return np.where(good, value, 0.0), good


def evaluate(formula: Formula, variables: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the values of a formula and where it has one; 0 stands where it has none.

    Parameters
    ----------
    formula
        What `translate` returned.
    variables
        Arrays of one shape for the names that the formula reads.
    """
    import numpy as np

    shape = np.shape(next(iter(variables.values())))
    known: dict[Operand, Any] = dict(variables.items())
    good = np.ones(shape, dtype=bool)
    for step in formula.steps:
        known[step.name], fine = _do(step.operation, *(known.get(operand, operand) for operand in step.operands))
        good &= fine
    value = np.broadcast_to(np.asarray(known.get(formula.result, formula.result), dtype=np.float64), shape)
    return np.where(good, value, 0.0), good


def write(
    formula: Formula, names: Mapping[str, str], constants: dict[str, float], prefix: str, *, guarded: bool
) -> tuple[list[str], str, list[str]]:
    """Write a formula as statements of Brian 2, an operation a line, so that nobody reorders them.

    Parameters
    ----------
    formula
        What `translate` returned.
    names
        What its variables are called in the statements.
    constants
        Takes up the formula's numbers, under names that begin with `prefix`: other numbers, the same program.
    guarded
        Whether each step looks after itself: needed where it is not known before that it has a value.

    Returns
    -------
    The statements, the name of the result, and the names of flags, each 1 where its step has a value.
    """

    def name(operand: Operand) -> str:
        if isinstance(operand, str):
            return names.get(operand, operand)
        found = f"{prefix}_{1 + sum(key.startswith(prefix) for key in constants)}"
        constants[found] = operand
        return found

    lines: list[str] = []
    flags: list[str] = []
    for step in formula.steps:
        operands = [name(operand) for operand in step.operands]
        if not guarded:
            lines.append(f"{step.name} = {_text(step.operation, operands)}")
            continue
        for flag, line in _guarded_step(step.name, step.operation, operands):
            lines.append(line)
            flags += [flag] if flag else []
    return lines, name(formula.result), flags


def _text(operation: str, operands: list[str]) -> str:
    if operation in FUNCTIONS:
        return f"{operation}({', '.join(operands)})"
    return f"{operands[0]} {operation} {operands[1]}"


def _guarded_step(name: str, operation: str, operands: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the flag that each statement sets, or '', and the statement."""
    allowed, safe = f"{name}_allowed", list(operands)
    if operation == "/":
        yield allowed, f"{allowed} = int(abs({operands[1]}) >= {SMALLEST!r})"
        safe[1] = f"({allowed} * {operands[1]} + (1 - {allowed}))"
    elif operation == "sqrt":
        yield allowed, f"{allowed} = int({operands[0]} >= 0)"
        safe[0] = f"{allowed} * {operands[0]}"
    elif operation == "clip":
        yield allowed, f"{allowed} = int({operands[1]} <= {operands[2]})"
    yield "", f"{name}_raw = {_text(operation, safe)}"
    yield f"{name}_fits", f"{name}_fits = int(abs({name}_raw) <= {LARGEST!r})"
    yield "", f"{name} = {name}_fits * {name}_raw"
