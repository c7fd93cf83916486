"""Whether a `Rule` that somebody wrote can be used: its fields, then what it builds, then its statements.

The same checks hold for a rule in a file and for one given as a value in Python.
"""

from __future__ import annotations

import hashlib
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from numbers import Real
from pathlib import Path
from typing import Any

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import printable
from snstdp_cli.rules.base import SYMPTOMS, Plasticity, Rule, RuleContext, RuleParameters
from snstdp_cli.rules.isolation import own_imports
from snstdp_cli.rules.reserved import NETWORK_NAMES, TRACE_PREFIXES
from snstdp_cli.rules.statements import is_finite, is_usable_name, problem_of_statements

_MAX_TEXT = 2000


def build_plasticity(name: str, rule: Rule, parameters: RuleParameters, context: RuleContext) -> Plasticity:
    """Build a rule that somebody wrote and check what it says to Brian 2.

    Parameters
    ----------
    name
        How an error begins: `my_rules.py:MY_RULE`, whose line is then told, or anything else.

    Raises
    ------
    ConfigError
        If building fails, or a name, a value or a statement cannot be used.
    """
    try:
        with own_imports():
            plasticity = rule.build(parameters, context)
    except (Exception, SystemExit) as error:  # it is not our code
        told = str(error) if isinstance(error, ConfigError) else describe_exception(error, name.rpartition(":")[0])
        raise ConfigError(f"{printable(name, 200)}: build failed: {told}") from None
    if not isinstance(plasticity, Plasticity):
        raise ConfigError(f"{printable(name, 200)}: build returned {type(plasticity).__name__}, expected a Plasticity")
    for check in (_problem_of_shapes, _problem_of_names, _problem_of_values, problem_of_statements):
        if problem := check(plasticity):
            raise ConfigError(f"{printable(name, 200)}: {printable(problem, 500)}")
    return plasticity


def plasticity_digest(plasticity: Plasticity) -> str:
    """Return the SHA-256 of everything that a built rule says: its identity, wherever it was written.

    Blanks around lines do not count, nor does the order of names, but for that in which statements run.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(content) for key, content in value.items()}
        if isinstance(value, tuple | list):
            return [plain(content) for content in value]
        if isinstance(value, str):
            return [line.strip() for line in value.splitlines() if line.strip()]
        return value if value is None else float(value)

    said = {name: plain(value) for name, value in vars(plasticity).items() if name != "grid"}
    said["order"] = list(plasticity.on_post)
    if plasticity.grid is not None:
        said["grid"] = asdict(plasticity.grid)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def describe_exception(error: BaseException, file: str) -> str:
    """Say what an exception of somebody else's code is, and on which line of their file it came."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # even its text may be broken
        text = ""
    frames = traceback.extract_tb(error.__traceback__) if file else []
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == Path(file).name]
    place = f" (line {lines[-1]})" if lines and not isinstance(error, SyntaxError) else ""
    return printable(f"{type(error).__name__}: {text[:300]}{place}" if text else f"{type(error).__name__}{place}", 500)


def problem_of_rule(rule: object) -> str:
    """Say what is wrong with the fields of a rule, as the end of a sentence, or ''."""
    if not isinstance(rule, Rule):
        return f"is of type {type(rule).__name__}, expected a Rule"
    if not (isinstance(rule.parameters, type) and issubclass(rule.parameters, RuleParameters)):
        return "has parameters that are no class derived from RuleParameters"
    if not callable(rule.build):
        return "has a build that is no function"
    if taken := {"name"} & rule.parameters.model_fields.keys():
        return f"has a parameter called '{min(taken)}', which is the configuration's own; choose another name"
    return _problem_of_texts(rule) or _problem_of_advice(rule)


