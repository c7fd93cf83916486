"""Each rule against weight changes worked out by hand, for single spikes, on NumPy, Cython and C++.

The network is put into a state in which all four neurons spike once, at step 10, while the synapses' last presynaptic
spikes have known ages; black images add nothing. n = 16 synapses, eta = 0.1, L_tar = 0.5 * 16 = 8, window = 10 steps.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from reference import N_INPUT, RULES_TO_TEST, Run, input_spikes, open_fresh, open_run, small_experiment

from snstdp_cli.engines import ChunkResult, State
from snstdp_cli.engines.base import NEVER
from snstdp_cli.network.randomness import draw_key

STEP = 10
BLACK = np.zeros((1, N_INPUT), dtype=np.uint8)
TARGETS = [
    "numpy",
    pytest.param("cython", marks=pytest.mark.compiles),
    pytest.param("cpp", marks=pytest.mark.compiles),
]
on_every_target = pytest.mark.parametrize("target", TARGETS)
#: How many of the 16 synapses are active for neuron 0, 1, 2, 3.
NONE_ALL_FOUR_ONE = (0, 16, 4, 1)


def active_synapses(numbers: tuple[int, ...]) -> np.ndarray:
    return np.arange(N_INPUT)[:, None] < np.array(numbers)


def ages_of(active: np.ndarray) -> np.ndarray:
    """Give active synapses ages from 0 to the window's last step, inactive ones from the next step to never."""
    return np.where(active, down_the_synapses([10, 0, 3, 7]), down_the_synapses([11, 40, 10**6]))


def down_the_synapses(values: list[float]) -> np.ndarray:
    """Repeat values over the 16 synapses, the same for all four neurons."""
    return np.tile(np.resize(values, N_INPUT)[:, None], (1, 4))


def spike_once(
    run: Run, ages: np.ndarray, state: State | None = None, image: np.ndarray = BLACK, **exc: Any
) -> ChunkResult:
    """Make all neurons spike at `STEP`, `ages` steps after their synapses' last presynaptic spikes."""
    n_e = run.experiment.n_e
    forced = dict(run.start if state is None else state)
    forced |= {"exc.v": np.zeros(n_e), "exc.cooldown": np.full(n_e, STEP + 1.0), "exc.theta": np.full(n_e, 0.06)}
    forced |= {f"exc.{name}": np.full(n_e, float(value)) for name, value in exc.items()}
    forced["input_exc.arrived"] = np.maximum(run.wiring.to_synapses(STEP - ages), NEVER).astype(np.int32)
    result = run.show(image, state=forced)
    assert run.spikes() == [(STEP, j) for j in range(n_e)]
    assert all(np.isfinite(values).all() for values in result.state.values())
    return result


def with_weights(run: Run, value: float) -> State:
    return {**run.start, "input_exc.w": np.full(N_INPUT * run.experiment.n_e, value)}


def expected_weights(numbers: tuple[int, ...], pairs: list[tuple[float, float]]) -> np.ndarray:
    """Return a matrix of each neuron's (active, inactive) weight."""
    up, down = np.array(pairs).T
    return np.where(active_synapses(numbers), up, down)


@on_every_target
@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        # s_max = 8 / L_0: 0.4 + 0.1 * (0.5 - 0.4), 0.4 + 0.1 * (2 - 0.4), 0.4 + 0.1 * (8 - 0.4); inactive 0.9 * 0.4
        ("smax-instantaneous", [(0.4, 0.4), (0.41, 0.41), (0.56, 0.36), (1.16, 0.36)]),
        # s_max = 5.6 / L_0, s_min = -2.4 / (16 - L_0): s_max 1.4 and 5.6, s_min -0.2 and -0.16
        ("smin-instantaneous", [(0.4, 0.4), (0.4, 0.4), (0.5, 0.34), (0.92, 0.344)]),
    ],
)
def test_an_instantaneous_rule_moves_weights_by_its_own_spikes_scaling(
    rule: str, pairs: list[tuple[float, float]], target: str
) -> None:
    run = open_run(small_experiment(rule), target)
    result = spike_once(run, ages_of(active_synapses(NONE_ALL_FOUR_ONE)), with_weights(run, 0.4))
    np.testing.assert_allclose(run.weights(result), expected_weights(NONE_ALL_FOUR_ONE, pairs), rtol=0, atol=1e-14)
    assert result.state["exc.L_0"].tolist() == [0, 0, 0, 0]


