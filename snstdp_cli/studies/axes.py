"""What varies in a study: lists, ranges, and groups of keys that move together, as lists of dotted settings."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from snstdp_cli.config import Experiment, merge
from snstdp_cli.config.facets import affected, setting_fields
from snstdp_cli.config.rule import DEFAULT_RULE
from snstdp_cli.config.sections import Section
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import Number, Whole, describe, plain_number, printable, shown
from snstdp_cli.rules import RULES, is_rule_file

#: Settings by dotted key: one point of an axis, or all that a cell sets.
Assignment = dict[str, Any]
MAX_CELLS = 100_000
#: Digits of a range's values: other machines compute other last bits, and a cell is named by its settings.
_DIGITS = 6
_RANGE_KEYS = {"from", "to", "steps", "scale"}


class Range(Section):
    """Evenly spaced values, both ends included."""

    start: Number = Field(alias="from", description="first value")
    stop: Number = Field(alias="to", description="last value")
    steps: Annotated[Whole, Field(ge=2, le=1000)] = Field(description="how many values")
    scale: Literal["linear", "log"] = Field("linear", description="equal steps, or equal ratios")

    def values(self) -> list[float]:
        """Return the values, each with six digits so that every machine makes the same ones.

        Examples
        --------
        >>> Range.model_validate({"from": 0.001, "to": 0.1, "steps": 3, "scale": "log"}).values()
        [0.001, 0.01, 0.1]
        """
        if self.scale == "log" and not (self.start > 0 and self.stop > 0):
            raise ValueError(f"a log scale from {self.start:g} to {self.stop:g}; expected ends above 0")
        low, high = (math.log(v) if self.scale == "log" else v for v in (self.start, self.stop))
        between = [low + (high - low) * k / (self.steps - 1) for k in range(1, self.steps - 1)]
        inner = [math.exp(v) if self.scale == "log" else v for v in between]
        return [self.start, *(float(f"{v:.{_DIGITS}g}") for v in inner), self.stop]


def read_axis(key: str, values: Any, where: str, rules: Iterable[str]) -> list[Assignment]:
    """Return the points of one axis of `vary`.

    Parameters
    ----------
    key
        A dotted key, `rule`, or any name for a group of keys that move together.
    values
        A list of values, a range, or for a group (and for a section such as `rule`) a list of mappings.
    rules
        Names of the rules that the study uses, whose parameters may vary.

    Raises
    ------
    ConfigError
        If the key is no setting that affects a result, or the values are none.
    """
    where = f"{where}: vary.{printable(key)}"
    if isinstance(values, Mapping) and values.keys() & _RANGE_KEYS:
        values = _range(key, values, where)
    if not isinstance(values, list) or not values:
        raise ConfigError(
            f"{where}: found {shown(values)}, expected a list of values, or a range such as "
            "{from: 0.001, to: 0.1, steps: 7, scale: log}"
        )
    rules = list(rules)
    is_group = all(isinstance(value, Mapping) for value in values)
    if is_group and key not in Experiment.model_fields:
        points = [dotted(value) for value in values]
    else:
        check_key(key, where, rules)
        points = [dotted({key: value}) for value in values]
    for point in points:
        if not point:
            raise ConfigError(f"{where}: found an empty group, expected settings")
        for inner in point:
            check_key(inner, where, rules)
    return _unique(points)


def dotted(settings: Mapping[str, Any], prefix: str = "") -> Assignment:
    """Return settings by dotted key; a rule's name stands under `rule`.

    Examples
    --------
    >>> dotted({"n_e": 100, "rule": {"name": "smax", "eta": 0.02}})
    {'n_e': 100, 'rule': 'smax', 'rule.eta': 0.02}
    """
    found: Assignment = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            found |= dotted(value, f"{prefix}{key}.")
        else:
            name = f"{prefix}{key}"
            found["rule" if name == "rule.name" else name] = value
    return found


def check_key(key: str, where: str, rules: Iterable[str]) -> None:
    """Refuse what is no setting, or one that a study cannot vary.

    Raises
    ------
    ConfigError
        With the key that was perhaps meant.
    """
    known = _known_keys(tuple(rules))
    if key in ("seed", "noise_seed"):
        raise ConfigError(f"{where}: {key}: seeds are an axis of their own; expected `seeds:` in place of it")
    if key in known:
        if key in ("save_name", "load_name") or not affected("rule.name" if key == "rule" else key):
            raise ConfigError(f"{where}: {key}: affects no result, so that the cells would all be the same one")
        return
    if key.startswith("rule.") and any(is_rule_file(name) for name in rules):
        return  # whether a rule in a file has it is told when the cells are built
    close = difflib.get_close_matches(key, known, n=1) or [k for k in known if k.rpartition(".")[2] == key]
    hint = f"; did you mean '{close[0]}'?" if close else "; `snstdp config show` lists the settings"
    raise ConfigError(f"{where}: unknown key '{printable(key)}'{hint}")


def normal(value: Any) -> Any:
    """Return a value as an experiment holds it: `1e-3` is a number, 1 and 1.0 are equal."""
    try:
        return plain_number(value)
    except ValueError:
        return value


def matches(settings: Mapping[str, Any], pattern: Mapping[str, Any]) -> bool:
    """Tell whether settings have all values of a pattern; a list in it stands for any of its values."""
    for key, wanted in pattern.items():
        choices = wanted if isinstance(wanted, list) else [wanted]
        if key not in settings or normal(settings[key]) not in [normal(choice) for choice in choices]:
            return False
    return True


def rules_of(base: Mapping[str, Any], vary: Mapping[str, Any], cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of all rules that a study uses, the default among them if no other is said."""
    given = merge(base, {}).get("rule", {})
    found = [given.get("name")] if isinstance(given, dict) else []
    points = [{key: value} for key, values in vary.items() if isinstance(values, list) for value in values]
    for point in [*points, *cells]:
        settings = dotted(point)
        # Of a group, the keys are the settings.
        found += [value for key, value in settings.items() if key.rpartition(".")[2] == "rule" or key == "rule"]
    names = [name for name in dict.fromkeys(found) if isinstance(name, str)]
    return names or [DEFAULT_RULE]


