"""Lateral inhibition: every excitatory neuron excites its partner, which inhibits all others.

`dense` has n_e * (n_e - 1) synapses, as the ancestor has. `pooled` does the same in O(n_e): a pool neuron counts the
inhibitory spikes of this step and passes them to all, and each partner takes its own away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from snstdp_cli.brian_import import Clock, NeuronGroup, Synapses, ms
from snstdp_cli.config import Experiment
from snstdp_cli.network.arithmetic import Arithmetic
from snstdp_cli.network.connections import connect_all, connect_each
from snstdp_cli.network.names import EXC_INH, INH_EXC, POOL
from snstdp_cli.network.numbers import inhibition_numbers
from snstdp_cli.network.wiring import Wiring


def build_inhibition(
    experiment: Experiment, arithmetic: Arithmetic, exc: NeuronGroup, inh: NeuronGroup, wiring: Wiring, clock: Clock
) -> list[NeuronGroup | Synapses]:
    """Build what makes a spike of one excitatory neuron inhibit the others."""
    connection = _Connection({**inhibition_numbers(experiment), **arithmetic.functions()}, arithmetic, clock)
    excite = connection.make(exc, inh, "ge_post += w_exc_inh", EXC_INH)
    connect_each(excite)
    if experiment.network.inhibition == "dense":
        return [excite, _build_dense(experiment, connection, exc, inh, wiring)]
    return [excite, *_build_pooled(connection, exc, inh)]


@dataclass(frozen=True)
class _Connection:
    """What the synapses of inhibition have in common."""

    namespace: dict[str, Any]
    arithmetic: Arithmetic
    clock: Clock

    def make(self, source: NeuronGroup, target: NeuronGroup, on_pre: str, name: str, **options: Any) -> Synapses:
        """Make synapses, which are not connected yet."""
        statements = self.arithmetic.statements(on_pre)
        pathways = dict.fromkeys(options.get("on_event", {}), statements) or statements
        return Synapses(
            source, target, on_pre=pathways, namespace=self.namespace, clock=self.clock, name=name, **options
        )


def _build_dense(
    experiment: Experiment, connection: _Connection, exc: NeuronGroup, inh: NeuronGroup, wiring: Wiring
) -> Synapses:
    inhibit = connection.make(inh, exc, "gi_post += w_inh_exc", INH_EXC)
    pre, post = np.nonzero(~np.eye(experiment.n_e, dtype=bool))
    if not len(pre):
        inhibit.connect(condition="i != j")
        return inhibit
    inhibit.connect(i=pre, j=post)
    if wiring.inhibition_delay_steps is not None:
        inhibit.pre.delay = wiring.inhibition_delay_steps[pre, post] * experiment.dt * ms
    return inhibit


def _build_pooled(connection: _Connection, exc: NeuronGroup, inh: NeuronGroup) -> list[NeuronGroup | Synapses]:
    clock, types = connection.clock, connection.arithmetic.types()
    pool = NeuronGroup(1, "count : 1", events={"inhibit": "count > 0"}, dtype=types, clock=clock, name=POOL)
    gather = connection.make(inh, pool, "count_post += 1", "inh_pool")
    connect_all(gather)
    own = connection.make(inh, exc, "gi_post -= w_inh_exc", "inh_own")
    connect_each(own)
    # Within one step: the synapses above count, then the pool passes the count on, then it is 0 again.
    pool.set_event_schedule("inhibit", when="after_synapses", order=0)
    spread = connection.make(pool, exc, "gi_post += w_inh_exc * count_pre", "pool_exc", on_event={"spread": "inhibit"})
    connect_all(spread)
    spread.spread.when, spread.spread.order = "after_synapses", 1
    pool.run_on_event("inhibit", "count = 0", when="after_synapses", order=2)
    return [pool, gather, own, spread]
