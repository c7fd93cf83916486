"""A learning rule in a file of the user's: `my_rules.py:MY_RULE`, the path of one file and the name of a `Rule` in it.

The file is a program and runs when it is loaded. `load_rule` is the only way in, and `only_rule_files` narrows it for
commands that only look at what somebody may have sent.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import printable
from snstdp_cli.rules.base import Rule
from snstdp_cli.rules.checking import describe_exception, problem_of_rule
from snstdp_cli.rules.isolation import own_imports

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class _Loaded:
    """A module with the SHA-256 of each of the user's files that it imported."""

    module: ModuleType
    helpers: Mapping[Path, str | None]

    def is_fresh(self) -> bool:
        return all(_digest(file) == digest for file, digest in self.helpers.items())


#: By path and content: the classes of a file must be the same at every call.
_LOADED: dict[tuple[str, bytes], _Loaded] = {}
#: Names of the files that may run; None is any.
_ALLOWED: ContextVar[Collection[str] | None] = ContextVar("_ALLOWED", default=None)


@contextmanager
def only_rule_files(names: Collection[str]) -> Iterator[None]:
    """Let no file run but those of these names, such as `my_rules.py:MY_RULE`, while the body runs."""
    outer = _ALLOWED.get()
    before = _ALLOWED.set({name for name in names if outer is None or name in outer})
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def load_rule(name: str, where: str) -> Rule:
    """Load the rule that `PATH.py:ATTRIBUTE` names; the path counts from the current folder.

    Raises
    ------
    ConfigError
        If the file may not run here, is missing or fails, or the attribute is missing or no usable `Rule`.
    """
    allowed = _ALLOWED.get()
    if allowed is not None and name not in allowed:
        told = printable(name, 200)
        raise ConfigError(
            f"{where}: rule.name: {told} is a program, and is run here only if you name it: "
            f"--run-rule {shlex.quote(told)} (in Python: run_rules=[{told!r}])"
        )
    path, attribute = _split(name, where)
    module = _module(path, _read(path, where), where)
    place = f"{where}: rule.name: {_shown(path)}"
    if attribute not in vars(module):
        rules = [key for key, value in vars(module).items() if isinstance(value, Rule)]
        there = f"it has: {', '.join(rules)}" if rules else "it has no rule at all"
        raise ConfigError(f"{place}: no '{printable(attribute)}' in it; expected the name of a Rule; {there}")
    rule = vars(module)[attribute]
    if problem := problem_of_rule(rule):
        raise ConfigError(f"{place}: {printable(attribute)} {problem}; see docs/own-rule.md")
    assert isinstance(rule, Rule)
    return rule


def _shown(path: Path | str) -> str:
    return printable(str(path), 200)


def _split(name: str, where: str) -> tuple[Path, str]:
    file, _, attribute = name.rpartition(":")
    if not file or not attribute.isidentifier():
        found, example = printable(repr(name), 200), f"{_shown(file or attribute)}:MY_RULE"
        raise ConfigError(f"{where}: rule.name: found {found}, expected a file and a name in it, such as {example}")
    return Path(file), attribute


def _read(path: Path, where: str) -> bytes:
    place = f"{where}: rule.name: {_shown(path)}"
    try:
        found = path.expanduser()
        if not found.is_file():
            kind = "is no regular file" if found.exists() else "no such file"
            here = "" if found.is_absolute() else f" (looked for in {_shown(Path.cwd())})"
            raise ConfigError(f"{place}: {kind}{here}; expected a Python file with a rule")
        with found.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{place}: cannot be read: {printable(reason, 200)}") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{place}: larger than {_MAX_BYTES:,} bytes; expected a short Python file")
    return content


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


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
    """Return the module of a file's content, executed once as long as what it imports stays the same."""
    resolved = str(path.expanduser().resolve())
    loaded = _LOADED.get((resolved, content))
    if loaded is None or not loaded.is_fresh():
        try:
            loaded = _execute(resolved, content)
        except (Exception, SystemExit) as error:  # it is not our code
            told = describe_exception(error, str(path))
            raise ConfigError(f"{where}: rule.name: {_shown(path)}: cannot be loaded: {told}") from None
        _LOADED[resolved, content] = loaded
    return loaded.module


def _execute(path: str, content: bytes) -> _Loaded:
    name = f"snstdp_own_rule_{hashlib.sha256(path.encode() + content).hexdigest()[:16]}"
    spec = importlib.util.spec_from_loader(name, _Loader(path, content))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    known = sys.modules.get(name)
    sys.modules[name] = module  # pydantic looks names in annotations up there
    try:
        with own_imports() as files:
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if known is not None:
            sys.modules[name] = known
        raise
    return _Loaded(module, {file: _digest(file) for file in files})
