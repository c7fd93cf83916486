"""A learning rule in a file of the user's: `my_rules.py:MY_RULE`, the path of one file and the name of a `Rule` in it.

The file is a program and runs when it is loaded. What it does wrong becomes a sentence that names it: equations are
checked by Brian 2's own parser before a network is built from them.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import importlib.abc
import importlib.util
import keyword
import math
import re
import sys
import traceback
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

from snstdp_cli.errors import ConfigError
from snstdp_cli.rules.base import Plasticity, Rule, RuleContext, RuleParameters

_MAX_BYTES = 1_000_000
#: Variables and constants of the network: a rule's own names must be others. The last ones are the integrator's.
_TAKEN = {
    *("v", "ge", "gi", "cooldown", "theta", "tick", "w_sum", "w", "arrived", "w_total", "i", "j", "N"),
    *("t", "dt", "t_in_timesteps", "theta_step", "refractory_steps", "v_rest", "v_reset", "v_offset", "v_threshold"),
    *("E_exc", "E_inh", "tau", "tau_ge", "tau_gi", "tau_theta"),
    *("free", "mean_ge", "mean_gi", "y", "p", "e1", "e2", "e4", "phi", "slope"),
}
_READ_ONLY = {"arrived", "t", "dt", "t_in_timesteps", "i", "j", "N"}
_RANDOM = {"rand", "randn", "poisson"}


def load_rule(name: str, where: str) -> Rule:
    """Load the rule that `PATH.py:ATTRIBUTE` names; the path counts from the current folder.

    Raises
    ------
    ConfigError
        If the file is missing or fails, or the attribute is missing or no `Rule`.
    """
    path, attribute = _split(name, where)
    module = _module(path, _read(path, where), where)
    if attribute not in vars(module):
        rules = [key for key, value in vars(module).items() if isinstance(value, Rule)]
        there = f"it has: {', '.join(rules)}" if rules else "it has no rule at all"
        raise ConfigError(f"{where}: rule.name: {path}: no '{attribute}' in it; expected the name of a Rule; {there}")
    rule = vars(module)[attribute]
    problem = _problem_of_rule(rule)
    if problem:
        raise ConfigError(f"{where}: rule.name: {path}: {attribute} {problem}; see docs/own-rule.md")
    assert isinstance(rule, Rule)
    return rule


def file_digest(name: str, where: str = "rule") -> str:
    """Return the SHA-256 of the file in `PATH.py:ATTRIBUTE`."""
    return hashlib.sha256(_read(_split(name, where)[0], where)).hexdigest()


def build_checked(rule: Rule, parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Build a rule from a file and check what it says to Brian 2.

    Raises
    ------
    ConfigError
        If building fails, or a name, a value or a statement cannot be used.
    """
    try:
        plasticity = rule.build(parameters, context)
    except Exception as error:  # it is not our code
        raise ConfigError(f"{rule.name}: build failed: {_describe(error, '')}") from None
    if not isinstance(plasticity, Plasticity):
        raise ConfigError(f"{rule.name}: build returned {type(plasticity).__name__}, expected a Plasticity")
    for check in (_problem_of_names, _problem_of_values, _problem_of_statements):
        if problem := check(plasticity):
            raise ConfigError(f"{rule.name}: {problem}")
    return plasticity


def _split(name: str, where: str) -> tuple[Path, str]:
    file, _, attribute = name.rpartition(":")
    if not file or not attribute.isidentifier():
        example = f"{file or attribute}:MY_RULE"
        raise ConfigError(f"{where}: rule.name: found {name!r}, expected a file and a name in it, such as {example}")
    return Path(file), attribute


def _read(path: Path, where: str) -> bytes:
    try:
        found = path.expanduser()
        if not found.is_file():
            kind = "is no regular file" if found.exists() else "no such file"
            here = "" if found.is_absolute() else f" (looked for in {Path.cwd()})"
            raise ConfigError(f"{where}: rule.name: {path}: {kind}{here}; expected a Python file with a rule")
        with found.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{where}: rule.name: {path}: cannot be read: {reason}") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{where}: rule.name: {path}: larger than {_MAX_BYTES:,} bytes; expected a short Python file")
    return content


class _Loader(importlib.abc.SourceLoader):
    """Loads the bytes that were read, and leaves no compiled file beside the user's."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path, self.content = path, content

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        if path == self.path:
            return self.content
        raise FileNotFoundError(path)


def _module(path: Path, content: bytes, where: str) -> ModuleType:
    """Return the module of a file's content, loaded once: its classes must be the same at every call."""
    try:
        return _import(str(path.expanduser().resolve()), content)
    except (Exception, SystemExit) as error:  # it is not our code
        raise ConfigError(f"{where}: rule.name: {path}: cannot be loaded: {_describe(error, str(path))}") from None


@functools.cache
def _import(path: str, content: bytes) -> ModuleType:
    name = f"snstdp_own_rule_{hashlib.sha256(path.encode() + content).hexdigest()[:16]}"
    spec = importlib.util.spec_from_loader(name, _Loader(path, content))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks names in annotations up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _describe(error: BaseException, file: str) -> str:
    """Say what an exception of the user's code is, and on which of its lines."""
    text = " ".join(str(error).split())
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name == Path(file).name]
    place = f" (line {lines[-1]})" if lines and not isinstance(error, SyntaxError) else ""
    return f"{type(error).__name__}: {text[:300]}{place}" if text else f"{type(error).__name__}{place}"


