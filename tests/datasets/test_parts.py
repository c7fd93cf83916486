"""Validation images: the last ones of the training split or spread over it, in no other part; told apart by content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.config import Withheld, build_experiment, settings_of
from snstdp_cli.datasets import ArrayDataset, Dataset, load_dataset, load_part, part_of, sealed_test_images
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.training.start import divide_images

KEY = "evaluation.validation_examples"


def images(num: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num, 4, 4), dtype=np.uint8)


def whole(num: int = 30) -> Dataset:
    return ArrayDataset(images(num), np.arange(num) % 3, images(9, 1), np.arange(9) % 3, name="dots").split("train")


def test_the_last_images_are_for_validation_and_the_others_for_training() -> None:
    found = whole()
    train, held = part_of(found, "train", Withheld(9)), part_of(found, "validation", Withheld(9))
    np.testing.assert_array_equal(train.images, found.images[:21])
    np.testing.assert_array_equal(held.images, found.images[21:])
    np.testing.assert_array_equal(held.labels, found.labels[21:])
    assert (train.split, held.split) == ("train", "validation")


def test_images_for_validation_may_be_spread_over_the_set() -> None:
    found, spread = whole(), Withheld(5, spread=True)
    train, held = part_of(found, "train", spread), part_of(found, "validation", spread)
    np.testing.assert_array_equal(held.images, found.images[[5, 11, 17, 23, 29]])
    np.testing.assert_array_equal(train.images, np.delete(found.images, [5, 11, 17, 23, 29], axis=0))
    assert held.sha256 != part_of(found, "validation", Withheld(5)).sha256
    assert len(part_of(found, "validation", Withheld(29, spread=True))) == 29
    assert len(part_of(found, "train", Withheld(0, spread=True))) == 30


@pytest.mark.parametrize(
    ("ours", "theirs", "covered"),
    [
        (Withheld(9), Withheld(4), True),
        (Withheld(4), Withheld(9), False),
        (Withheld(0), Withheld(0, spread=True), True),
        (Withheld(9, spread=True), Withheld(9, spread=True), True),
        (Withheld(9, spread=True), Withheld(3, spread=True), False),  # others, not fewer
        (Withheld(9), Withheld(9, spread=True), False),
        (Withheld(9, spread=True), Withheld(9), False),
    ],
)
def test_images_are_new_to_a_training_that_withheld_them(ours: Withheld, theirs: Withheld, covered: bool) -> None:
    assert ours.covers(theirs) is covered


def test_each_part_has_a_digest_of_its_own_and_the_set_of_all() -> None:
    found = whole()
    parts = [
        found,
        *(part_of(found, part, Withheld(9)) for part in ("train", "validation")),
        part_of(found, "train", Withheld(12)),
    ]
    assert len({part.sha256 for part in parts}) == 4
    assert len({part.identity.set_digest for part in parts}) == 1
    assert part_of(found, "train", Withheld(0)).sha256 == found.sha256


def test_dividing_twice_changes_nothing_and_dividing_otherwise_is_a_fault() -> None:
    train = part_of(whole(), "train", Withheld(9))
    assert part_of(train, "train", Withheld(9)) is train
    with pytest.raises(ValueError, match="whole training split"):
        part_of(train, "train", Withheld(3))
    with pytest.raises(ValueError, match="whole training split"):
        part_of(train, "validation", Withheld(9))


@pytest.mark.parametrize("num", [30, 31, 1_000_000])
def test_some_images_must_be_left_to_train_on(num: int) -> None:
    with pytest.raises(ConfigError, match=rf"{KEY}: .* has 30 images.*at most 29, found {num:,}"):
        part_of(whole(), "train", Withheld(num))


def test_without_validation_images_there_are_none_to_show() -> None:
    with pytest.raises(ConfigError, match=f"{KEY}: found 0.*--set {KEY}=500"):
        part_of(whole(), "validation", Withheld(0))


def test_the_learning_curve_withholds_none_of_them() -> None:
    experiment = build_experiment({}, {KEY: 9, "evaluation.curve_examples": 4, "n_e": 4})
    divided = divide_images(experiment, part_of(whole(), "train", Withheld(9)))
    assert len(divided.withheld) == 4
    assert sorted([*divided.shown, *divided.withheld]) == list(range(21))


def test_a_sorted_set_is_warned_of() -> None:
    pictures, labels = images(30), np.repeat(np.arange(3), 10)
    found = part_of(ArrayDataset(pictures, labels, name="sorted").split("train"), "validation", Withheld(5))
    assert "5 training images that are for validation hold 1 of 3 classes" in found.warnings[-1]
    spread = part_of(
        ArrayDataset(pictures, labels, name="sorted").split("train"), "validation", Withheld(5, spread=True)
    )
    assert len(set(spread.labels.tolist())) == 3
    assert not spread.warnings
    few = part_of(ArrayDataset(pictures, labels, name="sorted").split("train"), "validation", Withheld(2, spread=True))
    assert few.warnings[-1].endswith("2 of 3 classes; take more of them")
    assert found.warnings[-1].endswith("1 of 3 classes; use evaluation.validation_images: spread, or take more of them")


def test_they_shape_training_and_score_but_no_response() -> None:
    for facet, there in (("training", True), ("score", True), ("recording", False), ("program", False)):
        assert (KEY in settings_of(build_experiment(), facet)) is there  # type: ignore[arg-type]


# Closed test images


def write_npz(path: Path) -> str:
    train, test = images(12), images(6, 1)
    np.savez(path, train_images=train, train_labels=np.arange(12), test_images=test, test_labels=np.arange(6))
    return str(path)


def test_closed_test_images_cannot_be_loaded(tmp_path: Path) -> None:
    name = write_npz(tmp_path / "own.npz")
    in_memory = ArrayDataset(images(12), np.arange(12), images(6), np.arange(6), name="dots")
    with sealed_test_images():
        for load in (lambda: load_dataset(name, "test"), lambda: load_dataset("bundled", "test")):
            with pytest.raises(DataError, match="test images stay closed while settings are chosen"):
                load()
        with pytest.raises(DataError, match="dots: the test images stay closed"):
            in_memory.split("test")
    assert len(load_dataset(name, "test")) == 6


def test_training_images_are_read_without_touching_damaged_test_images(tmp_path: Path) -> None:
    """Otherwise the other split is read too, to tell whether both share images."""
    np.savez(tmp_path / "own.npz", train_images=images(12), train_labels=np.arange(12), test_labels=np.zeros((2, 2)))
    with pytest.raises(DataError, match="missing: test_images"):
        load_part(str(tmp_path / "own.npz"), "train", Withheld(4))
    with sealed_test_images():
        assert len(load_part(str(tmp_path / "own.npz"), "train", Withheld(4))) == 8


def test_a_named_folder_is_found_by_its_training_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from synthetic import write_idx_set

    from snstdp_cli.datasets import files

    write_idx_set(tmp_path)
    opened: list[str] = []
    real = files.open_regular

    def watching(path: Path, expected: str) -> object:
        opened.append(path.name)
        return real(path, expected)

    for module in ("idx", "npz", "files"):
        monkeypatch.setattr(f"snstdp_cli.datasets.{module}.open_regular", watching, raising=False)
    with sealed_test_images():
        assert len(load_part("mnist", "validation", Withheld(4), tmp_path)) == 4
        assert len(load_part(f"{tmp_path}/", "validation", Withheld(4))) == 4
    assert opened
    assert all(name.startswith("train-") for name in opened)


def test_the_set_of_unknown_images_is_open_while_test_images_are_closed(tmp_path: Path) -> None:
    with sealed_test_images():
        assert load_dataset(write_npz(tmp_path / "own.npz"), "train").identity.set_digest is None
        known = load_dataset("bundled", "train").identity.set_digest
    assert known == load_dataset("bundled", "test").identity.set_digest
