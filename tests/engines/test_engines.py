"""Both engines, on every target, against the independent network of `reference.py` and against each other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from reference import (
    RULES_TO_TEST,
    Run,
    draw_images,
    mixed_images,
    open_fresh,
    open_run,
    reference_of,
    shown,
    small_experiment,
)

from snstdp_cli.engines import ChunkResult, Stream, choose_engine
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import draw_wiring

CPP = pytest.param("cpp", marks=pytest.mark.compiles)
COMBINATIONS = [
    *[pytest.param(rule, "numpy") for rule in RULES_TO_TEST],
    *[pytest.param(rule, "cpp", marks=pytest.mark.compiles) for rule in RULES_TO_TEST],
    *[pytest.param(rule, "cython", marks=pytest.mark.compiles) for rule in RULES_TO_TEST],
]
#: Inhibition by n_e * (n_e - 1) delayed synapses, input without delays, forward Euler.
OTHER_NETWORK = {"inhibition": "dense", "inhibition_delay_ms": 3, "input_delay_ms": 0, "integration": "euler"}


def assert_like_reference(
    run: Run,
    result: ChunkResult,
    spikes: list[tuple[int, int]],
    plastic: bool = True,
    least_spikes: int = 40,
) -> None:
    expected = reference_of(run, mixed_images(), plastic)
    assert spikes == expected.spikes
    assert len(expected.spikes) >= least_spikes
    assert {neuron for _, neuron in expected.spikes} == set(range(run.experiment.n_e))
    np.testing.assert_allclose(run.weights(result), expected.weights, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.state["exc.theta"] * 1000, expected.theta_mv, rtol=0, atol=1e-9)
    assert result.counts.tolist() == expected.counts.tolist()
    assert result.attempts.tolist() == expected.attempts
    assert result.silent.tolist() == expected.silent
    assert set(expected.attempts) >= ({1, 2, 3} if plastic else {1, 3})


@pytest.mark.parametrize(("rule", "target"), COMBINATIONS)
def test_a_learning_network_spikes_and_learns_step_for_step_as_the_reference(rule: str, target: str) -> None:
    run, result, spikes = shown(rule, target)
    assert_like_reference(run, result, spikes)
    before = run.wiring.to_matrix(run.start["input_exc.w"])
    assert np.abs(run.weights(result) - before).max() > 0.1


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_a_frozen_network_spikes_step_for_step_as_the_reference(target: str) -> None:
    assert_like_reference(*shown("smin-lagged", target, False), plastic=False)


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_conductances_far_below_minus_one_leave_finite_voltages_and_the_references_spikes(target: str) -> None:
    run = open_run(small_experiment(), target)
    weights = run.wiring.to_matrix(run.start["input_exc.w"]) * np.array([-10, 1, -3, 1])
    run.start = {**run.start, "input_exc.w": run.wiring.to_synapses(weights)}
    result = run.show(mixed_images())
    assert all(np.isfinite(values).all() for values in result.state.values())
    expected = reference_of(run, mixed_images()).spikes
    assert run.spikes() == expected
    assert {neuron for _, neuron in expected} >= {1, 3}


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_delayed_dense_inhibition_with_forward_euler_spikes_as_the_reference(target: str) -> None:
    run = open_run(small_experiment("smax-lagged", network=OTHER_NETWORK), target)
    result = run.show(mixed_images())
    assert_like_reference(run, result, run.spikes())


@pytest.mark.slow
@pytest.mark.compiles
def test_a_network_of_one_neuron_runs_in_cpp_as_in_the_reference() -> None:
    experiment = small_experiment("smax-lagged", n_e=1, network={"inhibition": "dense", "theta_init_mv": 10})
    run = open_run(experiment, "cpp")
    result = run.show(mixed_images())
    assert_like_reference(run, result, run.spikes(), least_spikes=25)


@pytest.mark.compiles
@pytest.mark.parametrize("target", ["cython", "cpp"])
@pytest.mark.parametrize("rule", RULES_TO_TEST)
def test_every_target_leaves_the_state_that_numpy_leaves(rule: str, target: str) -> None:
    states = [shown(rule, name)[1].state for name in ("numpy", target)]
    assert states[0].keys() == states[1].keys()
    for name, values in states[0].items():
        # The triplet rule evaluates exp, which differs in its last bit between libraries; the others must not differ.
        allowed = 1e-12 if rule == "triplet" else 0
        np.testing.assert_allclose(states[1][name], values, rtol=0, atol=allowed, err_msg=name)


@pytest.mark.compiles
@pytest.mark.slow
def test_the_cython_tests_run_cython() -> None:
    run = open_run(small_experiment(), "cython")
    run.show(draw_images(1))
    built = run.engine.built
    for obj in (built.exc.state_updater, built.exc.resetter["spike"], built.synapses.learn):
        assert obj.codeobj.__class__.__name__ == "CythonCodeObject"


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_one_seed_gives_the_same_bits_again_and_another_seed_other_spikes(target: str) -> None:
    run, first, spikes = shown("smin-lagged", target)
    again = run.show(mixed_images())
    assert run.spikes() == spikes
    assert all(np.array_equal(again.state[name], values) for name, values in first.state.items())
    # Only the input's random numbers differ: connections, delays and weights are the same.
    run.engine.experiment = run.experiment.model_copy(update={"seed": 6})
    try:
        run.show(mixed_images())
        assert run.spikes() != spikes
    finally:
        run.engine.experiment = run.experiment


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_recording_sees_other_input_spikes_than_learning(target: str) -> None:
    run, _, learning = shown("smin-lagged", target)
    run.show(mixed_images(), stream=Stream.TEST_RECORDING)
    assert run.spikes() != learning


@pytest.mark.parametrize("target", ["numpy", CPP])
@pytest.mark.parametrize("rule", ["smin-lagged", "triplet"])
def test_a_run_in_two_chunks_leaves_the_same_bits_as_in_one(rule: str, target: str) -> None:
    images = mixed_images()
    run, whole, _ = shown(rule, target)
    front = run.show(images[:3])
    back = run.show(images[3:], state=front.state, first=3)
    for name, values in whole.state.items():
        np.testing.assert_array_equal(back.state[name], values, err_msg=name)
    np.testing.assert_array_equal(np.concatenate([front.counts, back.counts]), whole.counts)
    np.testing.assert_array_equal(np.concatenate([front.attempts, back.attempts]), whole.attempts)


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_the_number_of_the_first_example_decides_the_input_spikes(target: str) -> None:
    run, image = open_run(small_experiment(), target, plastic=False), draw_images(1)
    counts = [run.show(image, first=first).counts.tolist() for first in (0, 1, 3)]
    assert counts[0] != counts[1] or counts[0] != counts[2]
    assert run.show(image, first=3).counts.tolist() == counts[2]


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_a_frozen_network_changes_neither_weights_nor_thresholds(target: str) -> None:
    run, result, _ = shown("smin-lagged", target, False)
    assert result.counts.sum() > 20
    for name in ("input_exc.w", "exc.theta"):
        assert np.array_equal(result.state[name], run.start[name])


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_a_frozen_response_does_not_depend_on_what_was_shown_before(target: str) -> None:
    run, images = open_run(small_experiment(), target, plastic=False), draw_images(3)
    images[1] = 255
    after_two = run.show(images)
    assert after_two.counts[2].sum() >= 3
    after_others = run.show(images[[1, 0, 2]])
    alone = run.show(images[2:], first=2)
    excited = dict(run.start) | {"exc.v": np.full(4, -0.04), "exc.ge": np.full(4, 9.0), "exc.cooldown": np.full(4, 7.0)}
    excited |= {"exc.gi": np.full(4, 99.0), "inh.v": np.full(4, -0.041), "inh.ge": np.full(4, 9.0)}
    from_excited = run.show(images[2:], state=excited, first=2)
    expected = after_two.counts[2].tolist()
    assert [r.counts[-1].tolist() for r in (after_others, alone, from_excited)] == [expected] * 3


@pytest.mark.parametrize("target", ["numpy", CPP])
@pytest.mark.parametrize("plastic", [True, False])
def test_a_black_image_is_shown_as_often_as_allowed_and_is_silent(plastic: bool, target: str) -> None:
    run = open_run(small_experiment(), target, plastic=plastic)
    result = run.show(np.zeros((2, 16), dtype=np.uint8))
    assert run.spikes() == []
    assert result.counts.tolist() == [[0] * 4] * 2
    assert result.attempts.tolist() == [run.experiment.max_attempts] * 2 == [3, 3]
    assert result.silent.tolist() == [True, True]


@pytest.mark.parametrize("target", ["numpy", CPP])
def test_only_the_last_presentation_of_a_retried_image_counts(target: str) -> None:
    run, result, spikes = shown("smin-lagged", target)
    retried = int(np.flatnonzero((result.attempts == 2) & ~result.silent)[0])
    whole, stimulus = run.experiment.presentation_steps, run.experiment.stimulus_steps
    begin = int(result.attempts[:retried].sum()) * whole
    tries = [[0] * 4, [0] * 4]
    for step, neuron in spikes:
        number, tick = divmod(step - begin, whole)
        if number in (0, 1) and 0 < tick <= stimulus:
            tries[number][neuron] += 1
    assert sum(tries[0]) < 3 <= sum(tries[1])
    assert result.counts[retried].tolist() == tries[1]


def test_the_runtime_engine_forgets_the_spikes_of_earlier_chunks() -> None:
    run, _, _ = shown("smin-lagged", "numpy")
    run.show(draw_images(1))
    assert len(run.engine.built.spikes.t) == len(run.spikes()) > 0
    assert len(run.engine.built.shown.t) <= 3


def test_brian_says_nothing_when_a_chunk_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """That several synapses might write to one target is not true of a controller that is one neuron."""
    import brian2

    said: list[str] = []
    monkeypatch.setattr(brian2.BrianLogger, "_log_messages", set())  # Brian says a thing once
    monkeypatch.setattr(brian2.BrianLogger.console_handler, "emit", lambda record: said.append(record.getMessage()))
    filters = list(brian2.BrianLogger.console_handler.filters)
    open_run(small_experiment(n_e=3), "numpy", fresh=True).show(draw_images(1))
    assert said == []
    assert brian2.BrianLogger.console_handler.filters == filters


@pytest.mark.compiles
def test_a_program_is_compiled_once_and_found_again() -> None:
    open_run(small_experiment(), "cpp")
    messages: list[str] = []
    for seed in (5, 77):
        experiment = small_experiment(seed=seed)
        wiring = draw_wiring(experiment, 16)
        engine = StandaloneEngine(experiment, experiment.plasticity(16), wiring, messages.append)
        assert engine.compiled is False
        engine.close()
        assert not engine.folder.exists()
    assert messages == []


@pytest.mark.compiles
def test_the_cache_key_knows_all_that_shapes_the_program_and_nothing_else() -> None:
    from snstdp_cli.engines.compilation import find_compiler
    from snstdp_cli.engines.program import program_key

    def key(plastic: bool = True, n_input: int = 16, **changes: object) -> str:
        experiment = small_experiment(**changes)  # type: ignore[arg-type]
        plasticity = experiment.plasticity(n_input) if plastic else None
        wiring = draw_wiring(experiment, n_input)
        return program_key(experiment, plasticity, wiring, find_compiler() or "")

    base = key()
    assert key(seed=9, num_examples=3, save_name="x", checkpoint_every=7) == base
    assert key(network={"w_exc_inh": 9, "theta_step_mv": 0.1}, presentation={"intensity": 21}) == base
    others = [
        key(plastic=False),
        key(n_input=17),
        key(n_e=5),
        key(dt=0.25),
        key(rule="smin-instantaneous"),
        key(rule="smax-lagged"),
        key(network={"integration": "euler"}),
        key(presentation={"rest": "reset"}),
        key(chunk=9),
    ]
    assert len({base, *others}) == len(others) + 1


@pytest.mark.compiles
def test_one_program_runs_chunk_after_chunk_and_is_started_again_if_somebody_ended_it() -> None:
    run = open_run(small_experiment(), "cpp", fresh=True)
    engine, images = run.engine, mixed_images()
    try:
        first = run.show(images)
        program = engine._running._process
        again = run.show(images)
        assert engine._running._process is program
        program.kill()
        program.wait()
        after = run.show(images)
        assert engine._running._process is not program
        for result in (again, after):
            assert result.counts.tolist() == first.counts.tolist()
            assert {name: values.tobytes() for name, values in result.state.items()} == {
                name: values.tobytes() for name, values in first.state.items()
            }
    finally:
        engine.close()
    assert engine._running is None


@pytest.mark.compiles
def test_a_program_whose_input_is_closed_ends_by_itself() -> None:
    run = open_run(small_experiment(), "cpp", fresh=True)
    try:
        run.show(mixed_images())
        program = run.engine._running._process
        program.stdin.close()
        assert program.wait(timeout=20) == 0
    finally:
        run.engine.close()


@pytest.mark.compiles
def test_a_program_that_fails_is_an_error_that_says_so() -> None:
    run = open_run(small_experiment(), "cpp")
    engine = open_fresh(run.experiment, "cpp")
    failing = engine.folder / "fail"
    failing.write_text("#!/bin/sh\necho no space left\nexit 3\n")
    failing.chmod(0o755)
    engine.program = dataclasses.replace(engine.program, executable=failing)
    with pytest.raises(EngineError, match=r"exit code 3.*no space left"):
        dataclasses.replace(run, engine=engine).show(draw_images(1))
    engine.close()


def test_without_a_compiler_auto_means_runtime_and_standalone_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", "/no/such/compiler")
    experiment = small_experiment()
    assert choose_engine(experiment) == "runtime"
    with pytest.raises(EngineError, match=r"no C\+\+ compiler"):
        open_fresh(experiment, "cpp")
