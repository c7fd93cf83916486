"""The C++ engine: the network as a compiled program, built once per configuration and asked once per chunk.

The program depends only on statements and sizes. What differs between experiments and seeds (the numbers in the
statements, connections, delays) is read at its start from files, a table of numbers and Brian 2's own static arrays;
what differs between chunks (state, images) at each request, as Brian 2's run arguments. A cached program therefore runs
without importing Brian 2.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.engines.base import Chunk, ChunkResult, State, age_arrivals, collect_responses, controller_values
from snstdp_cli.engines.constants import TABLE_FILE, make_table
from snstdp_cli.engines.folders import HeldFolder, hold_folder, hold_interrupts
from snstdp_cli.engines.processes import RunningProgram
from snstdp_cli.engines.program import Program, find_or_build
from snstdp_cli.engines.serving import FRESH_INPUTS, MONITORS, give_images
from snstdp_cli.errors import EngineError
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity


class StandaloneEngine:
    """Runs chunks by asking the compiled program, which runs in a folder of its own until the engine is closed."""

    name = "standalone"

    def __init__(
        self,
        experiment: Experiment,
        plasticity: Plasticity | None,
        wiring: Wiring,
        say: Callable[[str], None] = lambda text: None,
        count: bool = False,
    ) -> None:
        self.experiment = experiment
        self._running: RunningProgram | None = None
        self._starting = Lock()
        self._stopped = False
        self._peak_kb = 0
        #: CPU time of the program for the last chunk, seconds.
        self.cpu_seconds = 0.0
        self.program: Program = find_or_build(experiment, plasticity, wiring, say, count)
        self.compiled = self.program.fresh
        self._executable: int | None = None
        self._held: HeldFolder | None = None
        try:
            with _disk_errors():
                with hold_interrupts():
                    # Held open, so that the program runs on when somebody empties the cache.
                    self._executable = os.open(self.program.executable, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                    self._held = hold_folder(Path(tempfile.gettempdir()), "snstdp-")
                self.folder = self._held.path
                self._write_static(wiring, run_time_numbers(experiment, plasticity))
        except BaseException:
            self.close()
            raise

    def _write_static(self, wiring: Wiring, numbers: Mapping[str, float]) -> None:
        """Write what all chunks share: numbers, connections and delays."""
        experiment = self.experiment
        (self.folder / "static_arrays").mkdir()
        (self.folder / "results").mkdir()
        _write_array(self.folder / "static_arrays" / TABLE_FILE, make_table(self.program.numbers, numbers))
        static: dict[str, NDArray[Any]] = {"sources": wiring.pre, "targets": wiring.post}
        if wiring.delay_steps.any():
            static["delay"] = wiring.delay_steps * experiment.dt / 1000
        static["key_indices"] = np.zeros(wiring.n_input, dtype=np.int64)
        static["tick_indices"] = np.zeros(wiring.n_input, dtype=np.int64)
        if wiring.inhibition_delay_steps is not None:
            pre, post = np.nonzero(~np.eye(experiment.n_e, dtype=bool))
            static["inhibition_delay"] = wiring.inhibition_delay_steps[pre, post] * experiment.dt / 1000
        if experiment.network.inhibition == "dense":
            pre, post = np.nonzero(~np.eye(experiment.n_e, dtype=bool))
            static["inhibition_sources"], static["inhibition_targets"] = pre, post
        for purpose, entry in self.program.static.items():
            if purpose != "pixels":
                _write_array(self.folder / "static_arrays" / entry["file"], static[purpose].astype(entry["dtype"]))

    def run(self, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        """Present the images of `chunk` to the network in `state`.

        Raises
        ------
        EngineError
            If the program fails or leaves incomplete results, or its input cannot be written.
        """
        with _disk_errors():
            return self._run(state, chunk)

    def _run(self, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        results = self.folder / "results"
        for old in results.iterdir():
            old.unlink()
        arguments = [f"controller.{k}={v!r}" for k, v in controller_values(self.experiment, chunk).items()]
        for name in self.program.state:
            entry = self.program.arrays[name]
            path = self.folder / f"{name}.in"
            _write_array(path, state[name].astype(entry["dtype"], copy=False))
            arguments.append(f"{name}={path}")
        arguments += [FRESH_INPUTS, give_images(self._write_images(chunk.images))]
        try:
            answer = self._start(results).ask(arguments)
            self.cpu_seconds, self._peak_kb = answer.cpu_seconds, max(self._peak_kb, answer.peak_kb)
            return self._read(len(chunk.images))
        except BaseException:
            self._end_program()
            raise

    def peak_memory_mb(self) -> float:
        """Return the most memory that a program of this engine took so far."""
        return self._peak_kb / 1000

    def stop(self) -> None:
        """End the program and refuse to start another."""
        with self._starting:
            self._stopped = True
            if self._running is not None:
                self._running.kill()

    def close(self) -> None:
        """End the program and remove the folder; the engine cannot run any more."""
        with hold_interrupts():
            self._end_program()
            held, executable, self._held, self._executable = self._held, self._executable, None, None
            if held is not None:
                held.remove()
            if executable is not None:
                os.close(executable)

    def _write_images(self, images: NDArray[np.uint8]) -> Path:
        entry = self.program.static["pixels"]
        values = np.zeros((self.experiment.chunk, images.shape[1]), dtype=entry["dtype"])
        values[: len(images)] = images
        path = self.folder / "static_arrays" / entry["file"]
        _write_array(path, values)
        return path

    def _start(self, results: Path) -> RunningProgram:
        """Return the program that runs; start it before the first chunk, and again if somebody ended it meanwhile."""
        name = str(self.program.executable)
        command = [name, "--results_dir", f"{results}{os.sep}"]
        with self._starting:
            if self._stopped:
                raise EngineError("the simulation was stopped")
            if self._running is not None and self._running.runs():
                return self._running
            with hold_interrupts():
                self._end_program()
                try:
                    self._running = RunningProgram(command, name, self.folder)
                except FileNotFoundError:  # somebody emptied the cache
                    self._running = RunningProgram(command, f"/proc/{os.getpid()}/fd/{self._executable}", self.folder)
            return self._running

    def _end_program(self) -> None:
        with hold_interrupts():
            if self._running is not None:
                self._running.end()
                self._running = None

    def _load(self, name: str) -> NDArray[np.generic]:
        entry = self.program.arrays[name]
        path = self.folder / "results" / entry["file"]
        try:
            values: NDArray[np.generic] = np.fromfile(path, dtype=entry["dtype"])
        except OSError as error:
            raise EngineError(f"the simulation program left no {path.name}: {error.strerror}") from None
        if entry["size"] is not None and len(values) != entry["size"]:
            raise self._incomplete(path.name)
        return values

    def _incomplete(self, file: str) -> EngineError:
        return EngineError(
            f"the simulation program left an incomplete {file} in {self.folder.parent}; is the disk full? Free some "
            "space, or name another folder by TMPDIR. The last checkpoint is intact; run again with --resume"
        )

    def _read(self, wanted: int) -> ChunkResult:
        experiment = self.experiment
        steps = int(self._load("clock.timestep")[0])
        for owner, names in MONITORS.items():
            recorded = int(self._load(f"{owner}.N")[0])
            for name in names:
                if len(self._load(f"{owner}.{name}")) != recorded:
                    raise self._incomplete(self.program.arrays[f"{owner}.{name}"]["file"])

        def to_steps(name: str) -> Any:
            return np.rint(self._load(name).astype(np.float64) * 1000 / experiment.dt).astype(np.int64)

        counts, attempts, silent = collect_responses(
            experiment,
            wanted,
            to_steps("exc_spikes.t"),
            self._load("exc_spikes.i").astype(np.int64),
            to_steps("shown.t"),
            self._load("shown.example").astype(np.int64),
            self._load("shown.attempt").astype(np.int64),
        )
        if steps != int(attempts.sum()) * experiment.presentation_steps:
            raise EngineError(f"the simulation program stopped after {steps} steps, in the middle of a presentation")
        state: State = {name: self._load(name) for name in self.program.state}
        age_arrivals(state, steps)
        return ChunkResult(state, counts, attempts, silent)


def _write_array(path: Path, values: NDArray[Any]) -> None:
    # Not `tofile`: on a full disk it loses the last block of a file without a word.
    path.write_bytes(np.ascontiguousarray(values).data)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Say where the simulation's files go when the system refuses them."""
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"cannot write or read the simulation's files in {tempfile.gettempdir()}: {error.strerror or error}; free "
            "some space, or name another folder by TMPDIR. The last checkpoint is intact; run again with --resume"
        ) from None
