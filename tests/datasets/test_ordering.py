"""The order of the training images: one class or data set after the other, or as a file says."""

from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.config import build_experiment, recorded_experiment
from snstdp_cli.datasets import from_arrays, order_images, part_of, read_order, stage_ends, stages_of
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.network.wiring import training_order
from snstdp_cli.training.start import TrainingImages, divide_images

LABELS = np.array([2, 0, 1, 0, 2, 1, 0], np.uint8)


def test_by_class_shows_all_of_the_lowest_class_first_and_keeps_the_order_within_a_class() -> None:
    shown, stages = np.array([0, 1, 2, 3, 4, 6]), stages_of(LABELS, "by_class", ())
    assert stages is not None
    assert order_images(shown, stages).tolist() == [1, 3, 6, 2, 0, 4]
    assert stage_ends(stages[[1, 3, 6, 2, 0, 4]]).tolist() == [3, 4, 6]
    assert stages_of(LABELS, "as_is", ()) is None
    assert order_images(shown).tolist() == shown.tolist()


def test_by_data_shows_one_data_set_after_the_other_and_keeps_the_order_within_it() -> None:
    stages = stages_of(LABELS, "by_data", (0, 1))
    assert stages is not None
    order = order_images(np.arange(7), stages)
    assert order.tolist() == [1, 3, 6, 0, 2, 4, 5]
    assert stage_ends(stages[order]).tolist() == [3, 7]
    with pytest.raises(DataError, match="by_data shows one data set after the other, but there is a single one; join"):
        stages_of(LABELS, "by_data", ())


def test_every_pass_by_class_begins_with_the_lowest_class_and_ends_where_its_classes_end() -> None:
    images = divide_images(*_training(order="by_class"))
    order = images.shown[training_order(build_experiment({"order": "by_class"}), 0, 14, 7)]
    assert LABELS[order].tolist() == sorted(LABELS.tolist()) * 2
    assert [images.next_stage_end(k) for k in (0, 2, 3, 6, 7)] == [3, 3, 5, 7, 10]
    assert [k for k in range(15) if images.ends_stage(k)] == [3, 5, 7, 10, 12, 14]


def test_a_file_names_the_images_and_its_content_tells_trainings_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "order.txt", tmp_path / "other.txt"
    first.write_text("6 0  # the last one first\n0\n3\n")
    second.write_text("6 0 3")
    images = divide_images(*_training(order=str(first)))
    assert images.shown.tolist() == [6, 0, 0, 3]
    digests = {divide_images(*_training(order=order)).digest for order in (str(first), str(second), "as_is")}
    assert len(digests) == 3
    first.write_text("6\n0\n0\n3\n")
    assert divide_images(*_training(order=str(first))).digest == images.digest


def test_withheld_images_are_left_out_of_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "order.txt"
    path.write_text(" ".join(map(str, range(7))))
    images = divide_images(*_training(order=str(path), curve_examples=1))
    assert len(images.withheld) == 1
    assert not set(images.shown) & set(images.withheld)
    with pytest.raises(DataError, match="none of its images may be shown"):
        order_images(np.array([1]), listed=np.array([2]), order="order.txt")


@pytest.mark.parametrize(
    ("which", "expected"), [("last", [7, 0, 3, 6, 0, 14]), ("spread", [0, 6, 0, 14, 18])], ids=["last", "spread"]
)
def test_a_file_numbers_the_whole_split_whichever_images_are_for_validation(
    tmp_path: Path, which: str, expected: list[int]
) -> None:
    """Of 20 images the last five are for validation, or 3, 7, 11, 15 and 19."""
    path = tmp_path / "order.txt"
    path.write_text("7 0 3 6 0 14 19 18")
    assert _named(path, which) == expected
    path.write_text("20")
    with pytest.raises(DataError, match="found '20', expected the number of a training image, from 0 to 19"):
        _named(path, which)
    path.write_text("19")
    with pytest.raises(DataError, match="all are withheld for the learning curve or for validation"):
        _named(path, which)


def test_an_order_file_is_told_apart_by_the_images_that_are_shown(tmp_path: Path) -> None:
    path, digests = tmp_path / "order.txt", []
    for text in ("0 4 8", "0 3 4 8 19", "0 3 6"):
        path.write_text(text)
        digests.append(_divided(path, "spread").digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\n1 7", r"line 2: found '7', expected the number of a training image, from 0 to 6"),
        ("-1", "found '-1', expected the number"),
        ("0.5", "found '0.5'"),
        ("9" * 5000, "found '99999999999999999999'"),
        ("# nothing", "no numbers"),
        ("é", "expected a text file"),
    ],
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "order.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_order(path, 7)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_order(tmp_path / "order.txt", 7)


def test_an_old_configuration_with_shuffle_means_what_it_meant() -> None:
    assert build_experiment({"shuffle": True}).order == "shuffled"
    assert build_experiment({"shuffle": False}).order == "as_is"
    assert build_experiment({"shuffle": False, "order": "by_class"}).order == "by_class"
    content = build_experiment({"order": "shuffled"}).model_dump(mode="json")
    content["shuffle"] = content.pop("order") == "shuffled"
    assert recorded_experiment(content, "record").order == "shuffled"
    with pytest.raises(ConfigError, match="shuffle: found true beside order: 'by_class'"):
        build_experiment({"shuffle": True, "order": "by_class"})


def _training(order: str, curve_examples: int = 0) -> tuple:
    experiment = build_experiment({"order": order, "evaluation": {"curve_examples": curve_examples}})
    return experiment, from_arrays(np.zeros((7, 4, 4), np.uint8), LABELS)


def _divided(order: Path, which: str) -> TrainingImages:
    """Divide 20 images, of which five are for validation; image k has the grey value k."""
    evaluation = {"curve_examples": 0, "validation_examples": 5, "validation_images": which}
    experiment = build_experiment({"order": str(order), "num_examples": 3, "evaluation": evaluation})
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None], (20, 4, 4))
    whole = from_arrays(images, np.arange(20) % 2)
    return divide_images(experiment, part_of(whole, "train", experiment.evaluation.withheld))


def _named(order: Path, which: str) -> list[int]:
    """Return which images of the whole split are shown."""
    divided = _divided(order, which)
    return [int(k) for k in divided.images[divided.shown, 0]]
