"""s_max and s_min without a divider, in few bits, and learning rates as shifts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import mixed_images, open_run, reference_of, small_experiment

from snstdp_cli.config import build_experiment
from snstdp_cli.config.limiting import rounding_warnings
from snstdp_cli.errors import ConfigError
from snstdp_cli.rules import plasticity_digest
from snstdp_cli.rules.scaling import Scaling

EXACT = {"divide": "exact"}
#: A table and a shift, with and without limits of bits, for one rule each are fast; for further rules they are slow.
CASES = [
    pytest.param("smax-lagged", {"divide": "shift"}, marks=pytest.mark.slow),
    ("smin-lagged", {"divide": "table", "table_bits": 2, "bits": 6}),
    ("smin-instantaneous", {"divide": "shift", "bits": 8, "eta_shift": 4}),
    pytest.param("smax-instantaneous", {"divide": "table", "table_bits": 3}, marks=pytest.mark.slow),
]


def run_statements(lines: list[str], **values: float) -> dict[str, Any]:
    """Run statements as Brian 2 would, in Python's floating-point numbers."""
    names = {"clip": lambda x, low, high: min(max(x, low), high), "floor": math.floor, "int": int, "abs": abs}
    found: dict[str, Any] = dict(values)
    for line in lines:
        exec(line, names, found)
    return found


@pytest.mark.parametrize(("rule", "scaling"), CASES)
def test_limited_scaling_learns_as_the_reference(rule: str, scaling: dict[str, Any]) -> None:
    experiment = small_experiment(rule, precision={"scaling": scaling, "weights": {"range": [-4, 4]}})
    run, images = open_run(experiment, "numpy"), mixed_images()[:4]
    result, expected = run.show(images), reference_of(run, images)
    assert run.spikes() == expected.spikes
    np.testing.assert_allclose(run.weights(result), expected.weights, rtol=0, atol=1e-10)
    exact = open_run(small_experiment(rule), "numpy").show(images)
    assert not np.array_equal(exact.state["input_exc.w"], result.state["input_exc.w"])


@pytest.mark.slow
@pytest.mark.compiles
@pytest.mark.parametrize(("rule", "scaling"), CASES)
def test_limited_scaling_and_weights_leave_the_same_bits_in_cpp(rule: str, scaling: dict[str, Any]) -> None:
    weights = {"bits": 4, "rounding": "stochastic"}
    experiment = small_experiment(rule, precision={"scaling": scaling, "weights": weights})
    states = [open_run(experiment, target).show(mixed_images()).state for target in ("numpy", "cpp")]
    for name, values in states[0].items():
        np.testing.assert_array_equal(states[1][name], values, err_msg=name)


@given(st.floats(1e-5, 2000), st.booleans())
def test_a_shift_is_the_nearest_power_of_two_with_the_sign(size: float, negative: bool) -> None:
    value = -size if negative else size
    found = run_statements(Scaling("shift").result_statements("s"), s=value)["s"]
    assert math.frexp(abs(found))[0] == 0.5
    assert math.copysign(1, found) == math.copysign(1, value)
    assert 0.75 * abs(found) <= size < 1.5 * abs(found)
    assert Scaling("shift").limited(value) == found


def test_a_shift_of_nothing_is_nothing() -> None:
    assert run_statements(Scaling("shift").result_statements("s"), s=0.0)["s"] == 0


def test_a_table_has_an_entry_for_each_value_of_the_leading_bits() -> None:
    scaling = Scaling("table", table_bits=5)
    assert scaling.interval_of(784) == 32
    line = scaling.entry_statement("L", 784, "1", "784")
    entries = [run_statements([line], L=float(count))["L"] for count in range(785)]
    assert len(set(entries)) == 25
    assert entries[0] == 16
    assert entries[100] == 112
    assert entries[784] == 784
    assert Scaling("table", table_bits=10).entry_statement("L", 784, "1", "784") == ""


def test_eta_shift_is_the_learning_rate() -> None:
    shifted = build_experiment({"precision": {"scaling": {"eta_shift": 7}}}).plasticity(784)
    same = build_experiment({"rule": {"name": "smin", "eta": 2**-7}}).plasticity(784)
    assert shifted == same


