"""Trainings on the ten images: what is written, refused, interrupted, resumed and continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, write_idx_set

from snstdp_cli.artefacts import (
    Workdir,
    load_weights,
    lock_name,
    read_checkpoint,
    save_weights,
    weight_paths,
    write_checkpoint,
)
from snstdp_cli.datasets import load_dataset
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError, NumericalError, SnstdpError
from snstdp_cli.progress import Reporter, TrainingProgress
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.training import init_weights, train_network

pytestmark = pytest.mark.compiles

OPTIONS = ("resume", "force", "report", "more", "dataset")


def train(workdir: Path | Workdir, data: Path | None, **options: Any) -> Any:
    settings = {key: options.pop(key) for key in list(options) if key not in OPTIONS}
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


def interrupted(workdir: Workdir, data: Path, monkeypatch: pytest.MonkeyPatch, chunks: int, **options: Any) -> str:
    with monkeypatch.context() as patch:
        interrupt_after(patch, chunks)
        with pytest.raises(InterruptedRunError) as raised:
            train(workdir, data, **options)
    return str(raised.value)


def files_of(workdir: Workdir) -> dict[str, bytes]:
    """Return every file of a working folder but for locks."""
    return {str(p): p.read_bytes() for p in workdir.root.rglob("*") if p.is_file() and p.suffix != ".lock"}


def same_results(workdir: Workdir, other: Workdir, name: str = "a", other_name: str = "a") -> None:
    """Compare weights, thresholds, record and snapshots of two networks bit for bit."""
    ours, theirs = TrainedNetwork(workdir, name), TrainedNetwork(other, other_name)
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    np.testing.assert_array_equal(ours.theta_mv, theirs.theta_mv)
    assert ours.record is not None
    assert theirs.record is not None
    assert ours.learning_curve == theirs.learning_curve
    assert ours.record.figures == theirs.record.figures
    assert ours.record.training == theirs.record.training
    assert ours.record.never_learned == theirs.record.never_learned
    assert [shot.examples for shot in ours.snapshots] == [shot.examples for shot in theirs.snapshots]
    for a, b in zip(ours.snapshots, theirs.snapshots, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)


def test_a_training_writes_weights_snapshots_and_a_record_that_tells_how(trained: Workdir) -> None:
    network = TrainedNetwork(trained, "a")
    record = network.record
    assert record is not None
    assert (network.n_input, network.n_e) == (36, 8)
    assert record.experiment.rule.name == "smin"
    assert record.experiment.rule.parameters["eta"] == 0.01
    assert record.figures is not None
    assert record.figures.examples == 10
    assert record.data is not None
    assert record.data.num_images == 10
    assert record.history.examples == (4, 8, 10)
    assert [point.examples for point in record.learning_curve] == [4, 8]
    assert all(point.total == 2 for point in record.learning_curve)
    assert {"brian2", "numpy", "python", "compiler"} <= record.versions.keys()
    assert [shot.examples for shot in network.snapshots] == [4, 8]
    assert read_checkpoint(trained, "a") is None
    text = (trained.weights / "a.json").read_text()
    assert json.loads(text)["kind"] == "training"
    assert "\n  " in text


def test_learning_changes_weights_and_thresholds(trained: Workdir, tmp_path: Path) -> None:
    init_weights(small(), Workdir(tmp_path), "start", 36)
    start, end = load_weights(Workdir(tmp_path), "start"), load_weights(trained, "a")
    assert np.abs(end.weights - start.weights).max() > 0.01
    assert start.weights.min() >= 0 > end.weights.min()
    assert (end.theta_mv != start.theta_mv).any()


def test_neurons_that_never_learned_are_those_whose_weights_are_the_first_ones(
    trained: Workdir, tmp_path: Path, small_data: Path
) -> None:
    init_weights(small(), Workdir(tmp_path), "start", 36)
    start = load_weights(Workdir(tmp_path), "start").weights
    found = train(tmp_path, small_data, save_name="short", num_examples=1)
    unmoved = np.flatnonzero((found.weights == start).all(axis=0)).tolist()
    assert 0 < len(unmoved) < 8
    assert list(found.record.never_learned) == unmoved
    assert found.record.figures.never_learned == len(unmoved)
    network = TrainedNetwork(Workdir(tmp_path), "short")
    assert network.never_learned is not None
    assert np.flatnonzero(network.never_learned).tolist() == unmoved


def test_a_neuron_that_fires_in_failed_tries_or_pauses_only_has_learned(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accepted presentations do not count its spikes, but its weights moved."""
    original = StandaloneEngine.run

    def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        result = original(engine, state, chunk)
        result.counts[:] = 0
        return result

    monkeypatch.setattr(StandaloneEngine, "run", run)
    init_weights(small(), Workdir(tmp_path), "start", 36)
    found = train(tmp_path, small_data, save_name="a")
    moved = (found.weights != load_weights(Workdir(tmp_path), "start").weights).any(axis=0)
    assert moved.any()
    assert list(found.record.never_learned) == np.flatnonzero(~moved).tolist()


