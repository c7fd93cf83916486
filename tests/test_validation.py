"""Validation images from training to score: never trained on, never a label, and no test image is read for them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, training_record, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.artefacts import (
    Workdir,
    list_recordings,
    load_record,
    load_responses,
    load_weights,
    save_responses,
    save_weights,
)
from snstdp_cli.cli.app import app
from snstdp_cli.config import Withheld
from snstdp_cli.datasets import load_dataset, part_of, sealed_test_images
from snstdp_cli.engines import Chunk, ChunkResult, Stream
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, ConfigError, DataError
from snstdp_cli.pipeline import RunResult, run_experiment
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import record_activity
from snstdp_cli.results import TrainedNetwork, score_network
from snstdp_cli.training import train_network

pytestmark = pytest.mark.compiles

KEY = "evaluation.validation_examples"


def experiment(name: str = "v", held: int = 4, **changes: Any) -> Any:
    return small(**{"save_name": name, KEY: held, **changes})


def run(workdir: Workdir, data: Path, **options: Any) -> RunResult:
    return run_experiment(experiment(), workdir, score_on="validation", data_dir=data, workers=1, **options)


@pytest.fixture(scope="module")
def training_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose test files are garbage: whoever reads them fails."""
    folder = write_idx_set(tmp_path_factory.mktemp("no test"))
    for path in folder.glob("t10k-*"):
        path.write_bytes(b"not to be read")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, training_only: Path) -> Workdir:
    """A working folder with the network `v`, scored on four validation images; tests do not change it."""
    workdir = Workdir(tmp_path_factory.mktemp("validated"))
    run(workdir, training_only)
    return workdir


@pytest.fixture
def mine(finished: Workdir, tmp_path: Path) -> Workdir:
    shutil.copytree(finished.root, tmp_path / "mine")
    return Workdir(tmp_path / "mine")


def score(workdir: Workdir, **options: Any) -> Any:
    return score_network(TrainedNetwork(workdir, "v"), **options)


def test_a_run_on_validation_images_reads_no_test_image(finished: Workdir, training_only: Path) -> None:
    with pytest.raises(DataError):
        load_dataset("mnist", "test", training_only)
    assert {file.split for file in list_recordings(finished, "v")} == {"train", "validation"}
    found = score(finished, score_on="validation")
    assert (found.scored_on, found.evaluation.num_examples, len(found.assign.labels)) == ("validation", 4, 6)
    assert found.as_dict()["scored_on"] == "validation"


def test_training_and_labels_see_the_other_images_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_data: Path
) -> None:
    shown: dict[Stream, list[np.ndarray]] = {}
    original = StandaloneEngine.run

    def watch(engine: StandaloneEngine, state: Any, chunk: Chunk) -> ChunkResult:
        shown.setdefault(chunk.stream, []).extend(chunk.images)
        return original(engine, state, chunk)

    monkeypatch.setattr(StandaloneEngine, "run", watch)
    run(Workdir(tmp_path), small_data)
    whole = load_dataset("mnist", "train", small_data).images.reshape(10, -1)
    numbers = {
        stream: {int(np.flatnonzero((whole == image).all(axis=1))[0]) for image in images}
        for stream, images in shown.items()
    }
    assert numbers.pop(Stream.VALIDATION_RECORDING) == {6, 7, 8, 9}
    assert numbers.pop(Stream.TRAINING_RECORDING) == set(range(6))
    assert numbers[Stream.CURVE_RECORDING] < set(range(6))
    assert numbers[Stream.TRAINING] == set(range(6)) - numbers[Stream.CURVE_RECORDING]


def test_recordings_and_trainings_carry_which_images_they_were_made_of(finished: Workdir, small_data: Path) -> None:
    whole = load_dataset("mnist", "train", small_data)
    for file in list_recordings(finished, "v"):
        data = load_record(file.path).data
        assert data.sha256 == part_of(whole, file.split, Withheld(4)).sha256
    trained = load_weights(finished, "v").record
    assert trained is not None
    assert trained.data is not None
    assert trained.data.sha256 == part_of(whole, "train", Withheld(4)).sha256 != whole.sha256


def test_a_resume_keeps_what_is_there_and_refuses_other_validation_images(mine: Workdir, training_only: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in mine.root.rglob("*.np[yz]")}
    again = run(mine, training_only, resume=True)
    assert again.score.as_dict() == score(mine, score_on="validation").as_dict()
    assert {path: path.stat().st_mtime_ns for path in mine.root.rglob("*.np[yz]")} == before
    with pytest.raises(ConfigError, match=rf"different: {KEY} \(3, there 4\), training images"):
        run_experiment(experiment(held=3), mine, score_on="validation", data_dir=training_only, workers=1, resume=True)


