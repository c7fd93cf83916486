"""Lateral inhibition: every excitatory neuron excites its partner, which inhibits all others.

`dense` has n_e * (n_e - 1) synapses, as the ancestor has. `pooled` does the same in O(n_e): a pool neuron counts the
inhibitory spikes of this step and passes them to all, and each partner takes its own away.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from snstdp_cli.brian_import import Clock, NeuronGroup, Synapses, ms
from snstdp_cli.config import Experiment
from snstdp_cli.network.names import EXC_INH, INH_EXC, POOL
from snstdp_cli.network.numbers import inhibition_numbers
from snstdp_cli.network.wiring import Wiring


def build_inhibition(
    experiment: Experiment, exc: NeuronGroup, inh: NeuronGroup, wiring: Wiring, clock: Clock
) -> list[NeuronGroup | Synapses]:
    """Build what makes a spike of one excitatory neuron inhibit the others."""
    weights = inhibition_numbers(experiment)
    excite = Synapses(exc, inh, on_pre="ge_post += w_exc_inh", namespace=weights, clock=clock, name=EXC_INH)
    excite.connect(j="i")
    if experiment.network.inhibition == "dense":
        return [excite, _build_dense(experiment, exc, inh, wiring, clock)]
    return [excite, *_build_pooled(weights, exc, inh, clock)]


def _build_dense(experiment: Experiment, exc: NeuronGroup, inh: NeuronGroup, wiring: Wiring, clock: Clock) -> Synapses:
    weights = inhibition_numbers(experiment)
    inhibit = Synapses(inh, exc, on_pre="gi_post += w_inh_exc", namespace=weights, clock=clock, name=INH_EXC)
    pre, post = np.nonzero(~np.eye(experiment.n_e, dtype=bool))
    if not len(pre):
        inhibit.connect(condition="i != j")
        return inhibit
    inhibit.connect(i=pre, j=post)
    if wiring.inhibition_delay_steps is not None:
        inhibit.pre.delay = wiring.inhibition_delay_steps[pre, post] * experiment.dt * ms
    return inhibit


def _build_pooled(
    weights: Mapping[str, float], exc: NeuronGroup, inh: NeuronGroup, clock: Clock
) -> list[NeuronGroup | Synapses]:
    pool = NeuronGroup(1, "count : 1", events={"inhibit": "count > 0"}, clock=clock, name=POOL)
    gather = Synapses(inh, pool, on_pre="count_post += 1", clock=clock, name="inh_pool")
    gather.connect()
    own = Synapses(inh, exc, on_pre="gi_post -= w_inh_exc", namespace=weights, clock=clock, name="inh_own")
    own.connect(j="i")
    # Within one step: the synapses above count, then the pool passes the count on, then it is 0 again.
    pool.set_event_schedule("inhibit", when="after_synapses", order=0)
    spread = Synapses(
        pool,
        exc,
        on_pre={"spread": "gi_post += w_inh_exc * count_pre"},
        on_event={"spread": "inhibit"},
        namespace=weights,
        clock=clock,
        name="pool_exc",
    )
    spread.connect()
    spread.spread.when, spread.spread.order = "after_synapses", 1
    pool.run_on_event("inhibit", "count = 0", when="after_synapses", order=2)
    return [pool, gather, own, spread]
