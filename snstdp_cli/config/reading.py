"""YAML files and overrides become one frozen, validated `Experiment`. Only this module reads configuration files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from snstdp_cli.config.experiment import Experiment
from snstdp_cli.config.messages import describe, printable, shown
from snstdp_cli.errors import ConfigError

MAX_CONFIG_BYTES = 100_000
_MAX_DEPTH = 20


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without tags, aliases, repeated keys, deep nesting, octals, clock times and dates."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            problem = "aliases (*name) and tags (!name) are not accepted; write the values out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {shown(key.value)} is there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in pairs if tag.rpartition(":")[2] not in ("int", "timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]*)\Z"), list("-0123456789"))


def _parse_yaml(text: str, where: str) -> Any:
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        detail = place + ", ".join(filter(None, (error.context, error.problem)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        detail = str(error)
    raise ConfigError(f"{where}: not valid YAML: {printable(' '.join(detail.split()), 200)}")


def read_file(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        If the file is missing, too large, not YAML or not a mapping.
    """
    where = printable(str(path), 4096)
    try:
        # A device or a pipe has no size: read no more than is accepted.
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
        text = raw[:MAX_CONFIG_BYTES].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: expected UTF-8 text, found another byte at position {error.start}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = f"; write one with: snstdp init {where}" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"{where}: cannot read the configuration: {reason}{hint}") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{where}: larger than {MAX_CONFIG_BYTES:,} bytes; expected a short YAML configuration")
    content = _parse_yaml(text, where)
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f"{where}: expected keys and values such as 'n_e: 400', found {shown(content)}")
    return content or {}


def parse_override(text: str) -> tuple[str, Any]:
    """Split `rule.eta=0.02` into the dotted key and its YAML value."""
    key, sign, value = text.partition("=")
    where = f"--set {printable(text)}"
    if not sign or not all(part.strip() for part in key.split(".")):
        raise ConfigError(f"{where}: expected KEY=VALUE, such as rule.eta=0.02")
    return key.strip(), _parse_yaml(value, where)


def merge(content: Mapping[str, Any], overrides: Mapping[str, Any], where: str = "overrides") -> dict[str, Any]:
    """Return `content` with dotted keys of `overrides` set; neither argument is changed.

    Sections without keys (`network:` and nothing below it) become empty, and `rule: smax` the rule's name.

    Raises
    ------
    ConfigError
        If an argument is not a mapping, a key not a string, or a dotted key is below what is not a section.
    """
    for argument in (content, overrides):
        if not isinstance(argument, Mapping):
            raise ConfigError(f"{where}: found {shown(argument)}, expected keys and values")
        if odd := [key for key in argument if not isinstance(key, str)]:
            raise ConfigError(f"{where}: unknown key {shown(odd[0])}; known: {', '.join(Experiment.model_fields)}")
    merged = {key: _section(key, value) for key, value in content.items()}
    for key, value in overrides.items():
        section, dot, field = key.partition(".")
        if section == "rule" and isinstance(value, str) and not dot:
            field = "name"
        elif not dot:
            merged[key] = _section(key, value)
            continue
        inner = merged.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: {printable(key)}: '{printable(section)}' has no keys of its own")
        inner[field] = value
    return merged


def _section(key: str, value: Any) -> Any:
    """Return a section's settings in their full form, in a new dictionary; any other value as it is."""
    if key == "rule" and isinstance(value, str):
        return {"name": value}
    if value is None and key in ("rule", "network", "presentation", "evaluation"):
        return {}
    return dict(value) if isinstance(value, Mapping) else value


def validate(content: Mapping[str, Any], where: str) -> Experiment:
    """Build the experiment.

    Raises
    ------
    ConfigError
        Naming `where` (a file or the flags), each key, what was found and what is allowed.
    """
    merged = merge(content, {}, where)
    try:
        return Experiment.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(describe(error, where, Experiment)) from None
