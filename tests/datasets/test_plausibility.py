"""Images on another scale, empty, constant or inverted ones are noticed when they are loaded."""

from __future__ import annotations

import numpy as np
import pytest

from snstdp_cli.datasets import load_dataset, plausibility

RANDOM = np.random.default_rng(0)
#: Bright figures on a dark ground.
GOOD = np.where(RANDOM.random((20, 8, 8)) < 0.2, RANDOM.integers(150, 256, (20, 8, 8)), 0).astype(np.uint8)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.usefixtures("places")
def test_digits_are_as_expected(split: str) -> None:
    assert plausibility(load_dataset("bundled", split).images) == []  # type: ignore[arg-type]
    assert plausibility(GOOD) == []
    assert plausibility(GOOD[:0]) == []


def test_digits_of_0_to_16_are_told_with_the_factor() -> None:
    assert plausibility((GOOD // 16 + (GOOD > 239)).astype(np.uint8)) == [
        "the brightest pixel is 16; grey values go to 255: multiply by 255/16, or raise presentation.intensity"
    ]


def test_zero_and_one_as_bytes_are_told() -> None:
    assert plausibility((GOOD > 0).astype(np.uint8)) == [
        "the images are 0 and 1; grey values go to 255: multiply by 255, or raise presentation.intensity"
    ]


def test_images_without_any_light_are_told() -> None:
    (told,) = plausibility(np.zeros_like(GOOD))
    assert told.startswith("all pixels of all images are 0: no input ever fires")


def test_empty_and_constant_images_are_counted_and_the_first_is_named() -> None:
    images = GOOD.copy()
    images[[3, 7]] = 0
    images[5] = 200
    empty, constant = plausibility(images)
    assert empty.startswith("2 of 20 images are empty (the first is number 3, counted from 0): all pixels are 0")
    assert constant.startswith("1 of 20 image is constant (number 5, counted from 0)")


@pytest.mark.parametrize("scale", [1, 16])
def test_dark_figures_on_a_bright_ground_are_told_also_on_another_scale(scale: int) -> None:
    told = plausibility((255 - GOOD) // scale)
    assert "of the pixels are bright: probably dark figures on a bright ground" in told[-1]
    assert told[-1].endswith(f"images = {255 // scale} - images")
    assert len(told) == (1 if scale == 1 else 2)
