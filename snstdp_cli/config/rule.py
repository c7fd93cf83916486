"""The learning rule of an experiment: its name, all its parameters, and the rule itself if it is at hand."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, PrivateAttr, model_validator

from snstdp_cli.config.sections import Checked
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import check_name, setting, shown
from snstdp_cli.rules import RULES, Rule, complete_parameters, is_rule_file

DEFAULT_RULE = "smin"
_MAX_NAME, _MAX_VALUES, _MAX_DEPTH = 1000, 10_000, 5


class RuleSettings(Checked):
    """The learning rule: its name and all its parameters, checked by the rule.

    A rule outside the package (in a file or a Python value) is at hand only if the user named it for this very run.
    Settings that were read from a record, or that came to another process, have its parameters as they were written
    down, and no rule. Two of them are equal if name and parameters are; what tells two rules of one name apart is
    `snstdp_cli.rules.plasticity_digest`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    _rule: Rule | None = PrivateAttr(None)

    name: str = setting(
        "learning rule: smax, smin or triplet (see `snstdp rules`), or one in a file of yours: my_rules.py:MY_RULE "
        "(see docs/own-rule.md)",
        ("training",),
        DEFAULT_RULE,
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The rule's parameters by name; a copy, so that nobody changes a list in them."""
        return copy.deepcopy(self.__pydantic_extra__ or {})

    @property
    def is_own(self) -> bool:
        """Whether the rule is the user's: in a file, or a Python value."""
        return self.name not in RULES

    @property
    def at_hand(self) -> Rule | None:
        """The rule itself, or None if it is the user's and was not given for this run."""
        return RULES.get(self.name, self._rule)

    @property
    def rule(self) -> Rule:
        """The rule itself.

        Raises
        ------
        ConfigError
            If these settings were read and not given: a rule of the user's is a program, and runs only if it is named.
        """
        if (rule := self.at_hand) is not None:
            return rule
        way = f"--rule {self.name}" if is_rule_file(self.name) else "give the Rule itself, in Python"
        raise ConfigError(
            f"rule.name: {self.name}: the settings come from a file or a record, and a rule of your own is a program "
            f"that runs only if you name it: {way}"
        )

    def with_rule(self, rule: Rule) -> RuleSettings:
        """Return these settings with their rule at hand."""
        settings = self.model_copy()
        settings._rule = rule
        return settings

    @model_validator(mode="after")
    def _check_complete(self) -> RuleSettings:
        if self.is_own:
            if problem := problem_of_own_rule(self.name, self.parameters):
                raise ValueError(problem)
            return self
        try:
            complete = complete_parameters(RULES[self.name], self.parameters)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if complete.keys() != self.parameters.keys():
            raise ValueError(f"expected all parameters of {self.name}; make experiments with build_experiment")
        # As the rule reads them: a 1 is 1.0, so that equal settings have equal fingerprints.
        object.__setattr__(self, "__pydantic_extra__", complete)
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RuleSettings):
            return NotImplemented
        return (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash(self.name)

    def __getstate__(self) -> dict[Any, Any]:
        # A frozen network needs no rule, and a worker could not import one from a file or a notebook.
        return {**super().__getstate__(), "__pydantic_private__": {"_rule": None}}


def problem_of_own_rule(name: str, parameters: Mapping[str, Any]) -> str:
    """Say what keeps name and parameters from being those of a rule that is not at hand ('' if nothing)."""
    if not is_rule_file(name):
        try:
            check_name(name)
        except ValueError:
            return f"rule.name: found {shown(name)}, expected the name of a rule, such as {DEFAULT_RULE}"
    elif not name.isprintable() or len(name) > _MAX_NAME:
        return f"rule.name: found {shown(name)}, expected at most {_MAX_NAME:,} printable characters"
    for key, value in parameters.items():
        if not (isinstance(key, str) and key.isidentifier() and len(key) <= 100):
            return f"rule: found the key {shown(key)}, expected the name of a parameter"
        if not _is_plain(value) or len(repr(value)) > _MAX_VALUES:
            return (
                f"rule.{key}: found {shown(value)}, expected text, a finite number, true, false, null, or a short list "
                "or mapping of them"
            )
    return ""


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Tell whether JSON and YAML write a value and read the same one back."""
    if isinstance(value, list | dict):
        values = value if isinstance(value, list) else value.values()
        has_plain_keys = isinstance(value, list) or all(isinstance(key, str) and key.isprintable() for key in value)
        return depth < _MAX_DEPTH and has_plain_keys and all(_is_plain(inner, depth + 1) for inner in values)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)  # no file in UTF-8 has them
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**63
    return value is None or isinstance(value, bool)
