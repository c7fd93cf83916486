"""The names of the network's objects, of the state that outlives a chunk, and all names that a rule may not use."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace

from snstdp_cli.config import build_experiment
from snstdp_cli.network import neurons, protocol
from snstdp_cli.network.numbers import run_time_numbers
from snstdp_cli.network.rounding import INPUT_VARIABLES, store_on_grid
from snstdp_cli.rules.base import Plasticity
from snstdp_cli.rules.grids import WeightGrid

CONTROLLER, INPUTS, EXC, INH, POOL = "controller", "inputs", "exc", "inh", "pool"
INPUT_EXC, EXC_INH, INH_EXC = "input_exc", "exc_inh", "inh_exc"
EXC_SPIKES, SHOWN, PIXELS, CLOCK = "exc_spikes", "shown", "pixels", "clock"

#: What statements in single precision call (`arithmetic`).
ROUNDING = frozenset({"single", "widened", "truth", "quotient"})
#: (object, variable) of the counters of a network that counts its spikes.
COUNTERS = tuple((group, neurons.COUNTER) for group in (INPUTS, EXC, INH))

#: Variables that Brian 2 gives to every group and synapse.
_BRIAN_VARIABLES = frozenset({"t", "dt", "t_in_timesteps", "i", "j", "N", "lastspike", "not_refractory", "delay"})
_FUNCTIONS_AND_UNITS = frozenset({"int", "abs", "and", "or", "not", "volt", "integer", "linked", "clip", "floor"})
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def state_variables(plasticity: Plasticity | None) -> tuple[tuple[str, str], ...]:
    """Return (object, variable) of everything that must survive from one chunk to the next."""
    state = [(group, variable) for group in (EXC, INH) for variable in ("v", "ge", "cooldown")]
    state += [(EXC, "gi"), (EXC, "theta"), (INPUT_EXC, "w")]
    if plasticity is not None:
        state.append((INPUT_EXC, "arrived"))
        state += [(EXC, name) for name in (*plasticity.neuron_variables, *plasticity.traces)]
    return tuple(state)


def reserved_names() -> frozenset[str]:
    """Return every name that statements of a rule would find taken: variables, constants and the step's temporaries.

    They are read from the texts from which a learning network with rescaled weights is built, with each integrator.

    Examples
    --------
    >>> {"ge", "tau_gi", "phi", "arrived", "w_total"} <= reserved_names()
    True
    """
    texts: list[str] = [
        INPUT_VARIABLES,
        protocol.INPUT_EQUATIONS,
        protocol.INPUT_TICK,
        protocol.INPUT_THRESHOLD,
        protocol.INPUT_RESET,
    ]
    constants: set[str] = set()
    learning = Plasticity(on_post={}, normalize_to=1.0)
    for integration, bits in itertools.product(("exponential_euler", "euler"), (None, 16)):
        content = {"network": {"integration": integration}, "presentation": {"rest": "reset"}}
        experiment = build_experiment({**content, "precision": {"state": {"bits": bits}}})
        constants |= run_time_numbers(experiment, learning).keys()
        for model in (neurons.excitatory_model(experiment, learning), neurons.inhibitory_model(experiment)):
            texts += [model.equations, model.step, model.threshold, model.reset]
            constants |= model.named_constants().keys()
    by_chance = WeightGrid(2, 0.0, 1.0, "stochastic")
    synapse = store_on_grid(neurons.synapse_model(replace(learning, on_post={"learn": "w = w"})), by_chance)
    texts += [synapse.equations, *synapse.on_pre.values(), *synapse.on_post.values()]
    return frozenset(constants | set(synapse.constants) | _identifiers(texts)) | _BRIAN_VARIABLES | ROUNDING


def _identifiers(texts: Iterable[str]) -> set[str]:
    """Return the variables in equations and statements: `v` for `dv/dt` and for `v_post`."""
    found: set[str] = set()
    for text in texts:
        code = re.sub(r"#.*", "", text)
        found |= set(re.findall(r"^\s*d(\w+)/dt", code, re.MULTILINE))
        code = re.sub(r"\bd\w+/dt\b", "", code)
        found |= {re.sub(r"_(pre|post)$", "", name) for name in _IDENTIFIER.findall(code)}
    return found - _FUNCTIONS_AND_UNITS
