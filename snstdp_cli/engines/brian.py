"""The only way in which this package works with Brian 2.

`prepare_brian` imports it without anybody's preference file. `brian_session` sets every preference to Brian 2's own
default or to ours while we work, and leaves preferences, device, handlers and search path as they were found, because
people use this package beside their own Brian 2 code, which may have been imported first.
"""

from __future__ import annotations

import contextlib
import importlib
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from snstdp_cli.brian_import import BRIAN_LOCK, default_of, prepare_brian
from snstdp_cli.engines.compiler import compiler_flags

__all__ = ["PINNED", "brian_session", "describe_preferences", "prepare_brian"]

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
    # Checking units in each step takes most of the time of NumPy code; they are checked when a network is built.
    "codegen.runtime.numpy.discard_units": True,
    "codegen.runtime.cython.multiprocess_safe": True,
    "codegen.runtime.cython.delete_source_files": True,
}


def describe_preferences() -> dict[str, str]:
    """Return what the preferences are while we work, as text for a key; Brian 2 itself is not imported for this."""
    described = {name: getattr(value, "__name__", repr(value)) for name, value in PINNED.items()}
    return {**described, "codegen.cpp.extra_compile_args_gcc": shlex.join(compiler_flags())}


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

    with BRIAN_LOCK:
        brian2 = prepare_brian()
        with _own_preferences(brian2, target, standalone), _own_device(standalone), _own_handlers(brian2):
            if target == "cython":
                _know_compiler()
            with own_cython_cache(brian2):
                yield brian2


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
            preferences[name] = ours.get(name, default_of(preferences, name))
        # It warns that several synapses might write to one target; those of our controller have one source.
        brian2.BrianLogger.suppress_hierarchy("brian2.codegen.generators.base")
        yield
    finally:
        for name, value in before.items():
            preferences[name] = value
        preferences.prefs_unvalidated.update(unknown)
        brian2.BrianLogger.console_handler.filters[:] = filters


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
