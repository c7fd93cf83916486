"""Which images a network has seen: validation images are new to all of its trainings, test images are told if not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from synthetic import recording_record, training_record

from snstdp_cli.artefacts import DataRecord, SeenImages, StartRecord, TrainedWeights, TrainingRecord
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.config import Experiment, Withheld, build_experiment
from snstdp_cli.datasets import ArrayDataset, load_dataset, sources_of
from snstdp_cli.errors import ConfigError
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.record import _part_for
from snstdp_cli.recording.withheld import refuse_trained_on
from snstdp_cli.results.selection import _is_without

HELD = Withheld(100)
DRAWN = StartRecord(drawn_from_seed=0)


def settings(data: str = "bundled", held: int = 0, **inputs: Any) -> Experiment:
    return build_experiment({"data": data, "input": inputs, "evaluation": {"validation_examples": held}})


def images(experiment: Experiment) -> DataRecord:
    return describe_data(load_dataset(experiment.data, "train", inputs=experiment.input))


def training(experiment: Experiment, start: StartRecord | None = DRAWN, **changes: Any) -> TrainingRecord:
    return training_record(**{"experiment": experiment, "data": images(experiment), "start": start, **changes})


def network(record: TrainingRecord | None, n_input: int = 784) -> TrainedWeights:
    return TrainedWeights(np.zeros((n_input, 2)), np.zeros(2), record, "0" * 64)


def begun_with(record: TrainingRecord) -> StartRecord:
    return StartRecord(name="first", sha256="1" * 64, seen=record.seen)


def validate(record: TrainingRecord, held: Withheld = HELD) -> None:
    """Ask whether the last 100 bundled images are new to a network."""
    refuse_trained_on(network(record), "w", images(settings()), held)


FASHION = DataRecord(
    name="fashion-mnist",
    identity="Fashion-MNIST",
    split="train",
    num_images=60_000,
    image_shape=(28, 28),
    sha256="5" * 64,
    set_sha256="6" * 64,
)


@pytest.mark.parametrize(
    ("trained", "sentence"),
    [
        (settings(), "was trained on validation images: its training withheld none, expected the last 100"),
        (settings(held=99), "withheld the last 99 images, expected the last 100 images; train it with --set"),
        (settings("bundled+bundled"), "may have been trained on validation images: its training was on other images"),
        (
            settings("bundled+bundled", 100),
            "and they may have some in common; expected the same images",
        ),
        (settings(classes=[0, 1, 2, 3, 4]), r"\(the bundled subset of MNIST \(classes 0 1 2 3 4\)\) than those"),
        (
            settings(held=100, max_per_class=50),
            "and they may have some in common; expected the same images",
        ),
    ],
)
def test_a_network_that_may_have_seen_validation_images_is_not_validated(trained: Experiment, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        validate(training(trained))


def test_images_that_were_withheld_and_those_of_another_data_set_are_new() -> None:
    validate(training(settings(held=100)))
    validate(training(settings(held=150)))
    validate(training(settings(), data=FASHION))
    validate(training(settings()), Withheld(0))
    refuse_trained_on(network(training(settings())), "w", FASHION, HELD)


def test_the_trainings_of_the_weights_that_it_began_with_count_too() -> None:
    first, spared = training(settings()), training(settings(held=100))
    for record, is_new in ((first, False), (spared, True)):
        second = training(settings(), begun_with(record), data=FASHION)
        third = training(settings(), begun_with(second), data=FASHION)
        assert [seen.data.identity for seen in third.seen or ()] == ["the bundled subset of MNIST", "Fashion-MNIST"]
        for one in (second, third):
            if is_new:
                validate(one)
                continue
            with pytest.raises(ConfigError, match="that of the weights that it began with withheld none"):
                validate(one)


def test_weights_that_it_began_with_are_new_only_if_it_is_written_down() -> None:
    """Older records name the weights, but not what these were trained on."""
    old = training(settings(held=100), StartRecord(name="first", sha256="1" * 64))
    with pytest.raises(ConfigError, match="began with the weights 'first', and it is not written down"):
        validate(old)
    for record in (training(settings(held=100), begun_with(old)), training(_loading("first"), None)):
        with pytest.raises(ConfigError, match="began with the weights 'first'"):
            validate(record)
    validate(training(settings(held=100), None))
    initial = training(settings(), kind="initial weights", data=None)
    validate(initial)
    validate(training(settings(held=100), begun_with(initial)))


def _loading(name: str) -> Experiment:
    return settings(held=100).model_copy(update={"load_name": name})


def test_a_record_reads_what_it_wrote_and_one_without_seen_images() -> None:
    record = training(settings(), begun_with(training(settings(held=100))))
    content = record.model_dump(mode="json")
    assert TrainingRecord.model_validate(content) == record
    del content["start"]["seen"]
    assert TrainingRecord.model_validate(content).seen is None


@pytest.mark.parametrize(
    ("labels", "fits"),
    [
        (settings(held=100), True),
        (settings(held=120), True),
        (settings(), False),
        (settings("bundled+bundled", 100), False),
        (settings(held=100, classes=[0, 1]), False),
    ],
)
def test_labels_of_a_data_set_that_holds_the_scored_images_are_not_without_them(labels: Experiment, fits: bool) -> None:
    validation = images(settings()).model_copy(update={"split": "validation"})
    scored = recording_record(split="validation", data=validation, experiment=settings(held=100))
    assert _is_without(recording_record(split="train", data=images(labels), experiment=labels), scored) is fits
    assert _is_without(recording_record(split="train", data=FASHION, experiment=settings()), scored)


@pytest.mark.parametrize(
    ("name", "identity", "sources"),
    [
        ("mnist", "MNIST", {"MNIST"}),
        ("mnist", "the bundled subset of MNIST (classes 3 8, size 14 14)", {"MNIST"}),
        ("mnist", "unknown images in MNIST's files (invert)", {"MNIST"}),
        ("mnist", "mnist", {"MNIST"}),  # a record of version 0.1
        ("bundled+fashion-mnist", "the bundled subset of MNIST + Fashion-MNIST (scale 2)", {"MNIST", "Fashion-MNIST"}),
        ("/a/b + c.npz", "/a/b + c.npz (test_share 0.2)", {"/a/b + c.npz"}),
        ("/a/./x/../b.npz", "/a/./x/../b.npz", {"/a/b.npz"}),
        ("pictures (old)", "pictures (old) (transpose)", {"pictures (old)"}),
    ],
)
def test_what_is_done_to_images_does_not_change_where_they_are_from(
    name: str, identity: str, sources: set[str]
) -> None:
    assert sources_of(name, identity) == sources


# Test images that were taken from a single split


def divided(share: float | None, **changes: Any) -> Experiment:
    return build_experiment({"input": {"test_share": share, **changes}})


def warnings(trained: Experiment, asked: Experiment, name: str = "own", start: StartRecord = DRAWN) -> list[str]:
    """Return what is said of shares when a network is asked for test images."""
    record = training_record(experiment=trained, data=_own(trained), start=start)
    told: list[str] = []
    test = _pictures(name).split("test", asked.input)
    _part_for(asked, "w", network(record, 64), "test", test, Reporter(warn=told.append))
    return [sentence for sentence in told if "test_share" in sentence]


def _own(experiment: Experiment) -> DataRecord:
    return describe_data(_pictures("own").split("train", experiment.input))


def _pictures(name: str) -> ArrayDataset:
    pictures = np.random.default_rng(0).integers(0, 255, (200, 8, 8), dtype=np.uint8)
    return ArrayDataset(pictures, np.arange(200) % 4, name=name)


@pytest.mark.parametrize("share", [0.2, None])
def test_test_images_of_another_share_are_told_to_be_trained_on(share: float | None) -> None:
    (sentence,) = warnings(divided(share), divided(0.5))
    assert f"was trained with input.test_share {share or 'none'}, and the test images are those of 0.5" in sentence


def test_test_images_of_the_same_share_or_of_other_data_are_new() -> None:
    assert warnings(divided(0.2), divided(0.2)) == []
    assert warnings(divided(0.2), divided(0.2, invert=True)) == []
    assert warnings(divided(0.2), divided(0.5), name="other") == []


def test_the_share_of_the_weights_that_it_began_with_counts_too() -> None:
    start = StartRecord(name="first", sha256="1" * 64, seen=(SeenImages.of(_own(divided(0.2)), divided(0.2)),))
    assert len(warnings(divided(0.5), divided(0.5), start=start)) == 1
