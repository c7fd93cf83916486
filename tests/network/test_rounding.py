"""Weights of few bits: on the grid at all times, equal in all engines and in the reference, and right on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import (
    RULES_TO_TEST,
    Run,
    dither_number,
    mixed_images,
    open_run,
    reference_of,
    small_experiment,
)

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.network.neurons import SynapseModel
from snstdp_cli.network.randomness import draw_dither, draw_key
from snstdp_cli.network.rounding import round_start, store_on_grid
from snstdp_cli.network.wiring import draw_weights
from snstdp_cli.rules.grids import WeightGrid

ROUNDINGS = ("nearest", "stochastic", "floor")
#: A step that is no power of two, and such that rules of both signs and of one have room.
RANGE = [-0.75, 1.25]


#: These run always; all others of each rule, number of bits and rounding are slow.
FAST = {("smax-lagged", 8, "nearest"), ("smin-lagged", 2, "stochastic"), ("triplet", 4, "stochastic")}
CASES = [
    pytest.param(rule, bits, rounding, marks=() if (rule, bits, rounding) in FAST else pytest.mark.slow)
    for rule in RULES_TO_TEST
    for bits in (8, 4, 2)
    for rounding in ROUNDINGS
]


def limited(rule: str, bits: int, rounding: str, interval: Any = "auto", **changes: Any) -> Experiment:
    precision = {"weights": {"bits": bits, "rounding": rounding, "range": interval}}
    return small_experiment(rule, precision=precision, **changes)


def grid_of(experiment: Experiment) -> WeightGrid:
    grid = experiment.weight_grid(16)
    assert grid is not None
    return grid


def codes_of(run: Run, weights: np.ndarray) -> np.ndarray:
    grid = grid_of(run.experiment)
    codes = (weights - grid.low) / grid.step
    np.testing.assert_allclose(codes, np.rint(codes), rtol=0, atol=1e-9)
    assert codes.min() > -0.5
    assert codes.max() < 2**grid.bits - 0.5
    return np.rint(codes)


def assert_like_reference(experiment: Experiment, target: str) -> None:
    run, grid = open_run(experiment, target), grid_of(experiment)
    images = mixed_images()[:4]
    result = run.show(images)
    expected = reference_of(run, images, stored=(grid.bits, grid.low, grid.step, grid.rounding))
    assert run.spikes() == expected.spikes
    assert result.attempts.tolist() == expected.attempts
    codes_of(run, run.wiring.to_matrix(run.start["input_exc.w"]))
    np.testing.assert_array_equal(codes_of(run, run.weights(result)), codes_of(run, expected.weights))


@pytest.mark.parametrize(("rule", "bits", "rounding"), CASES)
def test_codes_of_weights_are_those_of_the_reference(rule: str, bits: int, rounding: str) -> None:
    interval = "auto" if bits == 4 else RANGE
    assert_like_reference(limited(rule, bits, rounding, interval), "numpy")


#: A program for each rule and for rounding with and without chance; bits and the other roundings are numbers that it
#: reads.
COMPILED_CASES = [
    pytest.param(rule, by_chance, marks=() if (rule, by_chance) == ("smin-lagged", True) else pytest.mark.slow)
    for rule in RULES_TO_TEST
    for by_chance in (True, False)
]


@pytest.mark.compiles
@pytest.mark.parametrize(("rule", "by_chance"), COMPILED_CASES)
def test_cpp_leaves_the_bits_that_numpy_leaves(rule: str, by_chance: bool) -> None:
    images = mixed_images()[:4]
    programs = set()
    for rounding in ("stochastic",) if by_chance else ("nearest", "floor"):
        for bits in (8, 4, 2):
            experiment = limited(rule, bits, rounding)
            both = [open_run(experiment, target) for target in ("numpy", "cpp")]
            states = [run.show(images).state for run in both]
            assert states[0].keys() == states[1].keys()
            for name in states[0]:
                np.testing.assert_array_equal(states[0][name], states[1][name], err_msg=name)
            assert both[0].spikes() == both[1].spikes()
            assert len(both[0].spikes()) >= 4
            programs.add(both[1].engine.program.executable)
    assert len(programs) == 1


@settings(max_examples=4, deadline=None)
@given(
    pixels=st.lists(st.integers(0, 255), min_size=32, max_size=32),
    first=st.integers(0, 2**20),
    rule=st.sampled_from(("smin-lagged", "triplet")),
)
def test_random_spike_trains_leave_the_reference_s_codes(pixels: list[int], first: int, rule: str) -> None:
    assert_random_trains_like_reference(pixels, first, limited(rule, 4, "stochastic"))


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    pixels=st.lists(st.integers(0, 255), min_size=32, max_size=32),
    first=st.integers(0, 2**20),
    rule=st.sampled_from(RULES_TO_TEST),
    bits=st.sampled_from((8, 4, 2)),
    rounding=st.sampled_from(ROUNDINGS),
)
def test_random_spike_trains_of_any_rule_and_rounding_leave_the_reference_s_codes(
    pixels: list[int], first: int, rule: str, bits: int, rounding: str
) -> None:
    assert_random_trains_like_reference(pixels, first, limited(rule, bits, rounding))


def assert_random_trains_like_reference(pixels: list[int], first: int, experiment: Experiment) -> None:
    run, grid = open_run(experiment, "numpy"), grid_of(experiment)
    images = np.array(pixels, dtype=np.uint8).reshape(2, 16)
    result = run.show(images, first=first)
    expected = reference_of(run, images, first=first, stored=(grid.bits, grid.low, grid.step, grid.rounding))
    assert run.spikes() == expected.spikes
    np.testing.assert_array_equal(codes_of(run, run.weights(result)), codes_of(run, expected.weights))


@pytest.mark.parametrize("rule", ["smin-lagged", pytest.param("triplet", marks=pytest.mark.slow)])
def test_rounding_by_chance_does_not_depend_on_the_division_into_chunks(rule: str) -> None:
    run, images = open_run(limited(rule, 4, "stochastic"), "numpy"), mixed_images()
    whole = run.show(images).state
    front = run.show(images[:3])
    back = run.show(images[3:], state=front.state, first=3).state
    np.testing.assert_array_equal(whole["input_exc.w"], back["input_exc.w"])


@given(key=st.integers(0, 2**52 - 1), event=st.integers(0, 2**30), i=st.integers(0, 2**20), j=st.integers(0, 2**20))
def test_a_dither_is_the_number_that_whole_numbers_of_python_give(key: int, event: int, i: int, j: int) -> None:
    assert draw_dither(float(key), event, i, j)[0] == float(dither_number(key, event, i, j))


def test_dithers_are_uniform_and_those_of_neighbours_unrelated() -> None:
    i, j = np.indices((200, 200))
    drawn = draw_dither(123456789.0, 16, i.ravel(), j.ravel()).reshape(200, 200)
    counts = np.bincount((drawn.ravel() * 16).astype(int), minlength=16)
    assert ((counts - 2500) ** 2 / 2500).sum() < 40  # chi-squared, 15 degrees of freedom: 0.999 below 37.7
    later = draw_dither(123456789.0, 17, i.ravel(), j.ravel()).reshape(200, 200)
    for other in (np.roll(drawn, 1, axis=0), np.roll(drawn, 1, axis=1), later):
        assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 0.025


@given(
    bits=st.integers(2, 16),
    low=st.floats(-50, 50),
    width=st.floats(1e-3, 100),
    rounding=st.sampled_from(ROUNDINGS),
    seed=st.integers(0, 2**31 - 1),
)
def test_a_stored_weight_stays_when_it_is_stored_again(
    bits: int, low: float, width: float, rounding: str, seed: int
) -> None:
    grid = WeightGrid(bits, low, width / (2**bits - 1), rounding)
    codes = np.arange(2**bits, dtype=float).reshape(-1, 1)
    stored = grid.weights(codes)
    np.testing.assert_array_equal(round_start(grid, stored, seed), stored)


def test_stochastic_rounding_keeps_the_mean_and_the_others_do_what_they_say() -> None:
    weights = np.full((400, 400), 0.3)
    grids = {rounding: WeightGrid(4, -1.0, 0.125, rounding) for rounding in ROUNDINGS}
    stored = {rounding: round_start(grid, weights, seed=1) for rounding, grid in grids.items()}
    assert set(np.unique(stored["nearest"])) == {0.25}  # 0.3 is 0.4 of the way
    assert set(np.unique(stored["floor"])) == {0.25}
    assert set(np.unique(stored["stochastic"])) == {0.25, 0.375}
    assert abs(stored["stochastic"].mean() - 0.3) < 0.001  # six standard errors: 0.0009
    assert round_start(grids["nearest"], np.array([[0.3125]]), 0)[0, 0] == 0.375  # a tie goes up
    assert round_start(grids["floor"], np.array([[-7.0, 7.0]]), 0).tolist() == [[-1.0, 0.875]]


def test_another_seed_rounds_the_start_otherwise_and_the_same_seed_alike() -> None:
    grid, weights = WeightGrid(2, 0.0, 0.25, "stochastic"), np.full((16, 4), 0.1)
    assert np.array_equal(round_start(grid, weights, 1), round_start(grid, weights, 1))
    assert not np.array_equal(round_start(grid, weights, 1), round_start(grid, weights, 2))


def test_each_weight_of_the_start_has_the_dither_of_its_input_and_neuron() -> None:
    grid, weights, key = WeightGrid(2, 0.0, 0.25, "stochastic"), np.full((16, 4), 0.1), draw_key(1, 0, 0, 0)
    dithers = [[draw_dither(key, 0, np.array([i]), np.array([j]))[0] for j in range(4)] for i in range(16)]
    expected = 0.25 * (0.4 + np.array(dithers) >= 1)
    np.testing.assert_array_equal(round_start(grid, weights, 1), expected)


def test_only_statements_that_change_a_weight_are_followed_by_rounding() -> None:
    model = SynapseModel(
        "w : 1",
        {"pre": "ge_post += w"},
        {"count": "n_post += int(w == 1)", "learn": "a = 1; w += a", "copy": "b = w"},
        {},
        {},
    )
    stored = store_on_grid(model, WeightGrid(4, 0.0, 0.125, "nearest"))
    changed = {name for name, text in stored.on_post.items() if text != model.on_post[name]}
    assert changed == {"learn"}
    assert stored.on_pre == model.on_pre


@pytest.mark.parametrize(("rule", "share", "low", "high"), [("smax", 1, 0, 1), ("smin", 0.5, -0.5, 0.5)])
def test_the_range_of_a_rule_is_a_power_of_two_that_holds_its_usual_weights(
    rule: str, share: float, low: float, high: float
) -> None:
    """Eight times the mean of 78 / 784 is 0.796; of both signs, half of the norm is on positive weights."""
    experiment = build_experiment({"precision": {"weights": {"bits": 4}}, "rule": rule})
    grid = experiment.weight_grid(784)
    assert grid is not None
    assert (grid.low, grid.high + grid.step) == (low, high)


def test_a_frozen_network_answers_with_rounded_weights() -> None:
    experiment = limited("smin-lagged", 2, "nearest")
    run = open_run(experiment, "numpy", plastic=False)
    weights = draw_weights(experiment, 16, 8.0)
    rounded = run.wiring.to_matrix(run.start["input_exc.w"])
    assert len(np.unique(rounded)) <= 4 < len(np.unique(weights))
    assert np.array_equal(run.weights(run.show(mixed_images())), rounded)


def test_full_precision_has_no_trace_of_rounding() -> None:
    run = open_run(small_experiment(), "numpy")
    assert "grid_step" not in run.engine.built.synapses.namespace
    assert "show_key" not in run.engine.built.inputs.variables
