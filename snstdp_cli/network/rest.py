"""Between two presentations: what brings the neurons to rest, and the rest that is not simulated.

With `presentation.rest: reset` a presentation is simulated until no spike is under way on a synapse with a delay. At
the end of that step the neurons are set to the state that the rest is there to reach (voltages at rest, no conductance,
no refractory time), and for the rest's remaining steps n the thresholds and every trace decay in closed form,
x <- x e^(-n dt / tau). The clock goes forward by these steps, and with it the age of every arrived spike, so that the
times of all spikes are those of a simulated rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snstdp_cli.brian_import import Clock, Function, NeuronGroup, Synapses
from snstdp_cli.config import Experiment
from snstdp_cli.network import protocol
from snstdp_cli.network.arithmetic import Arithmetic
from snstdp_cli.network.connections import connect_all
from snstdp_cli.network.fixed_point import state_format
from snstdp_cli.network.fixed_step import decayed, fixed_point_functions
from snstdp_cli.network.numbers import left, rest_numbers, state_numbers
from snstdp_cli.rules import Plasticity

_EXC_AT_REST = "v_post = v_rest\nge_post = 0\ngi_post = 0\ncooldown_post = 0"
_INH_AT_REST = "v_post = v_rest\nge_post = 0\ncooldown_post = 0"


def begin_from_rest(
    arithmetic: Arithmetic, controller: NeuronGroup, exc: NeuronGroup, inh: NeuronGroup, clock: Clock
) -> list[Synapses]:
    """Build what returns every neuron to rest at the start of a presentation (frozen networks only)."""
    statements = ((exc, _EXC_AT_REST), (inh, _INH_AT_REST))
    return [_set_at(arithmetic, controller, "show", group, text, clock) for group, text in statements]


def skip_rest(
    experiment: Experiment,
    arithmetic: Arithmetic,
    plasticity: Plasticity | None,
    controller: NeuronGroup,
    exc: NeuronGroup,
    inh: NeuronGroup,
    clock: Clock,
) -> list[Synapses]:
    """Build what takes the place of the rest's last steps, and let the controller and its clock go forward by them.

    A frozen network begins each presentation from rest anyway; nothing in it decays.
    """
    numbers = rest_numbers(experiment, plasticity)
    controller.namespace.update(skipped_steps=numbers.pop("skipped_steps"), skip_steps=_skip_function(clock))
    controller.run_on_event("rest", protocol.SKIP_REST, when="after_resets", order=1)
    if plasticity is None:
        return []
    fixed, names = state_format(experiment) is not None, ("theta", *plasticity.traces)
    decays = [decayed(name, "_post", left(name)) if fixed else f"{name}_post *= {left(name)}" for name in names]
    text = "\n".join([_EXC_AT_REST, *decays])
    return [
        _set_at(
            arithmetic,
            controller,
            "rest",
            exc,
            text,
            clock,
            {**numbers, **state_numbers(experiment), **fixed_point_functions(experiment)},
        ),
        _set_at(arithmetic, controller, "rest", inh, _INH_AT_REST, clock),
    ]


def _set_at(
    arithmetic: Arithmetic,
    controller: NeuronGroup,
    event: str,
    group: NeuronGroup,
    statements: str,
    clock: Clock,
    numbers: Mapping[str, Any] | None = None,
) -> Synapses:
    rest = Synapses(
        controller,
        group,
        on_pre={"rest": arithmetic.statements(statements)},
        on_event={"rest": event},
        namespace={"v_rest": group.namespace["v_rest"], **(numbers or {}), **arithmetic.functions()},
        clock=clock,
        name=f"rest_{group.name}",
    )
    connect_all(rest)
    rest.rest.when = "after_resets"
    return rest


def _skip_function(clock: Clock) -> Function:
    """Return `skip_steps`, which sets the clock forward and returns its argument."""

    def timestep() -> Any:
        return clock.variables["timestep"].get_value()

    def skip_steps(steps: Any) -> Any:
        timestep()[0] += int(np.sum(steps))
        return steps

    skip = Function(
        skip_steps, arg_units=[1], return_unit=1, arg_types=["integer"], return_type="integer", stateless=False
    )
    array = f"_array_{clock.name}_timestep"
    skip.implementations.add_implementation(
        "cpp",
        f"""
        static inline int skip_steps(int steps) {{
            brian::{array}[0] += steps;
            return steps;
        }}
        """,
    )
    skip.implementations.add_dynamic_implementation(
        "cython",
        code=lambda owner: (
            """
        cdef int skip_steps(int steps):
            global _namespace_skipped_clock
            _namespace_skipped_clock[0] += steps
            return steps
        """
        ),
        namespace=lambda owner: {"_skipped_clock": timestep()},
    )
    return skip