def test_the_test_is_scored_beside_it_with_the_same_labels(mine: Workdir, small_data: Path) -> None:
    """The chosen network is tested in the folder in which it was validated, by images that came later."""
    record_activity(experiment(), mine, "v", "test", data_dir=small_data, workers=1)
    tested, validated = score(mine), score(mine, score_on="validation")
    assert (tested.scored_on, tested.evaluation.num_examples) == ("test", 10)
    assert validated.evaluation.num_examples == 4
    assert tested.assign.path == validated.assign.path


def test_the_command_line_records_and_scores_them(mine: Workdir, small_data: Path) -> None:
    where = ["--workdir", str(mine.root)]
    data = ["--data-dir", str(small_data)]
    arguments = ["test", "--load-name", "v", "--split", "validation", "--force", *where, *data]
    recorded = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert recorded.exit_code == 0, recorded.output
    assert "4 validation images" in recorded.stdout
    assert "evaluate v --score validation" in recorded.output
    scored = CliRunner().invoke(app, ["evaluate", "--score", "validation", "--json", *where])
    found = json.loads(scored.stdout)
    assert (found["name"], found["scored_on"], found["num_examples"]) == ("v", "validation", 4)
    missing = CliRunner().invoke(app, ["evaluate", "v", *where])
    assert missing.exit_code == 2
    assert "no responses of 'v' to the test split are recorded" in " ".join(missing.output.split())


# What does not belong together


def turned(workdir: Workdir, split: str, held: int, num: int) -> Path:
    """Write a larger copy of a recording, as if it had been made with another number of validation images."""
    (file,) = list_recordings(workdir, "v", split)  # type: ignore[arg-type]
    found = load_responses(file.path)
    assert found.record is not None
    data = found.record.data.model_copy(update={"sha256": f"{held}" * 64})
    record = found.record.model_copy(update={"data": data, "experiment": experiment(held=held)})
    rows = np.arange(num) % len(found.labels)
    arrays = {key: getattr(found, key)[rows] for key in ("counts", "labels", "attempts", "silent")}
    return save_responses(workdir, replace(found, **arrays, record=record))


def test_labels_from_validation_images_are_never_used(mine: Workdir) -> None:
    larger = turned(mine, "train", 0, 10)
    found = score(mine, score_on="validation")
    assert found.assign.path != larger
    next(file.path for file in list_recordings(mine, "v", "train") if file.path != larger).unlink()
    with pytest.raises(ArtefactError, match=rf"{KEY} \(4, there 0\).*test --load-name v --split train.*--set {KEY}=4$"):
        score(mine, score_on="validation")


def test_labels_from_fewer_images_than_allowed_will_do(mine: Workdir) -> None:
    larger = turned(mine, "train", 5, 7)
    assert score(mine, score_on="validation").assign.path == larger


def test_test_responses_neither_label_nor_stand_in_for_validation(mine: Workdir, small_data: Path) -> None:
    with pytest.raises(ConfigError, match="labels from training responses; leave out --assign-from"):
        score(mine, score_on="validation", assign_from="test")
    for file in list_recordings(mine, "v", "validation"):
        file.path.unlink()
    record_activity(experiment(), mine, "v", "test", data_dir=small_data, workers=1)
    with pytest.raises(ArtefactError, match="no responses of 'v' to the validation split .*--split validation$"):
        score(mine, score_on="validation")


def test_images_spread_over_the_set_are_not_the_last_ones(mine: Workdir, small_data: Path) -> None:
    spread = experiment("s", **{"evaluation.validation_images": "spread"})
    refused = (
        r"withheld the last 4 images, expected 4 images spread over .*=4 --set evaluation.validation_images=spread$"
    )
    with pytest.raises(ConfigError, match=refused):
        record_activity(spread, mine, "v", "validation", data_dir=small_data, workers=1)
    run_experiment(spread, mine, score_on="validation", data_dir=small_data, workers=1)
    held = load_dataset("mnist", "train", small_data)
    scored = load_responses(list_recordings(mine, "s", "validation")[0].path).record
    assert scored.data.sha256 == part_of(held, "validation", Withheld(4, spread=True)).sha256
    with pytest.raises(ConfigError, match="spread over the training set, expected the last 4"):
        record_activity(experiment(), mine, "s", "validation", data_dir=small_data, workers=1)


