"""Single precision: what rounds the statements, and that every engine gives the bits of `single_reference.py`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import RULES_TO_TEST, Run, mixed_images, open_run, small_experiment
from single_reference import simulate_single

from snstdp_cli.config import Experiment, build_experiment, fingerprint, settings_of
from snstdp_cli.config.facets import FACETS
from snstdp_cli.engines import initial_state
from snstdp_cli.engines.base import ChunkResult, State
from snstdp_cli.errors import ConfigError
from snstdp_cli.network.arithmetic import single_variables
from snstdp_cli.network.single import Kind, round_statements
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.rules import Plasticity, Rule, RuleContext, RuleParameters
from snstdp_cli.training.alarms import _check_bounds

VARIABLES = frozenset({"v", "w", "ge", "L_0"})
CONSTANTS: dict[str, Kind] = {"eta": "constant", "window": "whole", "keep_theta": "constant"}
FAST = ("smin-lagged", "triplet")
#: Everything that a rule of a user's may say: functions, powers, remainders, temporaries, whole numbers and truths.
ODD = Plasticity(
    on_pre="w = clip(w - rate * sqrt(u_post + 1), 0, 1); u_post *= 0.999",
    on_post={
        "learn": """
        age = t_in_timesteps - arrived
        recent = age <= 20  # a truth, which is calculated with below
        x = exp(-clip(age, 0, 400) / 40)
        x += 0.25 * int(recent and i > 2)
        x *= 0.5
        y = x ** 3 + (x + 1) ** -1 - (i + 2 * j) / 7 + 1e-3 * (age % 5)
        z = log(x + 2) * (w + 0.3) ** 0.7 - (10 * w) % 3 + ceil(w) / window + abs(theta_post / mV - 12) * rate
        w = clip(w + rate * (x - w) + 1e-2 * y * z, 0, 1)
        """
    },
    neuron_variables={"u": 0.5},
    traces={"slow": 17.0},
    reset="u = u * decay + theta / mV / 1e3 * int(slow < 0.5)\nslow = 1",
    constants={"rate": 0.05, "decay": 0.93, "window": 7},
    bounds=(0.0, 1.0),
)


def single(rule: str, **changes: Any) -> Experiment:
    return small_experiment(rule, arithmetic="single", **changes)


def odd_experiment() -> Experiment:
    def build(parameters: RuleParameters, context: RuleContext) -> Plasticity:
        return ODD

    class Parameters(RuleParameters):
        a_tar: float = 0.5

    rule = Rule("odd", "odd", ("w",), "none", "none", Parameters, build)
    return build_experiment(small_experiment("smin-lagged", arithmetic="single"), {"rule": rule})


def assert_same_bits(first: State, second: State) -> None:
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert values.dtype == second[name].dtype
        np.testing.assert_array_equal(values, second[name], err_msg=name)


# The statements


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("w = w * 0.5 + eta", "w = single(single(w * single(0.5)) + single(eta))"),
        ("ge_post += w", "ge_post += w"),
        ("ge_post -= eta", "ge_post -= single(eta)"),
        ("L_0 = 0  # none yet", "L_0 = 0"),
        ("w = clip(w, 0, eta)", "w = clip(w, 0, single(eta))"),
        ("w = abs(w) - 1", "w = single(abs(w) - 1)"),
        ("w = w ** 2", "w = single(w * w)"),
        ("w = v ** -1", "w = quotient(1, v)"),
        ("w = v ** -2", "w = quotient(1, single(v * v))"),
        ("w = v ** eta", "w = single(widened(v) ** widened(eta))"),
        ("w = 0.5 ** v", "w = single(widened(0.5) ** widened(v))"),
        ("w = v * eta ** 2", "w = single(v * single(eta ** 2))"),
        ("w = theta ** v", "w = single(theta ** widened(v))"),
        ("w = exp(v * eta)", "w = single(exp(widened(single(v * single(eta)))))"),
        ("w = v % 3", "w = single(widened(v) % widened(3))"),
        ("v > eta and not ge == 0", "v > single(eta) and (not ge == 0)"),
        # Thresholds are double; what they are compared with is not.
        ("theta = theta * keep_theta", "theta = theta * keep_theta"),
        ("theta > eta", "theta > eta"),
        ("v > theta + eta", "v > single(theta + eta)"),
        ("w = w + theta * eta", "w = single(widened(w) + theta * eta)"),
        # Whole numbers stay whole until they meet a single one; constants that meet are double.
        ("arrived = t_in_timesteps", "arrived = t_in_timesteps"),
        ("active = int(t_in_timesteps - arrived <= window)", "active = truth(t_in_timesteps - arrived <= window)"),
        ("w = w * (i - window)", "w = single(w * single(i - window))"),
        ("w = i / 2", "w = quotient(single(i), 2)"),
        ("w = i * eta", "w = single(single(i) * single(eta))"),
        ("w = w * (1 - eta * 2)", "w = single(w * single(1 - eta * 2))"),
        ("w = w + 16777217", "w = single(w + single(16777217))"),
        # Temporary names are what they stand for.
        ("x = 0.3\nx += w", "x = single(0.3)\nx = single(x + w)"),
        ("x = i + 1; w = x * w", "x = i + 1\nw = single(single(x) * w)"),
        ("big = w > 2\nw = w * int(big)", "big = w > 2\nw = single(w * truth(big))"),
        ("x = theta * 2\nw = x", "x = theta * 2\nw = single(x)"),
    ],
)
def test_every_operation_on_single_numbers_is_rounded(statement: str, expected: str) -> None:
    assert round_statements(statement, VARIABLES, CONSTANTS) == expected


_SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(a=_SINGLES, b=_SINGLES)
@pytest.mark.parametrize("do", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_one_operation_in_double_precision_rounded_once_is_that_in_single(
    do: Callable[[Any, Any], Any], a: float, b: float
) -> None:
    if do is operator.truediv and b == 0:
        return
    with np.errstate(over="ignore"):
        np.testing.assert_equal(do(np.float32(a), np.float32(b)), np.float32(do(np.float64(a), np.float64(b))))


@given(a=_SINGLES)
def test_a_root_in_double_precision_rounded_once_is_that_in_single(a: float) -> None:
    assert np.sqrt(np.float32(abs(a))) == np.float32(np.sqrt(np.float64(abs(a))))


# The network


@functools.cache
def shown_in_single(rule: str) -> tuple[Run, np.ndarray, ChunkResult]:
    """Show images to NumPy's network, three of them for the rules of the fast tests."""
    run, images = open_run(single(rule), "numpy"), mixed_images()[: 3 if rule in FAST else None]
    return run, images, run.show(images)


