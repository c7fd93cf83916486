"""Modules that a rule's file imports beside it: loaded afresh each time, so that no rule is older than its files."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBRARIES = tuple(Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib"))
_SITES = {"site-packages", "dist-packages"}
_PACKAGE = __name__.partition(".")[0]


@contextmanager
def own_imports() -> Iterator[list[Path]]:
    """Yield a list that holds, at the end, the files of the user's modules that were imported within.

    They are taken out of `sys.modules` again: the next rule that imports them reads their files. Installed packages
    stay, and so does a module that the user's program had imported before: it is as that program knows it. No compiled
    file is left beside them, which could be taken for a newer one of the same second.
    """
    before, writes = set(sys.modules), sys.dont_write_bytecode
    files: list[Path] = []
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield files
    finally:
        sys.dont_write_bytecode = writes
        for name in set(sys.modules) - before:
            if (file := _own_file(name)) is not None:
                files.append(file)
                del sys.modules[name]


def _own_file(name: str) -> Path | None:
    """Return the source file of a module that the user wrote, or None."""
    if name.partition(".")[0] == _PACKAGE:
        return None
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is None or not spec.has_location or not str(spec.origin).endswith(".py"):
        return None
    file = Path(spec.origin).resolve()
    installed = _SITES & set(file.parts) or any(file.is_relative_to(library) for library in _LIBRARIES)
    return None if installed else file
