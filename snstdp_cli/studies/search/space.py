"""The space that a search looks through: ranges and choices for dotted keys, a rule's parameters where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, ValidationError

from snstdp_cli.config import Experiment, Number
from snstdp_cli.config.sections import Section
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import describe, printable, shown
from snstdp_cli.rules import find_rule, is_rule_file
from snstdp_cli.studies.axes import Assignment, check_key, is_whole, normal

RULE = "rule"
_RULE_NAMES = ("rule", "rule.name")


class Range(Section):
    """All numbers between two; whole ones where the setting is a whole number."""

    low: Number = Field(alias="from", description="smallest value")
    high: Number = Field(alias="to", description="largest value")
    scale: Literal["linear", "log"] = Field("linear", description="what is even: differences, or ratios")
    whole: Annotated[bool, Field(exclude=True)] = False

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies between both ends."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choices:
    """One of several values."""

    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Tell whether a value is one of them."""
        return value in self.values


Dimension: TypeAlias = Range | Choices
#: What is searched, by dotted key; `rule` comes first, because it decides which others there are.
Space: TypeAlias = dict[str, Dimension]


def read_space(content: Mapping[str, Any], base: Experiment, where: str) -> Space:
    """Check what a study file says under `search.space`.

    Parameters
    ----------
    base
        The experiment that is changed by what is found.

    Raises
    ------
    ConfigError
        For a key that is no setting or affects no result, or for what is neither a range nor a list of choices.
    """
    given = {RULE if key in _RULE_NAMES else key: value for key, value in content.items()}
    if not given:
        raise ConfigError(f"{where}: found nothing to search; expected such as rule.eta: {{from: 0.001, to: 0.1}}")
    ordered = sorted(given, key=lambda key: key != RULE)
    rules = list(given[RULE]) if isinstance(given.get(RULE), list) else [base.rule.name]
    space: Space = {}
    for key in ordered:
        check_key(key, f"{where}: {printable(key)}", rules)
        space[key] = _dimension(key, given[key], f"{where}.{printable(key)}")
    for key in space:
        if key.startswith("rule.") and not any(applies(key, rule) for rule in rules):
            raise ConfigError(f"{where}: {key}: none of the rules {', '.join(map(str, rules))} has it")
    if outside := [key for key in space if key == "data" or key.startswith("evaluation.")]:
        raise ConfigError(
            f"{where}: {outside[0]}: shapes what is scored and how, so that trials could not be compared; put it into "
            "the base"
        )
    return space


def applies(key: str, rule: Any) -> bool:
    """Tell whether a setting exists for a rule, by its name; a rule in a file, which the study named, is run."""
    section, _, name = key.partition(".")
    if section != "rule" or not name:
        return True
    return name in find_rule(str(rule), run_files=is_rule_file(str(rule))).parameters.model_fields


def base_values(space: Space, base: Experiment) -> Assignment | None:
    """Return the values of the base, or None if one of them is not in the space."""
    return None if outside_space(space, base) else _values_of(space, base)


def outside_space(space: Space, base: Experiment) -> Assignment:
    """Return those values of the base that are not in the space."""
    return {key: value for key, value in _values_of(space, base).items() if not space[key].holds(value)}


def _values_of(space: Space, base: Experiment) -> Assignment:
    return {
        key: base.rule.name if key == RULE else _value_of(base, key) for key in space if applies(key, base.rule.name)
    }


def describe_space(space: Space) -> dict[str, Any]:
    """Return the space as JSON has it, to tell two searches apart."""
    return {
        key: list(one.values) if isinstance(one, Choices) else {**one.model_dump(), "whole": one.whole}
        for key, one in space.items()
    }


def _dimension(key: str, value: Any, where: str) -> Dimension:
    if isinstance(value, list):
        return _choices(value, where)
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{where}: found {shown(value)}, expected a range such as {{from: 0.001, to: 0.1, scale: log}}, or a list "
            "of choices"
        )
    if key == RULE:
        raise ConfigError(f"{where}: found {shown(value)}, expected a list of rules, such as [smin, smax]")
    try:
        found = Range.model_validate({**value, "whole": is_whole(key)})
    except ValidationError as error:
        raise ConfigError(describe(error, where, Range)) from None
    if not found.low < found.high:
        raise ConfigError(f"{where}: found from {found.low:g} to {found.high:g}; expected the smaller end first")
    if found.scale == "log" and found.low <= 0:
        raise ConfigError(f"{where}: found a log scale from {found.low:g}; expected ends above 0")
    if found.whole and not (float(found.low).is_integer() and float(found.high).is_integer()):
        raise ConfigError(f"{where}: found from {found.low:g} to {found.high:g}; expected whole numbers")
    return found


def _choices(values: list[Any], where: str) -> Choices:
    if odd := [value for value in values if not isinstance(value, str | int | float | bool | None)]:
        raise ConfigError(f"{where}: found {shown(odd[0])} among the choices; expected single values")
    unique = tuple(dict.fromkeys(normal(value) for value in values))
    if len(unique) < 2:
        raise ConfigError(f"{where}: found {shown(values)}; expected at least two choices")
    return Choices(unique)


def _value_of(base: Experiment, key: str) -> Any:
    value: Any = base.model_dump(mode="json")
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
