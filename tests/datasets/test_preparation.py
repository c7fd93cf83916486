"""The section `input`: what is done to images, in which order, and that the result is a data set of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import TEST, TEST_LABELS, TRAIN, TRAIN_LABELS, WORDS

from snstdp_cli.config import Withheld, build_experiment
from snstdp_cli.datasets import ArrayDataset, Dataset, load_dataset, load_part, sealed_test_images
from snstdp_cli.datasets.preparation import resample
from snstdp_cli.errors import ConfigError, DataError


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.npz"
    words = np.array(WORDS)
    np.savez(path, x_train=TRAIN, y_train=words[TRAIN_LABELS], x_test=TEST, y_test=words[TEST_LABELS])
    return str(path)


def load(name: str, split: Any = "train", **inputs: Any) -> Dataset:
    return load_dataset(name, split, inputs=build_experiment({"input": inputs}).input)


def test_each_field_does_what_it_says(own: str) -> None:
    assert np.array_equal(load(own, transpose=True).images, TRAIN.transpose(0, 2, 1))
    assert np.array_equal(load(own, scale=2).images, np.minimum(TRAIN.astype(int) * 2, 255))
    assert np.array_equal(load(own, invert=True).images, 255 - TRAIN)
    assert np.array_equal(load(own, crop=1).images, TRAIN[:, 1:-1, 1:-1])
    assert np.array_equal(load(own, crop=[1, 2, 0, 0]).images, TRAIN[:, 1:, :-2])
    assert load(own, size=[3, 2]).images.shape == (16, 3, 2)
    found = load(own, classes=["cat", "ant"])
    assert np.array_equal(found.images, TRAIN[TRAIN_LABELS != 1])
    assert (found.classes.tolist(), found.class_names) == ([0, 2], ("ant", "cat"))
    assert np.bincount(load(own, max_per_class=2).labels).tolist() == [2, 2, 2]


def test_the_order_is_that_of_the_fields(own: str) -> None:
    found = load(own, transpose=True, invert=True, crop=[1, 0, 0, 0], size=1, classes=["bee"], max_per_class=1)
    first = 255 - TRAIN[TRAIN_LABELS == 1][0].T.astype(float)
    assert found.images.tolist() == [[[round(first[1:].mean())]]]


def test_a_single_split_is_divided_alike_for_each_class(tmp_path: Path) -> None:
    path = str(tmp_path / "one.npz")
    images = np.arange(100, dtype=np.uint8)[:, None, None].repeat(2, axis=1)
    np.savez(path, images=images, labels=np.repeat([0, 1], [80, 20]))
    train, test = (load(path, split, test_share=0.25) for split in ("train", "test"))
    assert np.bincount(test.labels).tolist() == [20, 5]
    assert sorted([*train.images[:, 0, 0], *test.images[:, 0, 0]]) == list(range(100))
    assert train.identity.set_digest == test.identity.set_digest
    # Which images are for the test hangs on the images and the share alone: another choice of classes keeps them.
    some = load(path, "test", test_share=0.25, classes=[1]).images[:, 0, 0]
    assert set(some) <= set(test.images[:, 0, 0])
    with pytest.raises(DataError, match="there are no test images; make some of the training images test images"):
        load(path, "test")
    with pytest.raises(DataError, match=r"input.test_share: 0.001 of 100 images leaves 0 test images"):
        load(path, "test", test_share=0.001)
    held = load_part(path, "validation", Withheld(10), inputs=build_experiment({"input": {"test_share": 0.25}}).input)
    assert np.array_equal(held.images, train.images[-10:])


def test_both_splits_are_not_divided(own: str) -> None:
    with pytest.raises(DataError, match=r"input.test_share: found 0.2, but there are test images; leave it out"):
        load(own, test_share=0.2)
    with pytest.raises(DataError, match="but there are test images"):
        load("bundled", test_share=0.2)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"classes": ["dog"]}, "there is no class dog; known: ant, bee, cat"),
        ({"crop": 3}, r"input.crop: \[3, 3, 3, 3\] leaves nothing of images of 6 x 6 pixels"),
    ],
)
def test_what_cannot_be_done_is_told(own: str, inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        load(own, **inputs)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"size": [300, 300]}, r"expected at most 65,536 pixels"),
        ({"size": "x"}, "expected a whole number or a list of whole numbers or null"),
        ({"classes": []}, "expected a list of 1 or more"),
        ({"classes": [3, 3]}, "expected each class once"),
        ({"test_share": 1}, "expected a number above 0 and below 1"),
        ({"transpose": 1}, "expected true or false"),
        ({"sise": 28}, "did you mean 'input.size'"),
    ],
)
def test_values_that_cannot_be_are_refused(inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        build_experiment({"input": inputs})


def test_prepared_images_are_a_data_set_of_their_own(own: str) -> None:
    raw, turned = load(own), load(own, transpose=True)
    assert raw.identity.digest != turned.identity.digest
    assert raw.identity.set_digest != turned.identity.set_digest
    assert turned.identity.name == f"{own} (transpose)"
    digits = load("bundled", classes=[3, 8], size=14)
    assert digits.identity.name == "the bundled subset of MNIST (classes 3 8, size 14 14)"
    assert digits.bundled
    assert not digits.identity.known
    assert set(digits.labels.tolist()) == {3, 8}
    assert load("bundled").identity.known
    # The same images by another way are the same: what counts is what comes out.
    assert load(own, crop=0).identity.digest == raw.identity.digest


def test_sealed_test_images_stay_closed(own: str) -> None:
    with sealed_test_images():
        assert load(own, transpose=True).identity.set_digest is None


def test_images_in_memory_are_prepared_too() -> None:
    data = ArrayDataset(TRAIN, TRAIN_LABELS)
    section = build_experiment({"input": {"test_share": 0.25, "size": 3}}).input
    sizes = [data.split(split, section).images.shape for split in ("train", "test")]
    assert sizes == [(12, 3, 3), (4, 3, 3)]


def test_an_experiment_with_nothing_in_the_section_is_what_it_was() -> None:
    from snstdp_cli.config import identifying_settings
    from snstdp_cli.studies.cell import cell_id

    plain, turned = build_experiment(), build_experiment({"input": {"transpose": True}})
    assert not [key for key in identifying_settings(plain) if key.startswith("input.")]
    assert cell_id(plain) != cell_id(turned)


# Resampling


def test_area_keeps_the_mean_and_whole_factors_average_blocks() -> None:
    found = resample(TRAIN, (3, 3))
    blocks = TRAIN.reshape(16, 3, 2, 3, 2).mean(axis=(2, 4))
    assert np.abs(found - blocks).max() <= 0.5


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from(["area", "bilinear", "nearest"]),
    st.integers(0, 255),
)
def test_an_even_image_stays_even(old: tuple[int, int], new: tuple[int, int], method: str, value: int) -> None:
    found = resample(np.full((2, *old), value, np.uint8), new, method)
    assert found.shape == (2, *new)
    assert (found == value).all()


def test_nearest_makes_no_new_values_and_bilinear_does() -> None:
    edge = np.array([[[0, 255]]], dtype=np.uint8)
    assert resample(edge, (1, 4), "nearest").tolist() == [[[0, 0, 255, 255]]]
    assert resample(edge, (1, 4), "bilinear").tolist() == [[[0, 64, 191, 255]]]
