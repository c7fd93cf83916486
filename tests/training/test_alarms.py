"""Numerical alarms: each is driven, names who and what to change, and leaves the last good checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, training_record

from snstdp_cli.artefacts import Workdir, read_checkpoint, save_weights
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import NumericalError
from snstdp_cli.network.wiring import draw_weights, draw_wiring
from snstdp_cli.training import init_weights, train_network

pytestmark = pytest.mark.compiles


def experiment(**changes: Any) -> Experiment:
    return small(**{"evaluation.curve_every": 0, "save_name": "a", **changes})


def spoil_third_chunk(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[ChunkResult], object]) -> None:
    """Let the third chunk of a training end with something wrong."""
    original, seen = StandaloneEngine.run, []

    def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        result = original(engine, state, chunk)
        seen.append(chunk)
        if len(seen) == 3:
            spoil(result)
        return result

    monkeypatch.setattr(StandaloneEngine, "run", run)


def put(name: str, index: int, value: float) -> Callable[[ChunkResult], object]:
    def spoil(result: ChunkResult) -> None:
        result.state[name][index] = value

    return spoil


def loud(result: ChunkResult) -> None:
    result.counts[:] = 0
    result.counts[:, 5] = 4_000


def growing(result: ChunkResult) -> None:
    result.state["input_exc.w"] *= 1.5
    result.counts[:] = 30


@pytest.mark.parametrize(
    ("spoil", "sentence", "advice"),
    [
        (put("input_exc.w", -1, np.nan), "input_exc.w of neuron LAST is nan after the examples 8 to 9", "smaller dt"),
        (put("exc.theta", 3, np.inf), "exc.theta of neuron 3 is inf", "finite number in volt"),
        (put("exc.v", 0, -np.inf), "exc.v of neuron 0 is -inf", "larger rule.positive_share"),
        (put("inh.ge", 2, np.nan), "inh.ge of neuron 2 is nan", "smaller weights"),
        (put("input_exc.w", -1, 99.0), "from input 35 to neuron LAST is 99; the rule keeps weights within", "the rule"),
        (loud, "4,000 excitatory spikes answered example 8 (neuron 5 alone fired 4000 times)", "exponential_euler"),
        (growing, "the L1 norm of neuron", "rule.eta"),
    ],
    ids=["nan weight", "infinite theta", "infinite voltage", "nan conductance", "bounds", "runaway", "norm"],
)
def test_an_alarm_names_who_and_what_to_change_and_keeps_the_last_good_checkpoint(
    spoil: Callable[[ChunkResult], object],
    sentence: str,
    advice: str,
    tmp_path: Path,
    small_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A target that the norm has passed when `growing` is done with it.
    settings = experiment(**{"rule.a_tar": 0.2})
    with monkeypatch.context() as patch:
        spoil_third_chunk(patch, spoil)
        if spoil is loud:
            patch.setattr("snstdp_cli.recording.alarms.RUNAWAY_AT_LEAST", 100)
        with pytest.raises(NumericalError) as raised:
            train_network(settings, Workdir(tmp_path), data_dir=small_data)
    last = draw_wiring(settings, 36).post[-1]
    assert sentence.replace("LAST", str(last)) in str(raised.value)
    assert advice in str(raised.value)
    assert "the last good checkpoint is kept" in str(raised.value)
    assert raised.value.exit_code == 1
    kept = read_checkpoint(Workdir(tmp_path), "a")
    assert kept is not None
    assert kept.meta["examples"] == 8
    resumed = train_network(settings, Workdir(tmp_path), data_dir=small_data, resume=True)
    whole = train_network(settings, Workdir(tmp_path / "whole"), data_dir=small_data)
    np.testing.assert_array_equal(resumed.weights, whole.weights)


@pytest.mark.slow
def test_forward_euler_runs_away_on_real_digits_and_is_stopped(tmp_path: Path) -> None:
    """Twice the inhibition, low thresholds and 1 ms steps: 5,800 spikes an example instead of tens."""
    changes = {"data": "bundled", "n_e": 100, "dt": 1, "num_examples": 20, "save_name": "wild", "chunk": 20}
    changes |= {"network.integration": "euler", "presentation.max_intensity": 3, "rule.a_tar": 0.2}
    changes |= {"network.theta_init_mv": 0, "network.w_inh_exc": 34, "evaluation.curve_every": 0}
    workdir = Workdir(tmp_path)
    with pytest.raises(NumericalError, match=r"runaway activity.*network.integration: exponential_euler"):
        train_network(build_experiment({}, changes), workdir)
    kept = read_checkpoint(workdir, "wild")
    assert kept is not None
    assert np.isfinite(kept.arrays["input_exc.w"]).all()
    assert not (workdir.weights / "wild.json").exists()


def wild_settings(integration: str) -> Experiment:
    """400 neurons at the default step, whose inputs arrive at once: many inhibitory neurons fire together."""
    changes = {"rule.name": "smax", "num_examples": 100, "chunk": 100, "load_name": "doubled", "save_name": "wild"}
    changes |= {"network.input_delay_ms": 0.0, "network.inhibition": "dense", "network.integration": integration}
    changes |= {"n_e": 400, "data": "bundled", "evaluation.curve_every": 0}
    return build_experiment({}, changes)


@pytest.mark.slow
def test_doubled_weights_run_away_with_forward_euler_at_the_default_step_and_not_otherwise(tmp_path: Path) -> None:
    workdir, wild = Workdir(tmp_path), wild_settings("euler")
    weights = draw_weights(wild, 784, wild.plasticity(784).l1_target, False)
    save_weights(workdir, "doubled", 2 * weights, np.full(400, wild.network.theta_init_mv), training_record())
    with pytest.raises(NumericalError, match="runaway activity: [0-9]{2},[0-9]{3} excitatory spikes"):
        train_network(wild, workdir)
    tame = train_network(wild_settings("exponential_euler"), workdir, force=True)
    assert tame.record.figures is not None
    assert tame.record.figures.examples == 100


#: A threshold that no input reaches.
MUTE: dict[str, Any] = {"network.theta_init_mv": 1000, "num_examples": 8}


def test_a_network_that_has_gone_silent_is_stopped(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snstdp_cli.recording.alarms.SILENT_AT_LEAST", 4)  # a chunk of this network
    with pytest.raises(NumericalError, match=r"gone silent: none of the examples 0 to 3 .*theta_init_mv"):
        train_network(experiment(**MUTE), Workdir(tmp_path), data_dir=small_data)
    assert read_checkpoint(Workdir(tmp_path), "a") is not None


def test_few_silent_examples_are_no_alarm_but_counted(tmp_path: Path, small_data: Path) -> None:
    record = train_network(experiment(**MUTE), Workdir(tmp_path), data_dir=small_data).record
    assert record.figures is not None
    assert record.figures.silent_examples == 8
    assert record.figures.never_learned == 8


def test_a_rule_that_rescales_its_norm_is_not_stopped_because_of_it(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm stopped five of six triplet runs and advised `rule.eta`, which that rule has not."""
    settings = experiment(**{"rule.name": "triplet"})
    with monkeypatch.context() as patch:
        spoil_third_chunk(patch, growing)
        patch.setattr("snstdp_cli.training.alarms._check_bounds", lambda *_: None)
        train_network(settings, Workdir(tmp_path), data_dir=small_data)


def test_an_alarm_advises_only_what_the_rule_has(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = experiment(**{"rule.name": "triplet"})
    spoil_third_chunk(monkeypatch, loud)
    monkeypatch.setattr("snstdp_cli.recording.alarms.RUNAWAY_AT_LEAST", 100)
    with pytest.raises(NumericalError) as raised:
        train_network(settings, Workdir(tmp_path), data_dir=small_data)
    named = {word.strip(".,;") for word in str(raised.value).split() if word.startswith("rule.")}
    assert named <= {f"rule.{key}" for key in settings.rule.parameters}


def test_loaded_weights_beyond_the_rules_bounds_are_no_alarm(tmp_path: Path, small_data: Path) -> None:
    workdir = Workdir(tmp_path)
    init_weights(experiment(), workdir, "start", 36, signed=True)
    record = train_network(experiment(load_name="start"), workdir, data_dir=small_data).record
    assert record.start is not None
    assert record.start.name == "start"
