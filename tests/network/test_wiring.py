"""Connections, delays, start weights and the order of examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import small_experiment

from snstdp_cli.network.wiring import draw_weights, draw_wiring, training_order


@given(n_input=st.integers(1, 12), n_e=st.integers(1, 6), delay_ms=st.sampled_from([0, 0.5, 5]), seed=st.integers(0, 9))
def test_a_matrix_survives_the_way_to_brians_order_and_back(n_input: int, n_e: int, delay_ms: float, seed: int) -> None:
    experiment = small_experiment(n_e=n_e, seed=seed, network={"input_delay_ms": delay_ms})
    wiring = draw_wiring(experiment, n_input)
    matrix = np.arange(n_input * n_e).reshape(n_input, n_e)
    values = wiring.to_synapses(matrix)
    assert (wiring.to_matrix(values) == matrix).all()
    # Synapse k joins input pre[k] and neuron post[k], whose matrix element it is.
    assert (values == wiring.pre * n_e + wiring.post).all()


def test_synapses_are_sorted_by_input_and_then_by_delay() -> None:
    wiring = draw_wiring(small_experiment(n_e=50), 20)
    assert (np.diff(wiring.pre) >= 0).all()
    same_input = np.diff(wiring.pre) == 0
    assert (np.diff(wiring.delay_steps)[same_input] >= 0).all()
    assert wiring.delay_steps.max() > wiring.delay_steps.min()


def test_delays_are_uniform_between_zero_and_the_longest() -> None:
    steps = draw_wiring(small_experiment(n_e=200, network={"input_delay_ms": 5}), 200).delay_steps
    assert steps.min() == 0
    assert steps.max() == 10
    counts = np.bincount(steps, minlength=11) / len(steps)
    # The two ends gather half a step each.
    expected = np.array([0.5, *[1] * 9, 0.5]) / 10
    assert np.abs(counts - expected).max() < 4 * np.sqrt(0.1 * 0.9 / len(steps))


def test_lateral_delays_belong_to_dense_inhibition_only() -> None:
    dense = {"inhibition": "dense", "inhibition_delay_ms": 3}
    experiment = small_experiment(n_e=60, network=dense, presentation={"rest_ms": 18})
    delays = draw_wiring(experiment, 3).inhibition_delay_steps
    assert delays is not None
    assert delays.shape == (60, 60)
    assert (delays.min(), delays.max()) == (0, 6)
    assert abs(delays.mean() - 3) < 0.2
    assert draw_wiring(small_experiment(), 3).inhibition_delay_steps is None


def test_the_seed_decides_delays_and_weights() -> None:
    def drawn(seed: int) -> tuple[list[int], list[list[float]]]:
        experiment = small_experiment(seed=seed)
        return draw_wiring(experiment, 9).delay_steps.tolist(), draw_weights(experiment, 9, 4.5).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1)[0] != drawn(2)[0]
    assert drawn(1)[1] != drawn(2)[1]


def test_start_weights_are_positive_and_each_neurons_sum_is_the_target() -> None:
    weights = draw_weights(small_experiment(), 30, 12.0)
    assert weights.shape == (30, 4)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 12.0, rtol=1e-13)
    # U(0, 1) + 0.01: the largest is at most 101 times the smallest, and far from equal.
    assert 2 < weights.max() / weights.min() < 101 * 2


def test_without_a_target_start_weights_have_their_scale() -> None:
    weights = draw_weights(small_experiment(n_e=100), 100, None)
    assert 0.3 * 0.01 <= weights.min() < 0.3 * 0.02
    assert 0.3 * 1.0 < weights.max() <= 0.3 * 1.01
    assert weights.mean() == pytest.approx(0.3 * 0.51, rel=0.02)


def test_signed_start_weights_have_both_signs_and_the_same_l1_norm() -> None:
    weights = draw_weights(small_experiment(), 400, 40.0, signed=True)
    np.testing.assert_allclose(np.abs(weights).sum(axis=0), 40.0, rtol=1e-13)
    assert 0.4 < (weights < 0).mean() < 0.6
    np.testing.assert_array_equal(np.abs(weights), draw_weights(small_experiment(), 400, 40.0))


def test_examples_beyond_the_end_start_again_from_the_front() -> None:
    assert training_order(small_experiment(), 3, 5, 4).tolist() == [3, 0, 1, 2, 3]


@given(first=st.integers(0, 30), count=st.integers(1, 30), available=st.integers(1, 12), seed=st.integers(0, 5))
def test_shuffled_chunks_are_slices_of_one_permutation_an_epoch(
    first: int, count: int, available: int, seed: int
) -> None:
    experiment = small_experiment(order="shuffled", seed=seed)
    epochs = -(-(first + count) // available)
    whole = training_order(experiment, 0, epochs * available, available)
    assert training_order(experiment, first, count, available).tolist() == whole[first : first + count].tolist()
    for epoch in whole.reshape(epochs, available):
        assert sorted(epoch.tolist()) == list(range(available))


def test_every_epoch_and_every_seed_is_shuffled_differently() -> None:
    order = training_order(small_experiment(order="shuffled"), 0, 200, 100).tolist()
    assert order[:100] != order[100:]
    assert order[:100] != list(range(100))
    assert training_order(small_experiment(order="shuffled", seed=6), 0, 100, 100).tolist() != order[:100]
