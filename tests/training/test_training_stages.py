"""What is shown and scored after each stage: classes that can be known, harder images, neurons that had not learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import training_record

from snstdp_cli.artefacts import TrainedWeights, Workdir, save_snapshot, save_weights
from snstdp_cli.artefacts.stages import StagesRecord, load_stages, save_stages
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.datasets import Dataset, from_arrays
from snstdp_cli.engines import Stream
from snstdp_cli.errors import ConfigError
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.recording.record import STREAMS
from snstdp_cli.results.online import course_of
from snstdp_cli.training import stages
from snstdp_cli.training.stages import read_outs_of, record_stages

#: Neurons: one for each of three classes, and one that fires for all, most for class 1.
NEURONS, LOUD = 4, 3
TRAINING = "a" * 16
SIDE = 8


class LitPixels:
    """A recorder without a network: neuron k fires for images of class k, which light pixel k."""

    shown: list[tuple[Stream, NDArray[np.uint8]]]

    def __init__(self, *_: Any) -> None:
        type(self).shown = []

    def record(
        self, weights: TrainedWeights, images: NDArray[np.uint8], *, stream: Stream
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]:
        self.shown.append((stream, images))
        counts = 3 * (images[:, :NEURONS] > 0).astype(np.uint16)
        counts[:, LOUD] = 20 + (images[:, 1] > 0)
        return counts, np.ones(len(images), np.uint16), np.zeros(len(images), bool)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def without_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "Recorder", LitPixels)


def images_of(labels: list[int], split: str = "train") -> Dataset:
    images = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    images[np.arange(len(labels)), 0, labels] = 255
    return from_arrays(images, np.array(labels, np.uint8), split=split)


TRAIN, TEST = images_of([0, 1, 2] * 10), images_of([0, 1, 2] * 5, "test")


def experiment(**changes: Any) -> Experiment:
    return build_experiment(
        {
            "n_e": NEURONS,
            "num_examples": 30,
            "order": "by_class",
            "save_name": "net",
            **changes,
            "evaluation": {"curve_examples": 0, "stage_examples": 12, **changes.get("evaluation", {})},
        }
    )


def keep_training(
    place: Workdir,
    made: Experiment,
    *,
    never: tuple[int, ...] | None = (LOUD,),
    never_by: dict[int, list[int] | None] | None = None,
) -> None:
    """Keep weights, and a snapshot after each of two classes, of a training that nobody ran."""
    weights, theta_mv = np.full((SIDE**2, NEURONS), 0.1), np.full(NEURONS, 20.0)
    for examples, unlearned in (never_by or {10: [LOUD], 20: [LOUD]}).items():
        marks = None if unlearned is None else np.isin(np.arange(NEURONS), unlearned)
        save_snapshot(place, "net", TRAINING, examples, weights, theta_mv, marks)
    save_weights(
        place,
        "net",
        weights,
        theta_mv,
        training_record(experiment=made, training=TRAINING, never_learned=never),
        force=True,
    )


def recorded(place: Workdir, made: Experiment, *, test: Dataset = TEST, resume: bool = False) -> StagesRecord:
    assert record_stages(made, place, TRAIN, test, workers=1, resume=resume) is not None
    found = load_stages(place, "net")
    assert found is not None
    return found


def test_a_class_without_an_image_among_the_first_ones_is_not_known_and_that_is_told(tmp_path: Path) -> None:
    place, made, told = Workdir(tmp_path), experiment(), list[str]()
    keep_training(place, made)
    rare = images_of([0, 2] * 6 + [1], "test")
    record_stages(made, place, TRAIN, rare, workers=1, report=Reporter(warn=told.append))
    found = load_stages(place, "net")
    assert found is not None
    course = course_of(found, "average")
    assert course.learned == ("0", "1", "2")
    np.testing.assert_array_equal(course.by_class, [[1, np.nan, np.nan], [1, np.nan, np.nan], [1, np.nan, 1]])
    assert course.accuracies.tolist() == [1, 1, 1]
    assert len(told) == 1
    assert "of classes 1: the first 12 training or 12 test images hold none of them" in told[0]


def test_a_stage_whose_classes_have_no_images_is_left_out(tmp_path: Path) -> None:
    place, made = Workdir(tmp_path), experiment()
    keep_training(place, made)
    found = recorded(place, made, test=images_of([1, 2] * 6, "test"))
    assert [stage.examples for stage in found.stages] == [20, 30]
    course = course_of(found, "average")
    assert course.learned == ("0 to 1", "2")
    assert course.forgetting == 0
    assert record_stages(made, place, TRAIN, images_of([7] * 12, "test"), workers=1) is None


@pytest.mark.parametrize("harder", [{"noise": 0.5}, {"occlusion": 0.3}, {"shift": 2}, {"noise": 0.1, "shift": 1}])
def test_test_images_are_made_harder_as_where_the_score_is_recorded(tmp_path: Path, harder: dict[str, Any]) -> None:
    place, made = Workdir(tmp_path), experiment(input=harder)
    keep_training(place, made)
    found = recorded(place, made)
    assert found.harder == {f"input.{key}": value for key, value in harder.items()}
    expected = corrupt_images(TEST.images[:12], made, STREAMS["test"])
    assert not np.array_equal(expected, TEST.images[:12])
    for k, classes in enumerate(([0], [0, 1], [0, 1, 2])):
        (_, labelling), (stream, answered) = LitPixels.shown[2 * k : 2 * k + 2]
        chosen = np.isin(TEST.labels[:12], classes)
        assert stream == STREAMS["test"]
        np.testing.assert_array_equal(answered, expected[chosen].reshape(-1, SIDE**2))
        clean = TRAIN.images[:12][np.isin(TRAIN.labels[:12], classes)]
        np.testing.assert_array_equal(labelling, clean.reshape(len(clean), -1))


def test_stages_of_other_images_or_read_outs_are_made_again_and_older_ones_were_clean(tmp_path: Path) -> None:
    place, clean = Workdir(tmp_path), experiment()
    keep_training(place, clean)
    first = recorded(place, clean)
    path = place.activity / "net.stages.json"
    path.write_text(path.read_text().replace('"harder": {},', "").replace('"harder":{},', ""))
    assert "harder" not in path.read_text()
    LitPixels.shown = []
    assert recorded(place, clean, resume=True) == first
    assert not LitPixels.shown
    for other in (
        experiment(input={"noise": 0.5}),
        experiment(input={"noise": 0.4}),
        clean,
        experiment(evaluation={"classifier": "proportion"}),
    ):
        LitPixels.shown = []
        made = recorded(place, other, resume=True)
        assert LitPixels.shown
        assert made.harder == ({"input.noise": other.input.noise} if other.input.noise else {})
    # Those of a version that ended with the last whole class are no stages of a training that goes on from there.
    save_stages(place, "net", first.model_copy(update={"stages": first.stages[:2]}))
    assert recorded(place, clean, resume=True) == first


def test_a_neuron_that_had_not_learned_by_the_end_of_a_stage_has_no_label_there(tmp_path: Path) -> None:
    made = experiment()

    def accuracies(name: str, **known: Any) -> list[float]:
        place = Workdir(tmp_path / name)
        keep_training(place, made, **known)
        return [stage.answers["average"].accuracy for stage in recorded(place, made).stages]

    assert accuracies("never") == [1, 1, 1]
    learned_late = accuracies("late", never=(), never_by={10: [LOUD], 20: [LOUD]})
    assert learned_late[:2] == [1, 1]
    assert learned_late[2] < 1
    # Snapshots of an earlier version do not tell: what never learned had not by then either.
    assert accuracies("older", never_by={10: None, 20: None}) == [1, 1, 1]
    assert accuracies("unknown", never=None, never_by={10: None, 20: None})[1:] == [0.5, 1 / 3]


def test_a_training_of_several_passes_is_refused_before_it_begins(tmp_path: Path) -> None:
    place, twice = Workdir(tmp_path), experiment(num_examples=60)
    told = "found 60, expected at most 30, which is one pass .* order: by_class it is told what is known after each"
    with pytest.raises(ConfigError, match=told):
        run_experiment(twice, place, datasets={"train": TRAIN, "test": TEST}, workers=1)
    assert not list(place.weights.glob("*.npy"))
    with pytest.raises(ConfigError, match=told):
        record_stages(twice, place, TRAIN, TEST)
    shuffled = experiment(num_examples=60, order="shuffled")
    assert record_stages(shuffled, place, TRAIN, TEST) is None


def test_a_training_that_ends_within_a_class_has_its_last_stage_there(tmp_path: Path) -> None:
    place, made = Workdir(tmp_path), experiment(num_examples=15)
    keep_training(place, made, never_by={10: [LOUD]})
    found = recorded(place, made)
    assert [(stage.examples, stage.seen) for stage in found.stages] == [(10, (0,)), (15, (0, 1))]


def test_stages_are_read_by_the_read_out_of_the_score_unless_labels_train_it(tmp_path: Path) -> None:
    place, made = Workdir(tmp_path), experiment(evaluation={"classifier": "proportion"})
    keep_training(place, made)
    assert [list(stage.answers) for stage in recorded(place, made).stages] == [
        ["proportion", "average", "selective"]
    ] * 3
    assert read_outs_of(experiment(evaluation={"classifier": "linear"})) == ("average", "selective")
    assert read_outs_of(experiment()) == ("average", "selective")
