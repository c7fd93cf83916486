"""Modules that Cython makes of Brian 2's code: in a cache of ours, each written completely or not at all.

Brian 2 lets the linker write into the cache itself. An interrupt then leaves half a module there, which every later run
fails to load, and its name does not depend on compiler and flags. Here a module is made in a folder of its own and
renamed into a cache for exactly this Python, NumPy, Brian 2, Cython, compiler and preferences.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from snstdp_cli.engines.brian import describe_preferences
from snstdp_cli.engines.cache import private_folder, refuse_foreign
from snstdp_cli.engines.compiler import compiler_version, find_compiler, processor_features
from snstdp_cli.engines.folders import HeldFolder, hold_folder, hold_interrupts

_VARIABLES = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED")
_BUILDING = "building-"
_held: list[tuple[int, HeldFolder]] = []


def temporary_folder() -> Path:
    """Return a folder for Brian 2's temporary files that lasts as long as this process, however that ends."""
    for process, held in _held:
        if process == os.getpid() and held.path.is_dir():
            return held.path
    with hold_interrupts():
        made = hold_folder(Path(tempfile.gettempdir()), "snstdp-")
        _held.append((os.getpid(), made))
        atexit.register(_remove, os.getpid(), made)
    return made.path


@contextmanager
def own_cython_cache(brian2: ModuleType) -> Iterator[None]:
    """Let Brian 2 find and make Cython modules in our cache; the cache is looked for when the first is needed."""
    runtime = importlib.import_module("brian2.codegen.runtime.cython_rt.cython_rt")
    before = runtime.__dict__["cython_extension_manager"]
    runtime.__dict__["cython_extension_manager"] = _OwnManager(brian2)
    try:
        yield
    finally:
        runtime.__dict__["cython_extension_manager"] = before


class _OwnManager:
    """What Brian 2 asks for a module of some code."""

    def __init__(self, brian2: ModuleType) -> None:
        self._brian2 = brian2

    @functools.cached_property
    def _key(self) -> str:
        return cython_key()

    def create_extension(self, *arguments: Any, **options: Any) -> Any:
        """Return the module for this code."""
        folder = private_folder("cython", self._key)
        self._brian2.prefs["codegen.runtime.cython.cache_dir"] = str(folder)
        return _manager(folder).create_extension(*arguments, **options)


@functools.cache
def _manager(folder: Path) -> Any:
    """Return the manager of one cache; it remembers modules that are loaded already."""
    managers = importlib.import_module("brian2.codegen.runtime.cython_rt.extension_manager")
    manager = managers.CythonExtensionManager()
    manager._load_module = functools.partial(_load, manager._load_module)
    return manager


def _load(load: Callable[..., Any], module_path: str, **options: Any) -> Any:
    """Load a module from the cache, or make it beside the cache, load it from there and move it in."""
    path = Path(module_path)
    if path.exists() or path.is_symlink():
        refuse_foreign(path)
        try:
            return load(module_path, **options)
        except (ImportError, OSError):  # a disk that was full, a machine without power
            path.unlink(missing_ok=True)
    building: HeldFolder | None = None
    try:
        with hold_interrupts():
            building = hold_folder(path.parent, _BUILDING)
        made = building.path / path.name
        module = load(str(made), **{**options, "lib_dir": str(building.path)})
        with contextlib.suppress(FileNotFoundError):
            made.chmod(0o700)
            made.replace(path)
        return module
    finally:
        if building is not None:
            building.remove()


def cython_key() -> str:
    """Hash what a module depends on besides its code."""
    compiler = find_compiler()
    shaping = {
        "python": [sys.version, sys.executable],
        "packages": {name: _version(name) for name in ("numpy", "brian2", "cython", "setuptools")},
        "compiler": [compiler_version(compiler) if compiler else None, processor_features()],
        "environment": {name: os.environ.get(name) for name in _VARIABLES},
        "preferences": describe_preferences(),
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:24]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _remove(process: int, held: HeldFolder) -> None:
    if process == os.getpid():  # not in a copy that somebody forked
        held.remove()
