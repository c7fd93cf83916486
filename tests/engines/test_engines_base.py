"""What both engines share: streams, the state before the first presentation, the controller's values, responses."""

from __future__ import annotations

import numpy as np
import pytest
from reference import small_experiment

from snstdp_cli.engines.base import (
    NEVER,
    Chunk,
    Stream,
    age_arrivals,
    collect_responses,
    controller_values,
    initial_state,
)
from snstdp_cli.errors import EngineError
from snstdp_cli.network.names import state_variables
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.rules import Plasticity


def test_every_purpose_has_a_stream_whose_number_never_changes() -> None:
    assert {stream.name: int(stream) for stream in Stream} == {
        **{"TRAINING": 1, "TEST_RECORDING": 2},
        **{"TRAINING_RECORDING": 3, "CURVE_RECORDING": 4, "VALIDATION_RECORDING": 5},
    }


def test_a_chunk_tells_the_controller_its_examples_purpose_and_seed_of_the_noise() -> None:
    chunk = Chunk(7, np.zeros((3, 16), dtype=np.uint8), Stream.TRAINING_RECORDING)
    values = controller_values(small_experiment(), chunk)
    assert (values["first"], values["wanted"], values["stream"], values["seed"]) == (7, 3, 3, 5)
    assert (values["tick"], values["example"], values["attempt"], values["spikes"]) == (-1, 0, 0, 0)
    # The C++ program reads the values as text.
    assert repr(values["stream"]) == "3"
    assert controller_values(small_experiment(noise_seed=0), chunk)["seed"] == 0
    assert controller_values(small_experiment(noise_seed=9), chunk)["seed"] == 9


def test_a_new_network_is_40_mv_below_rest_and_has_the_rules_start_values() -> None:
    experiment = small_experiment()
    wiring = draw_wiring(experiment, 16)
    plasticity = Plasticity(on_post={}, neuron_variables={"s": 2.5}, traces={"x": 20.0})
    weights = np.arange(64.0).reshape(16, 4)
    state = initial_state(experiment, wiring, plasticity, weights)
    assert [tuple(name.split(".")) for name in state] == list(state_variables(plasticity))
    assert state["exc.v"].tolist() == [-0.105] * 4
    assert state["inh.v"].tolist() == [-0.1] * 4
    assert state["exc.theta"].tolist() == [0.012] * 4
    assert state["exc.s"].tolist() == [2.5] * 4
    assert (wiring.to_matrix(state["input_exc.w"]) == weights).all()
    assert (state["input_exc.arrived"] == NEVER).all()
    for name in ("exc.ge", "exc.gi", "exc.cooldown", "inh.ge", "inh.cooldown", "exc.x"):
        assert state[name].tolist() == [0] * 4
    given = initial_state(experiment, wiring, None, weights, np.array([20.0, 21.0, 22.0, 23.0]))
    np.testing.assert_allclose(given["exc.theta"], [0.02, 0.021, 0.022, 0.023])


def test_a_spike_during_the_rest_or_in_a_failed_try_counts_for_nothing() -> None:
    experiment = small_experiment(n_e=2, presentation={"min_spikes": 1})
    whole, stimulus = experiment.presentation_steps, experiment.stimulus_steps
    # Example 0: a failed try and a second one; example 1: at once. A spike at tick 0 is an echo of what was before.
    spikes = [3, whole, whole + 1, whole + stimulus, whole + stimulus + 1, 2 * whole + 5]
    counts, attempts, silent = collect_responses(
        experiment,
        2,
        np.array(spikes),
        np.array([0, 0, 1, 1, 0, 0]),
        np.array([0, whole, 2 * whole]),
        np.array([0, 0, 1]),
        np.array([0, 1, 0]),
    )
    assert counts.tolist() == [[0, 2], [1, 0]]
    assert attempts.tolist() == [2, 1]
    assert silent.tolist() == [False, False]


def test_responses_of_an_unfinished_chunk_are_refused() -> None:
    none = np.array([], dtype=np.int64)
    with pytest.raises(EngineError, match="1 of 2 examples"):
        collect_responses(small_experiment(), 2, none, none, np.array([0]), np.array([0]), np.array([0]))


def test_arrivals_age_by_the_steps_of_a_chunk_and_never_overflow() -> None:
    state = {"input_exc.arrived": np.array([90, -5, NEVER], dtype=np.int32)}
    for _ in range(2):
        age_arrivals(state, 2_000_000_000 // 4)
    assert state["input_exc.arrived"].tolist() == [90 - 10**9, NEVER, NEVER]


def test_an_example_is_silent_with_fewer_spikes_than_wanted_and_not_with_as_many() -> None:
    experiment = small_experiment(n_e=2, presentation={"min_spikes": 2})
    begins = np.array([0, experiment.presentation_steps])
    steps = np.array([5, 6, experiment.presentation_steps + 5])
    silent = collect_responses(experiment, 2, steps, np.array([0, 1, 0]), begins, np.array([0, 1]), np.array([0, 0]))[2]
    assert silent.tolist() == [False, True]
