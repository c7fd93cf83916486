"""Recordings of frozen networks: what they hold, their alarms, and going on after an interrupt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, training_record, write_idx_set

from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    list_recordings,
    load_record,
    load_responses,
    load_weights,
    save_weights,
)
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, ConfigError, DataError, InterruptedRunError, NumericalError
from snstdp_cli.progress import RecordingProgress, Reporter
from snstdp_cli.recording import record_activity

pytestmark = pytest.mark.compiles


def recorded(workdir: Workdir, split: Any = "test") -> list[Responses]:
    return [load_responses(file.path) for file in list_recordings(workdir, "a", split)]


def same_answers(first: Responses, second: Responses) -> None:
    for key in ("counts", "labels", "attempts", "silent"):
        np.testing.assert_array_equal(getattr(first, key), getattr(second, key))


def interrupt_after(monkeypatch: pytest.MonkeyPatch, blocks: int, size: int = 4) -> None:
    """Press Ctrl-C after so many blocks of a recording."""
    original, seen = StandaloneEngine.run, []

    def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        seen.append(chunk)
        if len(seen) > blocks:
            raise KeyboardInterrupt
        return original(engine, state, chunk)

    monkeypatch.setattr(StandaloneEngine, "run", run)
    monkeypatch.setattr("snstdp_cli.recording.recorder.BLOCK", size)


def test_recordings_hold_counts_labels_and_the_weights_they_were_made_with(trained: Workdir) -> None:
    (responses,) = recorded(trained)
    assert responses.counts.shape == (10, 8)
    assert responses.counts.sum() > 0
    assert responses.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert responses.record is not None
    assert responses.record.weights.sha256 == load_weights(trained, "a").sha256
    assert responses.record.figures.spikes_per_example == responses.counts.sum(axis=1).mean()


@pytest.mark.parametrize("workers", [2, 4])
def test_recording_changes_no_weight_and_does_not_depend_on_the_workers(
    copied: Workdir, trained: Workdir, small_data: Path, workers: int
) -> None:
    before = {path.name: path.read_bytes() for path in copied.weights.glob("*.npy")}
    responses, files = record_activity(small(), copied, "a", "test", data_dir=small_data, workers=workers, label="many")
    assert responses.path == files[0]
    same_answers(responses, recorded(trained)[0])
    assert before == {path.name: path.read_bytes() for path in copied.weights.glob("*.npy")}


def test_training_and_test_images_have_random_numbers_of_their_own(trained: Workdir, small_data: Path) -> None:
    """The two splits hold other images here, so that the seed of each stream is looked at (issue B8)."""
    streams = []
    with pytest.MonkeyPatch.context() as patch:
        original = StandaloneEngine.run

        def run(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
            streams.append(int(chunk.stream))
            return original(engine, state, chunk)

        patch.setattr(StandaloneEngine, "run", run)
        patch.setattr("snstdp_cli.recording.record.save_responses", lambda *_, **__: Path("nowhere"))
        patch.setattr("snstdp_cli.recording.record.refuse_overwrite", lambda *_: None)
        for split in ("train", "test"):
            record_activity(small(), trained, "a", split, data_dir=small_data, workers=1)  # type: ignore[arg-type]
    assert len(set(streams)) == 2
    assert 1 not in streams


def test_the_same_image_is_answered_with_other_spikes_in_each_split(copied: Workdir, tmp_path: Path) -> None:
    """In version 0.1 training image k and test image k shared their random numbers."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 255, (10, 6, 6), dtype=np.uint8)
    labels = np.arange(10, dtype=np.uint8) % 4
    both = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}
    np.savez(tmp_path / "same.npz", **both)
    experiment = small(data=str(tmp_path / "same.npz"))
    train, _ = record_activity(experiment, copied, "a", "train", workers=1)
    test, _ = record_activity(experiment, copied, "a", "test", workers=1)
    assert (train.counts != test.counts).any()


