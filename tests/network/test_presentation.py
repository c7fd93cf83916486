"""The presentation protocol and the Poisson input."""

from __future__ import annotations

import numpy as np
import pytest
from reference import draw_images, open_run, small_experiment

from snstdp_cli.config import Experiment
from snstdp_cli.engines import Stream
from snstdp_cli.network.protocol import NO_STEP, controller_constants, image_constants
from snstdp_cli.network.wiring import draw_weights, draw_wiring


@pytest.mark.parametrize(
    ("intensity", "max_intensity", "attempts"),
    [(2, 32, 31), (5, 5, 1), (2, 4.5, 3), (0.3, 2.3, 3)],
)
def test_an_image_is_shown_with_every_intensity_up_to_the_cap(
    intensity: float, max_intensity: float, attempts: int
) -> None:
    shown = {"intensity": intensity, "max_intensity": max_intensity}
    assert small_experiment(presentation=shown).max_attempts == attempts


def test_no_input_of_a_new_network_is_about_to_fire() -> None:
    run = open_run(small_experiment(), "numpy", plastic=False, fresh=True)
    assert set(run.engine.built.inputs.next_step[:]) == {NO_STEP}


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


def input_spikes(experiment: Experiment, stream: Stream = Stream.TRAINING, first: int = 4) -> np.ndarray:
    """Show an image twice; return [example, step, input] of the spikes of the two first presentations."""
    from brian2 import SpikeMonitor

    run = open_run(once(), "numpy", plastic=False)
    built = run.engine.built
    run.engine.experiment = experiment  # which differs in nothing but seeds
    inputs = next(obj for obj in built.network.objects if obj.name == "inputs")
    monitor = SpikeMonitor(inputs)
    built.network.add(monitor)
    try:
        run.show(np.repeat(draw_images(1), 2, axis=0), stream=stream, first=first)
        steps = np.rint(monitor.t_[:] * 2000).astype(int)
        found = np.zeros((2, experiment.presentation_steps, 16), dtype=bool)
        example, tick = np.divmod(steps, experiment.presentation_steps)
        found[example, tick, monitor.i[:]] = True
    finally:
        built.network.remove(monitor)
    return found


def drawn(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial weights and the delays of the inputs."""
    return draw_weights(experiment, 16, 8.0), draw_wiring(experiment, 16).delay_steps


def once(**changes: object) -> Experiment:
    return small_experiment(presentation={"max_intensity": 20}, **changes)  # type: ignore[arg-type]


def test_example_k_of_one_purpose_shares_no_random_numbers_with_example_k_of_another() -> None:
    assert {stream.name: int(stream) for stream in Stream} == {
        **{"TRAINING": 1, "TEST_RECORDING": 2},
        **{"TRAINING_RECORDING": 3, "CURVE_RECORDING": 4, "VALIDATION_RECORDING": 5},
    }
    spikes = {stream: input_spikes(once(), stream) for stream in Stream}
    share = spikes[Stream.TRAINING][:, 1:81].mean()
    for stream, found in spikes.items():
        for other, theirs in spikes.items():
            if other > stream:
                # Coincidences are those of chance: the same image, independent spikes.
                both = (found & theirs)[:, 1:81].mean()
                assert both < 0.5 * share, (stream, other)
        assert found.any()
        assert not np.array_equal(found[0], found[1])


def test_the_noise_seed_decides_the_input_spikes_and_the_seed_all_else() -> None:
    base = once()
    of_base = input_spikes(base)
    assert np.array_equal(input_spikes(once(noise_seed=5)), of_base)
    assert not np.array_equal(input_spikes(once(noise_seed=6)), of_base)
    assert np.array_equal(input_spikes(once(seed=6, noise_seed=5)), of_base)
    weights, delays = drawn(base)
    other_weights, other_delays = drawn(once(seed=6, noise_seed=5))
    assert not np.array_equal(other_weights, weights)
    assert not np.array_equal(other_delays, delays)
    noisy_weights, noisy_delays = drawn(once(noise_seed=6))
    assert np.array_equal(noisy_weights, weights)
    assert np.array_equal(noisy_delays, delays)


def test_each_step_and_each_try_draws_its_own_spikes() -> None:
    # White pixels: the same numbers in two presentations would give the same spikes.
    spikes = input_spikes(once())
    lit = np.flatnonzero(draw_images(1)[0])
    assert len(lit) > 3
    assert len({spikes[0, tick, lit].tobytes() for tick in range(1, 81)}) > 20


@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_numbers_of_the_protocol_are_steps_and_chances_a_step(dt: float) -> None:
    shown = {"stimulus_ms": 40, "rest_ms": 15, "intensity": 3, "max_intensity": 7, "min_spikes": 2}
    experiment = small_experiment(dt=dt, presentation=shown)
    assert controller_constants(experiment) == {
        **{"stimulus_steps": round(40 / dt), "presentation_steps": round(55 / dt), "last_tick": round(55 / dt) - 1},
        **{"min_spikes": 2, "max_attempts": 5},
    }
    numbers = image_constants(experiment)
    assert numbers["intensity"] == 3
    # 200 / 8 * 3 Hz = 75 Hz
    assert 200 * 3 * numbers["chance_per_grey"] * 1000 / dt == pytest.approx(75)


def test_no_input_fires_when_the_image_appears_nor_in_the_rest() -> None:
    # White pixels at the highest intensity that dt allows fire in every step, and so in the last one.
    shown = {"stimulus_ms": 10, "intensity": 62.7, "max_intensity": 62.7, "min_spikes": 0}
    experiment = small_experiment("smax-lagged", presentation=shown)
    run = open_run(experiment, "numpy", plastic=False)
    from brian2 import SpikeMonitor

    monitor = SpikeMonitor(run.engine.built.inputs)
    run.engine.built.network.add(monitor)
    try:
        run.show(np.full((2, 16), 255, dtype=np.uint8))
        tick = np.rint(monitor.t_[:] * 2000).astype(int) % experiment.presentation_steps
    finally:
        run.engine.built.network.remove(monitor)
    counts = np.bincount(tick, minlength=experiment.presentation_steps)
    assert (counts[1:21] >= 28).all()
    assert counts.sum() == counts[1:21].sum()


def test_a_chunk_that_was_broken_off_leaves_no_input_waiting() -> None:
    run = open_run(small_experiment(), "numpy", plastic=False)
    whole = run.show(draw_images(2))
    run.engine.built.inputs.variables["next_step"].set_value(3)
    again = run.show(draw_images(2))
    assert again.counts.tolist() == whole.counts.tolist()
    assert all(np.array_equal(again.state[name], values) for name, values in whole.state.items())
