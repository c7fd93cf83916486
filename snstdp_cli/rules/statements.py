"""Whether Brian 2 takes a rule's statements: its own parser reads them, with the names that it will find."""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, TypeGuard

from snstdp_cli.brian_import import prepare_brian
from snstdp_cli.rules.base import Plasticity
from snstdp_cli.rules.reserved import NETWORK_NAMES, PATHWAYS, READ_ONLY

_RANDOM = {"rand", "randn", "poisson"}


def is_usable_name(name: object, *, suffixed: bool = False) -> TypeGuard[str]:
    """Tell whether Brian 2 takes this as a variable; `_pre` and `_post` mean variables of the neurons."""
    return (
        isinstance(name, str)
        and len(name) <= 100
        and name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
        and (suffixed or not name.endswith(("_pre", "_post")))
    )


def is_finite(value: object) -> bool:
    """Tell whether this is a number that a computer can hold; a truth value is none."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))
    except (OverflowError, ValueError):
        return False


def problem_of_statements(plasticity: Plasticity) -> str:
    """Say what Brian 2 would not take of a rule whose names and numbers are in order, or ''."""
    own = {**plasticity.neuron_variables, **plasticity.traces}
    constants = dict(plasticity.constants)
    for key in plasticity.on_post:
        if not is_usable_name(key) or key in NETWORK_NAMES | PATHWAYS | set(own):
            return f"on_post: found the key {key!r:.100}, expected another name, such as 'learn'"
    names = {owner: _names(own, constants, owner) for owner in ("neuron", "synapse")}
    for section, owner, statements in _sections(plasticity):
        if not isinstance(statements, str):
            return f"{section}: found {type(statements).__name__}, expected statements as text"
        if problem := _problem_of_code(statements, names[owner], set(constants)):
            return f"{section}: {problem}"
    return ""


def _sections(plasticity: Plasticity) -> Iterator[tuple[str, str, object]]:
    yield "on_pre", "synapse", plasticity.on_pre
    for key, statements in plasticity.on_post.items():
        yield f"on_post '{key}'", "synapse", statements
    yield "reset", "neuron", plasticity.reset


def _names(own: Mapping[str, float], constants: Mapping[str, float], owner: str) -> dict[str, Any]:
    """Return the names that Brian 2 will find in statements of a neuron or of a synapse."""
    prepare_brian()
    from brian2 import ms, second, volt
    from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.core.variables import Constant, Variable
    from brian2.units.fundamentalunits import get_dimensions

    def variable(name: str, unit: Any = 1) -> Any:
        return Variable(name, dimensions=get_dimensions(unit))

    units = {"v": volt, "theta": volt, "ge": 1, "gi": 1, "cooldown": 1, **dict.fromkeys(own, 1)}
    names = {name: Constant(name, float(unit), get_dimensions(unit)) for name, unit in DEFAULT_UNITS.items()}
    names |= DEFAULT_CONSTANTS
    names |= DEFAULT_FUNCTIONS
    names |= {name: variable(name, unit) for name, unit in units.items()}
    names |= {name: variable(name) for name in ("t_in_timesteps", "i", "N")}
    names |= {"t": variable("t", second), "dt": variable("dt", ms)}
    if owner == "synapse":
        names |= {f"{name}_post": variable(name, unit) for name, unit in units.items()}
        names |= {name: variable(name) for name in ("w", "arrived", "j")}
    return names | {name: Constant(name, float(value)) for name, value in constants.items()}


def _problem_of_code(statements: str, names: dict[str, Any], constants: set[str]) -> str:
    from brian2.codegen.translation import analyse_identifiers
    from brian2.equations.unitcheck import check_units_statements
    from brian2.utils.stringtools import deindent, get_identifiers

    code = deindent(statements)
    written = {line.split("=")[0].rstrip("+-*/%").strip() for line in re.split(r"[;\n]", code) if "=" in line}
    if found := written & (READ_ONLY | constants | {"w"} - names.keys()):
        return f"'{min(found)}' cannot be changed here"
    if found := get_identifiers(code) & _RANDOM:
        return f"'{min(found)}' draws random numbers that no seed repeats; a rule must be deterministic"
    try:
        assigned, _, unknown = analyse_identifiers(code, names)
        if found := {name for name in assigned if not is_usable_name(name)}:
            return f"'{min(found)}' is no name for a variable of these statements; _pre and _post mean the neurons"
        if unknown:
            name = min(unknown)
            close = difflib.get_close_matches(name, [*names, *assigned], n=1)
            return f"unknown name '{name}'{f'; did you mean {close[0]!r}?' if close else ''}"
        check_units_statements(code, names)
        numbers = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
        if not all(isinstance(number, bool) or is_finite(number) for number in numbers):
            return "a number in it is larger than a computer can hold"
    except Exception as error:  # Brian raises several unrelated classes for what it cannot read
        return f"Brian 2 does not accept it: {' '.join(str(error).split())[:300]}"
    return ""
