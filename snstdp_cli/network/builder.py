"""The shared builder: experiment and wiring -> named Brian 2 network, for training and for testing.

The network is Diehl & Cook's (2015, doi:10.3389/fncom.2015.00099): Poisson inputs, excitatory neurons with an adaptive
threshold, one inhibitory partner each, lateral inhibition of all others. `plastic` is the only difference between
training and testing: without it no rule is built, the thresholds stay constant and every presentation starts from rest,
so that a response depends on its image alone.

**Integration.** Over one step the conductances decay exactly and enter the voltage by their mean over the step, so that
the charge of a spike does not depend on dt. For constant conductances the voltage equation is linear, and
`exponential_euler` solves it: with g = 1 + ge + gi and x = g dt / tau

    v <- v + dt/tau * phi(x) * ((v_rest - v) + ge (E_exc - v) + gi (E_inh - v)),   phi(x) = (1 - e^-x) / x

phi is evaluated as a rational function of x / 8 and three doublings, phi(2x) = phi(x) (1 + e^-x) / 2: no division by
zero at g = 0 (with signed weights g may be zero or negative), e^-x between 0 and 1 for every g > 0, so that no
inhibition can make it oscillate, a relative error of e^-x below 1e-9 for x < 0.5, and, unlike the library's exp, the
same bits from NumPy, Cython and C++. `euler` is forward Euler, unstable for g dt / tau > 2. Inhibitory neurons receive
one synapse; forward Euler is enough for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from brian2 import BrianLogger, Clock, Network, NeuronGroup, SpikeMonitor, Synapses, TimedArray, ms, mV
from brian2.monitors.spikemonitor import EventMonitor

from snstdp_cli.config import Experiment
from snstdp_cli.network.presentation import build_presentation
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

EXC_REFRACTORY_MS, INH_REFRACTORY_MS = 5.0, 2.0
#: Conductances and traces below this are 0; the smallest that matters is about 1e-3.
NEGLIGIBLE = 1e-30

_CONSTANTS = {
    "v_rest": -65 * mV,
    "v_reset": -65 * mV,
    "v_offset": -72 * mV,
    "E_exc": 0 * mV,
    "E_inh": -100 * mV,
    "tau": 100 * ms,
    "tau_ge": 1 * ms,
    "tau_gi": 2 * ms,
}
_INH_CONSTANTS = {
    "v_rest": -60 * mV,
    "v_reset": -45 * mV,
    "v_threshold": -40 * mV,
    "E_exc": 0 * mV,
    "tau": 10 * ms,
    "tau_ge": 1 * ms,
}


@dataclass(frozen=True)
class BuiltNetwork:
    """A network with the objects that an engine reads or sets."""

    network: Network
    controller: NeuronGroup
    exc: NeuronGroup
    inh: NeuronGroup
    synapses: Synapses
    pixels: TimedArray
    spikes: SpikeMonitor
    shown: EventMonitor
    #: (object, variable) of everything that must survive from one chunk to the next.
    state: tuple[tuple[str, str], ...]


def _decay(name: str, keep: float) -> str:
    """Return the decay of a variable in one step, to exactly 0 below `NEGLIGIBLE`.

    Without the cut it would come to rest at the smallest denormal number, which processors multiply a hundred times
    more slowly than others.
    """
    return f"{name} * {keep!r} * int(abs({name}) > {NEGLIGIBLE!r})"


def _excitatory_step(experiment: Experiment, plastic: bool, traces: dict[str, float]) -> Callable[..., str]:
    """Return the integrator of the excitatory neurons as a Brian 2 state update method."""
    dt = experiment.dt
    lines = ["cooldown = (cooldown - 1) * int(cooldown > 0)", "free = int(cooldown == 0)"]
    if experiment.network.integration == "euler":
        lines += [
            f"v = v + free * {dt / 100!r} * ((v_rest - v) + ge * (E_exc - v) + gi * (E_inh - v))",
            f"ge = {_decay('ge', 1 - dt / 1)}",
            f"gi = {_decay('gi', 1 - dt / 2)}",
        ]
    else:
        keep_e, keep_i = math.exp(-dt / 1), math.exp(-dt / 2)
        lines += [
            f"mean_ge = ge * {(1 - keep_e) / dt!r}",
            f"mean_gi = gi * {(1 - keep_i) / dt * 2!r}",
            f"y = (1 + mean_ge + mean_gi) * {dt / 100 / 8!r}",
            f"p = 1 + y * (0.5 + y * ({1 / 6!r} + y * ({1 / 24!r} + y * ({1 / 120!r} + y * {1 / 720!r}))))",
            "e1 = 1 / (1 + y * p)",
            "e2 = e1 * e1",
            "e4 = e2 * e2",
            "phi = p * e1 * (0.5 + 0.5 * e1) * (0.5 + 0.5 * e2) * (0.5 + 0.5 * e4)",
            "slope = (v_rest - v) + mean_ge * (E_exc - v) + mean_gi * (E_inh - v)",
            f"v = v + free * {dt / 100!r} * phi * slope",
            f"ge = {_decay('ge', keep_e)}",
            f"gi = {_decay('gi', keep_i)}",
        ]
    if plastic:
        lines.append(f"theta = theta * {math.exp(-dt / experiment.network.theta_tau_ms)!r}")
        lines += [f"{name} = {_decay(name, math.exp(-dt / tau_ms))}" for name, tau_ms in traces.items()]
    return lambda equations, variables=None, method_options=None: "\n".join(lines)


def _build_excitatory(experiment: Experiment, plasticity: Plasticity | None, clock: Clock) -> NeuronGroup:
    model = """
    dv/dt = ((v_rest - v) + ge * (E_exc - v) + gi * (E_inh - v)) / tau : volt
    dge/dt = -ge / tau_ge : 1
    dgi/dt = -gi / tau_gi : 1
    cooldown : 1             # steps left of the refractory time
    theta : volt             # adaptive part of the threshold
    """
    reset = "v = v_reset\ncooldown = refractory_steps"
    traces: dict[str, float] = {}
    constants: dict[str, object] = dict(_CONSTANTS)
    if plasticity is not None:
        traces = dict(plasticity.traces)
        model = model.replace("theta : volt ", "dtheta/dt = -theta / tau_theta : volt ")
        model += "".join(f"d{name}/dt = -{name} / tau_{name} : 1\n" for name in traces)
        model += "".join(f"{name} : 1\n" for name in plasticity.neuron_variables)
        reset += "\ntheta += theta_step\n" + plasticity.reset
        constants |= plasticity.constants
        constants |= {f"tau_{name}": tau_ms * ms for name, tau_ms in traces.items()}
        constants |= {
            "theta_step": experiment.theta_step_mv * mV,
            "tau_theta": experiment.network.theta_tau_ms * ms,
        }
        if plasticity.normalize_to is not None:
            model += "w_sum : 1\n"
    constants["refractory_steps"] = max(1, round(EXC_REFRACTORY_MS / experiment.dt))
    return NeuronGroup(
        experiment.n_e,
        model,
        method=_excitatory_step(experiment, plasticity is not None, traces),
        threshold="v > theta + v_offset and cooldown == 0",
        reset=reset,
        namespace=constants,
        clock=clock,
        name="exc",
    )


def _build_inhibitory(experiment: Experiment, clock: Clock) -> NeuronGroup:
    dt = experiment.dt
    exact = experiment.network.integration != "euler"
    keep = math.exp(-dt) if exact else 1 - dt
    mean = (1 - keep) / dt if exact else 1.0
    step = f"""
    cooldown = (cooldown - 1) * int(cooldown > 0)
    free = int(cooldown == 0)
    v = v + free * {dt / 10!r} * ((v_rest - v) + ge * {mean!r} * (E_exc - v))
    ge = {_decay("ge", keep)}
    """
    return NeuronGroup(
        experiment.n_e,
        """
        dv/dt = ((v_rest - v) + ge * (E_exc - v)) / tau : volt
        dge/dt = -ge / tau_ge : 1
        cooldown : 1
        """,
        method=lambda equations, variables=None, method_options=None: step,
        threshold="v > v_threshold and cooldown == 0",
        reset="v = v_reset\ncooldown = refractory_steps",
        namespace={**_INH_CONSTANTS, "refractory_steps": max(1, round(INH_REFRACTORY_MS / dt))},
        clock=clock,
        name="inh",
    )


def _build_input_synapses(
    experiment: Experiment,
    plasticity: Plasticity | None,
    inputs: NeuronGroup,
    exc: NeuronGroup,
    wiring: Wiring,
    clock: Clock,
) -> Synapses:
    model, on_pre = "w : 1", {"pre": "ge_post += w"}
    on_post: dict[str, str] = {}
    on_event: dict[str, str] = {}
    constants: dict[str, float] = {}
    if plasticity is not None:
        model += "\narrived : integer"
        on_pre["pre"] += f"\narrived = t_in_timesteps\n{plasticity.on_pre}"
        on_post = dict(plasticity.on_post)
        constants = dict(plasticity.constants)
        if plasticity.normalize_to is not None:
            # From the inputs' side, so that the weights are read in the order in which they lie in memory.
            on_pre |= {
                "sum_weights": "w_sum_post += w",
                "rescale": "w = w * (w_total / (w_sum_post + int(w_sum_post == 0)))",
            }
            on_event = {"sum_weights": "begin", "rescale": "begin"}
            constants["w_total"] = plasticity.normalize_to
    synapses = Synapses(
        inputs,
        exc,
        model,
        on_pre=on_pre,
        on_post=on_post,
        on_event={"pre": "spike", **dict.fromkeys(on_post, "spike"), **on_event},
        namespace=constants,
        clock=clock,
        name="input_exc",
    )
    for order, name in enumerate([*on_post, *on_event], start=1):
        getattr(synapses, name).order = order
    synapses.connect(i=wiring.pre, j=wiring.post)
    if wiring.delay_steps.any():
        synapses.pre.delay = wiring.delay_steps * experiment.dt * ms
    return synapses


def _build_inhibition(
    experiment: Experiment, exc: NeuronGroup, inh: NeuronGroup, wiring: Wiring, clock: Clock
) -> list[NeuronGroup | Synapses]:
    network = experiment.network
    excite = Synapses(
        exc, inh, on_pre="ge_post += w_exc_inh", namespace={"w_exc_inh": network.w_exc_inh}, clock=clock, name="exc_inh"
    )
    excite.connect(j="i")
    weight = {"w_inh_exc": network.w_inh_exc}
    if network.inhibition == "dense":
        inhibit = Synapses(inh, exc, on_pre="gi_post += w_inh_exc", namespace=weight, clock=clock, name="inh_exc")
        pre, post = np.nonzero(~np.eye(experiment.n_e, dtype=bool))
        if len(pre):
            inhibit.connect(i=pre, j=post)
        else:
            inhibit.connect(condition="i != j")
        if wiring.inhibition_delay_steps is not None and len(pre):
            inhibit.pre.delay = wiring.inhibition_delay_steps[pre, post] * experiment.dt * ms
        return [excite, inhibit]
    # A pool neuron counts this step's inhibitory spikes and passes them to all; each partner takes its own away.
    pool = NeuronGroup(1, "count : 1", events={"inhibit": "count > 0"}, clock=clock, name="pool")
    gather = Synapses(inh, pool, on_pre="count_post += 1", clock=clock, name="inh_pool")
    gather.connect()
    own = Synapses(inh, exc, on_pre="gi_post -= w_inh_exc", namespace=weight, clock=clock, name="inh_own")
    own.connect(j="i")
    pool.set_event_schedule("inhibit", when="after_synapses", order=0)
    spread = Synapses(
        pool,
        exc,
        on_pre={"spread": "gi_post += w_inh_exc * count_pre"},
        on_event={"spread": "inhibit"},
        namespace=weight,
        clock=clock,
        name="pool_exc",
    )
    spread.connect()
    spread.spread.when, spread.spread.order = "after_synapses", 1
    pool.run_on_event("inhibit", "count = 0", when="after_synapses", order=2)
    return [excite, pool, gather, own, spread]


def _build_rest(controller: NeuronGroup, exc: NeuronGroup, inh: NeuronGroup, clock: Clock) -> list[Synapses]:
    """Build what returns every neuron to rest at the start of a presentation (frozen networks only)."""
    built = []
    for group, clear in (
        (exc, "v_post = v_rest\nge_post = 0\ngi_post = 0\ncooldown_post = 0"),
        (inh, "v_post = v_rest\nge_post = 0\ncooldown_post = 0"),
    ):
        rest = Synapses(
            controller,
            group,
            on_pre={"rest": clear},
            on_event={"rest": "show"},
            namespace={"v_rest": group.namespace["v_rest"]},
            clock=clock,
            name=f"rest_{group.name}",
        )
        rest.connect()
        rest.rest.when = "after_resets"
        built.append(rest)
    return built


def build_network(
    experiment: Experiment, plasticity: Plasticity | None, wiring: Wiring, images_per_chunk: int
) -> BuiltNetwork:
    """Build the network for training (`plasticity` given) or for testing (None).

    Parameters
    ----------
    experiment : complete configuration.
    plasticity : the learning rule, or None for a network in which nothing learns.
    wiring : connections and delays for the number of inputs and neurons.
    images_per_chunk : how many images one run of the network can hold.
    """
    # Brian warns that several synapses might write to one target; those of the controller have one source.
    BrianLogger.suppress_hierarchy("brian2.codegen.generators.base")
    clock = Clock(experiment.dt * ms, name="clock")
    rescales = plasticity is not None and plasticity.normalize_to is not None
    controller, inputs, show, pixels = build_presentation(
        experiment, wiring.n_input, images_per_chunk, clock, announce=rescales
    )
    exc = _build_excitatory(experiment, plasticity, clock)
    inh = _build_inhibitory(experiment, clock)
    synapses = _build_input_synapses(experiment, plasticity, inputs, exc, wiring, clock)
    count = Synapses(
        exc,
        controller,
        on_pre="spikes_post += int(tick_post > 0 and tick_post <= stimulus_steps)",
        namespace={"stimulus_steps": experiment.stimulus_steps},
        clock=clock,
        name="exc_controller",
    )
    count.connect()
    spikes = SpikeMonitor(exc, name="exc_spikes")
    shown = EventMonitor(controller, "show", variables=["example", "attempt"], name="shown")
    objects = [controller, inputs, show, exc, inh, synapses, count, spikes, shown]
    objects += _build_inhibition(experiment, exc, inh, wiring, clock)
    state = [(g.name, v) for g in (exc, inh) for v in ("v", "ge", "cooldown")] + [("exc", "gi"), ("exc", "theta")]
    state.append(("input_exc", "w"))
    if plasticity is None:
        objects += _build_rest(controller, exc, inh, clock)
    else:
        state.append(("input_exc", "arrived"))
        state += [("exc", name) for name in (*plasticity.neuron_variables, *plasticity.traces)]
        if rescales:
            objects.append(_build_sum_reset(controller, exc, clock))
    network = Network(*objects, name="network")
    return BuiltNetwork(network, controller, exc, inh, synapses, pixels, spikes, shown, tuple(state))


def _build_sum_reset(controller: NeuronGroup, exc: NeuronGroup, clock: Clock) -> Synapses:
    """Build what sets the sums of weights to 0 before they are added up at the start of a presentation."""
    reset = Synapses(
        controller,
        exc,
        on_pre={"clear": "w_sum_post = 0"},
        on_event={"clear": "show"},
        clock=clock,
        name="reset_sums",
    )
    reset.connect()
    reset.clear.when = "before_synapses"
    return reset
