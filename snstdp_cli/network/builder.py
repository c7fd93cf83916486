"""The shared builder: experiment and wiring -> named Brian 2 network, for training and for testing.

The network is Diehl & Cook's (2015, doi:10.3389/fncom.2015.00099): Poisson inputs, excitatory neurons with an adaptive
threshold, one inhibitory partner each, lateral inhibition of all others. `plasticity` is the only difference between
training and testing: without it no rule is built, the thresholds stay constant and every presentation starts from rest,
so that a response depends on its image alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from snstdp_cli.brian_import import (
    Clock,
    EventMonitor,
    Network,
    NeuronGroup,
    SpikeMonitor,
    Synapses,
    TimedArray,
    ms,
    mV,
)
from snstdp_cli.config import Experiment
from snstdp_cli.network import neurons
from snstdp_cli.network.arithmetic import Arithmetic, choose_arithmetic
from snstdp_cli.network.connections import connect_all
from snstdp_cli.network.fixed_step import fixed_point_functions
from snstdp_cli.network.inhibition import build_inhibition
from snstdp_cli.network.names import CLOCK, COUNTERS, EXC, EXC_SPIKES, INH, INPUT_EXC, SHOWN, state_variables
from snstdp_cli.network.neurons import NeuronModel, split_unit
from snstdp_cli.network.numbers import state_numbers, synapse_numbers
from snstdp_cli.network.presentation import build_presentation, count_spikes
from snstdp_cli.network.randomness import random_functions
from snstdp_cli.network.rest import begin_from_rest, skip_rest
from snstdp_cli.network.rounding import store_on_grid, uses_chance
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

_UNITS = {"mv": mV, "ms": ms, "": 1}


@dataclass(frozen=True)
class BuiltNetwork:
    """A network with the objects that an engine reads or sets."""

    network: Network
    controller: NeuronGroup
    inputs: NeuronGroup
    exc: NeuronGroup
    inh: NeuronGroup
    synapses: Synapses
    pixels: TimedArray
    spikes: SpikeMonitor
    shown: EventMonitor
    #: (object, variable) of everything that must survive from one chunk to the next.
    state: tuple[tuple[str, str], ...]


def build_network(
    experiment: Experiment,
    plasticity: Plasticity | None,
    wiring: Wiring,
    images_per_chunk: int,
    count: bool = False,
) -> BuiltNetwork:
    """Build the network for training (`plasticity` given) or for testing (None).

    Parameters
    ----------
    experiment
        Complete configuration.
    plasticity
        The learning rule, or None for a network in which nothing learns.
    wiring
        Connections and delays for the number of inputs and neurons.
    images_per_chunk
        How many images one run of the network can hold.
    count
        Let every input and neuron count its spikes.
    """
    clock = Clock(experiment.dt * ms, name=CLOCK)
    rescales = plasticity is not None and plasticity.normalize_to is not None
    grid = None if plasticity is None else plasticity.grid
    shows = build_presentation(
        experiment, wiring.n_input, images_per_chunk, clock, rescales, remember=uses_chance(grid), count=count
    )
    controller = shows.controller
    models = {EXC: neurons.excitatory_model(experiment, plasticity), INH: neurons.inhibitory_model(experiment)}
    if count:
        models = {name: neurons.counting_spikes(model) for name, model in models.items()}
    arithmetic = choose_arithmetic(experiment, plasticity, *models.values())
    exc, inh = (_build_neurons(name, experiment, arithmetic, model, clock) for name, model in models.items())
    synapses = _build_input_synapses(experiment, arithmetic, plasticity, shows.inputs, exc, wiring, clock)
    answered = count_spikes(experiment, exc, controller, clock)
    spikes = SpikeMonitor(exc, name=EXC_SPIKES)
    shown = EventMonitor(controller, "show", variables=["example", "attempt"], name=SHOWN)
    objects = [controller, shows.inputs, shows.show, exc, inh, synapses, answered, spikes, shown]
    objects += build_inhibition(experiment, arithmetic, exc, inh, wiring, clock)
    if plasticity is None:
        objects += begin_from_rest(arithmetic, controller, exc, inh, clock)
    elif rescales:
        objects.append(_build_rescaling(arithmetic, plasticity, controller, exc, synapses, clock))
    if experiment.presentation.rest == "reset":
        objects += skip_rest(experiment, arithmetic, plasticity, controller, exc, inh, clock)
    network = Network(*objects, name="network")
    state = state_variables(plasticity) + (COUNTERS if count else ())
    return BuiltNetwork(network, controller, shows.inputs, exc, inh, synapses, shows.pixels, spikes, shown, state)


def _build_neurons(
    name: str, experiment: Experiment, arithmetic: Arithmetic, model: NeuronModel, clock: Clock
) -> NeuronGroup:
    constants = {}
    for key, value in model.constants.items():
        stem, unit = split_unit(key)
        constants[stem] = value * _UNITS[unit]
    step = arithmetic.statements(model.step)
    functions = {**fixed_point_functions(experiment), **arithmetic.functions()}
    return NeuronGroup(
        experiment.n_e,
        model.equations,
        method=lambda equations, variables=None, method_options=None: step,
        threshold=arithmetic.statements(model.threshold),
        reset=arithmetic.statements(model.reset),
        namespace={**constants, **model.rule_constants, **functions},
        dtype=arithmetic.types(),
        clock=clock,
        name=name,
    )


def _build_input_synapses(
    experiment: Experiment,
    arithmetic: Arithmetic,
    plasticity: Plasticity | None,
    inputs: NeuronGroup,
    exc: NeuronGroup,
    wiring: Wiring,
    clock: Clock,
) -> Synapses:
    model, functions = neurons.synapse_model(plasticity, state_numbers(experiment)), {}
    if plasticity is not None and plasticity.grid is not None:
        model = store_on_grid(model, plasticity.grid)
        functions = {"draw_dither": random_functions()["draw_dither"]} if uses_chance(plasticity.grid) else {}
    synapses = Synapses(
        inputs,
        exc,
        model.equations,
        on_pre=arithmetic.pathways(model.on_pre),
        on_post=arithmetic.pathways(model.on_post),
        on_event={"pre": "spike", **dict.fromkeys(model.on_post, "spike"), **model.events},
        namespace={**model.constants, **functions, **fixed_point_functions(experiment), **arithmetic.functions()},
        dtype=arithmetic.types(),
        clock=clock,
        name=INPUT_EXC,
    )
    for order, name in enumerate([*model.on_post, *model.events], start=1):
        getattr(synapses, name).order = 2 * order  # something may come between two of them
    synapses.connect(i=wiring.pre, j=wiring.post)
    if wiring.delay_steps.any():
        synapses.pre.delay = wiring.delay_steps * experiment.dt * ms
    return synapses


def _build_rescaling(
    arithmetic: Arithmetic,
    plasticity: Plasticity,
    controller: NeuronGroup,
    exc: NeuronGroup,
    synapses: Synapses,
    clock: Clock,
) -> Synapses:
    """Build what a neuron does at the start of a presentation, before and after its weights are added up."""
    rescaling = Synapses(
        controller,
        exc,
        on_pre=arithmetic.pathways({"clear": "w_sum_post = 0", "divide": neurons.RESCALING_FACTOR}),
        on_event={"clear": "show", "divide": "show"},
        namespace={**synapse_numbers(plasticity), **arithmetic.functions()},
        clock=clock,
        name="rescaling",
    )
    connect_all(rescaling)
    rescaling.clear.when = "before_synapses"
    rescaling.divide.order = synapses.sum_weights.order + 1
    return rescaling
