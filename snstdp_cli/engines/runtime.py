"""The Python engine: the same network run by Brian 2 itself, with Cython or NumPy code."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from typing import Any

import brian2
import numpy as np
from brian2 import second
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.engines.base import Chunk, ChunkResult, State, age_arrivals, collect_responses, controller_values
from snstdp_cli.engines.compilation import compiler_flags, find_compiler
from snstdp_cli.network.builder import build_network
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity


class RuntimeEngine:
    """Runs chunks in this process."""

    name = "runtime"
    compiled = False

    def __init__(
        self,
        experiment: Experiment,
        plasticity: Plasticity | None,
        wiring: Wiring,
        say: Callable[[str], None] = lambda text: None,
        target: str | None = None,
    ) -> None:
        self.experiment = experiment
        self.target = target or ("cython" if find_compiler() else "numpy")
        brian2.set_device("runtime")
        brian2.prefs.codegen.target = self.target
        # Ctrl-C ends the chunk at once, as in any other program; a chunk that stops half-way would count for nothing.
        brian2.prefs.core.stop_on_keyboard_interrupt = False
        brian2.prefs.codegen.cpp.extra_compile_args_gcc = compiler_flags()
        say(f"preparing the network for {self.target}")
        self.built = build_network(experiment, plasticity, wiring, experiment.chunk)
        self.objects = {obj.name: obj for obj in (self.built.exc, self.built.inh, self.built.synapses)}

    def run(self, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        """Present the images of `chunk` to the network in `state`."""
        built, experiment, wanted = self.built, self.experiment, len(chunk.images)
        brian2.prefs.codegen.target = self.target
        brian2.prefs.codegen.cpp.extra_compile_args_gcc = compiler_flags()
        for name, value in controller_values(experiment, chunk).items():
            built.controller.variables[name].set_value(value)
        for owner, name in built.state:
            self.objects[owner].variables[name].set_value(state[f"{owner}.{name}"])
        built.pixels.values[:wanted] = chunk.images
        for monitor in (built.spikes, built.shown):
            monitor.resize(0)
            monitor.variables["N"].set_value(0)
        start = int(built.exc.clock.variables["timestep"].get_value()[0])
        # `arrived` is counted from the start of a chunk; this engine's clock goes on.
        self._shift_arrivals(start)
        longest = wanted * experiment.max_attempts * experiment.presentation_steps * experiment.dt / 1000
        built.network.run(longest * second, namespace={})
        steps = int(built.exc.clock.variables["timestep"].get_value()[0]) - start

        def to_steps(monitor: Any) -> NDArray[np.int64]:
            times = np.asarray(monitor.variables["t"].get_value(), dtype=np.float64)
            return np.rint(times * 1000 / experiment.dt).astype(np.int64) - start

        shown = built.shown.variables
        counts, attempts, silent = collect_responses(
            experiment,
            wanted,
            to_steps(built.spikes),
            np.asarray(built.spikes.variables["i"].get_value(), dtype=np.int64),
            to_steps(built.shown),
            np.asarray(shown["example"].get_value(), dtype=np.int64),
            np.asarray(shown["attempt"].get_value(), dtype=np.int64),
        )
        self._shift_arrivals(-start)
        after: State = {
            f"{owner}.{name}": np.array(self.objects[owner].variables[name].get_value()) for owner, name in built.state
        }
        age_arrivals(after, steps)
        return ChunkResult(after, counts, attempts, silent)

    def peak_memory_mb(self) -> float:
        """Return the most memory that this process took so far."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

    def stop(self) -> None:
        """Let Brian 2 stop after the current step."""
        brian2.stop()

    def close(self) -> None:
        """Do nothing: this engine writes no files."""

    def _shift_arrivals(self, steps: int) -> None:
        if ("input_exc", "arrived") in self.built.state:
            variable = self.built.synapses.variables["arrived"]
            variable.set_value((np.asarray(variable.get_value(), dtype=np.int64) + steps).astype(np.int32))
