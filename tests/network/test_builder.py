"""The built network: its integrator, its inhibition, and what it must not contain."""

from __future__ import annotations

import numpy as np
import pytest
from reference import membrane_step, open_run, small_experiment

from snstdp_cli.brian_import import Clock, SpikeMonitor, ms
from snstdp_cli.config import Experiment
from snstdp_cli.engines.brian import brian_session
from snstdp_cli.network.builder import BuiltNetwork, build_network
from snstdp_cli.network.wiring import draw_wiring

NEAR_REST = -0.065


def built(experiment: Experiment, plastic: bool = True, n_input: int = 16) -> BuiltNetwork:
    plasticity = experiment.plasticity(n_input) if plastic else None
    with brian_session():
        return build_network(experiment, plasticity, draw_wiring(experiment, n_input), 2)


def voltages_after_one_step(integration: str, v_mv: list[float], ge: list[float], gi: list[float]) -> np.ndarray:
    """Integrate the excitatory neurons alone, none of which can spike, for one step of 0.5 ms; return mV."""
    experiment = small_experiment(n_e=len(v_mv), network={"integration": integration})
    with brian_session() as brian2:
        exc = built(experiment, plastic=False).exc
        exc.v_ = np.array(v_mv) / 1000
        exc.ge, exc.gi, exc.theta_ = ge, gi, 10
        brian2.Network(exc).run(0.5 * ms, namespace={})
    return np.asarray(exc.v_[:]) * 1000


# Conductances from nothing to what a thousand inhibitory neurons do, and negative ones, as signed weights make them.
GE = [0.0, 0.7, 5.0, 0.0, 0.0, 40.0, -1.5, -4.0, -30.0]
GI = [0.0, 0.0, 17.0, 400.0, 6800.0, 900.0, 0.0, 2.0, 17.0]


def test_exponential_euler_is_the_exact_solution_for_mean_conductances() -> None:
    v = [-60.0, -65.0, -70.0, -65.0, -55.0, -52.0, -65.0, -80.0, -66.0]
    found = voltages_after_one_step("exponential_euler", v, GE, GI)
    expected = membrane_step(np.array(v), np.array(GE), np.array(GI), 0.5, euler=False)
    # The fifth neuron's x is beyond the range of the stated accuracy: it needs only to arrive at its reversal.
    strong = np.array(GI) > 1000
    np.testing.assert_allclose(found[~strong], expected[~strong], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[strong], -100, rtol=0, atol=0.1)


def test_exponential_euler_passes_the_conductance_at_which_all_leaks_cancel() -> None:
    # 1 + mean_ge = 0: nothing pulls the voltage to anywhere, it drifts by dt/tau * v_rest.
    cancelling = -0.5 / (1 - np.exp(-0.5))
    found = voltages_after_one_step("exponential_euler", [-60.0, -60.0], [cancelling, cancelling * (1 + 1e-9)], [0, 0])
    np.testing.assert_allclose(found, -60 + 0.5 / 100 * -65, rtol=0, atol=1e-6)


@pytest.mark.parametrize("gi", [17.0, 420.0, 6800.0, 1e5])
def test_no_inhibition_can_push_the_voltage_past_the_reversal_potential(gi: float) -> None:
    found = voltages_after_one_step("exponential_euler", [-52.0], [0.0], [gi])
    assert -100 - 1e-9 <= found[0] < -52


def test_forward_euler_jumps_past_the_reversal_potential_and_swings_up_again() -> None:
    # gi = 420 at dt = 0.5 ms: the step is 2.1 times the distance to -100 mV.
    found = voltages_after_one_step("euler", [-52.0], [0.0], [420.0])
    assert found[0] == pytest.approx(-52 + 0.005 * (-13 + 420 * -48))
    assert found[0] < -150
    again = voltages_after_one_step("euler", found.tolist(), [0.0], [420.0])
    assert again[0] > -52


@pytest.mark.parametrize("integration", ["exponential_euler", "euler"])
def test_a_refractory_neuron_keeps_its_voltage_and_cannot_spike(integration: str) -> None:
    # 5 ms after a spike the neuron may spike again, not a step earlier.
    run = open_run(small_experiment(network={"integration": integration}), "numpy", plastic=False)
    state = {**run.start, "input_exc.w": np.full(64, 500.0)}
    run.show(np.full((1, 16), 255, dtype=np.uint8), state=state)
    steps = [step for step, neuron in run.spikes() if neuron == 0]
    assert len(steps) >= 3
    assert min(np.diff(steps)) == 10


@pytest.mark.parametrize("rule", ["smin-lagged", "triplet"])
def test_only_excitatory_spikes_are_recorded(rule: str) -> None:
    network = built(small_experiment(rule)).network
    monitors = [obj for obj in network.objects if isinstance(obj, SpikeMonitor)]
    assert [monitor.source.name for monitor in monitors] == ["exc"]


def test_every_object_runs_on_the_networks_own_clock() -> None:
    network = built(small_experiment(dt=0.25)).network
    clocks = {obj.clock for obj in network.sorted_objects}
    assert [type(clock) for clock in clocks] == [Clock]
    assert {clock.name for clock in clocks} == {"clock"}
    assert float(next(iter(clocks)).dt / ms) == 0.25


def test_a_frozen_network_has_no_rule_and_no_decaying_threshold() -> None:
    frozen, learning = (built(small_experiment(), plastic) for plastic in (False, True))
    assert [path.prepost for path in frozen.synapses._pathways] == ["pre"]
    assert "arrived" not in frozen.synapses.variables
    assert "arrived" in learning.synapses.variables
    assert "theta" not in frozen.exc.equations.diff_eq_names
    assert "theta" in learning.exc.equations.diff_eq_names


def test_negligible_conductances_become_exactly_zero() -> None:
    run = open_run(small_experiment(), "numpy")
    state = {**run.start, "exc.ge": np.array([1e-29, -1e-29, 1e-320, 0.0]), "exc.gi": np.full(4, 1e-29)}
    result = run.show(np.zeros((1, 16), dtype=np.uint8), state=state)
    assert result.state["exc.ge"].tolist() == [0, 0, 0, 0]
    assert result.state["exc.gi"].tolist() == [0, 0, 0, 0]