@pytest.mark.parametrize(
    "rule", [rule if rule in FAST else pytest.param(rule, marks=pytest.mark.slow) for rule in RULES_TO_TEST]
)
def test_numpy_leaves_the_bits_of_the_reference(rule: str) -> None:
    run, images, result = shown_in_single(rule)
    expected = simulate_single(run.experiment, images, run.weights_at_start(), run.wiring)
    assert run.spikes() == expected.spikes
    assert len(expected.spikes) > 15
    for name, values in expected.state.items():
        assert values.dtype == (np.float64 if name == "exc.theta" else np.float32)
        np.testing.assert_array_equal(result.state[name], values, err_msg=name)


def test_weights_take_half_the_memory_and_differ_slightly_from_those_in_double() -> None:
    run, images, result = shown_in_single("smin-lagged")
    runs, spikes = [open_run(small_experiment("smin-lagged"), "numpy"), run], run.spikes()
    results = [runs[0].show(images), result]
    for states in ([run.start for run in runs], [result.state for result in results]):
        assert states[0]["input_exc.w"].nbytes == 2 * states[1]["input_exc.w"].nbytes == 8 * 16 * 4
        assert all(values.dtype == np.float64 for values in states[0].values() if values.dtype.kind == "f")
    double, rounded = (run.weights(result) for run, result in zip(runs, results, strict=True))
    assert 0 < np.abs(double - rounded).max() < 1e-5
    assert runs[0].spikes() == spikes


