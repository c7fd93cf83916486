"""A learning rate that falls as a neuron learns: each neuron's own, by the number of its own spikes.

After k spikes while learning the rate is multiplied by d / (d + k), with d = `eta_decay`: half after d spikes. It
needs no clock that all neurons share and no end of the training to be known; a neuron that rarely fires goes on
learning fast. The sum over k diverges and that of the squares does not, as stochastic approximation asks for
(H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Stat. 1951, doi:10.1214/aoms/1177729586).
"""

from __future__ import annotations

from dataclasses import replace

from snstdp_cli.rules.base import Plasticity

MEANING = "spikes of a neuron after which its learning rate has halved: times d / (d + spikes); 0: constant"
#: What the learning rate in statements of a synapse is multiplied by.
SLOWED = "slowed_post"


def rate_of(name: str, eta_decay: float) -> str:
    """Return a learning rate as the statements of a synapse have it.

    Examples
    --------
    >>> rate_of("eta", 0), rate_of("eta", 500)
    ('eta', 'eta * slowed_post')
    """
    return f"{name} * {SLOWED}" if eta_decay else name


def slow_down(plasticity: Plasticity, eta_decay: float) -> Plasticity:
    """Return a rule whose neurons count their spikes and slow down; without a decay the rule as it is."""
    if not eta_decay:
        return plasticity
    return replace(
        plasticity,
        neuron_variables={**plasticity.neuron_variables, "own_spikes": 0.0, "slowed": 1.0},
        reset=f"{plasticity.reset}\nown_spikes += 1\nslowed = eta_decay / (eta_decay + own_spikes)",
        constants={**plasticity.constants, "eta_decay": eta_decay},
    )
