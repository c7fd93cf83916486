"""Compile the network to a C++ program, or find it in the cache.

A program's folder is named by a hash of everything that shapes it (`keys`), in a cache that only this user can write.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snstdp_cli.config import Experiment
from snstdp_cli.engines.brian import brian_session
from snstdp_cli.engines.cache import cache_folder, private_folder, refuse_foreign
from snstdp_cli.engines.compilation import compile_sources, find_compiler
from snstdp_cli.engines.constants import tabled_names
from snstdp_cli.engines.folders import HeldFolder, hold_file, hold_folder, hold_interrupts
from snstdp_cli.engines.keys import program_key
from snstdp_cli.engines.serving import MONITORS
from snstdp_cli.errors import EngineError
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

__all__ = ["Program", "cache_folder", "find_or_build", "program_key"]

#: Longer than any chunk; the controller stops the program when its last example is done.
_FOREVER_S = 1e7
#: Programs that are not finished are in folders of this prefix.
_BUILDING = "building-"


@dataclass(frozen=True)
class Program:
    """A compiled network.

    Attributes
    ----------
    executable
        The program.
    state
        Names of the arrays that go in and come out.
    arrays
        "object.variable" -> file name, dtype and size (None if it varies) of each result.
    static
        Purpose -> file name and dtype of each input file.
    numbers
        Names of the numbers that it reads at its start, in their order.
    fresh
        Whether it was compiled just now.
    """

    executable: Path
    state: tuple[str, ...]
    arrays: dict[str, dict[str, Any]]
    static: dict[str, dict[str, str]]
    numbers: tuple[str, ...]
    fresh: bool


def find_or_build(
    experiment: Experiment,
    plasticity: Plasticity | None,
    wiring: Wiring,
    say: Callable[[str], None],
    count: bool = False,
) -> Program:
    """Return the program from the cache, or compile it; of processes that want the same program one compiles.

    Raises
    ------
    EngineError
        If there is no compiler, it fails, or the cache cannot be written or could be written by others.
    """
    compiler = find_compiler()
    if compiler is None:
        raise EngineError(
            "no C++ compiler found (looked for $CXX, g++, c++, clang++); install one or use --engine runtime"
        )
    key = program_key(experiment, plasticity, wiring, compiler, count)
    folder = private_folder("programs") / key
    if (program := _open(folder, fresh=False)) is not None:
        return program

    def wait() -> None:
        say("waiting for another process that is compiling this network")

    try:
        with hold_file(private_folder("locks") / f"{key}.lock", wait):
            # Another process may have finished the same program meanwhile.
            if (program := _open(folder, fresh=False)) is not None:
                return program
            kind = "learning" if plasticity is not None else "frozen"
            say(f"compiling the {kind} network for {experiment.n_e} neurons (once per configuration, about 8 s)")
            _build_in(folder, experiment, plasticity, wiring, compiler, count)
    except OSError as error:
        raise EngineError(
            f"cannot write the compiled program to {folder.parent}: {error.strerror or error}; "
            "choose another folder with SNSTDP_CACHE"
        ) from None
    program = _open(folder, fresh=True)
    if program is None:
        raise EngineError(f"the compiled program vanished from {folder}")
    return program


def _build_in(
    folder: Path,
    experiment: Experiment,
    plasticity: Plasticity | None,
    wiring: Wiring,
    compiler: str,
    count: bool,
) -> None:
    """Compile a program beside its place in the cache and move it there when it is whole."""
    temporary: HeldFolder | None = None
    try:
        with hold_interrupts():
            temporary = hold_folder(folder.parent, _BUILDING)
        built = temporary.path / "program"
        _build(experiment, plasticity, wiring, built, compiler, count)
        shutil.rmtree(folder, ignore_errors=True)
        built.replace(folder)
    finally:
        if temporary is not None:
            temporary.remove()


def _open(folder: Path, fresh: bool) -> Program | None:
    """Return the program in a folder, or None if there is none that is whole.

    Raises
    ------
    EngineError
        If somebody else could have put it there.
    """
    executable, described = folder / "main", folder / "manifest.json"
    try:
        for path in (folder, executable, described):
            refuse_foreign(path)
        manifest = json.loads(described.read_text())
        # The checksum also finds what a machine without power left of a program.
        if not os.access(executable, os.X_OK) or _checksum(executable) != manifest["sha256"]:
            return None
        state, numbers = tuple(manifest["state"]), tuple(manifest["numbers"])
        return Program(executable, state, manifest["arrays"], manifest["static"], numbers, fresh)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _build(
    experiment: Experiment,
    plasticity: Plasticity | None,
    wiring: Wiring,
    folder: Path,
    compiler: str,
    count: bool,
) -> None:
    """Generate the sources with Brian 2, compile them, and leave only the program and its manifest in `folder`."""
    sources, numbers = folder.parent / "sources", run_time_numbers(experiment, plasticity)
    with brian_session(standalone=True) as brian2:
        from snstdp_cli.network.builder import build_network

        built = build_network(experiment, plasticity, wiring, experiment.chunk, count)
        built.network.run(_FOREVER_S * brian2.second, namespace={})
        brian2.device.build(directory=str(sources), compile=False, run=False, with_output=False)
        manifest = {**_describe(built, wiring, experiment, brian2.device), "numbers": tabled_names(numbers)}
    results = {entry["file"] for entry in manifest["arrays"].values()}
    executable = compile_sources(sources, compiler, results, numbers)
    folder.mkdir(mode=0o700)
    shutil.copy(executable, folder / "main")
    manifest["sha256"] = _checksum(folder / "main")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    for name, mode in (("main", 0o700), ("manifest.json", 0o600)):
        (folder / name).chmod(mode)


def _describe(built: Any, wiring: Wiring, experiment: Experiment, device: Any) -> dict[str, Any]:
    """Say which file holds which array, for reading and writing without Brian 2."""
    objects = {obj.name: obj for obj in (built.inputs, built.exc, built.inh, built.synapses, built.spikes, built.shown)}
    arrays: dict[str, dict[str, Any]] = {}

    def add(name: str, variable: Any, size: int | None) -> None:
        file = Path(device.get_array_filename(variable)).name
        arrays[name] = {"file": file, "dtype": str(np.dtype(variable.dtype)), "size": size}

    for owner, name in built.state:
        size = {"input_exc": len(wiring.pre), "inputs": wiring.n_input}.get(owner, experiment.n_e)
        add(f"{owner}.{name}", objects[owner].variables[name], size)
    for owner, names in MONITORS.items():
        add(f"{owner}.N", objects[owner].variables["N"], 1)
        for name in names:
            add(f"{owner}.{name}", objects[owner].variables[name], None)
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
