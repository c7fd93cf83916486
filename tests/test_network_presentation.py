"""The counter-based random numbers and the Poisson input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import open_run, small_experiment

from snstdp_cli.network.randomness import draw_key, uniform_hash

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def splitmix64_output(state: int) -> int:
    """Return SplitMix64's output function in whole numbers (Steele, Lea, Flood 2014)."""
    z = state & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def key_in_whole_numbers(seed: int, stream: int, example: int, step: int) -> int:
    a = splitmix64_output((seed << 32) + stream + GOLDEN)
    b = splitmix64_output((example << 32) + step + GOLDEN)
    return splitmix64_output(a ^ b) >> 12


def uniform_in_whole_numbers(key: int, i: int) -> float:
    return (splitmix64_output((key << 12) + (i + 1) * GOLDEN) >> 11) / 2**53


def test_the_output_function_is_the_published_splitmix64() -> None:
    # The first outputs of SplitMix64 from the state 1234567, as published with its reference implementation.
    state, outputs = 1234567, []
    for _ in range(3):
        state += GOLDEN
        outputs.append(splitmix64_output(state))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


whole = st.integers(0, 2**31 - 1)


@given(seed=whole, stream=st.integers(0, 3), example=whole, step=whole, i=st.integers(0, 100_000))
def test_numbers_equal_those_of_whole_number_arithmetic(
    seed: int, stream: int, example: int, step: int, i: int
) -> None:
    key = draw_key(seed, stream, example, step)
    assert int(key[0]) == key_in_whole_numbers(seed, stream, example, step) < 2**52
    assert uniform_hash(key, i)[0] == uniform_in_whole_numbers(int(key[0]), i)


def draw(seed: int = 0, stream: int = 1, example: int = 0, steps: int = 400, inputs: int = 500) -> np.ndarray:
    keys = [draw_key(seed, stream, example, step)[0] for step in range(steps)]
    return np.array([uniform_hash(key, np.arange(inputs)) for key in keys])


def test_numbers_are_uniform_over_inputs_and_steps() -> None:
    numbers = draw()
    assert 0 <= numbers.min() < numbers.max() < 1
    bins = np.bincount((numbers.reshape(-1) * 100).astype(int), minlength=100)
    chi_square = ((bins - 2000) ** 2 / 2000).sum()
    assert 99 - 5 * np.sqrt(198) < chi_square < 99 + 5 * np.sqrt(198)
    # Also for rare spikes, within each input and within each step.
    rare = numbers < 0.02
    for axis, trials in ((0, 400), (1, 500)):
        counts = rare.sum(axis=axis)
        assert counts.var() == pytest.approx(trials * 0.02 * 0.98, rel=0.3)


def test_neighbours_in_step_input_example_seed_and_stream_are_uncorrelated() -> None:
    numbers = draw() - 0.5
    limit = 5 / 12 / np.sqrt(numbers.size)
    pairs = [
        (numbers[1:], numbers[:-1]),
        (numbers[:, 1:], numbers[:, :-1]),
        (numbers, draw(example=1) - 0.5),
        (numbers, draw(seed=1) - 0.5),
        (numbers, draw(stream=2) - 0.5),
    ]
    for left, right in pairs:
        assert abs((left * right).mean()) < limit
        assert not np.array_equal(left, right)


@pytest.mark.parametrize(
    ("intensity", "max_intensity", "attempts"),
    [(2, 32, 31), (5, 5, 1), (2, 4.5, 3), (0.3, 2.3, 3)],
)
def test_an_image_is_shown_with_every_intensity_up_to_the_cap(
    intensity: float, max_intensity: float, attempts: int
) -> None:
    shown = {"intensity": intensity, "max_intensity": max_intensity}
    assert small_experiment(presentation=shown).max_attempts == attempts


def test_a_pixels_rate_is_an_eighth_of_its_value_times_the_intensity_in_hz() -> None:
    # One image, never answered: shown with intensity 20, 21, 22 for 500 ms each.
    shown = {"stimulus_ms": 500, "intensity": 20, "max_intensity": 22}
    grey = np.array([[0, 1, 16, 40, 80, 128, 200, 255]], dtype=np.uint8)
    run = open_run(small_experiment("smax-lagged", presentation=shown), "numpy", plastic=False, n_input=8)
    from brian2 import SpikeMonitor

    inputs = next(obj for obj in run.engine.built.network.objects if obj.name == "inputs")
    monitor = SpikeMonitor(inputs)
    run.engine.built.network.add(monitor)
    result = run.show(grey, state={**run.start, "exc.theta": np.full(4, 10.0)})
    assert result.attempts.tolist() == [3]
    steps = np.rint(monitor.t_[:] * 2000).astype(int)
    attempt, tick = np.divmod(steps, run.experiment.presentation_steps)
    assert tick.min() >= 1
    assert tick.max() <= 1000
    for number, intensity in enumerate((20, 21, 22)):
        counts = np.bincount(monitor.i[:][attempt == number], minlength=8)
        chance = grey[0] / 8 * intensity * 0.0005
        assert (np.abs(counts - 1000 * chance) <= 4 * np.sqrt(1000 * chance * (1 - chance))).all()
