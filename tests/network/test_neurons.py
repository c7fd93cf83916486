"""The constants stand once: each changes what runs, as the reference predicts, on every engine."""

from __future__ import annotations

import functools
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from reference import (
    EXC_CELL,
    INH_CELL,
    Cell,
    Reference,
    draw_images,
    open_run,
    reference_of,
    small_experiment,
)

from snstdp_cli.artefacts.records import RunRecord
from snstdp_cli.config import GENERATION, Experiment, build_experiment
from snstdp_cli.engines import State
from snstdp_cli.hardware.records import conditions_of
from snstdp_cli.network import neurons
from snstdp_cli.network.neurons import excitatory_model, inhibitory_model, refractory_steps, split_unit
from snstdp_cli.studies.cell import cell_id, training_key
from snstdp_cli.training.identity import TrainingIdentity

#: What tells apart that which no record was written of.
IDENTITIES = (cell_id, training_key, conditions_of)
#: Another value of each constant.
CHANGES = {
    "exc": {
        **{"v_rest_mv": -62, "v_reset_mv": -70, "v_start_mv": -80, "v_offset_mv": -70, "E_exc_mv": 15},
        **{"E_inh_mv": -85, "tau_ms": 60, "tau_ge_ms": 1.6, "tau_gi_ms": 5, "refractory_ms": 3},
    },
    "inh": {
        **{"v_rest_mv": -57, "v_reset_mv": -58, "v_start_mv": -30, "v_threshold_mv": -32, "E_exc_mv": -20},
        **{"tau_ms": 25, "tau_ge_ms": 2.5, "refractory_ms": 6},
    },
}
EACH = [(group, name) for group, changes in CHANGES.items() for name in changes]


def images() -> np.ndarray:
    return draw_images(1, seed=3)


def answer(experiment: Experiment, target: str, plastic: bool = True) -> tuple[list[tuple[int, int]], State]:
    """Show the images to a network of its own; return spikes and the state at the end."""
    run = open_run(experiment, target, plastic, fresh=True)
    result = run.show(images())
    spikes = run.spikes()
    run.engine.close()
    return spikes, {**result.state, "weights": run.weights(result)}


def predict(experiment: Experiment, plastic: bool = True, exc: Cell = EXC_CELL, inh: Cell = INH_CELL) -> Reference:
    return reference_of(open_run(experiment, "numpy", plastic), images(), plastic, exc=exc, inh=inh)


def experiment_for(name: str) -> Experiment:
    """Return a network in which a constant matters at the end: that of the start is soon forgotten."""
    return small_experiment(presentation={"stimulus_ms": 2 if name == "v_start_mv" else 40, "min_spikes": 0})


@functools.cache
def unchanged(starts: bool) -> Reference:
    return predict(experiment_for("v_start_mv" if starts else "tau_ms"))


def change(monkeypatch: pytest.MonkeyPatch, group: str, changes: Cell) -> Cell:
    """Change constants of one group for this test; return all the group's constants."""
    where, cell = ("EXCITATORY", EXC_CELL) if group == "exc" else ("INHIBITORY", INH_CELL)
    monkeypatch.setattr(neurons, where, replace(getattr(neurons, where), **changes))
    return {**cell, **changes}


def assert_like(found: tuple[list[tuple[int, int]], State], expected: Reference) -> None:
    # The reference calculates in mV and evaluates exp by the library: equal to the last digits, not to the bit.
    spikes, state = found
    assert spikes == expected.spikes
    for name, values in expected.state.items():
        scale = 1 if name.endswith(("ge", "gi")) else 1000
        np.testing.assert_allclose(state[name] * scale, values, rtol=1e-9, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(state["weights"], expected.weights, rtol=0, atol=1e-9)


def test_the_constants_are_diehl_and_cooks() -> None:
    assert asdict(neurons.EXCITATORY) == EXC_CELL
    assert asdict(neurons.INHIBITORY) == INH_CELL
    assert {name for _, name in EACH} == EXC_CELL.keys() | INH_CELL.keys()
    assert len(EACH) == len(EXC_CELL) + len(INH_CELL)


@pytest.mark.parametrize(("group", "name"), EACH)
def test_results_of_other_constants_are_of_another_generation(
    group: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert neurons.generation() == GENERATION, "the constants are others: count GENERATION up, write down their digest"
    change(monkeypatch, group, {name: CHANGES[group][name]})
    other = neurons.generation()
    assert other != GENERATION
    assert RunRecord.model_fields["generation"].get_default(call_default_factory=True) == other
    made = [identify(build_experiment()) for identify in IDENTITIES]
    identity = TrainingIdentity(settings={}, rule="0" * 64, images="0" * 64, start="0" * 64)
    monkeypatch.undo()
    assert identity.differs_in(identity.model_copy(update={"generation": GENERATION})) == ["version of snstdp"]
    assert not set(made) & {identify(build_experiment()) for identify in IDENTITIES}


@pytest.mark.parametrize(("group", "name"), EACH)
def test_changing_a_constant_changes_the_network_as_the_reference_predicts(
    group: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = experiment_for(name)
    cell = change(monkeypatch, group, {name: CHANGES[group][name]})
    expected = predict(experiment, **{group: cell})
    assert_like(answer(experiment, "numpy"), expected)
    before = unchanged(name == "v_start_mv")
    differs = [key for key, values in expected.state.items() if np.abs(values - before.state[key]).max() > 1e-6]
    assert expected.spikes != before.spikes or differs


@pytest.mark.parametrize(
    ("target", "integration", "plastic"),
    [
        pytest.param("numpy", "euler", True),
        pytest.param("numpy", "exponential_euler", False),
        pytest.param("cpp", "exponential_euler", True, marks=pytest.mark.compiles),
    ],
)
def test_all_constants_changed_at_once_hold_on_every_engine(
    target: str, integration: str, plastic: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path))  # programs are not told apart by constants changed in a test
    experiment = small_experiment(network={"integration": integration})
    cells = {group: change(monkeypatch, group, changes) for group, changes in CHANGES.items()}
    expected = predict(experiment, plastic, **cells)
    assert len(expected.spikes) > 10
    assert_like(answer(experiment, target, plastic), expected)


def test_equations_and_namespace_name_every_constant_but_those_of_the_start_and_the_refractory_time() -> None:
    experiment = small_experiment()
    for model in (excitatory_model(experiment, experiment.plasticity(16)), inhibitory_model(experiment)):
        text = f"{model.equations}\n{model.threshold}\n{model.reset}"
        for name in model.named_constants().keys() - {"v_start", "refractory"} - set(model.rule_constants):
            assert name in text
    assert split_unit("E_exc_mv") == ("E_exc", "mv")
    assert split_unit("theta") == ("theta", "")


def test_the_refractory_time_is_rounded_to_steps_and_is_at_least_one() -> None:
    assert [refractory_steps(5, dt) for dt in (0.1, 0.5, 2)] == [50, 10, 2]
    assert refractory_steps(0, 0.5) == 1
