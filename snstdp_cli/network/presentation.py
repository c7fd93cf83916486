"""Which image is shown when, and the spikes it makes: the presentation protocol inside the network.

A one-neuron *controller* counts time steps. It shows each example for `stimulus_ms`, rests for `rest_ms`, and shows it
again with intensity + 1 when fewer than `min_spikes` excitatory spikes answered, up to a cap. When the last example of
a chunk is done it stops the simulation.

Randomness is counter-based: whether input i fires in a step is a hash of (seed, stream, example, step, i), so that
every engine sees the same spikes, and a resumed run or another division of the work changes nothing. The hash is two
rounds of a 64-bit finalizer (the mixing constants are those of SplitMix64; Steele, Lea, Flood 2014,
doi:10.1145/2660193.2660195).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Clock, Function, NeuronGroup, Synapses, TimedArray, linked_var, second, stop
from numpy.typing import NDArray

from snstdp_cli.config import Experiment

_M1, _M2, _GOLDEN = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15

_C_SOURCE = f"""
static inline unsigned long long _mix64(unsigned long long z) {{
    z = (z ^ (z >> 30)) * 0x{_M1:X}ULL;
    z = (z ^ (z >> 27)) * 0x{_M2:X}ULL;
    return z ^ (z >> 31);
}}
static inline double draw_key(int seed, int stream, int example, int step) {{
    unsigned long long a = _mix64(((unsigned long long)(unsigned)seed << 32) + (unsigned)stream + 0x{_GOLDEN:X}ULL);
    unsigned long long b = ((unsigned long long)(unsigned)example << 32) + (unsigned)step;
    return (double)(_mix64(a ^ _mix64(b + 0x{_GOLDEN:X}ULL)) >> 12);
}}
static inline double uniform_hash(double key, int i) {{
    unsigned long long z = ((unsigned long long)key << 12) + (unsigned long long)(i + 1) * 0x{_GOLDEN:X}ULL;
    return (double)(_mix64(z) >> 11) * (1.0 / 9007199254740992.0);
}}
"""

_CYTHON_SOURCE = f"""
cdef unsigned long long _mix64(unsigned long long z):
    z = (z ^ (z >> 30)) * <unsigned long long>0x{_M1:X}ULL
    z = (z ^ (z >> 27)) * <unsigned long long>0x{_M2:X}ULL
    return z ^ (z >> 31)

cdef double draw_key(int seed, int stream, int example, int step):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long a = _mix64((<unsigned long long><unsigned int>seed << 32) + <unsigned int>stream + golden)
    cdef unsigned long long b = (<unsigned long long><unsigned int>example << 32) + <unsigned int>step
    return <double>(_mix64(a ^ _mix64(b + golden)) >> 12)
"""

_CYTHON_UNIFORM = f"""
cdef unsigned long long _mix64u(unsigned long long z):
    z = (z ^ (z >> 30)) * <unsigned long long>0x{_M1:X}ULL
    z = (z ^ (z >> 27)) * <unsigned long long>0x{_M2:X}ULL
    return z ^ (z >> 31)

cdef double uniform_hash(double key, int i):
    cdef unsigned long long golden = <unsigned long long>0x{_GOLDEN:X}ULL
    cdef unsigned long long z = (<unsigned long long>key << 12) + <unsigned long long>(i + 1) * golden
    return <double>(_mix64u(z) >> 11) * (1.0 / 9007199254740992.0)
