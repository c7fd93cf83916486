"""The whole experiment: what is kept at a resume, what is made anew, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, write_idx_set

from snstdp_cli.artefacts import (
    Workdir,
    list_recordings,
    load_record,
    load_responses,
    load_weights,
    save_weights,
    weight_paths,
)
from snstdp_cli.engines import Chunk, ChunkResult
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError
from snstdp_cli.pipeline import RunResult, run_experiment
from snstdp_cli.recording import record_activity
from snstdp_cli.results import TrainedNetwork, score_network
from snstdp_cli.training import train_network

pytestmark = pytest.mark.compiles


def run(workdir: Workdir, data: Path, resume: bool = False, force: bool = False, **changes: Any) -> RunResult:
    experiment = small(**{"save_name": "a", **changes})
    return run_experiment(experiment, workdir, data_dir=data, workers=1, resume=resume, force=force)


def times(workdir: Workdir) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in workdir.root.rglob("*.np[yz]")}


def test_a_resume_of_what_is_complete_changes_nothing(copied: Workdir, trained: Workdir, small_data: Path) -> None:
    before = times(copied)
    result = run(copied, small_data, resume=True)
    assert times(copied) == before
    assert result.score.as_dict() == score_network(TrainedNetwork(trained, "a")).as_dict()


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"presentation.intensity": 5.0}, r"presentation.intensity \(5, there 4\)"),
        ({"dt": 0.25}, r"dt \(0.25, there 0.5\)"),
        ({"seed": 3}, r"seed \(3, there 0\)"),
        ({"noise_seed": 3}, r"noise_seed \(3, there None\)"),
        ({"rule.eta": 0.02}, r"rule.eta \(0.02, there 0.01\)"),
        ({"num_examples": 12}, r"num_examples \(12, there 10\)"),
        ({"load_name": "a"}, "weights to start from"),
    ],
)
def test_a_resume_with_settings_that_shape_the_training_is_refused_naming_them(
    copied: Workdir, small_data: Path, change: dict[str, Any], note: str
) -> None:
    """In version 0.1 `presentation.intensity=9` kept a recording made with 2: 0.40 became 0.333 without a word."""
    before = times(copied)
    with pytest.raises(ConfigError, match=f"different: .*{note}.*--force and without --resume"):
        run(copied, small_data, resume=True, **change)
    assert times(copied) == before


def test_a_resume_on_other_images_is_refused(copied: Workdir, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"different: training images\)"):
        run(copied, write_idx_set(tmp_path / "other", seed=6), resume=True)


def test_a_resume_where_nothing_is_written_down_is_refused(copied: Workdir, small_data: Path) -> None:
    weight_paths(copied, "a")[2].unlink()
    with pytest.raises(ConfigError, match="nothing is written down of a training"):
        run(copied, small_data, resume=True)


def test_recordings_made_with_other_settings_images_or_weights_are_never_kept(
    trained: Workdir, tmp_path: Path, small_data: Path
) -> None:
    """They lie beside the new ones; those of version 0.1 had the same name and were kept."""
    workdir = Workdir(tmp_path)
    shutil.copytree(trained.weights, workdir.weights)
    record_activity(small(), workdir, "a", "train", num_examples=3, data_dir=small_data, workers=1)
    other = write_idx_set(tmp_path / "other", seed=6)
    record_activity(small(), workdir, "a", "test", data_dir=other, workers=1)
    record_activity(small(seed=9), workdir, "a", "test", data_dir=small_data, workers=1)
    before = {file.path for file in list_recordings(workdir, "a")}
    result = run(workdir, small_data, resume=True)
    assert len({file.path for file in list_recordings(workdir, "a")} - before) == 2
    whole = score_network(TrainedNetwork(trained, "a"))
    assert result.score.as_dict() == whole.as_dict()
    np.testing.assert_array_equal(result.score.test.counts, whole.test.counts)
    np.testing.assert_array_equal(result.score.assign.counts, whole.assign.counts)


def test_a_recording_whose_file_tells_of_other_settings_is_made_again(copied: Workdir, small_data: Path) -> None:
    """A file that was renamed to the name that this experiment would give it."""
    (file,) = list_recordings(copied, "a", "test")
    _, (other,) = record_activity(small(seed=9), copied, "a", "test", data_dir=small_data, workers=1)
    expected = load_responses(file.path)
    other.rename(file.path)
    result = run(copied, small_data, resume=True)
    np.testing.assert_array_equal(result.score.test.counts, expected.counts)
    record = load_record(file.path)
    assert expected.record is not None
    assert record.identity == expected.record.identity


def test_a_damaged_recording_is_made_again(copied: Workdir, small_data: Path) -> None:
    (file,) = list_recordings(copied, "a", "test")
    expected = load_responses(file.path).counts
    file.path.write_bytes(file.path.read_bytes()[:-5])
    np.testing.assert_array_equal(run(copied, small_data, resume=True).score.test.counts, expected)


def test_a_run_is_scored_by_its_own_recordings_and_not_by_larger_ones(copied: Workdir, small_data: Path) -> None:
    result = run(copied, small_data, resume=True, **{"evaluation.test_examples": 4, "evaluation.assign_examples": 5})
    assert result.score.evaluation.num_examples == 4
    assert len(result.score.assign.labels) == 5


def test_force_trains_and_records_again_and_the_old_recordings_are_not_scored(
    copied: Workdir, small_data: Path
) -> None:
    old = {file.path for file in list_recordings(copied, "a")}
    with pytest.raises(ArtefactError, match="already.*--force"):
        run(copied, small_data, seed=3)
    result = run(copied, small_data, force=True, seed=3)
    assert result.score.test.path not in old
    score = score_network(TrainedNetwork(copied, "a"))
    assert score.test.path == result.score.test.path
    assert {note.partition(" was")[0] for note in score.notes} == {str(path) for path in old}


def test_start_weights_may_be_gone_when_a_complete_run_is_resumed(copied: Workdir, small_data: Path) -> None:
    run(copied, small_data, save_name="b", load_name="a")
    loaded = load_weights(copied, "a")
    assert loaded.record is not None
    save_weights(copied, "a", loaded.weights * 1.01, loaded.theta_mv, loaded.record, force=True)
    with pytest.raises(ConfigError, match=r"different: weights to start from\)"):
        run(copied, small_data, save_name="b", load_name="a", resume=True)
    for path in weight_paths(copied, "a"):
        path.unlink()
    before = times(copied)
    run(copied, small_data, save_name="b", load_name="a", resume=True)
    assert times(copied) == before


def test_weights_that_a_run_trained_on_may_be_resumed(copied: Workdir, small_data: Path) -> None:
    run(copied, small_data, load_name="a", force=True)
    before = times(copied)
    run(copied, small_data, load_name="a", resume=True)
    assert times(copied) == before


@pytest.mark.parametrize("stream", [1, 3, 2])
def test_an_interrupted_run_goes_on_to_the_same_score(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch, stream: int
) -> None:
    """Ctrl-C while training, while recording the training images, and while recording the test images."""
    original, seen, workdir = StandaloneEngine.run, list[int](), Workdir(tmp_path)

    def press(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        seen.append(int(chunk.stream))
        if seen.count(stream) == 2:
            raise KeyboardInterrupt
        return original(engine, state, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(StandaloneEngine, "run", press)
        with pytest.raises(InterruptedRunError, match="after 4 of 10.*--resume"):
            run(workdir, small_data)
    assert (
        run(workdir, small_data, resume=True).score.as_dict() == score_network(TrainedNetwork(trained, "a")).as_dict()
    )


def test_a_continued_training_is_that_of_a_longer_run(copied: Workdir, small_data: Path) -> None:
    names = {"load_name": "a", "save_name": "a"}
    train_network(small(**names), copied, data_dir=small_data, more=2, force=True)
    before = times(copied)
    result = run(copied, small_data, resume=True, num_examples=12)
    assert not [path for path in result.files if path in before and path.parent == copied.weights]


def test_places_that_cannot_be_written_are_told_before_the_training(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In version 0.1 hours later, when the responses were to be saved."""
    (tmp_path / "activity").write_text("a file")
    monkeypatch.setattr("snstdp_cli.pipeline.train_network", None)
    with pytest.raises(ArtefactError, match="activity: results cannot be written here"):
        run(Workdir(tmp_path), small_data)
