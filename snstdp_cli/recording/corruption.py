"""Images that are made harder when responses to them are scored: noise, occlusion, shifts (`input.noise` ...).

Only test and validation images are; the responses that label the neurons, and the training, see the clean ones. What is
drawn hangs on the seed, the split, and the number of the image (and of the pixel) alone, so that every division of the
work and every network of the same seed sees the same images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Part
from snstdp_cli.engines import Stream
from snstdp_cli.network.randomness import draw_key, uniform

#: Purposes of a number; they enter the random numbers and therefore never change.
_FLIPPED, _WHITE, _ROWS, _COLUMNS, _TOP, _LEFT = range(6)
#: Stands where the number of a presentation stands for input spikes; no image is shown so often.
_CORRUPTION = 2**20


def seen_by(experiment: Experiment, split: Part) -> Experiment:
    """Return the experiment of a recording of a split: the images that label the neurons stay clean."""
    if split != "train" or experiment.input.is_clean:
        return experiment
    return experiment.model_copy(update={"input": experiment.input.clean()})


def corrupt_images(
    images: NDArray[np.uint8], experiment: Experiment, stream: Stream, numbers: NDArray[np.int64] | None = None
) -> NDArray[np.uint8]:
    """Return images [num, rows, columns] shifted, occluded, and with salt and pepper, in this order.

    Parameters
    ----------
    stream
        Which recording they are for.
    numbers
        Numbers of the images in their split, [num]; by default 0, 1, 2 ...
    """
    wanted = experiment.input
    if wanted.is_clean:
        return images
    seed = experiment.seed if experiment.noise_seed is None else experiment.noise_seed
    found = images.copy()
    for k, number in enumerate(range(len(images)) if numbers is None else numbers.tolist()):
        key = float(draw_key(seed, int(stream), number, _CORRUPTION)[0])
        if wanted.shift:
            found[k] = _shifted(found[k], wanted.shift, key)
        if wanted.occlusion:
            _occlude(found[k], wanted.occlusion, key)
        if wanted.noise:
            _sprinkle(found[k], wanted.noise, key)
    return found


def _draw(key: float, purpose: int, num: int = 1) -> NDArray[np.float64]:
    """Draw numbers above 0 and up to 1, [num]."""
    return uniform(key, np.arange(num), purpose)


def _shifted(image: NDArray[np.uint8], most: int, key: float) -> NDArray[np.uint8]:
    """Move an image by -most to most rows and columns, each as likely; what comes in is black."""
    moves = [int(np.ceil(_draw(key, purpose)[0] * (2 * most + 1))) - 1 - most for purpose in (_ROWS, _COLUMNS)]
    moved = np.zeros_like(image)
    (to_rows, from_rows), (to_columns, from_columns) = (
        (slice(max(0, move), max(0, side + min(0, move))), slice(max(0, -move), max(0, side - max(0, move))))
        for move, side in zip(moves, image.shape, strict=True)
    )
    moved[to_rows, to_columns] = image[from_rows, from_columns]
    return moved


def _occlude(image: NDArray[np.uint8], share: float, key: float) -> None:
    """Blacken a rectangle of the image's proportions and this share of its area, wholly inside, anywhere."""
    sides = [min(side, round(side * share**0.5)) for side in image.shape]
    first = [
        int(np.ceil(_draw(key, purpose)[0] * (whole - side + 1))) - 1
        for purpose, whole, side in zip((_TOP, _LEFT), image.shape, sides, strict=True)
    ]
    image[first[0] : first[0] + sides[0], first[1] : first[1] + sides[1]] = 0


def _sprinkle(image: NDArray[np.uint8], share: float, key: float) -> None:
    """Make each pixel black or white, either as likely, with this chance."""
    is_hit = (_draw(key, _FLIPPED, image.size) <= share).reshape(image.shape)
    is_white = (_draw(key, _WHITE, image.size) <= 0.5).reshape(image.shape)
    image[is_hit] = np.where(is_white, 255, 0)[is_hit]
