"""The rest that is not simulated: the state it leaves, the time it takes, and what may differ from a simulated one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import RULES_TO_TEST, Run, draw_images, mixed_images, open_run, reference_of, small_experiment

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.engines import ChunkResult, State
from snstdp_cli.network.numbers import decays_in_rest

CPP = pytest.param("cpp", marks=pytest.mark.compiles)
#: Two rules are enough for the program's clock, and one for fast tests; for NumPy these two are fast.
COMBINATIONS = [
    *[
        pytest.param(rule, "numpy", marks=() if rule in ("smin-lagged", "triplet") else pytest.mark.slow)
        for rule in RULES_TO_TEST
    ],
    pytest.param("smin-lagged", "cpp", marks=pytest.mark.compiles),
    pytest.param("triplet", "cpp", marks=[pytest.mark.compiles, pytest.mark.slow]),
]
REST_MS = 60


def experiment_with(rest: str, rule: str = "smin-lagged", rest_ms: float = REST_MS, **changes: Any) -> Experiment:
    shown = {"rest": rest, "rest_ms": rest_ms, **changes.pop("presentation", {})}
    return small_experiment(rule, presentation=shown, **changes)


@pytest.mark.parametrize(
    ("network", "simulated"),
    [
        ({}, 10 / 0.5 + 1),
        ({"input_delay_ms": 0}, 1),
        ({"input_delay_ms": 3.2}, 8),
        ({"inhibition": "dense"}, 21),
        ({"inhibition": "dense", "inhibition_delay_ms": 5}, (10 + 5 + 10) / 0.5 + 1),
    ],
)
def test_what_is_simulated_of_the_rest_is_the_time_for_which_spikes_are_under_way(
    network: dict[str, Any], simulated: int
) -> None:
    experiment = build_experiment({"network": network, "presentation": {"rest": "reset"}})
    assert experiment.presentation_steps == 1000
    assert experiment.skipped_steps == 300 - simulated
    assert build_experiment({"network": network}).skipped_steps == 0


@pytest.mark.parametrize(("rule", "target"), COMBINATIONS)
def test_a_network_with_a_reset_rest_does_what_the_reference_does(rule: str, target: str) -> None:
    run = open_run(experiment_with("reset", rule), target)
    result = run.show(mixed_images())
    expected = reference_of(run, mixed_images())
    assert run.spikes() == expected.spikes
    assert len(expected.spikes) >= 40
    np.testing.assert_allclose(run.weights(result), expected.weights, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.state["exc.theta"] * 1000, expected.theta_mv, rtol=0, atol=1e-9)
    assert result.counts.tolist() == expected.counts.tolist()
    assert result.attempts.tolist() == expected.attempts
    assert set(expected.attempts) >= {1, 3}


@pytest.mark.compiles
@pytest.mark.parametrize("target", ["cython", "cpp"])
@pytest.mark.parametrize("rule", ["smin-lagged", pytest.param("triplet", marks=pytest.mark.slow)])
def test_every_target_leaves_the_bits_that_numpy_leaves(rule: str, target: str) -> None:
    ours, theirs = (open_run(experiment_with("reset", rule), name).show(mixed_images()) for name in ("numpy", target))
    for name, values in ours.state.items():
        allowed = 1e-12 if rule == "triplet" else 0
        np.testing.assert_allclose(theirs.state[name], values, rtol=0, atol=allowed, err_msg=name)
    assert np.array_equal(ours.counts, theirs.counts)


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_a_run_in_two_chunks_leaves_the_same_bits_as_in_one(target: str) -> None:
    images = mixed_images()
    run = open_run(experiment_with("reset", "triplet" if target == "numpy" else "smin-lagged"), target)
    whole = run.show(images)
    front = run.show(images[:3])
    back = run.show(images[3:], state=front.state, first=3)
    for name, values in whole.state.items():
        np.testing.assert_array_equal(back.state[name], values, err_msg=name)
    np.testing.assert_array_equal(np.concatenate([front.attempts, back.attempts]), whole.attempts)


def test_a_frozen_network_answers_as_after_a_simulated_rest() -> None:
    simulated, reset = (open_run(experiment_with(rest), "numpy", plastic=False) for rest in ("simulated", "reset"))
    images = draw_images(5)
    slow, fast = simulated.show(images), reset.show(images)
    assert slow.counts.sum() > 20
    assert np.array_equal(slow.counts, fast.counts)
    assert np.array_equal(slow.attempts, fast.attempts)
    # Spikes of the stimulus have the same times, as the clock goes on over the rest.
    whole, stimulus = simulated.experiment.presentation_steps, simulated.experiment.stimulus_steps
    during = [[(t, j) for t, j in run.spikes() if 0 < t % whole <= stimulus] for run in (simulated, reset)]
    assert during[0] == during[1]


def test_after_a_long_rest_a_simulated_one_left_the_same_network() -> None:
    """100 ms is the longest time constant of the neurons: after 2 s nothing is left to tell the two apart."""
    images = draw_images(2)
    shown = {"max_intensity": 20}
    results = []
    for rest in ("simulated", "reset"):
        experiment = experiment_with(rest, "triplet", rest_ms=2000, presentation=shown, network={"theta_tau_ms": 1e7})
        run = open_run(experiment, "numpy")
        results.append((run.show(images), run.spikes(), run))
    (slow, slow_spikes, run), (fast, fast_spikes, _) = results
    assert len(slow_spikes) >= 10
    assert slow_spikes == fast_spikes
    np.testing.assert_allclose(run.weights(slow), run.weights(fast), rtol=0, atol=1e-6)
    np.testing.assert_allclose(slow.state["exc.theta"], fast.state["exc.theta"], rtol=1e-9)
    np.testing.assert_allclose(slow.state["exc.v"], fast.state["exc.v"], rtol=1e-6)
    assert np.array_equal(slow.state["input_exc.arrived"], fast.state["input_exc.arrived"])


def quiet(rest: str, rule: str, changes: dict[str, NDArray[Any]]) -> tuple[Run, State, ChunkResult]:
    """Show a black image once to a network in this state, in which nothing is under way."""
    shown = {"max_intensity": 20}
    run = open_run(experiment_with(rest, rule, presentation=shown), "numpy")
    state = {**run.start, **changes}
    return run, state, run.show(np.zeros((1, 16), dtype=np.uint8), state=state)


unit = st.lists(st.floats(0, 1), min_size=4, max_size=4).map(np.array)
ages = st.lists(st.integers(-300, -1), min_size=64, max_size=64).map(lambda x: np.array(x, dtype=np.int32))


@settings(max_examples=3)
@given(theta=unit, post1=unit, post2=unit, arrived=ages, v=unit)
def test_where_nothing_is_under_way_it_leaves_what_a_simulated_rest_leaves(
    theta: NDArray[Any], post1: NDArray[Any], post2: NDArray[Any], arrived: NDArray[Any], v: NDArray[Any]
) -> None:
    assert_left_alike(theta, post1, post2, arrived, v)


@pytest.mark.slow
@settings(max_examples=40)
@given(theta=unit, post1=unit, post2=unit, arrived=ages, v=unit)
def test_whatever_the_state_it_leaves_what_a_simulated_rest_leaves(
    theta: NDArray[Any], post1: NDArray[Any], post2: NDArray[Any], arrived: NDArray[Any], v: NDArray[Any]
) -> None:
    assert_left_alike(theta, post1, post2, arrived, v)


def assert_left_alike(
    theta: NDArray[Any], post1: NDArray[Any], post2: NDArray[Any], arrived: NDArray[Any], v: NDArray[Any]
) -> None:
    """Show a black image to both networks in this state, and compare what they leave."""
    changes = {"exc.theta": 0.012 + theta * 0.02, "exc.post1": post1, "exc.post2": post2}
    changes |= {"input_exc.arrived": arrived, "exc.v": -0.09 + 0.025 * v}
    run, _, slow = quiet("simulated", "triplet", changes)
    _, _, fast = quiet("reset", "triplet", changes)
    assert run.spikes() == []
    for name in ("exc.theta", "exc.post1", "exc.post2"):
        np.testing.assert_allclose(fast.state[name], slow.state[name], rtol=1e-12, atol=1e-300)
    # Weights are rescaled when the image appears; nothing else happens to them. Arrivals age by the whole rest.
    for name in ("input_exc.w", "input_exc.arrived"):
        assert np.array_equal(fast.state[name], slow.state[name])
    assert (fast.state["exc.v"] == -0.065).all()
    assert (fast.state["inh.v"] == -0.06).all()
    for name in ("exc.ge", "exc.gi", "inh.ge", "exc.cooldown", "inh.cooldown"):
        assert (fast.state[name] == 0).all(), name


def test_neurons_that_just_fired_begin_the_next_presentation_from_rest() -> None:
    bright = np.full((1, 16), 255, dtype=np.uint8)
    run = open_run(experiment_with("reset", network={"input_delay_ms": 0, "theta_init_mv": 5}), "numpy")
    result = run.show(bright)
    last = run.experiment.presentation_steps - 1 - run.experiment.skipped_steps
    assert max(t for t, _ in run.spikes()) >= last - 10
    assert (result.state["exc.v"] == -0.065).all()
    assert all((result.state[f"exc.{name}"] == 0).all() for name in ("ge", "gi", "cooldown"))


def test_thresholds_and_traces_decay_by_the_rest_that_is_not_simulated() -> None:
    experiment = experiment_with("reset", "triplet")
    skipped_ms = REST_MS - 5 - 0.5
    assert decays_in_rest(experiment, experiment.plasticity(16)) == {
        "theta": pytest.approx(math.exp(-skipped_ms / 1000)),
        "post1": pytest.approx(math.exp(-skipped_ms / 20)),
        "post2": pytest.approx(math.exp(-skipped_ms / 40)),
    }
