"""A learning rate that falls with a neuron's own spikes, on NumPy: hand-computed steps, and nothing else changed."""

import numpy as np
import pytest
from reference import N_INPUT, open_run, small_experiment
from test_rules_in_brian import active_synapses, ages_of, spike_once, with_weights

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.rules import RULES, plasticity_digest

FOUR = (4, 4, 4, 4)


def slowing(rule: str) -> Experiment:
    return build_experiment(small_experiment(rule), {"rule.eta_decay": 2})


def test_the_rate_halves_after_eta_decay_spikes_of_the_neuron_itself() -> None:
    """SMAX with 4 of 16 synapses active: s_max = 8 / 4 = 2, eta 0.1 * d / (d + k) with d = 2 and k = 0, 1, 2."""
    run = open_run(slowing("smax-instantaneous"), "numpy")
    state, weight = with_weights(run, 0.4), 0.4
    for k in range(3):
        result = spike_once(run, ages_of(active_synapses(FOUR)), state)
        weight += 0.1 * 2 / (2 + k) * (2 - weight)
        np.testing.assert_allclose(run.weights(result)[0], weight, rtol=0, atol=1e-14)
        assert result.state["exc.own_spikes"].tolist() == [k + 1] * 4
        state = result.state
    assert result.state["exc.slowed"].tolist() == [2 / 5] * 4


def test_a_neuron_that_did_not_spike_keeps_its_rate() -> None:
    run = open_run(slowing("triplet"), "numpy")
    result = run.show(np.zeros((1, N_INPUT), dtype=np.uint8))
    assert result.state["exc.slowed"].tolist() == [1] * 4
    assert result.state["exc.own_spikes"].tolist() == [0] * 4


@pytest.mark.parametrize("name", RULES)
def test_without_a_decay_the_rule_says_what_it_said(name: str) -> None:
    constant = build_experiment({"rule": name}).plasticity(784)
    falling = build_experiment({"rule": {"name": name, "eta_decay": 500}}).plasticity(784)
    assert "slowed" not in constant.neuron_variables
    assert falling.neuron_variables["slowed"] == 1
    assert plasticity_digest(constant) != plasticity_digest(falling)
