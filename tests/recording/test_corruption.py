"""Noise, occlusion and shifts of scored images: what they do, and what the draws hang on."""

import numpy as np
import pytest

from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.engines import Stream
from snstdp_cli.recording.corruption import corrupt_images, seen_by
from snstdp_cli.recording.record import STREAMS

GREY = np.full((200, 28, 28), 99, np.uint8)


def corrupted(images: np.ndarray = GREY, numbers: np.ndarray | None = None, stream: Stream = STREAMS["test"], **set_):
    return corrupt_images(images, experiment(**set_), stream, numbers)


def experiment(seed: int = 0, **input_: float) -> Experiment:
    return build_experiment({"seed": seed, "input": input_})


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_salt_and_pepper_hits_this_share_of_the_pixels_half_of_them_white(share: float) -> None:
    found = corrupted(noise=share)
    assert set(np.unique(found)) == {0, 99, 255}
    for value in (0, 255):
        assert np.mean(found == value) == pytest.approx(share / 2, abs=4 * (share / GREY.size) ** 0.5)
    hits = np.mean(found != 99, axis=(1, 2))
    assert hits.std() == pytest.approx((share * (1 - share) / 784) ** 0.5, rel=0.25)  # each pixel by itself


def test_all_noise_leaves_nothing_and_no_noise_everything() -> None:
    assert not np.any(corrupted(noise=1) == 99)
    assert corrupted() is GREY


def test_a_rectangle_of_this_share_is_black_and_lies_anywhere() -> None:
    found = corrupted(occlusion=0.25)
    assert np.all(np.sum(found == 0, axis=(1, 2)) == 14 * 14)
    tops = np.argmax((found == 0).any(axis=2), axis=1)
    assert tops.min() == 0
    assert tops.max() == 14
    assert len(np.unique(tops)) == 15
    assert not corrupted(occlusion=1).any()


def test_a_shift_moves_the_image_and_what_comes_in_is_black() -> None:
    dot = np.zeros((200, 9, 9), np.uint8)
    dot[:, 4, 4] = 200
    found = corrupted(dot, shift=2)
    assert np.all(found.sum(axis=(1, 2)) == 200)
    rows, columns = np.nonzero(found)[1:]
    assert set(rows) == set(columns) == {2, 3, 4, 5, 6}
    assert len(set(zip(rows, columns, strict=True))) == 25
    far = corrupted(dot, shift=9)
    assert far.sum() < dot.sum()


def test_what_is_drawn_hangs_on_seed_split_and_number_and_on_no_division_of_the_work() -> None:
    wanted = {"noise": 0.3, "occlusion": 0.1, "shift": 3}
    whole = corrupted(**wanted)
    assert np.array_equal(corrupted(GREY[5:9], np.arange(5, 9), **wanted), whole[5:9])
    assert not np.array_equal(corrupted(seed=1, **wanted), whole)
    assert not np.array_equal(corrupted(stream=STREAMS["validation"], **wanted), whole)
    assert not np.array_equal(whole[0], whole[1])
    assert np.all(GREY == 99)


def test_the_images_that_label_the_neurons_stay_clean() -> None:
    noisy = experiment(noise=0.3)
    assert seen_by(noisy, "train").input.is_clean
    assert seen_by(noisy, "test") is noisy
    assert seen_by(noisy, "validation") is noisy
