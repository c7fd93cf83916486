"""The network at its default strength, whole, against the independent one of `reference.py`.

Inhibition 17, default rules and thresholds, input delays up to 10 ms. Weights and voltages are equal to the last digits
and not to the bit: the reference calculates in mV, sums in another order and takes exp from the library, and the
integrator's phi is a rational function.
"""

from __future__ import annotations

import numpy as np
import pytest
from reference import Run, default_experiment, draw_images, open_run, reference_of

from snstdp_cli.config import Experiment
from snstdp_cli.engines import ChunkResult, Stream

N_INPUT = 64
DENSE = {"inhibition": "dense", "inhibition_delay_ms": 10}
EULER = {"integration": "euler"}
#: (rule, None for a frozen network; dt; network). Every pair of choices occurs.
CASES = [
    ("smin", 0.5, {}),
    ("smin", 0.1, {**DENSE, **EULER}),
    ("smax", 0.5, {**DENSE, **EULER}),
    ("smax", 0.1, {}),
    ("triplet", 0.5, {**DENSE}),
    ("triplet", 0.1, {**EULER}),
    (None, 0.5, {**DENSE}),
    (None, 0.1, {}),
    (None, 0.5, {**EULER}),
]
CPP_CASES = [("smin", 0.5, {}), pytest.param("triplet", 0.5, DENSE, marks=pytest.mark.slow)]


def bright_images() -> np.ndarray:
    """Return two images that neurons answer, and a dim one."""
    images = draw_images(3, seed=4, n_input=N_INPUT)
    images[2] //= 3
    return images


def compare(rule: str | None, experiment: Experiment, target: str) -> tuple[Run, ChunkResult]:
    """Show the images to an engine and to the reference, assert that both do the same, and return what was done."""
    plastic = rule is not None
    stream = Stream.TRAINING if plastic else Stream.TRAINING_RECORDING
    run = open_run(experiment, target, plastic, n_input=N_INPUT)
    result = run.show(bright_images(), stream=stream, first=7)
    expected = reference_of(run, bright_images(), plastic, stream=stream, first=7)
    assert run.spikes() == expected.spikes
    assert len(expected.spikes) >= 10
    assert result.counts.tolist() == expected.counts.tolist()
    assert result.attempts.tolist() == expected.attempts
    assert result.silent.tolist() == expected.silent
    np.testing.assert_allclose(run.weights(result), expected.weights, rtol=0, atol=1e-10 if plastic else 0)
    np.testing.assert_allclose(result.state["exc.theta"] * 1000, expected.theta_mv, rtol=0, atol=1e-10)
    for name, values in expected.state.items():
        scale = 1 if name.endswith(("ge", "gi")) else 1000
        np.testing.assert_allclose(result.state[name] * scale, values, rtol=1e-8, atol=1e-7, err_msg=name)
    return run, result


@pytest.mark.parametrize(("rule", "dt", "network"), CASES)
def test_numpy_does_what_the_reference_does(rule: str | None, dt: float, network: dict[str, object]) -> None:
    experiment = default_experiment(rule or "smin", dt=dt, network=network)
    assert experiment.network.w_inh_exc == 17
    run, result = compare(rule, experiment, "numpy")
    before = run.wiring.to_matrix(run.start["input_exc.w"])
    assert (np.abs(run.weights(result) - before).max() > 1e-3) == (rule is not None)
    theta = result.state["exc.theta"] * 1000
    assert (theta < 20 + 0.025 * 40).all()
    assert (theta != 20).all() if rule else (theta == 20).all()


@pytest.mark.compiles
@pytest.mark.parametrize(("rule", "dt", "network"), CPP_CASES)
def test_cpp_does_what_the_reference_does(rule: str, dt: float, network: dict[str, object]) -> None:
    compare(rule, default_experiment(rule, dt=dt, network=network), "cpp")
