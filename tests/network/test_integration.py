"""One step of the neurons, as statements, against the reference's formulas; no Brian 2 here."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import statements
from reference import EXC_CELL, INH_CELL, Cell, decay_of, membrane_step, small_experiment
from test_neurons import CHANGES

from snstdp_cli.network import neurons
from snstdp_cli.network.neurons import NeuronModel, excitatory_model, inhibitory_model, refractory_steps, split_unit

V = np.array([-105.0, -65.0, -60.0, -53.0, -80.0, -66.0, -52.0, -65.0, -65.0])
GE = np.array([0.0, 0.7, 5.0, 1.5, 0.0, 12.0, -1.5, 0.2, -4.0])
GI = np.array([0.0, 0.0, 17.0, 3.0, 60.0, 30.0, 0.0, 0.5, 2.0])
COOLDOWN = np.array([0, 0, 0, 0, 0, 0, 0, 3, 1])
#: Those of the last two whose refractory time ends with this step are free in it.
FREE = np.array([True] * 7 + [False, True])


def after_a_step(model: NeuronModel, **values: np.ndarray) -> dict[str, np.ndarray]:
    """Advance the variables by one step, voltages in mV."""
    constants = {split_unit(name)[0]: value for name, value in model.constants.items()}
    return statements.run(model.step, {**constants, **model.rule_constants, **values})


@pytest.fixture(params=["Diehl and Cook's", "others"])
def cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Cell, Cell]:
    """Take the constants as they are, and all of them changed."""
    if request.param == "others":
        monkeypatch.setattr(neurons, "EXCITATORY", replace(neurons.EXCITATORY, **CHANGES["exc"]))
        monkeypatch.setattr(neurons, "INHIBITORY", replace(neurons.INHIBITORY, **CHANGES["inh"]))
        return {**EXC_CELL, **CHANGES["exc"]}, {**INH_CELL, **CHANGES["inh"]}
    return EXC_CELL, INH_CELL


@pytest.mark.parametrize("dt", [0.1, 0.5])
@pytest.mark.parametrize("integration", ["exponential_euler", "euler"])
def test_an_excitatory_step_is_the_references(integration: str, dt: float, cells: tuple[Cell, Cell]) -> None:
    euler, cell = integration == "euler", cells[0]
    experiment = small_experiment("triplet", dt=dt, network={"integration": integration, "theta_tau_ms": 50})
    model = excitatory_model(experiment, experiment.plasticity(16))
    theta, trace = np.full(9, 20.0), np.full(9, 0.5)
    found = after_a_step(model, v=V, ge=GE, gi=GI, cooldown=COOLDOWN, theta=theta, post1=trace, post2=trace)
    expected = np.where(FREE, membrane_step(V, GE, GI, dt, euler, cell), V)
    np.testing.assert_allclose(found["v"], expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["ge"], GE * decay_of(dt, cell["tau_ge_ms"], euler)[0], rtol=1e-14)
    np.testing.assert_allclose(found["gi"], GI * decay_of(dt, cell["tau_gi_ms"], euler)[0], rtol=1e-14)
    np.testing.assert_allclose(found["theta"], 20 * math.exp(-dt / 50), rtol=1e-14)
    np.testing.assert_allclose(found["post1"], 0.5 * math.exp(-dt / 20), rtol=1e-14)
    np.testing.assert_allclose(found["post2"], 0.5 * math.exp(-dt / 40), rtol=1e-14)
    assert found["cooldown"].tolist() == [0] * 7 + [2, 0]


@pytest.mark.parametrize("dt", [0.1, 0.5])
@pytest.mark.parametrize("integration", ["exponential_euler", "euler"])
def test_an_inhibitory_step_is_the_references(integration: str, dt: float, cells: tuple[Cell, Cell]) -> None:
    euler, cell = integration == "euler", cells[1]
    model = inhibitory_model(small_experiment(dt=dt, network={"integration": integration}))
    found = after_a_step(model, v=V, ge=GE, cooldown=COOLDOWN)
    keep, mean = decay_of(dt, cell["tau_ge_ms"], euler)
    moved = V + dt / cell["tau_ms"] * (cell["v_rest_mv"] - V + GE * mean * (cell["E_exc_mv"] - V))
    np.testing.assert_allclose(found["v"], np.where(FREE, moved, V), rtol=1e-13)
    np.testing.assert_allclose(found["ge"], GE * keep, rtol=1e-14)
    assert found["cooldown"].tolist() == [0] * 7 + [2, 0]


def test_conductances_become_exactly_zero_below_what_matters_and_keep_their_sign_above() -> None:
    model = inhibitory_model(small_experiment())
    small = np.array([9e-31, -9e-31, 1e-320, 2e-30, -2e-30, -0.5])
    found = after_a_step(model, v=np.full(6, -60.0), ge=small, cooldown=np.zeros(6))["ge"]
    assert found[:3].tolist() == [0, 0, 0]
    np.testing.assert_allclose(found[3:], small[3:] * math.exp(-0.5), rtol=1e-14)


def test_a_frozen_threshold_has_no_step() -> None:
    model = excitatory_model(small_experiment(), None)
    assert "theta" not in model.step
    assert "dtheta" not in model.equations


def test_thresholds_and_resets_hold_the_constants_and_the_refractory_time(cells: tuple[Cell, Cell]) -> None:
    experiment = small_experiment(network={"theta_step_mv": 0.25})
    exc = excitatory_model(experiment, experiment.plasticity(16))
    inh = inhibitory_model(experiment)
    for model, cell, threshold in (
        (exc, cells[0], 20 + cells[0]["v_offset_mv"]),
        (inh, cells[1], cells[1]["v_threshold_mv"]),
    ):
        constants = {split_unit(name)[0]: value for name, value in model.constants.items()}
        for v, cooldown, spikes in ((1e-9, 0, True), (-1e-9, 0, False), (1, 1, False)):
            names = {**constants, "theta": 20, "v": threshold + v, "cooldown": cooldown}
            assert statements.evaluate(model.threshold, names) == spikes
        lines = "\n".join(line for line in model.reset.splitlines()[:3])
        after = statements.run(lines, {**constants, "theta": 20.0})
        assert after["v"] == cell["v_reset_mv"]
        assert after["cooldown"] == round(cell["refractory_ms"] / 0.5)
        assert after["theta"] == (20.25 if model is exc else 20)


def test_the_refractory_time_is_rounded_to_steps_and_is_at_least_one() -> None:
    assert [refractory_steps(5, dt) for dt in (0.1, 0.5, 2)] == [50, 10, 2]
    assert refractory_steps(0, 0.5) == 1
