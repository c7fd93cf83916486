"""Numerical alarms: each is driven, names who and what to change, and leaves the last good checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snstdp_cli.workflows import train_network
from synthetic import SMALL, write_idx_set
from trials import Trial, working_folder

from snstdp_cli.artefacts import Workdir, read_checkpoint, save_weights
from snstdp_cli.config import Experiment, merge, validate
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import NumericalError
from snstdp_cli.network.wiring import draw_weights, draw_wiring
from snstdp_cli.rules import complete, plasticity_of

pytestmark = pytest.mark.compiles


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_idx_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def cli() -> Iterator[Trial]:
    with working_folder() as folder:
        yield Trial(folder, Path(os.environ["SNSTDP_CACHE"]))


def experiment(**changes: Any) -> Experiment:
    return complete(validate(merge(SMALL, {"evaluation.curve_every": 0, "save_name": "a", **changes}), "test"))


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
        (put("exc.v", 0, -np.inf), "exc.v of neuron 0 is -inf", "exponential_euler"),
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
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A target that the norm has passed when `growing` is done with it.
    settings = experiment(rule={"name": "smax", "a_tar": 0.5})
    with monkeypatch.context() as patch:
        spoil_third_chunk(patch, spoil)
        if spoil is loud:
            patch.setattr("snstdp_cli.workflows.health.RUNAWAY_AT_LEAST", 100)
        with pytest.raises(NumericalError) as raised:
            train_network(settings, Workdir(tmp_path), data_dir=data)
    last = draw_wiring(settings, 36).post[-1]
    assert sentence.replace("LAST", str(last)) in str(raised.value)
    assert advice in str(raised.value)
    assert "the last good checkpoint is kept" in str(raised.value)
    assert raised.value.exit_code == 1
    kept = read_checkpoint(Workdir(tmp_path), "a")
    assert kept is not None
    assert kept.meta["examples"] == 8
    resumed = train_network(settings, Workdir(tmp_path), data_dir=data, resume=True)
    whole = train_network(settings, Workdir(tmp_path / "whole"), data_dir=data)
    np.testing.assert_array_equal(resumed.weights, whole.weights)


def test_forward_euler_runs_away_on_real_digits_and_is_stopped(cli: Trial) -> None:
    """Twice the target weights, low thresholds and 1 ms steps: 5,800 spikes an example instead of tens."""
    code, said = cli.end(
        cli.start(
            *("train", "--data", "bundled", "--n-e", "100", "--dt", "1", "--num-examples", "20", "--save-name", "wild"),
            *("--set", "chunk=20", "--set", "network.integration=euler", "--set", "presentation.max_intensity=3"),
            *("--set", "rule.a_tar=0.2", "--set", "network.theta_init_mv=0"),
        )
    )
    assert code == 1, said
    assert "runaway activity" in said
    assert "network.integration: exponential_euler" in said
    kept = read_checkpoint(Workdir(cli.folder), "wild")
    assert kept is not None
    assert np.isfinite(kept.arrays["input_exc.w"]).all()
    assert not (cli.folder / "weights" / "wild.json").exists()


def wild_settings(integration: str) -> Experiment:
    """400 neurons at the default step, whose inputs arrive at once: many inhibitory neurons fire together."""
    changes = {"rule.name": "smax", "num_examples": 100, "chunk": 100, "load_name": "doubled", "save_name": "wild"}
    changes |= {"network.input_delay_ms": 0.0, "network.inhibition": "dense", "network.integration": integration}
    changes |= {"n_e": 400, "data": "bundled", "evaluation.curve_every": 0}
    return complete(validate(merge({}, changes), "test"))


@pytest.mark.slow
def test_doubled_weights_run_away_with_forward_euler_at_the_default_step_and_not_otherwise(tmp_path: Path) -> None:
    workdir, wild = Workdir(tmp_path), wild_settings("euler")
    weights = draw_weights(wild, 784, plasticity_of(wild, 784).l1_target, False)
    save_weights(workdir, "doubled", 2 * weights, np.full(400, wild.network.theta_init_mv), {})
    with pytest.raises(NumericalError, match="runaway activity: [0-9]{2},[0-9]{3} excitatory spikes"):
        train_network(wild, workdir)
    tame = train_network(wild_settings("exponential_euler"), workdir, force=True)
    assert tame.provenance["figures"]["examples"] == 100


#: A threshold that no input reaches.
MUTE = (
    *("--set", "chunk=20", "--set", "checkpoint_every=20", "--set", "network.theta_init_mv=1000"),
    *("--set", "presentation.max_intensity=4", "--set", "evaluation.curve_every=0"),
)


def test_a_network_that_has_gone_silent_is_stopped(cli: Trial) -> None:
    code, said = cli.end(cli.train(*MUTE, name="mute"))
    assert code == 1, said
    assert "gone silent: none of the examples 0 to 19" in said
    assert "theta_init_mv" in said
    assert read_checkpoint(Workdir(cli.folder), "mute") is not None


def test_few_silent_examples_are_no_alarm_but_counted(cli: Trial) -> None:
    code, said = cli.end(cli.train(*MUTE, "--num-examples", "19", name="few"))
    assert code == 0, said
    assert "19 without an answer" in said