def _problem_of_rule(rule: object) -> str:
    if not isinstance(rule, Rule):
        return f"is of type {type(rule).__name__}, expected a Rule"
    if not (isinstance(rule.parameters, type) and issubclass(rule.parameters, RuleParameters)):
        return "has parameters that are no class derived from RuleParameters"
    if not callable(rule.build):
        return "has a build that is no function"
    if taken := {"name"} & rule.parameters.model_fields.keys():
        return f"has a parameter called '{taken.pop()}', which is the configuration's own; choose another name"
    return ""


def _problem_of_names(plasticity: Plasticity) -> str:
    """Check the rule's own names: each used once, and none that the network or Brian 2 uses."""
    groups = {
        "neuron_variables": plasticity.neuron_variables,
        "traces": plasticity.traces,
        "constants": plasticity.constants,
    }
    seen: dict[str, str] = {}
    for group, names in groups.items():
        if not isinstance(names, Mapping):
            return f"{group}: found {type(names).__name__}, expected names with their values"
        for name in names:
            if not _is_usable(name, suffixed=group == "constants"):
                return f"{group}: found {name!r}, expected a name of letters and digits that Brian 2 accepts"
            if name in _TAKEN or any(name == f"tau_{trace}" for trace in plasticity.traces):
                return f"{group}: '{name}' is a name of the network; choose another one"
            if name in seen:
                return f"{group}: '{name}' is in {seen[name]} already; choose another name"
            seen[name] = group
    return ""


def _is_usable(name: object, *, suffixed: bool = False) -> bool:
    """Tell whether Brian 2 takes this as a variable; `_pre` and `_post` mean variables of the neurons."""
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
        and (suffixed or not name.endswith(("_pre", "_post")))
    )


def _problem_of_values(plasticity: Plasticity) -> str:
    for group in ("neuron_variables", "constants", "traces"):
        for name, value in getattr(plasticity, group).items():
            if not _is_finite(value):
                return f"{group}: {name}: found {value!r}, expected a finite number"
            if group == "traces" and value <= 0:
                return f"traces: {name}: found {value!r}, expected its time constant in ms, above 0"
    for field in ("normalize_to", "l1_target"):
        value = getattr(plasticity, field)
        if value is not None and not (_is_finite(value) and value > 0):
            return f"{field}: found {value!r}, expected a number above 0, or None"
    bounds = plasticity.bounds
    if not (
        isinstance(bounds, tuple)
        and len(bounds) == 2
        and all(isinstance(bound, Real) for bound in bounds)
        and bounds[0] < bounds[1]
    ):
        return f"bounds: found {bounds!r}, expected the least and the greatest weight"
    return ""


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _problem_of_statements(plasticity: Plasticity) -> str:
    """Let Brian 2 read every statement with the names it will find: syntax, unknown names, units."""
    if not isinstance(plasticity.on_post, Mapping):
        return f"on_post: found {type(plasticity.on_post).__name__}, expected names with their statements"
    own = {**plasticity.neuron_variables, **plasticity.traces}
    constants = dict(plasticity.constants)
    neuron, synapse = _names(own, constants, "neuron"), _names(own, constants, "synapse")
    sections: list[tuple[str, object, dict[str, Any]]] = [("on_pre", plasticity.on_pre, synapse)]
    for key, text in plasticity.on_post.items():
        if not _is_usable(key) or key in _TAKEN | {"pre", "sum_weights", "rescale", "delay"} | set(own):
            return f"on_post: found the key {key!r}, expected another name, such as 'learn'"
        sections.append((f"on_post '{key}'", text, synapse))
    sections.append(("reset", plasticity.reset, neuron))
    for section, statements, names in sections:
        if not isinstance(statements, str):
            return f"{section}: found {type(statements).__name__}, expected statements as text"
        if problem := _problem_of_code(statements, names, set(constants)):
            return f"{section}: {problem}"
    return ""


def _names(own: Mapping[str, float], constants: Mapping[str, float], owner: str) -> dict[str, Any]:
    """Return the names that Brian 2 will find in statements of a neuron or of a synapse."""
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
    if found := written & (_READ_ONLY | constants | {"w"} - names.keys()):
        return f"'{min(found)}' cannot be changed here"
    if found := get_identifiers(code) & _RANDOM:
        return f"'{min(found)}' draws random numbers that no seed repeats; a rule must be deterministic"
    try:
        assigned, _, unknown = analyse_identifiers(code, names)
        if found := {name for name in assigned if not _is_usable(name)}:
            return f"'{min(found)}' is no name for a variable of these statements; _pre and _post mean the neurons"
        if unknown:
            name = min(unknown)
            close = difflib.get_close_matches(name, [*names, *assigned], n=1)
            return f"unknown name '{name}'{f'; did you mean {close[0]!r}?' if close else ''}"
        check_units_statements(code, names)
        numbers = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
        if not all(_is_finite(number) for number in numbers):
            return "a number in it is larger than a computer can hold"
    except Exception as error:  # Brian raises several unrelated classes for what it cannot read
        return f"Brian 2 does not accept it: {' '.join(str(error).split())[:300]}"
    return ""
