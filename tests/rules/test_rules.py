"""What holds for the learning rules whatever the spikes: sums, signs, bounds, and their parameters.

Each property is checked on the independent rule of `reference.py` and on the very statements that go to Brian 2,
executed here by NumPy for one neuron.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import SelfNormalizingNeuron, small_experiment
from stated import WINDOW, StatedNeuron

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import RULES, RuleContext, find_rule
from snstdp_cli.rules.self_normalizing import SmaxParameters, window_steps


def stated(
    w: np.ndarray, eta: float, l_tar: float, positive_share: float, lagged: bool, name: str = "smin"
) -> StatedNeuron:
    values: dict[str, Any] = {"eta": eta, "a_tar": l_tar / len(w), "scaling": "lagged" if lagged else "instantaneous"}
    if name == "smin":
        values["positive_share"] = positive_share
    rule = RULES[name]
    return StatedNeuron(rule.build(rule.parameters(**values), RuleContext(0.5, len(w))), w)


both = pytest.mark.parametrize("make", [SelfNormalizingNeuron, stated])
Make = Callable[..., Any]
N = 6
etas = st.floats(0.001, 1)
weights = arrays(float, N, elements=st.floats(0, 3))
patterns = st.lists(arrays(bool, N), min_size=1, max_size=30)
shares = st.floats(0, 1)


def usable(active: np.ndarray, share: float) -> bool:
    return bool(active.any() and (share == 1 or not active.all()))


@both
@given(w=weights, eta=etas, trains=patterns, lagged=st.booleans())
def test_smax_weights_stay_between_zero_and_the_largest_target_or_start(
    make: Make, w: np.ndarray, eta: float, trains: list[np.ndarray], lagged: bool
) -> None:
    neuron = make(w, eta=eta, l_tar=5.0, positive_share=1.0, lagged=lagged)
    highest = w.max()
    for active in trains:
        if active.any():
            highest = max(highest, 5.0 / active.sum())
        neuron.fire(active)
        assert neuron.w.min() >= 0
        assert neuron.w.max() <= highest * (1 + 1e-12)


@both
@given(w=weights, eta=etas, trains=patterns)
def test_instantaneous_smax_moves_the_l1_norm_by_eta_of_the_way_to_its_target_at_every_spike(
    make: Make, w: np.ndarray, eta: float, trains: list[np.ndarray]
) -> None:
    neuron, expected = make(w, eta=eta, l_tar=5.0, positive_share=1.0, lagged=False), w.sum()
    for active in trains:
        if active.any():
            expected = (1 - eta) * expected + eta * 5.0
        neuron.fire(active)
        assert neuron.w.sum() == pytest.approx(expected, rel=1e-12)


@both
@given(w=weights, eta=etas, trains=patterns)
def test_lagged_smax_moves_the_l1_norm_to_its_target_times_the_ratio_of_two_counts(
    make: Make, w: np.ndarray, eta: float, trains: list[np.ndarray]
) -> None:
    neuron, expected, previous = make(w, eta=eta, l_tar=5.0, positive_share=1.0, lagged=True), w.sum(), 0
    for active in trains:
        if previous:
            expected = (1 - eta) * expected + eta * 5.0 * active.sum() / previous
        neuron.fire(active)
        assert neuron.w.sum() == pytest.approx(expected, rel=1e-12, abs=1e-15)
        previous = int(active.sum()) or previous


@both
@settings(max_examples=20)
@given(w=weights, eta=st.floats(0.05, 1), seed=st.integers(0, 1000), low=st.integers(1, N), high=st.integers(1, N))
def test_lagged_smax_settles_within_the_spread_of_its_counts_around_the_target(
    make: Make, w: np.ndarray, eta: float, seed: int, low: int, high: int
) -> None:
    low, high = min(low, high), max(low, high)
    neuron, random = make(w, eta=eta, l_tar=5.0, positive_share=1.0, lagged=True), np.random.default_rng(seed)
    for _ in range(500):
        neuron.fire(random.permutation(N) < random.integers(low, high + 1))
    # With one count throughout (low == high) this says that L_tar is the fixed point.
    assert 5.0 * low / high * (1 - 1e-6) <= neuron.w.sum() <= 5.0 * high / low * (1 + 1e-6)


@both
@given(w=arrays(float, N, elements=st.floats(-3, 3)), eta=etas, share=shares, trains=patterns)
def test_instantaneous_smin_moves_the_signed_sum_by_eta_of_the_way_to_the_difference_of_shares(
    make: Make, w: np.ndarray, eta: float, share: float, trains: list[np.ndarray]
) -> None:
    neuron, expected = make(w, eta=eta, l_tar=5.0, positive_share=share, lagged=False), w.sum()
    for active in trains:
        if usable(active, share):
            expected = (1 - eta) * expected + eta * (2 * share - 1) * 5.0
        neuron.fire(active)
        assert neuron.w.sum() == pytest.approx(expected, rel=1e-11, abs=1e-11)


@both
@given(w=arrays(float, N, elements=st.floats(-3, 3)), eta=etas, share=shares, trains=patterns)
def test_instantaneous_smin_never_lifts_the_l1_norm_over_its_target(
    make: Make, w: np.ndarray, eta: float, share: float, trains: list[np.ndarray]
) -> None:
    w = w * min(1.0, 5.0 / max(np.abs(w).sum(), 1e-9))
    neuron = make(w, eta=eta, l_tar=5.0, positive_share=share, lagged=False)
    for active in trains:
        neuron.fire(active)
        assert np.abs(neuron.w).sum() <= 5.0 * (1 + 1e-12)


@both
@pytest.mark.parametrize("lagged", [True, False])
@settings(max_examples=20)
@given(w=arrays(float, N, elements=st.floats(-3, 3)), eta=st.floats(0.1, 1), share=shares, active=arrays(bool, N))
def test_smin_gives_both_signs_their_shares_of_the_target_when_a_pattern_repeats(
    make: Make, lagged: bool, w: np.ndarray, eta: float, share: float, active: np.ndarray
) -> None:
    neuron = make(w, eta=eta, l_tar=5.0, positive_share=share, lagged=lagged)
    for _ in range(400):
        neuron.fire(active)
    if usable(active, share):
        assert neuron.w[neuron.w > 0].sum() == pytest.approx(share * 5.0, abs=1e-9)
        assert -neuron.w[neuron.w < 0].sum() == pytest.approx((1 - share) * 5.0, abs=1e-9)
        assert (neuron.w[active] >= -1e-9).all()
    else:
        np.testing.assert_array_equal(neuron.w, w)


@given(w=weights, eta=etas, trains=patterns, lagged=st.booleans())
def test_smin_with_all_weight_positive_is_smax_to_the_last_bit(
    w: np.ndarray, eta: float, trains: list[np.ndarray], lagged: bool
) -> None:
    smin = stated(w, eta, 5.0, 1.0, lagged)
    smax = stated(w, eta, 5.0, 1.0, lagged, name="smax")
    for active in trains:
        smin.fire(active)
        smax.fire(active)
    np.testing.assert_array_equal(smin.w, smax.w)


@given(w=arrays(float, N, elements=st.floats(-3, 3)), eta=etas, share=shares, trains=patterns, lagged=st.booleans())
def test_the_stated_rule_does_what_the_reference_does(
    w: np.ndarray, eta: float, share: float, trains: list[np.ndarray], lagged: bool
) -> None:
    ours, reference = stated(w, eta, 5.0, share, lagged), SelfNormalizingNeuron(w, eta, 5.0, share, lagged)
    for active in trains:
        ours.fire(active)
        reference.fire(active)
        np.testing.assert_allclose(ours.w, reference.w, rtol=0, atol=1e-12)
        assert np.isfinite(ours.w).all()
        if lagged and reference.s_max is not None:
            assert ours.s_max == pytest.approx(reference.s_max)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("lagged", [True, False])
@given(eta=etas, trains=patterns, seed=st.integers(0, 99))
def test_weights_that_start_within_the_stated_bounds_stay_there(
    lagged: bool, share: float, eta: float, trains: list[np.ndarray], seed: int
) -> None:
    low, high = stated(np.zeros(N), eta, 5.0, share, lagged).plasticity.bounds
    assert (low, high) == pytest.approx((-(1 - share) * 5.0, share * 5.0))
    neuron = stated(np.random.default_rng(seed).uniform(low, high, N), eta, 5.0, share, lagged)
    for active in trains:
        neuron.fire(active)
        assert low - 1e-12 <= neuron.w.min()
        assert neuron.w.max() <= high + 1e-12


@given(w=arrays(float, N, elements=st.floats(0, 1)), post1=st.floats(0, 1), hit=arrays(bool, N))
def test_triplet_only_ever_depresses_at_a_presynaptic_spike(w: np.ndarray, post1: float, hit: np.ndarray) -> None:
    rule = RULES["triplet"]
    neuron = StatedNeuron(rule.build(rule.parameters(nu_pre=0.25), RuleContext(0.5, N)), w)
    neuron.neuron["post1"] = post1
    neuron.arrive(hit)
    np.testing.assert_allclose(neuron.w, np.where(hit, np.maximum(w - 0.25 * post1, 0), w), rtol=0, atol=1e-15)
    assert (neuron.w <= w).all()


@given(w=arrays(float, N, elements=st.floats(0, 1)), post2=st.floats(0, 1), active=arrays(bool, N))
def test_triplet_only_ever_potentiates_at_a_postsynaptic_spike_and_stops_at_w_max(
    w: np.ndarray, post2: float, active: np.ndarray
) -> None:
    rule = RULES["triplet"]
    neuron = StatedNeuron(rule.build(rule.parameters(nu_post=0.5), RuleContext(0.5, N)), w)
    neuron.neuron["post2"] = post2
    neuron.fire(active)
    ages = np.where(active, WINDOW, WINDOW + 1)
    expected = np.minimum(w + 0.5 * np.exp(-ages * 0.5 / 20) * post2, 1.0)
    np.testing.assert_allclose(neuron.w, expected, rtol=0, atol=1e-15)
    assert (neuron.w >= w).all()
    assert (neuron.neuron["post1"], neuron.neuron["post2"]) == (1, 1)


# Parameters


@pytest.mark.parametrize(
    ("tau_pre_ms", "x_tar", "dt_ms", "steps"),
    [
        (20, math.exp(-1), 0.5, 40),
        (20, math.exp(-1), 0.1, 200),
        (20, math.exp(-0.52), 0.5, 20),
        (5, 0.5, 0.5, 6),
        (20, 0.999, 0.5, 0),
    ],
)
def test_the_window_is_the_largest_age_at_which_the_trace_reaches_x_tar(
    tau_pre_ms: float, x_tar: float, dt_ms: float, steps: int
) -> None:
    assert window_steps(SmaxParameters(tau_pre_ms=tau_pre_ms, x_tar=x_tar), dt_ms) == steps
    assert math.exp(-steps * dt_ms / tau_pre_ms) >= x_tar * (1 - 1e-9)
    assert math.exp(-(steps + 1) * dt_ms / tau_pre_ms) < x_tar


@pytest.mark.parametrize("name", ["smax", "smin", "triplet"])
def test_every_rule_says_its_equations_source_and_what_is_ours(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name
    assert any("w" in line for line in rule.equations)
    assert "doi:10." in rule.citation
    assert rule.notes
    assert all(field.description for field in rule.parameters.model_fields.values())
    if name != "triplet":
        assert "Derived by us" in rule.notes


def test_defaults_are_those_of_the_papers() -> None:
    smin = build_experiment({"rule": "smin"}).plasticity(784)
    assert smin.l1_target == pytest.approx(78)
    assert smin.bounds == pytest.approx((-39, 39))
    triplet = build_experiment({"rule": "triplet"}).plasticity(784)
    assert triplet.normalize_to == pytest.approx(78)
    assert triplet.traces == {"post1": 20.0, "post2": 40.0}
    assert (triplet.constants["nu_pre"], triplet.constants["nu_post"]) == (1e-4, 1e-2)


@pytest.mark.parametrize(
    ("rule", "key", "value"),
    [
        ("smax", "eta", 0),
        ("smax", "eta", 1.5),
        ("smax", "a_tar", -1),
        ("smax", "tau_pre_ms", 0),
        ("smax", "x_tar", 0),
        ("smax", "x_tar", 1),
        ("smax", "scaling", "delayed"),
        ("smax", "positive_share", 0.5),
        ("smin", "positive_share", 1.1),
        ("smin", "eta", "fast"),
        ("smin", "eta", float("nan")),
        ("triplet", "nu_pre", -0.1),
        ("triplet", "w_max", 0),
        ("triplet", "eta", 0.1),
    ],
)
def test_a_parameter_out_of_range_or_unknown_is_refused_by_its_name(rule: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"my\.yaml: .*rule\.{key}"):
        build_experiment({"rule": {"name": rule, key: value}}, where="my.yaml")


@pytest.mark.parametrize("key", ["eta", "positive_share"])
def test_a_truth_value_is_not_a_number(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"rule\.{key}"):
        build_experiment({"rule": {"name": "smin", key: True}}, where="my.yaml")


def test_numbers_written_with_an_exponent_are_numbers() -> None:
    assert build_experiment({"rule": {"name": "smax", "eta": "1e-3"}}).rule.parameters["eta"] == 0.001


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown rule 'smim'; known rules: .*smin.*did you mean 'smin'"):
        find_rule("smim")


def test_completing_fills_in_defaults_and_keeps_what_was_set() -> None:
    parameters = small_experiment("smin-instantaneous").rule.parameters
    assert parameters["scaling"] == "instantaneous"
    assert parameters["eta"] == 0.1
    assert parameters["x_tar"] == pytest.approx(math.exp(-1))
