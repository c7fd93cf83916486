"""Several data sets as one: evenly mixed, with classes of their own, shown together or one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from idx_files import write_split

from snstdp_cli.config import InputSection, build_experiment
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import DataError
from snstdp_cli.training.start import divide_images

pytestmark = pytest.mark.usefixtures("places")


def made(folder: Path, value: int, num: int, side: int = 4) -> None:
    """Write both splits of a data set whose pixels are all `value`; the test split is half as large."""
    for prefix, count in (("train", num), ("t10k", num // 2)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        write_split(folder, np.full((count, side, side), value + (prefix == "t10k"), np.uint8), labels, prefix)


@pytest.fixture
def folder(places: Path) -> Path:
    """Return a folder of both data sets: 8 training images of the first, 4 of the second."""
    made(places / "data" / "mnist", 10, 8)
    made(places / "data" / "fashion-mnist", 20, 4)
    return places / "data"


def test_classes_of_the_second_follow_those_of_the_first_and_images_are_evenly_mixed(folder: Path) -> None:
    found = load_dataset("mnist+fashion-mnist", "train", folder)
    assert found.images[:, 0, 0].tolist() == [10, 20, 10, 10, 20, 10, 10, 20, 10, 10, 20, 10]
    assert found.labels[found.images[:, 0, 0] == 10].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert found.labels[found.images[:, 0, 0] == 20].tolist() == [10, 11, 12, 10]
    assert found.classes.tolist() == [0, 1, 2, 10, 11, 12]
    assert found.class_names == ("0", "1", "2", "T-shirt/top", "Trouser", "Pullover")
    assert found.joined == (0, 10)
    assert len(load_dataset("mnist+fashion-mnist", "test", folder)) == 6


def test_any_first_images_are_of_both_data_sets_as_often_as_their_sizes_say(folder: Path) -> None:
    made(folder / "mnist", 10, 100)
    made(folder / "fashion-mnist", 20, 50)
    grey = load_dataset("mnist+fashion-mnist", "train", folder).images[:, 0, 0]
    for num in range(1, len(grey)):
        assert abs(int((grey[:num] == 20).sum()) - num / 3) < 1


def test_by_data_shows_all_of_the_first_and_then_all_of_the_second(folder: Path) -> None:
    content = {"data": "mnist+fashion-mnist", "order": "by_data", "evaluation": {"curve_examples": 0}}
    images = divide_images(build_experiment(content), load_dataset("mnist+fashion-mnist", "train", folder))
    assert images.images[images.shown, 0].tolist() == [10] * 8 + [20] * 4
    assert images.stage_ends.tolist() == [8, 12]


def test_a_joined_data_set_is_one_of_its_own_with_its_own_identity(folder: Path) -> None:
    both, other = (load_dataset(name, "train", folder) for name in ("mnist+fashion-mnist", "fashion-mnist+mnist"))
    assert both.identity.name == "unknown images in MNIST's files + unknown images in Fashion-MNIST's files"
    assert not both.identity.known
    assert both.identity.set_digest == load_dataset("mnist+fashion-mnist", "test", folder).identity.set_digest
    assert both.sha256 != other.sha256
    assert any("hold other images" in text for text in both.warnings)


def test_a_data_set_may_be_joined_with_itself_and_says_so() -> None:
    found = load_dataset("bundled+bundled", "test")
    assert len(found) == 2_000
    assert found.class_names[:2] + found.class_names[10:12] == ("0", "1", "0 (2)", "1 (2)")
    assert (found.bundled, found.identity.name) == (False, "the bundled subset of MNIST + the bundled subset of MNIST")


def test_the_section_input_chooses_among_all_classes(folder: Path) -> None:
    chosen = InputSection(classes=["2", "Trouser"])
    found = load_dataset("mnist+fashion-mnist", "train", folder, inputs=chosen)
    assert sorted(found.labels.tolist()) == [2, 2, 11]
    assert found.identity.name.endswith("Fashion-MNIST's files (classes 2 Trouser)")
    assert found.joined == (0, 10)


def test_images_of_different_sizes_are_not_joined(folder: Path) -> None:
    made(folder / "fashion-mnist", 20, 4, side=6)
    with pytest.raises(DataError, match="found images of 4 x 4, 6 x 6 pixels; expected one size"):
        load_dataset("mnist+fashion-mnist", "train", folder)


def test_a_test_label_that_would_be_one_of_the_next_data_set_is_refused(folder: Path) -> None:
    write_split(folder / "mnist", np.full((2, 4, 4), 11, np.uint8), np.array([0, 10], np.uint8), "t10k")
    with pytest.raises(DataError, match="found the label 10, which no training image has"):
        load_dataset("mnist+fashion-mnist", "test", folder)


@pytest.mark.parametrize("name", ["mnist+", "+", "mnist+faces", "mnist+mnist+x"])
def test_what_is_no_name_of_a_data_set_cannot_be_joined(name: str) -> None:
    with pytest.raises(DataError, match="unknown data set"):
        load_dataset(name, "train")