@pytest.mark.parametrize("scaling", [{"divide": "shift"}, {"bits": 4}, {"eta_shift": 3}])
def test_a_rule_without_scaling_is_told(scaling: dict[str, Any]) -> None:
    experiment = build_experiment({"rule": "triplet", "precision": {"scaling": scaling}})
    with pytest.raises(ConfigError, match=r"precision\.scaling.*triplet.*leave"):
        experiment.plasticity(784)


@pytest.mark.parametrize(
    ("rule", "weights", "rates"),
    [
        ("smin", {"bits": 4}, {"eta": 0.5 / 15}),
        ("smin", {"bits": 4, "rounding": "floor"}, {"eta": 1 / 15}),
        ("triplet", {"bits": 4}, {"nu_pre": 0.5 / 16, "nu_post": 0.5 / 16}),
        ("triplet", {"bits": 6}, {"nu_pre": 0.5 / 64}),
        ("smax", {"bits": 6}, {}),
        ("smin", {"bits": 2, "rounding": "stochastic"}, {}),
        ("smin", {}, {}),
    ],
)
def test_learning_rates_that_rounding_swallows_are_told_with_the_smallest_that_moves_a_weight(
    rule: str, weights: dict[str, Any], rates: dict[str, float]
) -> None:
    experiment = build_experiment({"rule": rule, "precision": {"weights": weights}})
    told = rounding_warnings(experiment.rule, experiment.precision, experiment.plasticity(784))
    assert len(told) == len(rates)
    for sentence, (name, least) in zip(told, rates.items(), strict=True):
        assert f"rule.{name} = " in sentence
        assert f"is {least:.4g}. Use" in sentence


def test_the_told_rate_moves_a_weight_and_less_does_not() -> None:
    """One neuron, whose weights begin at the lower end and are drawn to the upper one."""
    for factor, moves in ((1.01, True), (0.99, False)):
        eta = factor * 0.5 / 15
        grid = build_experiment({"rule": "smax", "precision": {"weights": {"bits": 4}}}).weight_grid(784)
        assert grid is not None
        target = np.array([[grid.high]])
        moved = grid.weights(grid.codes(grid.low + eta * (target - grid.low), 0.5))
        assert (moved[0, 0] > grid.low) == moves


@pytest.mark.parametrize(
    ("rule", "digest"), [("smax", "adbcacb23b"), ("smin", "24f41c86a4"), ("triplet", "59cab19045")]
)
def test_a_rule_in_full_precision_says_what_it_said_before_there_was_any_other(rule: str, digest: str) -> None:
    """The digests of version 0.2: with another, no training of it could be resumed."""
    assert plasticity_digest(build_experiment({"rule": rule}).plasticity(784)).startswith(digest)


def test_the_table_of_an_update_holds_s_max_and_s_min_of_every_count() -> None:
    rule = {"name": "smin", "a_tar": 0.5, "positive_share": 0.75, "tau_pre_ms": 5}
    table = build_experiment({"rule": rule}).update_table(16)
    assert table is not None
    assert table.window == 10
    assert table.usable == (False, *[True] * 15, False)
    assert table.s_max == (0.0, *(6 / l_0 for l_0 in range(1, 16)), 0.0)
    assert table.s_min == (0.0, *(-2 / (16 - l_0) for l_0 in range(1, 16)), 0.0)
    scaling = {"divide": "table", "table_bits": 3}
    coarse = build_experiment({"rule": rule, "precision": {"scaling": scaling}}).update_table(16)
    assert coarse is not None
    assert coarse.s_max[:8] == (0.0, *[6 / 2] * 3, *[6 / 6] * 4)  # 17 counts, four to an entry
    shifted = build_experiment({"rule": rule, "precision": {"scaling": {"divide": "shift"}}}).update_table(16)
    assert shifted is not None
    assert shifted.s_max[1:5] == (8.0, 4.0, 2.0, 2.0)
    assert build_experiment({"rule": {**rule, "eta_decay": 10}}).update_table(16) is None
    assert build_experiment({"rule": {**rule, "s_max": "0.5 * s_max + L_tar / L_0"}}).update_table(16) is None
    assert build_experiment({"rule": "triplet"}).update_table(16) is None
