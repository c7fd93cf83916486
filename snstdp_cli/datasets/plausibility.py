"""Whether images look like what a network of Poisson inputs can learn from: bright figures on a dark ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.fields import percent

#: Below half of the range, a scale of 0 to 1, 0 to 16 or 0 to 100 is likelier than dark images.
_DARK = 128
#: More than half of the pixels bright is a figure on paper, dark on bright.
_MOST = 0.5


def plausibility(images: NDArray[np.uint8]) -> list[str]:
    """Say what is odd about images: the likely scale, empty or constant ones, figures that are dark on bright.

    A pixel fires with value/8 * `presentation.intensity` Hz, so that a wrong scale shows as a network that hardly
    fires, and an inverted one as a network that fires wildly.

    Parameters
    ----------
    images
        Grey values, [num, rows, cols].

    Returns
    -------
    sentences
        One for each finding, with what to do; none for images as expected.

    Examples
    --------
    >>> plausibility(np.eye(8, dtype=np.uint8)[None] * 16)
    ['the brightest pixel is 16; grey values go to 255: multiply by 255/16, or raise presentation.intensity']
    """
    if images.size == 0:
        return []
    brightest = int(images.max())
    if brightest == 0:
        return ["all pixels of all images are 0: no input ever fires; check how the images were written"]
    return [*_scale(brightest), *_empty_and_constant(images), *_inverted(images, brightest)]


def doubts_of(dataset: Dataset) -> list[str]:
    """Return what to tell before the images of a data set are used: what was found in its files, and in its images."""
    return [*dataset.warnings, *(f"{dataset.source}: {sentence}" for sentence in plausibility(dataset.images))]


def _scale(brightest: int) -> list[str]:
    if brightest >= _DARK:
        return []
    what = "the images are 0 and 1" if brightest == 1 else f"the brightest pixel is {brightest}"
    factor = "255" if brightest == 1 else f"255/{brightest}"
    return [f"{what}; grey values go to 255: multiply by {factor}, or raise presentation.intensity"]


def _empty_and_constant(images: NDArray[np.uint8]) -> list[str]:
    flat = images.reshape(len(images), -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    found = []
    empty, constant = high == 0, (low == high) & (high > 0) & (flat.shape[1] > 1)
    if empty.any():
        found.append(f"{_count(empty, 'empty')}: all pixels are 0, and the network stays silent; leave such out")
    if constant.any():
        found.append(f"{_count(constant, 'constant')}: all pixels are alike, and nothing is seen; leave such out")
    return found


def _inverted(images: NDArray[np.uint8], brightest: int) -> list[str]:
    share = np.count_nonzero(images > brightest // 2) / images.size
    if share <= _MOST:
        return []
    return [
        f"{percent(share, 0)} of the pixels are bright: probably dark figures on a bright ground; 0 should be the "
        f"ground: images = {brightest} - images"
    ]


def _count(which: NDArray[np.bool_], what: str) -> str:
    num, first = int(np.count_nonzero(which)), int(np.flatnonzero(which)[0])
    are = f"image is {what} (number {first:,}" if num == 1 else f"images are {what} (the first is number {first:,}"
    return f"{num:,} of {len(which):,} {are}, counted from 0)"
