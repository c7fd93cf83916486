"""The presentation protocol inside the network: the controller, the Poisson inputs, and the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from snstdp_cli.brian_import import Clock, Function, NeuronGroup, Synapses, TimedArray, linked_var, second, stop
from snstdp_cli.config import Experiment
from snstdp_cli.network import protocol
from snstdp_cli.network.connections import connect_all
from snstdp_cli.network.names import CONTROLLER, EXC, INPUTS, PIXELS
from snstdp_cli.network.neurons import COUNTER
from snstdp_cli.network.randomness import random_functions
from snstdp_cli.network.rounding import INPUT_VARIABLES, REMEMBER_SHOW


@dataclass(frozen=True)
class Presentation:
    """What presents images to the network.

    Attributes
    ----------
    controller
        One neuron; `first`, `wanted`, `stream` and `seed` are set for each chunk. Its event `show` begins a
        presentation and `hide` ends the stimulus; `spikes` counts the excitatory spikes of this presentation.
    inputs
        `n_input` neurons; each knows the step of its next spike, -1 for none.
    show
        The synapses through which the controller lets them fire and stop.
    pixels
        The chunk's images, [images_per_chunk, n_input] grey values; image k is read at k seconds.
    """

    controller: NeuronGroup
    inputs: NeuronGroup
    show: Synapses
    pixels: TimedArray


def build_presentation(
    experiment: Experiment,
    n_input: int,
    images_per_chunk: int,
    clock: Clock,
    announce: bool = False,
    remember: bool = False,
    count: bool = False,
) -> Presentation:
    """Build the controller and the Poisson input.

    Parameters
    ----------
    images_per_chunk
        How many images one run of the network can hold.
    announce
        Give the inputs an event `begin` at the start of each presentation, for rules that rescale weights.
    remember
        Let the inputs remember key and beginning of the presentation, for weights that are rounded by chance.
    count
        Let the inputs count their spikes.
    """
    controller = _build_controller(experiment, clock)
    statements, more = dict(protocol.SHOW_IMAGE), protocol.INPUT_TICK if announce else ""
    if remember:
        statements["show"] += REMEMBER_SHOW
        more += INPUT_VARIABLES
    more += f"{COUNTER} : 1\n" if count else ""
    inputs = _build_inputs(experiment, controller, n_input, announce, more, clock)
    pixels = TimedArray(np.zeros((images_per_chunk, n_input)), dt=1 * second, name=PIXELS)
    show = Synapses(
        controller,
        inputs,
        on_pre=statements,
        on_event={pathway: pathway for pathway in protocol.SHOW_IMAGE},
        namespace={"pixels": pixels, **protocol.image_constants(experiment), **random_functions()},
        clock=clock,
        name="show_image",
    )
    connect_all(show)
    # An input that fires in the last step of the stimulus draws another gap in its reset.
    show.hide.when = "after_resets"
    return Presentation(controller, inputs, show, pixels)


def count_spikes(experiment: Experiment, exc: NeuronGroup, controller: NeuronGroup, clock: Clock) -> Synapses:
    """Build what tells the controller of each excitatory spike during a stimulus."""
    count = Synapses(
        exc,
        controller,
        on_pre=protocol.COUNT_SPIKE,
        namespace={"stimulus_steps": experiment.stimulus_steps},
        clock=clock,
        name=f"{EXC}_{CONTROLLER}",
    )
    connect_all(count)
    return count


def _build_controller(experiment: Experiment, clock: Clock) -> NeuronGroup:
    rest = protocol.REST_EVENT if experiment.presentation.rest == "reset" else {}
    controller = NeuronGroup(
        1,
        protocol.CONTROLLER_EQUATIONS,
        events={**protocol.CONTROLLER_EVENTS, **rest},
        namespace={**protocol.controller_constants(experiment), **random_functions(), "stop_if": _stop_function()},
        clock=clock,
        name=CONTROLLER,
    )
    controller.run_regularly(protocol.CONTROLLER_STEP, when="start", clock=clock, name="controller_step")
    return controller


def _build_inputs(
    experiment: Experiment, controller: NeuronGroup, n_input: int, announce: bool, equations: str, clock: Clock
) -> NeuronGroup:
    inputs = NeuronGroup(
        n_input,
        protocol.INPUT_EQUATIONS + equations,
        threshold=protocol.INPUT_THRESHOLD,
        reset=protocol.INPUT_RESET + (f"{COUNTER} += 1\n" if COUNTER in equations else ""),
        events=dict(protocol.BEGIN) if announce else {},
        namespace={**protocol.input_constants(experiment), **random_functions()},
        clock=clock,
        name=INPUTS,
    )
    inputs.next_step = protocol.NO_STEP
    one_for_all = np.zeros(n_input, dtype=int)
    inputs.key = linked_var(controller, "key", index=one_for_all)
    if announce:
        inputs.tick = linked_var(controller, "tick", index=one_for_all)
    return inputs


def _stop_if(done: Any) -> Any:
    if np.any(done):
        stop()
    return done


def _stop_function() -> Function:
    """Return `stop_if`, which ends the simulation after this step where its argument is not 0."""
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
    return halt