def _problem_of_texts(rule: Rule) -> str:
    if not isinstance(rule.equations, tuple | list):
        return f"has equations of type {type(rule.equations).__name__}, expected a tuple of lines"
    texts: list[tuple[str, object]] = [(key, getattr(rule, key)) for key in ("name", "title", "citation", "notes")]
    for field, text in [*texts, *(("equations", line) for line in rule.equations)]:
        if not isinstance(text, str):
            return f"has {field} of type {type(text).__name__}, expected text"
        if not text.isprintable() or len(text) > _MAX_TEXT:
            return f"has {field} that cannot be shown: {printable(text)}; expected a line of printable characters"
    if not rule.name.strip() or len(rule.name) > 100:
        return f"has the name '{printable(rule.name)}'; expected 1 to 100 characters"
    return ""


def _problem_of_advice(rule: Rule) -> str:
    if not isinstance(rule.advice, Mapping):
        return f"has advice of type {type(rule.advice).__name__}, expected symptoms with what to change"
    for symptom, text in rule.advice.items():
        if symptom not in SYMPTOMS:
            return f"has advice for {printable(repr(symptom))}; known symptoms: {', '.join(SYMPTOMS)}"
        if not isinstance(text, str) or not text.isprintable():
            return f"has advice for '{symptom}' that is no line of text"
        for name in re.findall(r"\brule\.(\w+)", text):
            if name not in rule.parameters.model_fields:
                return f"advises rule.{name} for '{symptom}', which it has not; it has: " + (
                    ", ".join(rule.parameters.model_fields) or "no parameters"
                )
    return ""


def _problem_of_shapes(plasticity: Plasticity) -> str:
    groups = {"on_post": "statements", "neuron_variables": "values", "traces": "values", "constants": "values"}
    for group, what in groups.items():
        if not isinstance(found := getattr(plasticity, group), Mapping):
            return f"{group}: found {type(found).__name__}, expected names with their {what}"
    if plasticity.grid is not None:
        return "grid: is set by precision.weights of the experiment, not by a rule; leave it out"
    return ""


def _problem_of_names(plasticity: Plasticity) -> str:
    """Check the rule's own names: each used once, and none that the network or Brian 2 uses."""
    seen: dict[str, str] = {}
    derived = {f"{prefix}{trace}" for prefix in TRACE_PREFIXES for trace in plasticity.traces}
    for group in ("neuron_variables", "traces", "constants"):
        for name in getattr(plasticity, group):
            if not is_usable_name(name, suffixed=group == "constants"):
                return f"{group}: found {name!r:.100}, expected a name of letters and digits that Brian 2 accepts"
            if name in NETWORK_NAMES or name in derived:
                return f"{group}: '{name}' is a name of the network; choose another one"
            if name in seen:
                return f"{group}: '{name}' is in {seen[name]} already; choose another name"
            seen[name] = group
    return ""


def _problem_of_values(plasticity: Plasticity) -> str:
    for group in ("neuron_variables", "constants", "traces"):
        for name, value in getattr(plasticity, group).items():
            if not is_finite(value):
                return f"{group}: {name}: found {_shown(value)}, expected a finite number"
            if group == "traces" and value <= 0:
                return f"traces: {name}: found {_shown(value)}, expected its time constant in ms, above 0"
    for field in ("normalize_to", "l1_target"):
        value = getattr(plasticity, field)
        if value is not None and not (is_finite(value) and value > 0):
            return f"{field}: found {_shown(value)}, expected a number above 0, or None"
    bounds = plasticity.bounds
    if not (isinstance(bounds, tuple) and len(bounds) == 2 and all(map(_is_bound, bounds)) and bounds[0] <= bounds[1]):
        return f"bounds: found {_shown(bounds)}, expected the least and the greatest weight"
    return ""


def _is_bound(value: object) -> bool:
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and float(value) == float(value)
    except (OverflowError, ValueError):
        return False


def _shown(value: object) -> str:
    try:
        return printable(repr(value))
    except Exception:  # a value of somebody else's class, or an integer that Python does not write
        return f"a value of type {type(value).__name__}"