"""


def _mix64(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_M1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_M2)
    return z ^ (z >> np.uint64(31))


def _unsigned(value: Any) -> NDArray[np.uint64]:
    return np.atleast_1d(np.asarray(value, dtype=np.int64)).astype(np.uint64)


def draw_key(seed: Any, stream: Any, example: Any, step: Any) -> NDArray[np.float64]:
    """Hash (seed, stream, example, step) to a whole number below 2**52."""
    shift = np.uint64(32)
    a = _mix64((_unsigned(seed) << shift) + _unsigned(stream) + np.uint64(_GOLDEN))
    b = (_unsigned(example) << shift) + _unsigned(step)
    return (_mix64(a ^ _mix64(b + np.uint64(_GOLDEN))) >> np.uint64(12)).astype(np.float64)


def uniform_hash(key: Any, i: Any) -> NDArray[np.float64]:
    """Hash a key of `draw_key` and the index of an input to a number in [0, 1)."""
    base = np.atleast_1d(np.asarray(key, dtype=np.float64)).astype(np.uint64) << np.uint64(12)
    z = base + (_unsigned(i) + np.uint64(1)) * np.uint64(_GOLDEN)
    return (_mix64(z) >> np.uint64(11)).astype(np.float64) * (1.0 / 9007199254740992.0)


def _stop_if(done: Any) -> Any:
    if np.any(done):
        stop()
    return done


def _functions() -> dict[str, Function]:
    """Return the user functions with their C++, Cython and NumPy implementations."""
    key = Function(draw_key, arg_units=[1, 1, 1, 1], return_unit=1, arg_types=["integer"] * 4, return_type="float")
    key.implementations.add_implementation("cpp", _C_SOURCE)
    key.implementations.add_implementation("cython", _CYTHON_SOURCE)
    uniform = Function(uniform_hash, arg_units=[1, 1], return_unit=1, arg_types=["float", "integer"])
    uniform.implementations.add_implementation("cpp", _C_SOURCE)
    uniform.implementations.add_implementation("cython", _CYTHON_UNIFORM)
    halt = Function(
        _stop_if, arg_units=[1], return_unit=1, arg_types=["integer"], return_type="integer", stateless=False
    )
    halt.implementations.add_implementation(
        "cpp",
        """
        static inline int stop_if(int done) {
            if (done) Network::_globally_stopped = true;
            return done;
        }
        """,
        compiler_kwds={"headers": ['"network.h"']},
    )
    halt.implementations.add_implementation(
        "cython",
        """
        cdef int stop_if(int done):
            if done:
                import brian2
                brian2.stop()
            return done
        """,
    )
    return {"draw_key": key, "uniform_hash": uniform, "stop_if": halt}


def build_presentation(
    experiment: Experiment, n_input: int, images_per_chunk: int, clock: Clock, announce: bool = False
) -> tuple[NeuronGroup, NeuronGroup, Synapses, TimedArray]:
    """Build the controller and the Poisson input.

    Parameters
    ----------
    images_per_chunk : how many images one run of the network can hold.
    announce : give the inputs an event `begin` at the start of each presentation, for rules that rescale weights.

    Returns
    -------
    controller : one neuron; set `first`, `wanted`, `stream` and `seed` for each chunk. Its event `show` begins a
        presentation and `hide` ends the stimulus; `spikes` counts the excitatory spikes of this presentation.
    inputs : `n_input` neurons that spike with probability `chance` in a step.
    show : the synapses through which the controller sets `chance`.
    pixels : the chunk's images, [images_per_chunk, n_input] grey values; image k is read at k seconds.
    """
    shown = experiment.presentation
    functions = _functions()
    controller = NeuronGroup(
        1,
        """
        tick : integer       # step within the presentation
        example : integer    # index within the chunk
        attempt : integer    # 0 for the first presentation of an example
        spikes : 1           # excitatory spikes of this presentation
        key : 1              # of this step's random numbers
        halted : integer
        first : integer      # number of the chunk's first example in the run
        wanted : integer     # examples in this chunk
        stream : integer
        seed : integer
        """,
        events={"show": "tick == 0", "hide": "tick == stimulus_steps"},
        namespace={
            "stimulus_steps": experiment.stimulus_steps,
            "presentation_steps": experiment.presentation_steps,
            "min_spikes": shown.min_spikes,
            "max_attempts": experiment.max_attempts,
            **functions,
        },
        clock=clock,
        name="controller",
    )
    controller.run_regularly(
        """
        tick = tick + 1
        over = int(tick >= presentation_steps)
        settled = int(spikes >= min_spikes or attempt + 1 >= max_attempts)
        example = example + over * settled
        attempt = (1 - over) * attempt + over * (1 - settled) * (attempt + 1)
        spikes = (1 - over) * spikes
        tick = (1 - over) * tick
        last = int(tick == presentation_steps - 1 and (spikes >= min_spikes or attempt + 1 >= max_attempts))
        halted = stop_if(last * int(example + 1 >= wanted))
        key = draw_key(seed, stream, first + example, attempt * presentation_steps + tick)
        """,
        when="start",
        clock=clock,
        name="controller_step",
    )
    inputs = NeuronGroup(
        n_input,
        """
        chance : 1           # of a spike in one step
        key : 1 (linked)
        """
        + ("tick : integer (linked)\n" if announce else ""),
        threshold="chance > 0 and uniform_hash(key, i) < chance",
        reset="",
        events={"begin": "tick == 0"} if announce else {},
        namespace=functions,
        clock=clock,
        name="inputs",
    )
    inputs.key = linked_var(controller, "key", index=np.zeros(n_input, dtype=int))
    if announce:
        inputs.tick = linked_var(controller, "tick", index=np.zeros(n_input, dtype=int))
    pixels = TimedArray(np.zeros((images_per_chunk, n_input)), dt=1 * second, name="pixels")
    show = Synapses(
        controller,
        inputs,
        on_pre={
            "show": "chance_post = pixels(example_pre * second, j) * (intensity + attempt_pre) * chance_per_grey",
            "hide": "chance_post = 0",
        },
        on_event={"show": "show", "hide": "hide"},
        namespace={
            "pixels": pixels,
            "intensity": shown.intensity,
            # rate = pixel / 8 * intensity Hz (Diehl & Cook 2015)
            "chance_per_grey": experiment.dt / 1000 / 8,
        },
        clock=clock,
        name="show_image",
    )
    show.connect()
    return controller, inputs, show, pixels
