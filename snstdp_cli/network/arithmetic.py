"""In which precision the network calculates: its statements, the functions that they call, the types of its variables.

The statements are written for double precision; in single precision each is rounded (`single`).
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.network.names import state_variables
from snstdp_cli.network.neurons import NeuronModel
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.single import DOUBLES, INTEGERS, Kind, round_statements
from snstdp_cli.rules.base import Plasticity

if TYPE_CHECKING:
    from snstdp_cli.brian_import import Function

#: Variables in single precision that do not outlive a chunk.
_PASSING = frozenset({"w_sum", "w_factor", "count"})
#: What the statements call, in C, which is also how Cython calls it.
_C = {
    "single": "float single(double x) { return (float)x; }",
    "widened": "double widened(double x) { return x; }",
    "truth": "float truth(bool x) { return x ? 1.0f : 0.0f; }",
    "quotient": "float quotient(float a, float b) { return a / b; }",
}


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
    return frozenset((state | _PASSING) - INTEGERS - DOUBLES)


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
