"""YAML configuration files and single overrides as they were written. Only this module reads configuration files."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
from pathlib import Path
from typing import Any

import yaml

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import printable, shown

MAX_CONFIG_BYTES = 100_000
_MAX_DEPTH = 20
#: Seconds that are waited for a pipe.
_PIPE_S = 10


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
        raw = _read_up_to(path, MAX_CONFIG_BYTES + 1)
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


def _read_up_to(path: Path, limit: int) -> bytes:
    """Read a file, a device or a pipe, which have no size, up to a limit; a pipe that nobody writes is not waited for.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    # Opening a pipe otherwise waits for whoever writes, perhaps for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        os.set_blocking(descriptor, not is_pipe)
        poll, content = select.poll(), b""
        poll.register(descriptor, select.POLLIN)
        while len(content) < limit:
            if is_pipe and not poll.poll(1000 * _PIPE_S):
                raise OSError(errno.ETIMEDOUT, f"nothing came out of this pipe for {_PIPE_S} seconds")
            part = file.read(limit - len(content))
            if not part:
                break
            content += part
    return content


def parse_override(text: str) -> tuple[str, Any]:
    """Split `rule.eta=0.02` into the dotted key and its YAML value."""
    key, sign, value = text.partition("=")
    where = f"--set {printable(text)}"
    if not sign or not all(part.strip() for part in key.split(".")):
        raise ConfigError(f"{where}: expected KEY=VALUE, such as rule.eta=0.02")
    return key.strip(), _parse_yaml(value, where)