def test_a_recording_is_not_overwritten_but_one_with_another_name_lies_beside_it(
    copied: Workdir, small_data: Path
) -> None:
    with pytest.raises(ArtefactError, match=r"a\.test\.10\.[0-9a-f]{8}\.npz: the file exists already.*--force"):
        record_activity(small(), copied, "a", "test", data_dir=small_data)
    record_activity(small(), copied, "a", "test", data_dir=small_data, label="again", workers=1)
    assert {file.mark for file in list_recordings(copied, "a", "test")} > {"again"}
    with pytest.raises(ArtefactError, match=r"again\.npz: the file exists already"):
        record_activity(small(), copied, "a", "test", data_dir=small_data, label="again")


@pytest.mark.parametrize("label", ["", "a.b", "a/b", "x\n", "\x1b[31m", "x" * 300])
def test_a_name_that_cannot_be_one_is_refused(trained: Workdir, small_data: Path, label: str) -> None:
    with pytest.raises(ConfigError, match="--as"):
        record_activity(small(), trained, "a", "test", data_dir=small_data, label=label)


def test_weights_and_images_that_do_not_fit_are_refused(tmp_path: Path, small_data: Path) -> None:
    save_weights(Workdir(tmp_path), "big", np.ones((784, 8)), np.full(8, 20.0), training_record())
    with pytest.raises(DataError, match="6 x 6 = 36 pixels.*784 inputs"):
        record_activity(small(), Workdir(tmp_path), "big", "test", data_dir=small_data)


@pytest.mark.parametrize(
    ("weights", "theta_mv", "sentence"),
    [
        (1e308, 20.0, "weight of size 1e\\+308, expected at most"),
        (-1e6, 20.0, "weight of size 1e\\+06"),
        (0.5, 20_000.0, "20,000 to 20,000 mV.*volts.*millivolts.*Divide it by 1000"),
        (0.5, -5_000.0, "-5,000"),
    ],
)
def test_weights_that_no_training_reaches_are_told_and_not_recorded(
    tmp_path: Path, small_data: Path, weights: float, theta_mv: float, sentence: str
) -> None:
    workdir = Workdir(tmp_path)
    save_weights(workdir, "a", np.full((36, 8), weights), np.full(8, theta_mv), training_record())
    with pytest.raises(ArtefactError, match=sentence):
        record_activity(small(), workdir, "a", "test", data_dir=small_data)
    assert not workdir.activity.exists()


def test_thresholds_at_the_largest_setting_are_plausible(tmp_path: Path, small_data: Path) -> None:
    workdir = Workdir(tmp_path)
    save_weights(workdir, "a", np.full((36, 8), 0.5), np.full(8, 1_000.1), training_record())
    responses, _ = record_activity(small(), workdir, "a", "test", data_dir=small_data, workers=1)
    assert responses.silent.all()  # ten silent examples are no alarm yet


