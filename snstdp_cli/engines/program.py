"""Compile the network to a C++ program, or find it in the cache.

A program's folder is named by a hash of everything that shapes it: the equations' source files, the configuration that
enters them, sizes, versions, compiler and processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from snstdp_cli.config import Experiment, settings_of
from snstdp_cli.engines.compilation import (
    compile_sources,
    compiler_flags,
    compiler_version,
    find_compiler,
    processor_features,
)
from snstdp_cli.engines.folders import HeldFolder, hold_folder, hold_interrupts
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

_SOURCES = ("engines/program.py", "engines/compilation.py", "engines/run_queue.h")
#: Longer than any chunk; the controller stops the program when its last example is done.
_FOREVER_S = 1e7
#: Programs that are not finished are in folders of this prefix.
_BUILDING = "building-"


@dataclass(frozen=True)
class Program:
    """A compiled network.

    Attributes
    ----------
    executable : the program.
    state : names of the arrays that go in and come out.
    arrays : "object.variable" -> file name, dtype and size (None if it varies) of each result.
    static : purpose -> file name and dtype of each input file.
    fresh : whether it was compiled just now.
    """

    executable: Path
    state: tuple[str, ...]
    arrays: dict[str, dict[str, Any]]
    static: dict[str, dict[str, str]]
    fresh: bool


def cache_folder() -> Path:
    """Return where programs are kept: `$SNSTDP_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("SNSTDP_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("snstdp"))


def program_key(experiment: Experiment, plastic: bool, wiring: Wiring, compiler: str) -> str:
    """Hash everything that shapes the program."""
    package = Path(__file__).parent.parent
    rooms = [path for room in ("network", "rules") for path in sorted((package / room).glob("*.py"))]
    sources = [*(package / name for name in _SOURCES), *rooms]
    shaping = {
        "config": settings_of(experiment, "program"),
        "plastic": plastic,
        "theta_step_mv": experiment.theta_step_mv,
        "n_input": wiring.n_input,
        "delays": bool(wiring.delay_steps.any()),
        "versions": [version("brian2"), np.__version__],
        "compiler": [compiler_version(compiler), compiler_flags(), processor_features()],
        "sources": [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources],
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:24]


def find_or_build(
    experiment: Experiment, plasticity: Plasticity | None, wiring: Wiring, say: Callable[[str], None]
) -> Program:
    """Return the program from the cache, or compile it.

    Raises
    ------
    EngineError
        If there is no compiler, it fails, or the cache cannot be written.
    """
    compiler = find_compiler()
    if compiler is None:
        raise EngineError(
            "no C++ compiler found (looked for $CXX, g++, c++, clang++); install one or use --engine runtime"
        )
    key = program_key(experiment, plasticity is not None, wiring, compiler)
    folder = cache_folder() / "programs" / key
    if (program := _open(folder, fresh=False)) is not None:
        return program
    kind = "learning" if plasticity is not None else "frozen"
    say(f"compiling the {kind} network for {experiment.n_e} neurons (once per configuration, about 8 s)")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary: HeldFolder | None = None
        try:
            with hold_interrupts():
                temporary = hold_folder(folder.parent, _BUILDING)
            built = temporary.path / "program"
            _build(experiment, plasticity, wiring, built, compiler)
            # Another process may have finished the same program first.
            if _open(folder, fresh=False) is None:
                shutil.rmtree(folder, ignore_errors=True)
                try:
                    built.replace(folder)
                except OSError:
                    if _open(folder, fresh=False) is None:
                        raise
        finally:
            if temporary is not None:
                temporary.remove()
    except OSError as error:
        raise EngineError(
            f"cannot write the compiled program to {folder.parent}: {error.strerror or error}; "
            "choose another folder with SNSTDP_CACHE"
        ) from None
    program = _open(folder, fresh=True)
    if program is None:
        raise EngineError(f"the compiled program vanished from {folder}")
    return program


def _open(folder: Path, fresh: bool) -> Program | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        executable = folder / "main"
        # The checksum also finds what a machine without power left of a program.
        if not os.access(executable, os.X_OK) or _checksum(executable) != manifest["sha256"]:
            return None
        return Program(executable, tuple(manifest["state"]), manifest["arrays"], manifest["static"], fresh)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _build(experiment: Experiment, plasticity: Plasticity | None, wiring: Wiring, folder: Path, compiler: str) -> None:
    """Generate the sources with Brian 2, compile them, and leave only the program and its manifest in `folder`."""
    import brian2

    from snstdp_cli.network.builder import build_network

    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        brian2.device.reinit()
        brian2.device.activate(build_on_run=False)
        built = build_network(experiment, plasticity, wiring, experiment.chunk)
        built.network.run(_FOREVER_S * brian2.second, namespace={})
        sources = folder.parent / "sources"
        brian2.device.build(directory=str(sources), compile=False, run=False, with_output=False)
        manifest = _describe(built, wiring, experiment)
        executable = compile_sources(sources, compiler)
        folder.mkdir()
        shutil.copy2(executable, folder / "main")
        manifest["sha256"] = _checksum(folder / "main")
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def _describe(built: Any, wiring: Wiring, experiment: Experiment) -> dict[str, Any]:
    """Say which file holds which array, for reading and writing without Brian 2."""
    import brian2

    device = brian2.device
    objects = {obj.name: obj for obj in (built.exc, built.inh, built.synapses, built.spikes, built.shown)}
    arrays: dict[str, dict[str, Any]] = {}

    def add(name: str, variable: Any, size: int | None) -> None:
        file = Path(device.get_array_filename(variable)).name
        arrays[name] = {"file": file, "dtype": str(np.dtype(variable.dtype)), "size": size}

    for owner, name in built.state:
        size = len(wiring.pre) if owner == "input_exc" else experiment.n_e
        add(f"{owner}.{name}", objects[owner].variables[name], size)
    for owner, name in (
        ("exc_spikes", "t"),
        ("exc_spikes", "i"),
        ("shown", "t"),
        ("shown", "example"),
        ("shown", "attempt"),
    ):
        add(f"{owner}.{name}", objects[owner].variables[name], None)
        add(f"{owner}.N", objects[owner].variables["N"], 1)
    add("clock.timestep", built.exc.clock.variables["timestep"], 1)
    static = {}
    for file, values in device.static_arrays.items():
        static[_purpose(file)] = {"file": file, "dtype": str(values.dtype)}
    return {"state": [f"{owner}.{name}" for owner, name in built.state], "arrays": arrays, "static": static}


def _purpose(file: str) -> str:
    """Return what one of Brian 2's static arrays holds."""
    known = {
        "inputs__key_indices": "key_indices",
        "inputs__tick_indices": "tick_indices",
        "input_exc_sources": "sources",
        "input_exc_targets": "targets",
        "input_exc_delay": "delay",
        "input_exc__pre_delay": "delay",  # since Brian 2.11
        "inh_exc_sources": "inhibition_sources",
        "inh_exc_targets": "inhibition_targets",
        "inh_exc_delay": "inhibition_delay",
        "inh_exc__pre_delay": "inhibition_delay",
        "pixels_values": "pixels",
    }
    for ending, purpose in known.items():
        if file.endswith(ending):
            return purpose
    raise EngineError(f"this version of Brian 2 writes an array that snstdp does not know: {file}")