def test_validation_images_without_some_of_the_classes_are_told(mine: Workdir, tmp_path: Path) -> None:
    path = tmp_path / "sorted.npz"
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (10, 28, 28), np.uint8)
    np.savez(path, x_train=images, y_train=np.repeat([0, 1, 2], [3, 3, 4]), x_test=images[:3], y_test=np.arange(3))
    for name, told in (("last", True), ("spread", False)):
        warned = list[str]()
        those = experiment(name, 4, data=str(path), **{"evaluation.validation_images": name})
        train_network(those, mine)
        record_activity(those, mine, name, "validation", workers=1, report=Reporter(warn=warned.append))
        sentence = "no image of class 0, 1 among the 4 validation images: withhold more, or images that are spread"
        assert any(sentence in text for text in warned) == told


@pytest.mark.parametrize("held", [0, 2, 3])
def test_a_network_that_was_trained_on_them_is_not_validated(mine: Workdir, small_data: Path, held: int) -> None:
    train_network(experiment("w", held), mine, data_dir=small_data)
    with pytest.raises(
        ConfigError, match=rf"'w' was trained on validation images: .*withheld .*{held or 'none'}.*{KEY}=4$"
    ):
        record_activity(experiment(), mine, "w", "validation", data_dir=small_data, workers=1)
    with pytest.raises(ConfigError, match="'w' was trained on validation images"):
        train_network(experiment("x", load_name="w"), mine, data_dir=small_data)


def test_fewer_than_were_withheld_and_images_of_another_set_are_new_to_a_network(
    mine: Workdir, small_data: Path, tmp_path: Path
) -> None:
    found = record_activity(experiment(held=3), mine, "v", "validation", data_dir=small_data, workers=1)[0]
    assert len(found.labels) == 3
    train_network(experiment("w", 0), mine, data_dir=small_data)
    other = experiment(data=f"{write_idx_set(tmp_path / 'other', seed=6)}/")
    assert len(record_activity(other, mine, "w", "validation", workers=1)[0].labels) == 4


def test_a_network_is_not_validated_on_what_the_weights_that_it_began_with_were_trained_on(
    mine: Workdir, small_data: Path, tmp_path: Path
) -> None:
    """The second training is on other images; the third one began with the second."""
    for held, name in ((0, "bad"), (4, "good")):
        train_network(experiment(f"{name}-1", held), mine, data_dir=small_data)
        other = f"{write_idx_set(tmp_path / name, seed=6)}/"
        train_network(experiment(f"{name}-2", held, data=other, load_name=f"{name}-1"), mine)
        train_network(experiment(f"{name}-3", held, data=other, load_name=f"{name}-2"), mine)
    with pytest.raises(
        ConfigError, match="'bad-3' was trained on validation images: that of the weights .* withheld no"
    ):
        record_activity(experiment(), mine, "bad-3", "validation", data_dir=small_data, workers=1)
    assert record_activity(experiment(), mine, "good-3", "validation", data_dir=small_data, workers=1)


def test_what_nobody_wrote_down_may_have_been_trained_on_them(mine: Workdir, small_data: Path) -> None:
    stored = load_weights(mine, "v")
    save_weights(mine, "old", stored.weights, stored.theta_mv, training_record())
    (mine.weights / "old.json").unlink()
    with pytest.raises(ConfigError, match="'old': nothing is written down of its training"):
        record_activity(experiment(), mine, "old", "validation", data_dir=small_data, workers=1)


def test_without_a_number_of_them_there_is_nothing_to_record(trained: Workdir, small_data: Path) -> None:
    with pytest.raises(ConfigError, match=f"{KEY}: found 0"):
        record_activity(small(), trained, "a", "validation", data_dir=small_data, workers=1)


# Closed test images


def test_responses_to_closed_test_images_are_neither_listed_nor_read(trained: Workdir) -> None:
    (file,) = list_recordings(trained, "a", "test")
    with sealed_test_images():
        assert {one.split for one in list_recordings(trained, "a")} == {"train"}
        assert {one.split for one, _ in TrainedNetwork(trained, "a").recordings} == {"train"}
        with pytest.raises(DataError, match="the test images stay closed"):
            load_responses(file.path)
        with pytest.raises(ArtefactError, match="no responses of 'a' to the test split"):
            score_network(TrainedNetwork(trained, "a"))


def test_responses_to_closed_test_images_are_not_recorded(trained: Workdir, small_data: Path) -> None:
    with sealed_test_images(), pytest.raises(DataError, match="the test images stay closed"):
        record_activity(small(), trained, "a", "test", data_dir=small_data, workers=1, label="more")


def test_loaded_test_images_are_not_recorded_either(trained: Workdir, small_data: Path) -> None:
    images = load_dataset("mnist", "test", small_data)
    with sealed_test_images(), pytest.raises(DataError, match="the test images stay closed"):
        record_activity(small(), trained, "a", "test", dataset=images, workers=1, label="more")