@pytest.mark.compiles
@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "target"),
    [
        *((rule, "cpp") for rule in ("smin-lagged", "smax-instantaneous", "triplet", "odd", "frozen", "other network")),
        *((rule, "cython") for rule in ("smin-lagged", "odd")),
    ],
)
def test_every_target_leaves_the_bits_that_numpy_leaves(rule: str, target: str) -> None:
    if rule == "odd":
        experiment = odd_experiment()
    elif rule == "other network":
        network = {"inhibition": "dense", "inhibition_delay_ms": 3, "input_delay_ms": 0, "integration": "euler"}
        experiment = single("smax-lagged", n_e=70, network=network, presentation={"rest": "reset", "rest_ms": 40})
    else:
        experiment = single("smin-lagged" if rule == "frozen" else rule)
    runs: list[Run] = [open_run(experiment, name, plastic=rule != "frozen") for name in ("numpy", target)]
    results = [run.show(mixed_images()) for run in runs]
    assert runs[0].spikes() == runs[1].spikes()
    assert len(runs[0].spikes()) > 20
    assert_same_bits(results[0].state, results[1].state)


@pytest.mark.slow
def test_a_run_in_two_chunks_leaves_the_same_bits_as_in_one() -> None:
    run, images = open_run(single("triplet"), "numpy"), mixed_images()
    whole = run.show(images)
    front = run.show(images[:3])
    assert_same_bits(run.show(images[3:], state=front.state, first=3).state, whole.state)


def test_weights_of_a_network_in_double_are_rounded_when_one_in_single_begins_with_them() -> None:
    experiment = single("smin-lagged")
    weights = np.full((16, 4), 0.1)
    state = initial_state(experiment, draw_wiring(experiment, 16), experiment.plasticity(16), weights)
    assert state["input_exc.w"].dtype == np.float32
    assert (state["input_exc.w"] == np.float32(0.1)).all()


def test_a_bound_that_is_no_single_number_is_kept_by_weights_at_its_nearest() -> None:
    plasticity = Plasticity(on_post={}, bounds=(0.0, 0.3))
    state = {"input_exc.w": np.full(64, 0.3, dtype=np.float32)}
    assert float(state["input_exc.w"][0]) > 0.3 + 1e-9
    _check_bounds(state, draw_wiring(single("triplet"), 16), plasticity, (0.0, 0.0))


def test_thresholds_counters_times_and_whole_numbers_stay_what_they_are() -> None:
    assert single_variables(small_experiment("triplet").plasticity(16)) == {
        *("v", "ge", "gi", "cooldown", "w", "w_sum", "w_factor", "count", "post1", "post2")
    }


# The setting


def test_double_is_the_default_and_changes_no_fingerprint() -> None:
    plain, chosen = build_experiment({"arithmetic": "double"}), build_experiment({"arithmetic": "single"})
    assert build_experiment() == plain
    for facet in FACETS:
        assert "arithmetic" not in settings_of(plain, facet)
        differs = fingerprint(settings_of(plain, facet)) != fingerprint(settings_of(chosen, facet))
        assert differs == (facet in ("program", "training", "recording"))


@pytest.mark.parametrize(
    ("part", "setting", "value"),
    [("weights", "bits", 8), ("scaling", "bits", 8), ("scaling", "divide", "shift"), ("state", "bits", 16)],
)
def test_the_numbers_of_a_chip_need_double_precision(part: str, setting: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"arithmetic: found single beside precision\.{part}\.{setting}; expected"):
        build_experiment({"arithmetic": "single", "precision": {part: {setting: value}}})


def test_a_learning_rate_that_is_a_power_of_two_needs_no_double_precision() -> None:
    build_experiment({"arithmetic": "single", "precision": {"scaling": {"eta_shift": 7}}})
