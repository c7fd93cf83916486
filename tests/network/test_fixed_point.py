"""Neurons in fixed point: the bits of every engine are those of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statements
from fixed_reference import FixedPoint
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import EXC_CELL, INH_CELL, Run, draw_images, mixed_images, open_run, reference_of, small_experiment

from snstdp_cli.config import Experiment
from snstdp_cli.engines.base import ChunkResult
from snstdp_cli.errors import ConfigError
from snstdp_cli.network.fixed_point import make_share, state_format, state_warnings
from snstdp_cli.network.fixed_step import arriving
from snstdp_cli.network.neurons import excitatory_model, inhibitory_model, split_unit

EULER = {"integration": "euler"}
DENSE = {"inhibition": "dense", "inhibition_delay_ms": 4}
#: (rule, None for a frozen network; bits; digits after the point; what else is set).
CASES: list[tuple[str | None, int, int | None, dict[str, Any]]] = [
    ("smin-lagged", 16, None, {}),
    ("smax-instantaneous", 12, 4, {"network": EULER}),
    ("triplet", 16, None, {"presentation": {"rest": "reset"}}),
    ("smax-lagged", 24, 16, {"network": DENSE, "presentation": {"rest_ms": 20}}),
    ("triplet", 20, 8, {"dt": 0.2, "network": EULER}),
    (None, 16, 8, {}),
    (None, 8, 0, {"network": DENSE, "presentation": {"rest_ms": 20}}),
]


def fixed(rule: str | None, bits: int, fraction: int | None, **changes: Any) -> Experiment:
    """Return a small experiment; with a rule its weights are stored in 8 bits."""
    precision: dict[str, Any] = {"state": {"bits": bits, "fraction": fraction}}
    if rule:
        precision["weights"] = {"bits": 8, "rounding": "stochastic"}
    return small_experiment(rule or "smin-lagged", precision=precision, **changes)


def codes(experiment: Experiment, result: ChunkResult) -> dict[str, np.ndarray]:
    """Return the codes of the state, and assert that there are no others."""
    form = state_format(experiment)
    assert form is not None
    found = {}
    for name in ("exc.v", "exc.ge", "exc.gi", "exc.theta", "inh.v", "inh.ge", "exc.post1", "exc.post2"):
        if name in result.state:
            unit = 1000 if name.endswith((".v", ".theta")) else 1
            scaled = result.state[name].astype(float) * unit * 2**form.fraction
            found[name] = np.rint(scaled)
            np.testing.assert_allclose(scaled, found[name], rtol=0, atol=1e-6, err_msg=name)
    return found


def assert_like_reference(run: Run, images: np.ndarray, plastic: bool, first: int = 0) -> ChunkResult:
    experiment = run.experiment
    result = run.show(images, first=first)
    grid = experiment.weight_grid(16) if plastic else None
    stored = None if grid is None else (grid.bits, grid.low, grid.step, grid.rounding)
    expected = reference_of(run, images, plastic, first=first, stored=stored)
    assert run.spikes() == expected.spikes
    assert result.attempts.tolist() == expected.attempts
    np.testing.assert_array_equal(run.weights(result), expected.weights)
    ours = codes(experiment, result)
    form = state_format(experiment)
    assert form is not None
    for name, values in expected.state.items():
        np.testing.assert_array_equal(ours[name], values * 2**form.fraction, err_msg=name)
    return result


@pytest.mark.parametrize(
    ("rule", "bits", "fraction", "changes"),
    [pytest.param(*case, marks=() if k in (0, 2) else pytest.mark.slow) for k, case in enumerate(CASES)],
)
def test_every_code_is_that_of_whole_numbers(
    rule: str | None, bits: int, fraction: int | None, changes: dict[str, Any]
) -> None:
    run = open_run(fixed(rule, bits, fraction, **changes), "numpy", plastic=rule is not None)
    result = assert_like_reference(run, mixed_images()[:4], rule is not None)
    assert result.counts.sum() >= 4


def range_of_codes(bits: int, fraction: int, count: int, beyond: float) -> np.ndarray:
    """Draw values: half of them small, as those of a network are, half up to so many times the range; and its ends."""
    rng, most = np.random.default_rng(bits), 2 ** (bits - 1)
    codes = np.rint(rng.uniform(-1, 1, count) * beyond * most)
    small = np.rint(rng.uniform(-1, 1, count) * min(16 * 2**fraction, beyond * most))
    ends = [-most, most - 1, 0, -1, 1]
    return np.concatenate([ends, np.where(np.arange(count) % 2, codes, small)]) / 2**fraction


@pytest.mark.parametrize("integration", ["exponential_euler", "euler"])
@pytest.mark.parametrize(
    ("bits", "fraction", "dt"), [(8, 0, 0.1), (12, 4, 0.5), (16, 8, 0.5), (24, 16, 0.2), (24, 12, 0.5)]
)
def test_any_state_is_advanced_as_whole_numbers_are(bits: int, fraction: int, dt: float, integration: str) -> None:
    experiment = fixed("triplet", bits, fraction, dt=dt, network={"integration": integration, "theta_tau_ms": 50})
    form, rng = state_format(experiment), np.random.default_rng(1)
    assert form is not None
    reference = FixedPoint(bits, fraction, dt, integration == "euler")
    most = 2 ** (bits - 1)
    v = np.clip(range_of_codes(bits, fraction, 3000, 1), -most / 2**fraction, (most - 1) / 2**fraction)
    ge, gi = (rng.permutation(range_of_codes(bits, fraction, 3000, 1.5)) for _ in range(2))
    free = rng.random(len(v)) < 0.9
    state = {"v": v / 1000, "ge": ge, "gi": gi, "cooldown": 5 * ~free, "theta": ge / 1000, "post1": gi, "post2": ge}
    cells = (
        (EXC_CELL, excitatory_model(experiment, experiment.plasticity(16))),
        (INH_CELL, inhibitory_model(experiment)),
    )
    for cell, model in cells:
        constants = {split_unit(name)[0]: value for name, value in model.constants.items()}
        constants |= {name: constants[name] / 1000 for name in constants if f"{name}_mv" in model.constants}
        names = {**constants, **model.rule_constants, "round_down": np.floor, "clip": np.clip, "volt": 1}
        found = statements.run(model.step, {**names, **state})
        expected = reference.advance(cell, v, ge, gi if cell is EXC_CELL else 0 * gi, free)
        np.testing.assert_allclose(1000 * found["v"], expected[0], rtol=0, atol=form.half_code_mv / 1e3)
        np.testing.assert_array_equal(found["ge"], expected[1])
        if cell is EXC_CELL:
            np.testing.assert_array_equal(found["gi"], expected[2])
            np.testing.assert_array_equal(found["post1"], reference.trace(gi, np.exp(-dt / 20)))
            theta = reference.threshold(ge, np.exp(-dt / 50))
            np.testing.assert_allclose(1000 * found["theta"], theta, rtol=0, atol=form.half_code_mv / 1e3)


def test_what_arrives_is_the_nearest_number_of_the_format() -> None:
    w = np.array([0.0, 0.03124, 0.03125, 0.0313, -0.03125, -0.0313, 1.0])  # ties of 4 digits at 1/32
    names = {"round_down": np.floor, "state_codes": 16.0, "state_step": 1 / 16}
    found = statements.evaluate(arriving("w"), {"w": w, **names})
    assert found.tolist() == [0, 0, 0.0625, 0.0625, 0, -0.0625, 1]
    np.testing.assert_array_equal(found, FixedPoint(12, 4, 0.5, False).near(w))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(pixels=st.lists(st.integers(0, 255), min_size=32, max_size=32), first=st.integers(0, 2**20))
def test_random_spike_trains_leave_the_codes_of_whole_numbers(pixels: list[int], first: int) -> None:
    run = open_run(fixed(*CASES[0][:3]), "numpy")
    assert_like_reference(run, np.array(pixels, dtype=np.uint8).reshape(2, 16), True, first)


@pytest.mark.compiles
@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "bits", "fraction", "changes"), [CASES[0], ("triplet", 16, None, {}), (None, 12, 2, {})]
)
def test_cpp_leaves_the_bits_that_numpy_leaves(
    rule: str | None, bits: int, fraction: int | None, changes: dict[str, Any]
) -> None:
    """With other bits too, which are numbers that the same program reads."""
    programs = set()
    for more in (0, 2):
        experiment = fixed(rule, bits + more, fraction if fraction is None else fraction + more, **changes)
        numpy, cpp = (open_run(experiment, target, plastic=rule is not None) for target in ("numpy", "cpp"))
        assert_same(numpy, cpp)
        programs.add(cpp.engine.program.executable)
    assert len(programs) == 1


@pytest.mark.compiles
@pytest.mark.slow
def test_cython_leaves_the_bits_that_numpy_leaves() -> None:
    """What has a state in fixed point; the rest stays NumPy, as each piece takes seconds to compile."""
    from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

    experiment = fixed(*CASES[0][:3])
    run = open_run(experiment, "numpy", fresh=True)
    built = run.engine.built
    for part in (built.exc.state_updater, built.synapses.pre):
        part.codeobj_class = CythonCodeObject
    assert_same(open_run(experiment, "numpy"), run)


def assert_same(*both: Run) -> None:
    states = [run.show(mixed_images()).state for run in both]
    assert both[0].spikes() == both[1].spikes()
    for name in states[0]:
        np.testing.assert_array_equal(states[0][name], states[1][name], err_msg=name)


@pytest.mark.parametrize("value", [1e-9, 0.005, 0.3679, 0.5, 0.99999, 1.0, 1.0 - 5e-8, 40.96])
def test_a_constant_has_sixteen_bits_and_is_the_nearest(value: float) -> None:
    share = make_share(value)
    assert 2**15 <= share.multiplier < 2**16
    assert abs(share.value - value) <= value * 2**-16


def test_in_few_digits_the_network_answers_as_in_full_precision() -> None:
    """Not to the spike: with 16 digits after the point the counts of few neurons differ by chance of rounding only."""
    images = draw_images(6, seed=3)
    exact = open_run(small_experiment("smin-lagged"), "numpy", plastic=False).show(images)
    near = open_run(fixed(None, 24, 16), "numpy", plastic=False).show(images)
    assert abs(exact.counts.astype(int) - near.counts.astype(int)).sum() <= 0.1 * exact.counts.sum()


def test_full_precision_has_no_trace_of_fixed_point() -> None:
    built = open_run(small_experiment(), "numpy").engine.built
    for group in (built.exc, built.inh, built.synapses):
        assert not {"state_codes", "volt_codes", "half_code"} & set(group.namespace)


def test_digits_that_leave_no_room_for_voltages_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"precision.state.*found 12 of 16 bits, expected 4 to 8"):
        fixed(None, 16, 12)
    with pytest.raises(ConfigError, match="no conductance changes its sign"):
        open_run(fixed(None, 16, 8, dt=1.2, network=EULER), "numpy", plastic=False)


def test_motions_of_a_threshold_that_rounding_swallows_are_told() -> None:
    assert state_warnings(small_experiment(network={"theta_tau_ms": 1e7})) == []
    assert state_warnings(fixed(None, 24, 16, network={"theta_tau_ms": 1000})) == []
    (told,) = state_warnings(fixed(None, 16, 8, network={"theta_tau_ms": 1e7}))
    assert told.startswith("precision.state: thresholds do not decay")
    (told,) = state_warnings(fixed(None, 12, 0, network={"theta_tau_ms": 10, "theta_step_mv": 0.3}))
    assert told.endswith("set precision.state.fraction to at least 1")