def test_a_network_that_runs_away_or_is_silent_is_told(copied: Workdir, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_idx_set(copied.root / "many", num=24)
    monkeypatch.setattr("snstdp_cli.recording.alarms.SILENT_AT_LEAST", 4)  # a block of this network
    original = StandaloneEngine.run

    def spoiled(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        result = original(engine, state, chunk)
        result.counts[:] = amounts[-1]
        result.silent[:] = amounts[-1] == 0
        return result

    monkeypatch.setattr(StandaloneEngine, "run", spoiled)
    amounts: list[int] = []
    for amount, sentence in ((500, "runaway activity: 4,000.*plot weights"), (0, "gone silent.*brighter images")):
        amounts.append(amount)
        with pytest.raises(NumericalError, match=sentence):
            record_activity(small(), copied, "a", "test", num_examples=24, data_dir=data, workers=1)
    assert not [file for file in list_recordings(copied, "a") if file.num_examples == 24]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_recording_goes_on_bit_for_bit(
    copied: Workdir, trained: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """In version 0.1 it began again."""
    for file in list_recordings(copied, "a", "test"):
        file.path.unlink()
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(InterruptedRunError, match=r"after 8 of 10 test images; nothing is lost.*--resume"):
            record_activity(small(), copied, "a", "test", data_dir=small_data, workers=1)
    assert [path.name.split(".")[:2] for path in (copied.activity / ".partial").iterdir()] == [["a", "test"]]
    assert list_recordings(copied, "a", "test") == []
    shown: list[RecordingProgress] = []
    with monkeypatch.context() as patch:
        interrupt_after(patch, 99)
        report = Reporter(recording=shown.append)
        responses, _ = record_activity(
            small(), copied, "a", "test", data_dir=small_data, workers=workers, resume=True, report=report
        )
    assert shown[0].examples > 8
    same_answers(responses, recorded(trained)[0])
    assert responses.record is not None
    theirs = recorded(trained)[0].record
    assert theirs is not None
    assert responses.record.figures == theirs.figures
    assert not (copied.activity / ".partial").exists()


def test_the_beginning_of_another_recording_is_not_taken_for_ours(
    copied: Workdir, trained: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(InterruptedRunError, match="after 4 of 10"):
            record_activity(small(), copied, "a", "test", data_dir=small_data, workers=1, label="x")
    (partial,) = (copied.activity / ".partial").iterdir()
    kept, said = partial.read_bytes(), list[str]()
    loaded = load_weights(copied, "a")
    assert loaded.record is not None
    save_weights(copied, "a", loaded.weights * 1.01, loaded.theta_mv, loaded.record, force=True)
    other, _ = record_activity(small(), copied, "a", "test", data_dir=small_data, workers=1, label="x", resume=True)
    assert load_record(other.path).identity != recorded(trained)[0].record.identity  # type: ignore[union-attr]
    save_weights(copied, "a", loaded.weights, loaded.theta_mv, loaded.record, force=True)
    for content in (kept[:-9], b""):
        partial.parent.mkdir(exist_ok=True)
        partial.write_bytes(content)
        again, _ = record_activity(
            *(small(), copied, "a", "test"),
            **{"data_dir": small_data, "workers": 1, "label": "x", "resume": True, "force": True},
            report=Reporter(warn=said.append),
        )
        same_answers(again, recorded(trained)[0])
    begun_again = [sentence for sentence in said if "the recording begins again" in sentence]
    assert len(begun_again) == 2


def test_what_is_done_is_written_from_time_to_time(
    copied: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a kill costs some seconds of it only."""
    seen: list[int] = []
    monkeypatch.setattr("snstdp_cli.recording.partial.INTERVAL_S", 0.0)
    monkeypatch.setattr("snstdp_cli.recording.recorder.BLOCK", 4)
    monkeypatch.setattr(
        "snstdp_cli.recording.partial.save_partial", lambda _, responses: seen.append(len(responses.counts))
    )
    record_activity(small(), copied, "a", "test", data_dir=small_data, workers=1, label="x")
    assert seen == [4, 8, 10]


def test_the_ancestors_files_come_back_through_its_format(copied: Workdir, trained: Workdir, small_data: Path) -> None:
    _, files = record_activity(small(), copied, "a", "test", data_dir=small_data, workers=1, ancestor_format=True)
    assert [path.name for path in files] == ["resultPopVecs10.npy", "inputNumbers10.npy"]
    ours = recorded(trained)[0]
    np.testing.assert_array_equal(np.load(files[0]), ours.counts.astype(float))
    np.testing.assert_array_equal(np.load(files[1]), ours.labels)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    copied: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by its mode: tests may run as root."""
    for path in copied.activity.iterdir():
        path.unlink()
    copied.activity.rmdir()
    copied.activity.write_text("a file")
    monkeypatch.setattr("snstdp_cli.recording.record.Recorder", None)
    with pytest.raises(ArtefactError, match="activity: results cannot be written here.*nothing was run"):
        record_activity(small(), copied, "a", "test", data_dir=small_data)