@pytest.mark.parametrize("chunks", [1, 2])
def test_an_interrupted_training_resumes_to_the_same_bits(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch, chunks: int
) -> None:
    workdir = Workdir(tmp_path)
    said = interrupted(workdir, small_data, monkeypatch, chunks, save_name="a")
    assert f"{4 * chunks} of 10 examples" in said
    assert "--resume" in said
    checkpoint = read_checkpoint(workdir, "a")
    assert checkpoint is not None
    assert checkpoint.meta["examples"] == 4 * chunks
    train(workdir, small_data, save_name="a", resume=True)
    same_results(workdir, trained)


@pytest.mark.parametrize(
    "change",
    [
        {"engine": "runtime", "chunk": 3, "checkpoint_every": 5, "evaluation.curve_every": 0},
        {"engine": "runtime", "evaluation.curve_every": 0},
        {"evaluation.curve_every": 5, "evaluation.assign_examples": 3},
        {"evaluation.classifier": "selective", "evaluation.test_examples": 1},
    ],
    ids=["chunk", "engine", "curve", "score"],
)
def test_settings_that_shape_no_weight_may_change_at_a_resume(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    workdir = Workdir(tmp_path)
    interrupted(workdir, small_data, monkeypatch, 1, save_name="a")
    if change.get("engine"):  # NumPy, which compiles nothing
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.delenv("CXX", raising=False)
    train(workdir, small_data, save_name="a", resume=True, **change)
    ours, whole = TrainedNetwork(workdir, "a"), TrainedNetwork(trained, "a")
    np.testing.assert_array_equal(ours.weights, whole.weights)
    np.testing.assert_array_equal(ours.theta_mv, whole.theta_mv)


def test_the_size_of_a_chunk_does_not_change_the_result(trained: Workdir, tmp_path: Path, small_data: Path) -> None:
    other = train(tmp_path, small_data, save_name="a", chunk=3, checkpoint_every=5, **{"evaluation.curve_every": 0})
    np.testing.assert_array_equal(other.weights, load_weights(trained, "a").weights)


@pytest.mark.slow
def test_a_portable_program_gives_the_same_bits(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNSTDP_PORTABLE", "1")
    other = train(tmp_path, small_data, save_name="a", **{"evaluation.curve_every": 0})
    assert "-march=native" not in other.record.versions["compiler_flags"]
    np.testing.assert_array_equal(other.weights, load_weights(trained, "a").weights)


def test_what_is_there_is_not_overwritten(trained: Workdir, small_data: Path) -> None:
    before = files_of(trained)
    with pytest.raises(ArtefactError, match=r"there are weights named 'a' already.*--force"):
        train(trained, small_data, save_name="a")
    with pytest.raises(ArtefactError, match="complete.*nothing to resume"):
        train(trained, small_data, save_name="a", resume=True)
    assert files_of(trained) == before


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_of_old_weights_is_noticed_before_the_work(tmp_path: Path, small_data: Path, part: int) -> None:
    """It was told hours later, when the result could not be saved, with an advice that lost the training."""
    workdir = Workdir(tmp_path)
    path = weight_paths(workdir, "a")[part]
    path.parent.mkdir()
    path.write_text("{}")
    with pytest.raises(ArtefactError, match=f"named 'a' already .{path.name}.*--force"):
        train(workdir, small_data, save_name="a")
    assert read_checkpoint(workdir, "a") is None


def test_an_interrupted_training_is_neither_forgotten_nor_mixed_with_another(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir = Workdir(tmp_path)
    interrupted(workdir, small_data, monkeypatch, 1, save_name="b")
    before = files_of(workdir)
    with pytest.raises(ArtefactError, match="interrupted after 4 examples.*--resume"):
        train(tmp_path, small_data, save_name="b")
    for change, note in {
        ("seed", 9): r"different: seed \(9, there 0\)\)",
        ("dt", 0.25): r"different: dt \(0.25, there 0.5\)\)",
        ("rule.eta", 0.02): r"different: rule.eta \(0.02, there 0.01\)\)",
        ("evaluation.curve_examples", 1): "different: evaluation.curve_examples",
        ("network.theta_init_mv", 6.0): "different: network.theta_init_mv",
        ("num_examples", 2): "4 examples were shown already; expected at most num_examples",
        ("load_name", "x"): "begun with the weights drawn from the seed, not x; .*--load-name",
    }.items():
        with pytest.raises(ConfigError, match=note):
            train(tmp_path, small_data, save_name="b", resume=True, **dict([change]))
    other = write_idx_set(tmp_path / "other", seed=6)
    with pytest.raises(ConfigError, match=r"different: training images\)"):
        train(tmp_path, other, save_name="b", resume=True)
    assert {key: value for key, value in files_of(workdir).items() if "/other/" not in key} == before


def test_a_rule_that_says_something_else_under_the_same_settings_is_another_training(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(Workdir(tmp_path), small_data, monkeypatch, 1, save_name="b")
    monkeypatch.setattr("snstdp_cli.training.identity.plasticity_digest", lambda _: "f" * 64)
    with pytest.raises(ConfigError, match=r"different: what the rule says\)"):
        train(tmp_path, small_data, save_name="b", resume=True)


def test_start_weights_may_be_deleted_but_not_changed_while_a_training_waits(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir, loaded = Workdir(tmp_path), load_weights(trained, "a")
    assert loaded.record is not None
    for name in ("start", "kept"):
        save_weights(workdir, name, loaded.weights, loaded.theta_mv, loaded.record)
    whole = train(workdir, small_data, load_name="kept", save_name="whole")
    interrupted(workdir, small_data, monkeypatch, 1, load_name="start", save_name="c")
    save_weights(workdir, "start", loaded.weights * 1.01, loaded.theta_mv, loaded.record, force=True)
    with pytest.raises(ConfigError, match="'start'.* have changed since it was begun"):
        train(workdir, small_data, load_name="start", save_name="c", resume=True)
    for path in weight_paths(workdir, "start"):
        path.unlink()
    result = train(workdir, small_data, load_name="start", save_name="c", resume=True)
    np.testing.assert_array_equal(result.weights, whole.weights)


def test_training_goes_on_from_loaded_weights_and_thresholds(
    trained: Workdir, tmp_path: Path, small_data: Path
) -> None:
    loaded = load_weights(trained, "a")
    assert loaded.record is not None
    save_weights(Workdir(tmp_path), "a", loaded.weights, loaded.theta_mv + 3, loaded.record)
    result = train(tmp_path, small_data, load_name="a", save_name="c", num_examples=1)
    assert result.record.start.name == "a"
    assert result.theta_mv.min() > loaded.theta_mv.min() + 2


def test_weights_that_do_not_fit_or_cannot_be_are_no_start(trained: Workdir, tmp_path: Path, small_data: Path) -> None:
    with pytest.raises(ArtefactError, match="n_e 8, but n_e 9"):
        train(trained, small_data, load_name="a", save_name="d", n_e=9)
    assert load_weights(trained, "a").weights.min() < 0
    with pytest.raises(ConfigError, match="'a' are of both signs"):
        train(trained, small_data, load_name="a", save_name="f", rule={"name": "triplet", "a_tar": 0.5})
    loaded, workdir = load_weights(trained, "a"), Workdir(tmp_path)
    assert loaded.record is not None
    save_weights(workdir, "volts", loaded.weights, loaded.theta_mv * 1000, loaded.record)
    with pytest.raises(ArtefactError, match="volts.*millivolts.*1000"):
        train(workdir, small_data, load_name="volts", save_name="g")
    for factor in (1e300, -1e7):
        save_weights(workdir, "wild", loaded.weights * factor, loaded.theta_mv, loaded.record, force=True)
        with pytest.raises(ArtefactError, match="weight of size"):
            train(workdir, small_data, load_name="wild", save_name="g")


def test_more_examples_than_images_need_epochs(tmp_path: Path, small_data: Path) -> None:
    with pytest.raises(ConfigError, match="10 images, of which 2 are withheld.*epochs is false.*at most 8"):
        train(tmp_path, small_data, num_examples=9, epochs=False)


def test_progress_tells_of_every_chunk(tmp_path: Path, small_data: Path) -> None:
    seen: list[TrainingProgress] = []
    train(tmp_path, small_data, save_name="e", report=Reporter(training=seen.append))
    assert [(p.examples, p.total) for p in seen] == [(4, 10), (8, 10), (10, 10)]
    assert all(p.l1_target == pytest.approx(18.0) and p.theta_mv[0] <= p.theta_mv[1] <= p.theta_mv[2] for p in seen)
    assert len(seen[-1].curve) == 2


@pytest.mark.parametrize("shuffle", [False, True])
def test_withheld_images_are_never_trained_on_also_with_shuffle_and_in_later_epochs(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch, shuffle: bool
) -> None:
    """Version 0.1 trained on them at the end of an epoch, in later epochs and with shuffle."""
    images = load_dataset("mnist", "train", small_data).images.reshape(10, -1)
    shown: dict[int, list[int]] = {1: [], 4: []}
    original = StandaloneEngine.run

    def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        numbers = [int(np.flatnonzero((images == image).all(axis=1))[0]) for image in chunk.images]
        shown[int(chunk.stream)] += numbers
        return original(engine, state, chunk)

    monkeypatch.setattr(StandaloneEngine, "run", run)
    changes = {"num_examples": 24, "shuffle": shuffle, "evaluation.curve_every": 8}
    result = train(tmp_path, small_data, save_name="w", **changes)
    withheld = set(shown[4])
    assert len(withheld) == 2
    assert len(shown[1]) == 24
    assert not withheld & set(shown[1])
    for epoch in range(3):  # 8 images are left; none is shown twice in an epoch
        assert len(set(shown[1][8 * epoch : 8 * epoch + 8])) == 8
    assert [(point.examples, point.total) for point in result.record.learning_curve] == [(8, 2), (16, 2), (24, 2)]


def test_force_with_weights_that_cannot_be_loaded_destroys_nothing(
    copied: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In version 0.1 a wrong --load-name cost the interrupted run's checkpoints."""
    interrupted(copied, small_data, monkeypatch, 1, save_name="a", force=True, seed=3)
    init_weights(small(), copied, "b", 36)
    interrupted(copied, small_data, monkeypatch, 1, save_name="b", force=True)
    before = files_of(copied)
    for name in ("a", "b"):
        with pytest.raises(SnstdpError, match="missing"):
            train(copied, small_data, save_name=name, force=True, load_name="missing")
        with pytest.raises(SnstdpError, match="n_e"):
            train(copied, small_data, save_name=name, force=True, load_name="a", n_e=9)
    with monkeypatch.context() as patch:
        patch.setattr("snstdp_cli.training.session.open_engine", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(InterruptedRunError, match="before the first checkpoint; run the same command again"):
            train(copied, small_data, save_name="b", force=True)
    assert files_of(copied) == before


def test_force_replaces_weights_when_the_new_training_is_complete(
    copied: Workdir, trained: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(copied, small_data, monkeypatch, 2, save_name="a", force=True, seed=3, checkpoint_every=5)
    old = TrainedNetwork(copied, "a")
    np.testing.assert_array_equal(old.weights, TrainedNetwork(trained, "a").weights)
    assert old.snapshots == []  # those that lie there are of the new one
    train(copied, small_data, save_name="a", resume=True, seed=3, checkpoint_every=5)
    new = TrainedNetwork(copied, "a")
    assert [shot.examples for shot in new.snapshots] == [5]
    assert (new.weights != old.weights).any()
    assert new.experiment.seed == 3


def test_advice_of_a_training_whose_checkpoints_are_damaged_leads_on(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir = Workdir(tmp_path)
    interrupted(workdir, small_data, monkeypatch, 1, save_name="a")
    for path in (workdir.weights / ".checkpoints" / "a").iterdir():
        path.write_bytes(b"damaged")
    for resume in (False, True):
        with pytest.raises(ArtefactError, match="again with --force and without --resume"):
            train(workdir, small_data, save_name="a", resume=resume)
    train(workdir, small_data, save_name="a", force=True)


def test_two_trainings_of_one_name_do_not_run_at_once(tmp_path: Path, small_data: Path) -> None:
    workdir = Workdir(tmp_path)
    with lock_name(workdir, "a"):
        with pytest.raises(ArtefactError, match="another snstdp process"):
            train(workdir, small_data, save_name="a", force=True)
        with pytest.raises(ArtefactError, match="another snstdp process"):
            init_weights(small(), workdir, "a", 36, force=True)


def test_a_checkpoint_that_misses_a_part_is_refused(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir = Workdir(tmp_path)
    interrupted(workdir, small_data, monkeypatch, 1, save_name="a")
    found = read_checkpoint(workdir, "a")
    assert found is not None
    for key in found.arrays:
        if key.startswith("curve."):
            continue
        write_checkpoint(workdir, "a", {k: v for k, v in found.arrays.items() if k != key}, found.meta)
        with pytest.raises(ArtefactError, match="start again with --force"):
            train(workdir, small_data, save_name="a", resume=True)
    write_checkpoint(workdir, "a", found.arrays, {**found.meta, "identity": {"settings": []}})
    with pytest.raises(ArtefactError, match="identity"):
        train(workdir, small_data, save_name="a", resume=True)


def test_200_examples_and_200_more_equal_400(copied: Workdir, tmp_path: Path, small_data: Path) -> None:
    whole = Workdir(tmp_path / "whole")
    train(whole, small_data, save_name="a", num_examples=24)
    train(copied, small_data, load_name="a", save_name="b", more=6)
    same_name = train(copied, small_data, load_name="a", save_name="a", more=6, force=True)
    assert same_name.record.experiment.num_examples == 16
    train(copied, small_data, load_name="a", save_name="a", more=8, force=True)
    same_results(copied, whole)
    train(copied, small_data, load_name="b", save_name="b", more=8, force=True)
    same_results(copied, whole, "b")


def test_a_continued_training_may_be_interrupted_and_needs_force_under_the_same_name(
    copied: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArtefactError, match="already.*--force"):
        train(copied, small_data, load_name="a", save_name="a", more=14)
    names = {"load_name": "a", "save_name": "a", "more": 14}
    interrupted(copied, small_data, monkeypatch, 2, force=True, **names)
    assert TrainedNetwork(copied, "a").experiment.num_examples == 10
    train(copied, small_data, resume=True, **names)
    train(Workdir(tmp_path / "whole"), small_data, save_name="a", num_examples=24)
    same_results(copied, Workdir(tmp_path / "whole"))


def test_what_cannot_be_continued_says_why(copied: Workdir, small_data: Path, tmp_path: Path) -> None:
    state = copied.weights / ".states" / "a.ckpt"
    kept = state.read_bytes()
    train(copied, small_data, save_name="other", seed=2)
    names: dict[str, Any] = {"load_name": "a", "save_name": "n", "more": 4}
    for content in (b"", kept[:-1], (copied.weights / ".states" / "other.ckpt").read_bytes()):
        state.write_bytes(content)
        before = files_of(copied)
        with pytest.raises(SnstdpError, match="--load-name a --save-name OTHER"):
            train(copied, small_data, **names)
        assert files_of(copied) == before
    state.unlink()
    with pytest.raises(ArtefactError, match="--load-name a --save-name OTHER"):
        train(copied, small_data, **names)
    init_weights(small(), copied, "start", 36)
    with pytest.raises(ArtefactError, match="nothing to continue"):
        train(copied, small_data, load_name="start", save_name="n", more=4)
    with pytest.raises(ConfigError, match="--load-name"):
        train(copied, small_data, save_name="n", more=4)
    with pytest.raises(ConfigError, match="more: expected 1 to"):
        train(copied, small_data, **{**names, "more": 0})
    state.write_bytes(kept)
    with pytest.raises(ConfigError, match="training images"):
        train(copied, write_idx_set(tmp_path / "other", seed=6), **names)


def test_the_curve_names_itself_when_the_withheld_images_alarm(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alarm(*_: Any) -> None:
        raise NumericalError("runaway activity")

    monkeypatch.setattr("snstdp_cli.recording.recorder.check_activity", alarm)
    with pytest.raises(NumericalError, match="runaway.*withheld images were shown after 4 training examples"):
        train(tmp_path, small_data, save_name="a")
