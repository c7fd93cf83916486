"""What to set before training on a data set, judged by its images: inversion, transposition, order, brightness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.datasets.orientation import orientation
from snstdp_cli.datasets.preparation import scaled_values
from snstdp_cli.datasets.survey import sorted_share
from snstdp_cli.fields import percent

#: What MNIST's images, the settings' defaults and the paper's target norm come to: the sum of an image's grey values,
#: the mean weight, and the intensity. The drive of a fresh neuron is their product.
_MNIST_SUM, _MNIST_A_TAR, _MNIST_INTENSITY = 26_000.0, 78 / 784, 2.0
#: What learns by the defaults as well: digits of 32 x 32 pixels that drive 3.1 times as strongly reached 90 % with them
#: and 86 % at MNIST's drive; those of 8 x 8, 5.2 times as weakly, 83 % and 86 % (100 neurons, 1,400 images, seed 0).
_TOO_WEAK, _TOO_STRONG = 2.5, 6.0
_BRIGHTEST_INTENSITY = 32.0
_DARK = 128
_SORTED = 0.9
_ENOUGH = 20


class Suggestion(NamedTuple):
    """A setting to try, by its dotted key, and why; without a key only something to know."""

    key: str | None
    value: Any
    why: str


def suggest(dataset: Dataset, reference: Dataset) -> list[Suggestion]:
    """Return what to set for a data set, from its training images.

    Parameters
    ----------
    reference
        Upright digits, with which others are compared.
    """
    found = []
    brightest = int(dataset.images.max())
    if 0 < brightest < _DARK:
        factor = float(f"{255 / brightest:.3g}")
        why = f"the brightest pixel is {brightest}; grey values go to 255"
        found.append(Suggestion("input.scale", factor, why))
        dataset = replace(dataset, images=scaled_values(factor)[dataset.images])
    inverted = _is_inverted(dataset)
    if inverted is not None:
        found.append(inverted)
        dataset = replace(dataset, images=255 - dataset.images)
    found += [*_oriented(dataset, reference), *_ordered(dataset), *_bright_enough(dataset)]
    return found


def _is_inverted(dataset: Dataset) -> Suggestion | None:
    """Tell dark figures on a bright ground by the border, which is nearly all ground."""
    images = dataset.images
    border = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    around, everywhere = float(np.median(border)), float(images.mean())
    if around < _DARK or around <= everywhere:
        return None
    return Suggestion(
        "input.invert",
        True,
        f"the border is bright (median {around:.0f} of 255, all pixels {everywhere:.0f}): dark figures on a bright "
        "ground, which would fire everywhere",
    )


def _oriented(dataset: Dataset, reference: Dataset) -> list[Suggestion]:
    found = orientation(dataset, reference)
    if found is None or found.name == "upright":
        return []
    why = (
        f"as {found.name} images these digits are like the bundled ones (correlation of the mean images "
        f"{found.correlation:.2f}, as they are {found.upright:.2f})"
    )
    if found.name == "transposed":
        return [Suggestion("input.transpose", True, why)]
    return [Suggestion(None, None, f"{why}; turn them before you convert them")]


def _ordered(dataset: Dataset) -> list[Suggestion]:
    share = sorted_share(dataset.labels)
    if len(dataset.classes) < 2 or len(dataset) < _ENOUGH or share < _SORTED:
        return []
    why = (
        f"{percent(share, 0)} of the images are followed by one of the same class: later classes would replace earlier"
    )
    return [Suggestion("order", "shuffled", why)]


def _bright_enough(dataset: Dataset) -> list[Suggestion]:
    """Bring the drive of a fresh neuron to that on MNIST, by brighter inputs, and stronger weights for the rest."""
    images = dataset.images
    brightest, total = int(images.max()), float(images.mean()) * dataset.n_input
    if brightest == 0:
        return []
    factor = _MNIST_SUM / total
    if 1 / _TOO_STRONG <= factor <= _TOO_WEAK:
        return []
    intensity = min(_MNIST_INTENSITY * factor, _BRIGHTEST_INTENSITY)
    why = (
        f"an image's grey values add up to {total:,.0f}, MNIST's to {_MNIST_SUM:,.0f}: a neuron is driven "
        f"{_times(factor)} with the defaults"
    )
    found = [Suggestion("presentation.intensity", _rounded(intensity), why)]
    rest = _MNIST_INTENSITY * factor / intensity
    if rest > 1:
        # A mean weight above the share of bright pixels would ask for weights above 1 on them.
        share = float(np.count_nonzero(images > brightest // 2) / images.size)
        a_tar = max(_MNIST_A_TAR, min(_MNIST_A_TAR * rest, share))
        found.append(Suggestion("rule.a_tar", _rounded(a_tar), "what brighter inputs cannot do, stronger weights may"))
    return found


def _times(factor: float) -> str:
    return f"{factor:.2g} times too weakly" if factor > 1 else f"{1 / factor:.2g} times too strongly"


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
