"""The Python engine: the same network run by Brian 2 itself, with Cython or NumPy code."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.engines.base import Chunk, ChunkResult, State, age_arrivals, collect_responses, controller_values
from snstdp_cli.engines.brian import brian_session, prepare_brian
from snstdp_cli.engines.compiler import USE_NUMPY, check_compiler, find_compiler
from snstdp_cli.engines.cython_cache import temporary_folder
from snstdp_cli.errors import EngineError, SnstdpError
from snstdp_cli.network.protocol import NO_STEP
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
        count: bool = False,
    ) -> None:
        self.experiment = experiment
        # Brian 2 looks for a state above 1e50, which is too large for a single number.
        self._overflows: Literal["warn", "ignore"] = "warn" if experiment.arithmetic == "double" else "ignore"
        compiler = find_compiler()
        self.target = target or ("cython" if compiler else "numpy")
        if self.target == "cython" and compiler:
            check_compiler(compiler, temporary_folder())
        say(f"preparing the network for {self.target}")
        with self.session(), _compile_errors():
            from snstdp_cli.network.builder import build_network

            self.built = build_network(experiment, plasticity, wiring, experiment.chunk, count)
        self.objects = {
            obj.name: obj for obj in (self.built.inputs, self.built.exc, self.built.inh, self.built.synapses)
        }

    @contextmanager
    def session(self) -> Iterator[Any]:
        """Let Brian 2 work with this engine's preferences: for whoever adds objects to the network."""
        with brian_session(self.target) as brian2:
            yield brian2

    def run(self, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        """Present the images of `chunk` to the network in `state`.

        Raises
        ------
        EngineError
            If the code cannot be compiled, or the simulation ends early.
        """
        with self.session() as brian2, _compile_errors():
            self._rewind()
            try:
                return self._run(brian2, state, chunk)
            finally:
                # Also before the next chunk, for the case that this one ended in the middle.
                self._rewind()

    def _run(self, brian2: Any, state: Mapping[str, NDArray[np.generic]], chunk: Chunk) -> ChunkResult:
        built, experiment, wanted = self.built, self.experiment, len(chunk.images)
        for name, value in controller_values(experiment, chunk).items():
            built.controller.variables[name].set_value(value)
        for owner, name in built.state:
            self.objects[owner].variables[name].set_value(state[f"{owner}.{name}"])
        built.pixels.values[:wanted] = chunk.images
        for monitor in (built.spikes, built.shown):
            monitor.resize(0)
            monitor.variables["N"].set_value(0)
        longest = wanted * experiment.max_attempts * experiment.presentation_steps * experiment.dt / 1000
        with np.errstate(over=self._overflows), _collected_quickly():
            built.network.run(longest * brian2.second, namespace={})
        steps = int(built.exc.clock.variables["timestep"].get_value()[0])

        def to_steps(monitor: Any) -> NDArray[np.int64]:
            times = np.asarray(monitor.variables["t"].get_value(), dtype=np.float64)
            return np.rint(times * 1000 / experiment.dt).astype(np.int64)

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
        prepare_brian().stop()

    def close(self) -> None:
        """Do nothing: this engine writes no files."""

    def _rewind(self) -> None:
        """Set the clock to 0: the steps at which spikes arrived are 32-bit numbers, and a chunk counts from its start.

        No spike is under way between two chunks, and no input waits for its next one.
        """
        self.built.network.t_ = 0.0
        variables = self.built.exc.clock.variables
        for name in ("timestep", "t"):
            variables[name].set_value(0)
        self.built.inputs.variables["next_step"].set_value(NO_STEP)


@contextmanager
def _collected_quickly() -> Iterator[None]:
    """Let Brian 2, which collects garbage before each run, not search what is there: 0.15 s of all that it imports."""
    frozen_by_others = gc.get_freeze_count() > 0
    if not frozen_by_others:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen_by_others:
            gc.unfreeze()


@contextmanager
def _compile_errors() -> Iterator[None]:
    """Tell what went wrong with a compiler."""
    try:
        yield
    except SnstdpError:
        raise
    except Exception as error:
        if (told := _told(error)) is not None:
            raise told from error
        raise


def _told(error: Exception) -> SnstdpError | None:
    """Return what to tell if Brian 2 wrapped an error of a compiler, or of ours, into its own."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, SnstdpError):
            return found
        if "distutils" in type(found).__module__ or isinstance(found, OSError):
            return EngineError(
                f"Cython's code cannot be compiled: {found}; check CC, the header files of Python and the free disk "
                f"space. {USE_NUMPY}"
            )
        found = found.__cause__ or found.__context__
    return None
