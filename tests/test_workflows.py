"""Training, recording and scoring on the synthetic ten-image set: what is written, refused, resumed and kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snstdp_cli.workflows import (
    Reporter,
    TrainingProgress,
    compare_networks,
    evaluate_activity,
    init_weights,
    record_activity,
    run_experiment,
    train_network,
)
from snstdp_cli.workflows.figures import learned_neurons
from synthetic import SMALL, write_idx_set

from snstdp_cli.artefacts import Workdir, list_snapshots, load_responses, load_weights, read_checkpoint, save_weights
from snstdp_cli.config import Experiment, merge, validate
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, ConfigError, DataError, InterruptedRunError
from snstdp_cli.rules import complete

pytestmark = pytest.mark.compiles


def small(**changes: Any) -> Experiment:
    return complete(validate(merge(SMALL, changes), "test"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_idx_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Workdir:
    """A working folder with the network `a`, trained and recorded; tests do not change it."""
    workdir = Workdir(tmp_path_factory.mktemp("trained"))
    run_experiment(small(save_name="a"), workdir, data_dir=data, workers=1)
    return workdir


def train(workdir: Path | Workdir, data: Path, **options: Any) -> Any:
    settings = {key: options.pop(key) for key in list(options) if key not in ("resume", "force", "report")}
    place = workdir if isinstance(workdir, Workdir) else Workdir(workdir)
    return train_network(small(**settings), place, data_dir=data, **options)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """Press Ctrl-C in a chunk of the learning network."""
    original, seen = StandaloneEngine.run, []

    def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        if chunk.stream == 1:
            seen.append(chunk)
        if len(seen) > chunks:
            raise KeyboardInterrupt
        return original(engine, state, chunk)

    monkeypatch.setattr(StandaloneEngine, "run", run)


def test_a_training_writes_weights_snapshots_and_a_provenance_that_tells_how(trained: Workdir) -> None:
    loaded = load_weights(trained, "a", n_input=36, n_e=8)
    told = loaded.provenance
    assert told["experiment"]["rule"]["name"] == "smin"
    assert told["experiment"]["rule"]["eta"] == 0.01
    assert told["figures"]["examples"] == 10
    assert told["data"]["num_images"] == 10
    assert told["history"]["examples"] == [4, 8, 10]
    assert [point[0] for point in told["learning_curve"]] == [4, 8]
    assert {"brian2", "numpy", "python", "compiler"} <= told["versions"].keys()
    assert [examples for examples, _, _ in list_snapshots(trained, "a")] == [4, 8]
    assert read_checkpoint(trained, "a") is None


def test_learning_changes_weights_and_thresholds(trained: Workdir, tmp_path: Path) -> None:
    init_weights(small(), Workdir(tmp_path), "start", 36)
    start, end = load_weights(Workdir(tmp_path), "start"), load_weights(trained, "a")
    assert np.abs(end.weights - start.weights).max() > 0.01
    assert start.weights.min() >= 0 > end.weights.min()
    assert (end.theta_mv != start.theta_mv).any()


def test_recordings_hold_counts_labels_and_the_weights_they_were_made_with(trained: Workdir) -> None:
    responses = load_responses(trained.activity / "a.test.10.npz")
    assert responses.counts.shape == (10, 8)
    assert responses.counts.sum() > 0
    assert responses.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert responses.provenance["weights"]["sha256"] == load_weights(trained, "a").sha256


def test_recording_changes_no_weight_and_does_not_depend_on_the_workers(
    trained: Workdir, tmp_path: Path, data: Path
) -> None:
    before = {path.name: path.read_bytes() for path in trained.weights.glob("*.npy")}
    one = load_responses(trained.activity / "a.test.10.npz")
    copy = Workdir(tmp_path)
    loaded = load_weights(trained, "a")
    save_weights(copy, "a", loaded.weights, loaded.theta_mv, {})
    four, _ = record_activity(small(), copy, "a", "test", data_dir=data, workers=4)
    np.testing.assert_array_equal(one.counts, four.counts)
    np.testing.assert_array_equal(one.attempts, four.attempts)
    assert before == {path.name: path.read_bytes() for path in trained.weights.glob("*.npy")}


def test_an_interrupted_training_resumes_to_the_same_bits(
    trained: Workdir, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, chunks=2)  # the first presentation is that of the plan, which shorter runs do without
        with pytest.raises(InterruptedRunError, match="8 of 10 examples.*--resume"):
            train(tmp_path, data, save_name="a")
    checkpoint = read_checkpoint(Workdir(tmp_path), "a")
    assert checkpoint is not None
    assert checkpoint.meta["examples"] == 8
    result = train(tmp_path, data, save_name="a", resume=True)
    whole = load_weights(trained, "a")
    np.testing.assert_array_equal(result.weights, whole.weights)
    assert result.provenance["learning_curve"] == whole.provenance["learning_curve"]
    for key in ("retries", "silent_examples", "l1_mean"):
        assert result.provenance["figures"][key] == whole.provenance["figures"][key]


def test_the_size_of_a_chunk_does_not_change_the_result(trained: Workdir, tmp_path: Path, data: Path) -> None:
    other = train(tmp_path, data, save_name="a", chunk=3, checkpoint_every=5)
    np.testing.assert_array_equal(other.weights, load_weights(trained, "a").weights)


def test_a_portable_program_gives_the_same_bits(
    trained: Workdir, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNSTDP_PORTABLE", "1")
    other = train(tmp_path, data, save_name="a")
    assert "-march=native" not in other.provenance["versions"]["compiler_flags"]
    np.testing.assert_array_equal(other.weights, load_weights(trained, "a").weights)


def test_what_is_there_is_not_overwritten(trained: Workdir, data: Path) -> None:
    with pytest.raises(ArtefactError, match="there are weights named 'a' already.*--force"):
        train(trained, data, save_name="a")
    with pytest.raises(ArtefactError, match="complete.*nothing to resume"):
        train(trained, data, save_name="a", resume=True)
    with pytest.raises(ArtefactError, match=r"a\.test\.10\.npz.*exists already"):
        record_activity(small(), trained, "a", "test", data_dir=data)


def test_an_interrupted_training_is_neither_forgotten_nor_mixed_with_another(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, chunks=1)
        with pytest.raises(InterruptedRunError):
            train(tmp_path, data, save_name="b")
    with pytest.raises(ArtefactError, match="interrupted after 4 examples.*--resume"):
        train(tmp_path, data, save_name="b")
    with pytest.raises(ConfigError, match=r"another configuration \(different: seed\)"):
        train(tmp_path, data, save_name="b", resume=True, seed=9)
    with pytest.raises(ConfigError, match="at most num_examples"):
        train(tmp_path, data, save_name="b", resume=True, num_examples=2)
    other = write_idx_set(tmp_path / "other", seed=6)
    with pytest.raises(ConfigError, match="other images"):
        train(tmp_path, other, save_name="b", resume=True)


def test_run_resumes_where_it_stopped_and_refuses_other_settings(trained: Workdir, data: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in trained.activity.iterdir()}
    run_experiment(small(save_name="a"), trained, data_dir=data, resume=True)
    assert times == {path: path.stat().st_mtime_ns for path in trained.activity.iterdir()}
    with pytest.raises(ConfigError, match="other settings"):
        run_experiment(small(save_name="a", seed=3), trained, data_dir=data, resume=True)


def test_run_does_not_resume_on_other_images(trained: Workdir, tmp_path: Path) -> None:
    other = write_idx_set(tmp_path / "other", seed=6)
    with pytest.raises(ConfigError, match="other images"):
        run_experiment(small(save_name="a"), trained, data_dir=other, resume=True)


def test_run_records_again_what_was_recorded_shorter_or_on_other_images(
    trained: Workdir, tmp_path: Path, data: Path
) -> None:
    workdir = Workdir(tmp_path)
    shutil.copytree(trained.weights, workdir.weights)
    record_activity(small(), workdir, "a", "train", num_examples=3, data_dir=data, workers=1)
    record_activity(small(), workdir, "a", "test", data_dir=write_idx_set(tmp_path / "other", seed=6), workers=1)
    run_experiment(small(save_name="a"), workdir, data_dir=data, workers=1, resume=True)
    for split in ("train", "test"):
        found = load_responses(workdir.activity / f"a.{split}.10.npz")
        expected = load_responses(trained.activity / f"a.{split}.10.npz")
        assert found.provenance["data"]["sha256"] == expected.provenance["data"]["sha256"]
        np.testing.assert_array_equal(found.counts, expected.counts)


def test_training_goes_on_from_loaded_weights_and_thresholds(trained: Workdir, tmp_path: Path, data: Path) -> None:
    loaded = load_weights(trained, "a")
    save_weights(Workdir(tmp_path), "a", loaded.weights, loaded.theta_mv + 3, {})
    result = train(tmp_path, data, load_name="a", save_name="c", num_examples=1)
    assert result.provenance["start"]["name"] == "a"
    assert result.theta_mv.min() > loaded.theta_mv.min() + 2


def test_weights_and_images_that_do_not_fit_are_refused(trained: Workdir, tmp_path: Path, data: Path) -> None:
    with pytest.raises(ArtefactError, match="n_e 8, but n_input 36 and n_e 9"):
        train(trained, data, load_name="a", save_name="d", n_e=9)
    save_weights(Workdir(tmp_path), "big", np.ones((784, 8)), np.full(8, 20.0), {})
    with pytest.raises(DataError, match="6 x 6 = 36 pixels.*784 inputs"):
        record_activity(small(), Workdir(tmp_path), "big", "test", data_dir=data)


def test_signed_weights_are_no_start_for_a_rule_that_rescales_sums(trained: Workdir, data: Path) -> None:
    assert load_weights(trained, "a").weights.min() < 0
    with pytest.raises(ConfigError, match="'a' are of both signs"):
        train(trained, data, load_name="a", save_name="f", rule={"name": "triplet", "a_tar": 0.5})


def test_more_examples_than_images_need_epochs(tmp_path: Path, data: Path) -> None:
    with pytest.raises(ConfigError, match="10 images and epochs is false"):
        train(tmp_path, data, num_examples=11, epochs=False)


def test_labels_from_test_responses_flatter_and_are_told_apart(trained: Workdir) -> None:
    fair = evaluate_activity(trained, "a")
    flattering = evaluate_activity(trained, "a", assign_from="test")
    assert fair.as_dict()["assign_from"] == "train"
    assert flattering.as_dict()["assign_from"] == "test"
    assert flattering.evaluation.accuracy >= fair.evaluation.accuracy


def test_recordings_of_older_weights_are_not_scored(tmp_path: Path, trained: Workdir, data: Path) -> None:
    workdir = Workdir(tmp_path)
    loaded = load_weights(trained, "a")
    save_weights(workdir, "a", loaded.weights, loaded.theta_mv, {})
    for split in ("train", "test"):
        record_activity(small(), workdir, "a", split, data_dir=data, workers=1)
    save_weights(workdir, "a", loaded.weights * 1.01, loaded.theta_mv, {}, force=True)
    with pytest.raises(ArtefactError, match="recorded with other weights.*snstdp test"):
        evaluate_activity(workdir, "a")


def test_a_network_is_not_better_than_itself(trained: Workdir) -> None:
    comparison, _ = compare_networks(trained, "a", "a")
    assert comparison.only_a == comparison.only_b == 0
    assert comparison.p_value == 1.0


def test_progress_tells_of_every_chunk(tmp_path: Path, data: Path) -> None:
    seen: list[TrainingProgress] = []
    train(tmp_path, data, save_name="e", report=Reporter(training=seen.append))
    assert [(p.examples, p.total) for p in seen] == [(4, 10), (8, 10), (10, 10)]
    assert all(p.l1_target == pytest.approx(18.0) and p.theta_mv[0] <= p.theta_mv[1] <= p.theta_mv[2] for p in seen)
    assert len(seen[-1].curve) == 2


def test_the_ancestors_files_come_back_through_its_format(trained: Workdir, tmp_path: Path, data: Path) -> None:
    workdir = Workdir(tmp_path)
    loaded = load_weights(trained, "a")
    save_weights(workdir, "a", loaded.weights, loaded.theta_mv, {})
    _, files = record_activity(small(), workdir, "a", "test", data_dir=data, workers=1, ancestor_format=True)
    assert [path.name for path in files] == ["resultPopVecs10.npy", "inputNumbers10.npy"]
    ours = load_responses(trained.activity / "a.test.10.npz")
    np.testing.assert_array_equal(np.load(files[0]), ours.counts.astype(float))
    np.testing.assert_array_equal(np.load(files[1]), ours.labels)


def test_provenance_is_json_that_people_can_read(trained: Workdir) -> None:
    text = (trained.weights / "a.json").read_text()
    assert json.loads(text)["kind"] == "training"
    assert "\n  " in text


def test_the_neurons_that_are_shown_during_training_are_some_that_learned() -> None:
    theta_mv = np.full(50, 20.0)
    theta_mv[[3, 9, 40]] = 21, 30, 25
    assert {3, 9, 40} <= set(learned_neurons(theta_mv, 8))
    assert learned_neurons(np.linspace(20, 30, 101), 8)[::7] == [11, 100]
    assert learned_neurons(np.array([20.0, 20.0]), 8) == [0, 1]