@on_every_target
@pytest.mark.parametrize(
    ("rule", "s_max", "s_min"),
    [
        ("smax-lagged", [None, 0.5, 2.0, 8.0], [None, 0.0, 0.0, 0.0]),
        ("smin-lagged", [None, None, 1.4, 5.6], [None, None, -0.2, -0.16]),
    ],
)
def test_a_lagged_rule_moves_weights_by_the_previous_spikes_scaling(
    rule: str, s_max: list[float | None], s_min: list[float | None], target: str
) -> None:
    run = open_run(small_experiment(rule), target)
    first = spike_once(run, ages_of(active_synapses(NONE_ALL_FOUR_ONE)), with_weights(run, 0.4))
    # Before a first usable spike there is nothing to move towards.
    assert (run.weights(first) == 0.4).all()
    assert first.state["exc.scaled"].tolist() == [float(s is not None) for s in s_max]
    np.testing.assert_allclose(first.state["exc.s_max"], [s or 0 for s in s_max], rtol=0, atol=1e-14)
    np.testing.assert_allclose(first.state["exc.s_min"], [s or 0 for s in s_min], rtol=0, atol=1e-14)

    two = (2, 2, 2, 2)
    second = spike_once(run, ages_of(active_synapses(two)), with_weights(run, 0.4) | lagged_part(first.state))
    pairs = [
        (0.4, 0.4) if up is None or down is None else (0.4 + 0.1 * (up - 0.4), 0.4 - 0.1 * (0.4 - down))
        for up, down in zip(s_max, s_min, strict=True)
    ]
    np.testing.assert_allclose(run.weights(second), expected_weights(two, pairs), rtol=0, atol=1e-14)
    share = 1.0 if rule == "smax-lagged" else 0.7
    np.testing.assert_allclose(second.state["exc.s_max"], share * 8 / 2, rtol=0, atol=1e-14)
    np.testing.assert_allclose(second.state["exc.s_min"], -(1 - share) * 8 / 14, rtol=0, atol=1e-14)


def lagged_part(state: State) -> State:
    return {name: state[name] for name in ("exc.s_max", "exc.s_min", "exc.scaled", "exc.L_0")}


@on_every_target
@pytest.mark.parametrize(("rule", "numbers"), [("smax-lagged", (0, 0, 0, 0)), ("smin-lagged", (0, 16, 0, 16))])
def test_a_spike_with_no_usable_count_leaves_lagged_scaling_as_it_was(
    rule: str, numbers: tuple[int, ...], target: str
) -> None:
    run = open_run(small_experiment(rule), target)
    scaling = {"s_max": 2.0, "s_min": -0.25, "scaled": 1.0}
    result = spike_once(run, ages_of(active_synapses(numbers)), with_weights(run, 0.4), **scaling)
    assert result.state["exc.s_max"].tolist() == [2.0] * 4
    assert result.state["exc.s_min"].tolist() == [-0.25] * 4
    assert result.state["exc.scaled"].tolist() == [1.0] * 4
    # 0.4 + 0.1 * (2 - 0.4) = 0.56 for active synapses, 0.4 - 0.1 * (0.4 + 0.25) = 0.335 for the others
    expected = expected_weights(numbers, [(0.56, 0.335)] * 4)
    np.testing.assert_allclose(run.weights(result), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "target",
    ["numpy", *(pytest.param(name, marks=(pytest.mark.compiles, pytest.mark.slow)) for name in ("cython", "cpp"))],
)
def test_formulas_of_the_users_scale_where_they_have_values_and_nowhere_else(target: str) -> None:
    run = open_run(small_experiment("closures-lagged"), target)
    first = spike_once(run, ages_of(active_synapses(NONE_ALL_FOUR_ONE)), with_weights(run, 0.4))
    # 0.5 * 0 + 0.5 * 8 / L_0 and -1 / (L_0 - 4), for L_0 = 16 and 1; the others would divide by zero
    s_max, s_min = np.array([0, 0.25, 0, 4.0]), np.array([0, -1 / 12, 0, 1 / 3])
    np.testing.assert_allclose(first.state["exc.s_max"], s_max, rtol=0, atol=1e-15)
    np.testing.assert_allclose(first.state["exc.s_min"], s_min, rtol=0, atol=1e-15)
    assert first.state["exc.scaled"].tolist() == [0, 1, 0, 1]

    two = (2, 2, 2, 2)
    second = spike_once(run, ages_of(active_synapses(two)), with_weights(run, 0.4) | lagged_part(first.state))
    pairs = [(0.4, 0.4), (0.385, 0.36 - 1 / 120), (0.4, 0.4), (0.76, 0.36 + 1 / 30)]
    np.testing.assert_allclose(run.weights(second), expected_weights(two, pairs), rtol=0, atol=1e-14)
    np.testing.assert_allclose(second.state["exc.s_max"], 0.5 * s_max + 2, rtol=0, atol=1e-15)
    np.testing.assert_allclose(second.state["exc.s_min"], 0.5, rtol=0, atol=1e-15)


