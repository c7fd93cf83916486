"""No spike is under way when an example or a chunk begins: the rest is the sum of the delays on a path and 10 ms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from reference import Run, open_run, small_experiment

from snstdp_cli.config import Experiment

N_INPUT = 8
WHITE, BRIGHT = np.full(N_INPUT, 255, dtype=np.uint8), np.full(N_INPUT, 120, dtype=np.uint8)
IMAGES = np.stack([WHITE, BRIGHT, WHITE])


def network(input_ms: float, inhibition_ms: float, dt: float, rest_ms: float) -> Experiment:
    """Return three neurons with Diehl & Cook's strengths and thresholds."""
    experiment = small_experiment(
        "smax-lagged",
        n_e=3,
        dt=dt,
        network={
            **{"input_delay_ms": input_ms, "inhibition_delay_ms": inhibition_ms, "inhibition": "dense"},
            **{"theta_init_mv": 20, "w_inh_exc": 17},
        },
        presentation={"stimulus_ms": 30, "rest_ms": 200, "intensity": 15, "max_intensity": 15, "min_spikes": 0},
    )
    shown = experiment.presentation.model_copy(update={"rest_ms": rest_ms})
    # The copy of pydantic's own is not checked: a rest that is too short is refused otherwise.
    return BaseModel.model_copy(experiment, update={"presentation": shown})


def open_new(experiment: Experiment, plastic: bool) -> Run:
    run = open_run(experiment, "numpy", plastic, N_INPUT, fresh=True)
    # Weights so strong that an input spike that arrives last may still make a neuron fire.
    run.start = {**run.start, "input_exc.w": run.start["input_exc.w"] * 20}
    return run


def under_way(run: Run) -> int:
    """Return how many spikes wait in the delays' queues."""
    waiting = 0
    for name in ("input_exc", "inh_exc"):
        queue = next(obj for obj in run.engine.built.network.objects if obj.name == name).pre.queue
        for _ in range(300):
            waiting += len(queue.peek())
            queue.advance()
    return waiting


delays_ms = st.integers(0, 60).map(lambda half: half / 2)


@pytest.mark.parametrize(("delay_ms", "dt"), [(30, 0.5), pytest.param(25, 2.0, marks=pytest.mark.slow)])
def test_with_a_rest_of_all_delays_and_10_ms_presentations_are_apart(delay_ms: float, dt: float) -> None:
    assert_apart(delay_ms, delay_ms, dt)


@pytest.mark.slow
@settings(max_examples=20)
@given(input_ms=delays_ms, inhibition_ms=delays_ms, dt=st.sampled_from([0.25, 0.5, 1.0, 2.0]), more=st.integers(0, 9))
def test_whatever_the_delays_presentations_are_apart(
    input_ms: float, inhibition_ms: float, dt: float, more: int
) -> None:
    assert_apart(input_ms, inhibition_ms, dt, more)


def assert_apart(input_ms: float, inhibition_ms: float, dt: float, more: float = 0) -> None:
    """Show that nothing is under way between presentations, with a rest of the delays, 10 ms and `more`."""
    experiment = network(input_ms, inhibition_ms, dt, input_ms + inhibition_ms + 10 + more)
    frozen = open_new(experiment, plastic=False)
    whole = frozen.show(IMAGES)
    assert under_way(frozen) == 0
    assert whole.counts.sum() > 3
    # A frozen response does not depend on the image before, nor on where a chunk begins.
    after_another = frozen.show(IMAGES[[1, 0, 2]])
    alone = frozen.show(IMAGES[2:], first=2)
    assert after_another.counts[2].tolist() == whole.counts[2].tolist() == alone.counts[0].tolist()
    assert_same_state(alone.state, whole.state)
    # A learning network ends in the same state however its examples are divided.
    learning = open_new(experiment, plastic=True)
    at_once = learning.show(IMAGES)
    assert under_way(learning) == 0
    front = learning.show(IMAGES[:1])
    assert under_way(learning) == 0
    back = learning.show(IMAGES[1:], state=front.state, first=1)
    assert_same_state(back.state, at_once.state)


def assert_same_state(left: dict[str, Any], right: dict[str, Any]) -> None:
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


@pytest.mark.parametrize("dt", [0.25, 0.5])
def test_a_rest_of_the_longest_delay_and_10_ms_leaves_spikes_under_way(dt: float) -> None:
    """So that the test above cannot hold for a network in which nothing happens late."""
    run = open_new(network(30, 30, dt, 40), plastic=False)
    run.show(IMAGES)
    assert under_way(run) > 0
