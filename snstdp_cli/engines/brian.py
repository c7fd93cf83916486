"""The only way in which this package comes to Brian 2 for simulating.

Brian 2 evaluates two files as Python when it is imported: `./brian_preferences` and `~/.brian/user_preferences`.
`prepare_brian` imports it without them. `brian_session` sets every preference to Brian 2's own default or to ours
while we work, and leaves preferences, device, handlers and search path as they were found, because people use this
package beside their own Brian 2 code, which may have been imported first.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import logging
import shlex
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from snstdp_cli.engines.compiler import compiler_flags
from snstdp_cli.engines.signals import hold_interrupts
from snstdp_cli.errors import EngineError

#: What we set besides Brian 2's defaults; these shape programs and are part of their key.
PINNED: Mapping[str, Any] = {
    "core.default_float_dtype": np.float64,
    "core.default_integer_dtype": np.int32,
    # Ctrl-C ends the chunk at once, as in any other program; a chunk that stops half-way would count for nothing.
    "core.stop_on_keyboard_interrupt": False,
    "codegen.loop_invariant_optimisations": True,
    "codegen.generators.cpp.flush_denormals": False,
    "codegen.cpp.extra_link_args": [],
    "codegen.cpp.define_macros": [],
    "codegen.cpp.libraries": [],
    "codegen.cpp.headers": [],
    "devices.cpp_standalone.openmp_threads": 0,
    "codegen.runtime.cython.multiprocess_safe": True,
    "codegen.runtime.cython.delete_source_files": True,
}
_PREFERENCES = "brian2.core.preferences"
#: While Brian 2 is imported: it would make files in the temporary folder that a killed process leaves for good.
_QUIET_IMPORT = {"logging.file_log": False, "logging.save_script": False}

#: Brian 2 knows one device and one set of preferences at a time.
_LOCK = threading.RLock()


def describe_preferences() -> dict[str, str]:
    """Return what the preferences are while we work, as text for a key; Brian 2 itself is not imported for this."""
    described = {name: getattr(value, "__name__", repr(value)) for name, value in PINNED.items()}
    return {**described, "codegen.cpp.extra_compile_args_gcc": shlex.join(compiler_flags())}


def prepare_brian() -> ModuleType:
    """Import Brian 2, without any preference file, and return it; call this before any other import of Brian 2.

    The handler of Ctrl-C, the hook for uncaught exceptions and the way warnings are shown stay as they were.

    Raises
    ------
    EngineError
        If it cannot be imported.
    """
    with _LOCK:
        if (module := sys.modules.get("brian2")) is not None and hasattr(module, "prefs"):
            return module
        try:
            with hold_interrupts(), _unchanged_process(), _without_preference_files():
                return importlib.import_module("brian2")
        except Exception as error:
            raise EngineError(
                f"Brian 2 cannot be imported ({type(error).__name__}: {error}); check its installation, and that the "
                "environment variable MPLBACKEND names a backend of Matplotlib or none"
            ) from error


@contextmanager
def brian_session(target: str = "numpy", *, standalone: bool = False) -> Iterator[ModuleType]:
    """Let Brian 2 work for us, with preferences of ours only, and give the user's back afterwards.

    Sessions may be nested; those of other threads wait.

    Parameters
    ----------
    target
        `numpy` or `cython`: what runs the statements.
    standalone
        Write C++ sources on a device of our own instead of running here.

    Yields
    ------
    The module `brian2`.
    """
    from snstdp_cli.engines.cython_cache import own_cython_cache

    with _LOCK:
        brian2 = prepare_brian()
        with _own_preferences(brian2, target, standalone), _own_device(standalone), _own_handlers(brian2):
            if target == "cython":
                _know_compiler()
            with own_cython_cache(brian2):
                yield brian2


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
            preferences[name] = _default_of(preferences, name)
        preferences._backup()
    finally:
        sys.meta_path.remove(finder)
        if finder.undo is not None:
            finder.undo()


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Keep what Brian 2 changes for the whole process when it is imported."""
    hook, show = sys.excepthook, warnings.showwarning
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if in_main else None
    set_handler, here = signal.signal, threading.get_ident()
    if not in_main:

        def set_elsewhere(number: int, new: Any) -> Any:
            return None if threading.get_ident() == here else set_handler(number, new)

        # Only the main thread may set handlers; Brian 2 tries to wherever it is imported.
        signal.signal = set_elsewhere  # type: ignore[assignment]
    try:
        yield
    finally:
        signal.signal = set_handler
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        sys.excepthook = hook
        if warnings.showwarning is not show:
            logging.captureWarnings(False)


@contextmanager
def _own_preferences(brian2: ModuleType, target: str, standalone: bool) -> Iterator[None]:
    preferences = brian2.prefs
    before = {name: preferences[name] for name in preferences}
    unknown = dict(preferences.prefs_unvalidated)
    filters = list(brian2.BrianLogger.console_handler.filters)
    # A standalone project is compiled by us: Brian 2 would try every flag with a compilation of its own.
    ours = {
        **PINNED,
        "codegen.target": target,
        "codegen.cpp.extra_compile_args": [] if standalone else compiler_flags(),
    }
    try:
        preferences.prefs_unvalidated.clear()
        for name in before:
            preferences[name] = ours.get(name, _default_of(preferences, name))
        # Brian warns that several synapses might write to one target; those of the controller have one source.
        brian2.BrianLogger.suppress_hierarchy("brian2.codegen.generators.base")
        yield
    finally:
        for name, value in before.items():
            preferences[name] = value
        preferences.prefs_unvalidated.update(unknown)
        brian2.BrianLogger.console_handler.filters[:] = filters


def _default_of(preferences: Any, name: str) -> Any:
    category, _, last = name.rpartition(".")
    default = preferences.pref_register[category][0][last].default
    return list(default) if isinstance(default, list) else default


@contextmanager
def _own_device(standalone: bool) -> Iterator[None]:
    """Make our device the active one; that of the user is not activated anew, so a network half built goes on."""
    devices: Any = importlib.import_module("brian2.devices.device")
    before, stack = devices.active_device, list(devices.previous_devices)
    try:
        if standalone:
            kind = importlib.import_module("brian2.devices.cpp_standalone.device").CPPStandaloneDevice
            devices.active_device = kind()
            devices.active_device.activate(build_on_run=False)
        else:
            devices.active_device = devices.all_devices["runtime"]
        yield
    finally:
        devices.active_device, devices.previous_devices[:] = before, stack


@contextmanager
def _own_handlers(brian2: ModuleType) -> Iterator[None]:
    """Take away a handler of Ctrl-C that Brian 2 put before one that cannot be called, and the paths it leaves."""
    before, path = None, list(sys.path)
    if threading.current_thread() is threading.main_thread():
        found = signal.getsignal(signal.SIGINT)
        behind = getattr(found, "previous_handler", None)
        # Imported while Ctrl-C was ignored or had its default, Brian 2 would call a number.
        if type(found).__module__ == "brian2" and isinstance(behind, signal.Handlers):
            before = found
            signal.signal(signal.SIGINT, behind)
    try:
        yield
    finally:
        sys.path[:] = path
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _know_compiler() -> None:
    """Let Brian 2 try our flags now, with its temporary files in a folder that is removed also if we are killed."""
    from snstdp_cli.engines.cython_cache import temporary_folder

    preferences = importlib.import_module("brian2.codegen.cpp_prefs")
    before = tempfile.tempdir
    tempfile.tempdir = str(temporary_folder())
    try:
        with contextlib.suppress(OSError):
            preferences.get_compiler_and_args()
    finally:
        tempfile.tempdir = before
