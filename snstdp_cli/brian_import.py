"""Importing Brian 2 without running anybody's preference file, and without a trace in the process.

Brian 2 evaluates `./brian_preferences` and `~/.brian/user_preferences` as Python when it is imported, sets a handler
of Ctrl-C and a hook for uncaught exceptions, and makes files in the temporary folder that a killed process leaves.
Modules that build with Brian 2 take its names from here, `from snstdp_cli.brian_import import NeuronGroup`, so that
none of them can be the first to import it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from snstdp_cli.errors import EngineError
from snstdp_cli.matplotlib_import import import_matplotlib
from snstdp_cli.signals import hold_interrupts

_PREFERENCES = "brian2.core.preferences"
#: While Brian 2 is imported: it would make files in the temporary folder that a killed process leaves for good.
_QUIET_IMPORT = {"logging.file_log": False, "logging.save_script": False}

#: Brian 2 knows one device and one set of preferences at a time.
BRIAN_LOCK = threading.RLock()


def prepare_brian() -> ModuleType:
    """Import Brian 2, without any preference file, and return it; call this before any other import of Brian 2.

    The handler of Ctrl-C, the hook for uncaught exceptions and the way warnings are shown stay as they were.

    Raises
    ------
    EngineError
        If it cannot be imported.
    """
    with BRIAN_LOCK:
        if (module := sys.modules.get("brian2")) is not None and hasattr(module, "prefs"):
            return module
        try:
            with hold_interrupts(), _unchanged_process(), _without_preference_files():
                import_matplotlib()  # Brian 2 would be the first to
                return importlib.import_module("brian2")
        except Exception as error:
            raise EngineError(
                f"Brian 2 cannot be imported ({type(error).__name__}: {error}); check its installation, and that the "
                "environment variable MPLBACKEND names a backend of Matplotlib or none"
            ) from error


def __getattr__(name: str) -> Any:
    """Return what Brian 2 calls so."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(prepare_brian(), name)


class _PreferencesWithoutFiles(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds Brian 2's module of preferences as usual, and lets its first loading of files set `_QUIET_IMPORT` only."""

    def __init__(self) -> None:
        self._loader: Any = None
        self.undo: Any = None

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _PREFERENCES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None:
            raise ImportError(f"{name} was not found where it is expected")
        self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        # What looks for the loader later finds the usual one.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        kind = module.__dict__["BrianGlobalPreferences"]
        original = kind.load_preferences

        def load_no_files(preferences: Any) -> None:
            preferences.prefs_unvalidated.update(_QUIET_IMPORT)

        def undo() -> None:
            kind.load_preferences = original

        kind.load_preferences, self.undo = load_no_files, undo


@contextmanager
def _without_preference_files() -> Iterator[None]:
    finder = _PreferencesWithoutFiles()
    sys.meta_path.insert(0, finder)
    try:
        yield
        preferences = sys.modules[_PREFERENCES].__dict__["prefs"]
        for name in _QUIET_IMPORT:
            preferences[name] = default_of(preferences, name)
        preferences._backup()
    finally:
        sys.meta_path.remove(finder)
        if finder.undo is not None:
            finder.undo()


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Keep what Brian 2 changes for the whole process when it is imported."""
    hook, show = sys.excepthook, warnings.showwarning
    set_handler, here = signal.signal, threading.get_ident()

    def set_elsewhere(number: int, handler: Any) -> Any:
        return None if threading.get_ident() == here else set_handler(number, handler)

    # Brian 2 would put a handler of Ctrl-C before the one that it finds, also before one that cannot be called, and
    # fail where only the main thread may set one.
    signal.signal = set_elsewhere  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = set_handler
        sys.excepthook = hook
        if warnings.showwarning is not show:
            logging.captureWarnings(False)


def default_of(preferences: Any, name: str) -> Any:
    """Return Brian 2's own default of a preference."""
    category, _, last = name.rpartition(".")
    default = preferences.pref_register[category][0][last].default
    return list(default) if isinstance(default, list) else default