def _range(key: str, values: Mapping[str, Any], where: str) -> list[Any]:
    try:
        found = Range.model_validate(dict(values)).values()
    except ValidationError as error:
        raise ConfigError(describe(error, where, Range)) from None
    except ValueError as error:
        raise ConfigError(f"{where}: found {error}") from None
    return [round(value) for value in found] if is_whole(key) else found


def is_whole(key: str) -> bool:
    """Tell whether a setting is a whole number, to which a range is rounded."""
    model: type[BaseModel] = Experiment
    *sections, name = key.split(".")
    if sections == ["rule"]:
        fields = [rule.parameters.model_fields[name] for rule in RULES.values() if name in rule.parameters.model_fields]
        return bool(fields) and all(field.annotation is int for field in fields)
    for section in sections:
        model = model.model_fields[section].annotation  # type: ignore[assignment]
    return name in model.model_fields and model.model_fields[name].annotation is int


@functools.cache
def _known_keys(rules: tuple[str, ...]) -> list[str]:
    """Return all dotted keys of an experiment with any of these rules."""
    # A rule is one key, its name; its parameters are those of the rules.
    keys = [key for key, _ in setting_fields(Experiment) if not key.startswith("rule.")]
    return ["rule", *keys, *dict.fromkeys(_parameters(rules))]


def _parameters(rules: tuple[str, ...]) -> Iterator[str]:
    for name in rules:
        if name in RULES:
            yield from (f"rule.{key}" for key in RULES[name].parameters.model_fields)


def _unique(points: list[Assignment]) -> list[Assignment]:
    found: list[Assignment] = []
    for point in points:
        if point not in found:
            found.append(point)
    return found