def test_a_spikes_own_scaling_may_come_from_old_values_too() -> None:
    run = open_run(small_experiment("closures-instantaneous"), "numpy")
    scaling = {"s_max": 2.0, "s_min": 1.0}
    result = spike_once(run, ages_of(active_synapses(NONE_ALL_FOUR_ONE)), with_weights(run, 0.4), **scaling)
    # 0.5 * 2 + 0.5 * 8 / L_0 = 1.25 and 5
    pairs = [(0.4, 0.4), (0.485, 0.485), (0.4, 0.4), (0.86, 0.36 + 1 / 30)]
    np.testing.assert_allclose(run.weights(result), expected_weights(NONE_ALL_FOUR_ONE, pairs), rtol=0, atol=1e-14)
    assert result.state["exc.s_max"].tolist() == [2.0, 1.25, 2.0, 5.0]


@on_every_target
@pytest.mark.parametrize("rule", [rule for rule in RULES_TO_TEST if rule != "triplet"])
def test_a_neuron_that_no_input_ever_reached_can_spike_without_harm(rule: str, target: str) -> None:
    run = open_run(small_experiment(rule), target)
    result = spike_once(run, np.full((N_INPUT, 4), 10**9))
    np.testing.assert_array_equal(run.weights(result), run.wiring.to_matrix(run.start["input_exc.w"]))


@on_every_target
def test_triplet_potentiates_by_both_traces_and_reads_the_slow_one_before_the_spike(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    ages = down_the_synapses([0, 4, 40, 10**6])
    result = spike_once(run, ages, with_weights(run, 0.5), post2=0.8)
    post2 = 0.8 * math.exp(-(STEP + 1) * 0.5 / 40)
    expected = 0.5 + 0.1 * np.exp(-ages * 0.5 / 20) * post2
    np.testing.assert_allclose(run.weights(result), expected, rtol=0, atol=1e-12)
    assert run.weights(result).max() == pytest.approx(0.5 + 0.08 * 0.8715, abs=1e-5)
    # Both traces were set to 1 at the spike and decayed over the rest of the presentation.
    steps = run.experiment.presentation_steps - 1 - STEP
    np.testing.assert_allclose(result.state["exc.post1"], math.exp(-steps * 0.5 / 20), rtol=1e-9)
    np.testing.assert_allclose(result.state["exc.post2"], math.exp(-steps * 0.5 / 40), rtol=1e-9)


@on_every_target
def test_triplet_changes_nothing_at_a_first_postsynaptic_spike(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    result = spike_once(run, np.full((N_INPUT, 4), 1), with_weights(run, 0.5))
    assert (run.weights(result) == 0.5).all()


@on_every_target
def test_triplet_depresses_a_synapse_whose_spike_arrives_after_the_postsynaptic_one(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    image = BLACK.copy()
    image[0, 0] = 60
    result = spike_once(run, np.full((N_INPUT, 4), 10**6), with_weights(run, 0.5), image=image)
    delays = run.wiring.to_matrix(run.wiring.delay_steps)[0]
    chance = 60 / 8 * 20 * 0.5 / 1000
    sent = list(input_spikes(int(draw_key(5, 1, 0, 0)[0]), np.array([chance]), stimulus=80))
    expected = np.full((N_INPUT, 4), 0.5)
    for j in range(4):
        later = [t + delays[j] - STEP for t in sent if t + delays[j] > STEP]
        expected[0, j] -= 0.01 * sum(math.exp(-age * 0.5 / 20) for age in later)
        assert later
    np.testing.assert_allclose(run.weights(result), expected, rtol=0, atol=1e-12)
    assert (run.weights(result)[0] < 0.5).all()


@on_every_target
def test_triplet_weights_stay_between_zero_and_w_max_at_a_spike(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    # Each neuron's weights sum to 8, so that the rescaling at the start leaves them.
    weights = down_the_synapses([0.95, 0.05])
    state = {**run.start, "input_exc.w": run.wiring.to_synapses(weights)}
    result = spike_once(run, np.zeros((N_INPUT, 4)), state, post2=1.0)
    gain = 0.1 * math.exp(-(STEP + 1) * 0.5 / 40)
    np.testing.assert_allclose(run.weights(result), down_the_synapses([1.0, 0.05 + gain]), rtol=0, atol=1e-12)


@on_every_target
def test_triplet_rescales_each_neurons_weights_to_their_sum_before_a_presentation(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    weights = np.arange(1.0, 65.0).reshape(N_INPUT, 4)
    result = run.show(BLACK, state={**run.start, "input_exc.w": run.wiring.to_synapses(weights)})
    np.testing.assert_allclose(run.weights(result), weights * 8 / weights.sum(axis=0), rtol=1e-12)


@on_every_target
def test_triplet_weights_that_are_all_zero_stay_zero_and_finite(target: str) -> None:
    run = open_run(small_experiment("triplet"), target)
    # An engine of its own, so that a failure here leaves the others' alone.
    run = dataclasses.replace(run, engine=open_fresh(run.experiment, target))
    weights = np.full((N_INPUT, 4), 0.5)
    weights[:, 1] = 0
    result = run.show(BLACK, state={**run.start, "input_exc.w": run.wiring.to_synapses(weights)})
    np.testing.assert_allclose(run.weights(result), weights, rtol=0, atol=1e-15)
