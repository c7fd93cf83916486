"""What the section `input` of an experiment does to images, once, after they are read: the only place that does it.

In this order: a single split is divided, classes are chosen, images of each class counted off; then each image is
transposed, scaled, inverted, cropped and brought to its size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.config import InputSection
from snstdp_cli.datasets.limits import MAX_BYTES, size_text
from snstdp_cli.datasets.readers import Pixels
from snstdp_cli.datasets.withholding import draw_by_class
from snstdp_cli.errors import DataError

#: Keeps the draw of test images apart from others; the seed of an experiment has no part in it.
_STREAM = 0x5445_5354
#: So many pixels are resampled at once: they are of 8 bytes meanwhile.
_AT_ONCE = 2**20
#: Images of any kind and their classes, [num].
Labelled = tuple[Pixels, NDArray[np.uint8]]


def divide(pair: Labelled, share: float, where: str) -> tuple[Labelled, Labelled]:
    """Divide a single split into training and test images, which are drawn from each class alike.

    The same images and share always give the same test images; the order is kept.

    Raises
    ------
    DataError
        If one of the two would be empty.
    """
    images, labels = pair
    chosen = draw_by_class(labels, round(share * len(labels)), 0, _STREAM)
    is_test = np.zeros(len(labels), bool)
    is_test[chosen] = True
    if is_test.all() or not is_test.any():
        raise DataError(
            f"{where}: input.test_share: {share:g} of {len(labels):,} images leaves {int(is_test.sum()):,} test images "
            f"and {int((~is_test).sum()):,} training images; expected some of each"
        )
    return (_rows(images, ~is_test), labels[~is_test]), (_rows(images, is_test), labels[is_test])


def refuse_to_divide(inputs: InputSection | None, where: str) -> None:
    """Raise `DataError` if a data set that has both splits is to be divided."""
    if inputs is not None and inputs.test_share is not None:
        raise DataError(
            f"{where}: input.test_share: found {inputs.test_share:g}, but there are test images; leave it out, or name "
            "the training images alone"
        )


def prepare(pair: Labelled, inputs: InputSection, names: Mapping[int, str], where: str) -> Labelled:
    """Choose among images of one split and change them, as the section says; `test_share` is none of this.

    Parameters
    ----------
    names
        Names of classes, by which they may be chosen.
    where
        What an error begins with.

    Raises
    ------
    DataError
        If there is no such class, nothing is left, or more is cropped than there is.
    """
    images, labels = pair
    kept = np.ones(len(labels), bool)
    if inputs.classes is not None:
        kept &= np.isin(labels, _numbers(inputs.classes, labels, names, where))
    if inputs.max_per_class is not None:
        kept &= _place_in_class(labels, kept) < inputs.max_per_class
    if not kept.all():
        images, labels = _rows(images, kept), labels[kept]
    return prepare_pixels(images, inputs, where), labels


def prepare_pixels(images: Pixels, inputs: InputSection, where: str) -> Pixels:
    """Transpose, scale, invert, crop and resize images; pictures of different sizes that get one become an array.

    Raises
    ------
    DataError
        If more is cropped than there is.
    """
    _check_total(len(images), inputs, where)
    if not isinstance(images, np.ndarray):
        found = [_changed(np.asarray(image)[None], inputs, where)[0] for image in images]
        return np.stack(found) if len({one.shape for one in found}) == 1 else found
    changed = _changed(images, inputs, where)
    changed = np.ascontiguousarray(changed)
    changed.flags.writeable = False
    return changed


def _changed(images: NDArray[np.uint8], inputs: InputSection, where: str) -> NDArray[np.uint8]:
    if inputs.transpose:
        images = images.transpose(0, 2, 1)
    if inputs.scale != 1:
        images = scaled_values(inputs.scale)[images]
    if inputs.invert:
        images = 255 - images
    if inputs.crop is not None:
        images = _cropped(images, inputs.crop, where)
    return images if inputs.size is None else resample(images, inputs.size, inputs.resample)


def _check_total(num: int, inputs: InputSection, where: str) -> None:
    """Refuse more pixels than any data set has, before memory is taken for them."""
    if inputs.size is not None and num * math.prod(inputs.size) > MAX_BYTES:
        raise DataError(
            f"{where}: input.size: {num:,} images of {size_text(inputs.size)} pixels hold more than {MAX_BYTES:,} "
            "pixels; make them smaller, or fewer by input.max_per_class"
        )


def scaled_values(factor: float) -> NDArray[np.uint8]:
    """Return what each grey value becomes, [256].

    Examples
    --------
    >>> scaled_values(15.9)[[0, 1, 16, 200]].tolist()
    [0, 16, 254, 255]
    """
    return (np.arange(256) * factor).round().clip(0, 255).astype(np.uint8)


def _cropped(images: NDArray[np.uint8], crop: tuple[int, int, int, int], where: str) -> NDArray[np.uint8]:
    top, right, bottom, left = crop
    rows, cols = images.shape[1:]
    if top + bottom >= rows or left + right >= cols:
        raise DataError(
            f"{where}: input.crop: {list(crop)} leaves nothing of images of {size_text([rows, cols])} pixels"
        )
    return images[:, top : rows - bottom, left : cols - right]


def resample(images: NDArray[np.uint8], size: tuple[int, int], method: str = "area") -> NDArray[np.uint8]:
    """Bring images [num, rows, cols] to another size.

    Parameters
    ----------
    method
        `area` takes the mean of the area that becomes a pixel, `bilinear` weights it by a triangle that spans at least
        two pixels, `nearest` takes the pixel at its middle.

    Examples
    --------
    >>> resample(np.array([[[0, 100], [200, 100]]], dtype=np.uint8), (1, 1)).tolist()
    [[[100]]]
    """
    if images.shape[1:] == size:
        return images
    down, across = (_filter(old, new, method) for old, new in zip(images.shape[1:], size, strict=True))
    result = np.empty((len(images), *size), np.uint8)
    step = max(1, _AT_ONCE // max(math.prod(images.shape[1:]), math.prod(size)))
    for begin in range(0, len(images), step):
        part = images[begin : begin + step].astype(np.float64)
        result[begin : begin + step] = (down @ part @ across.T).round().clip(0, 255)
    return result


def _filter(old: int, new: int, method: str) -> NDArray[np.float64]:
    """Return how much of each old pixel is in each new one along an axis, [new, old]; rows add up to 1."""
    step = old / new
    if method == "nearest":
        chosen: NDArray[np.float64] = np.eye(old)[np.minimum(((np.arange(new) + 0.5) * step).astype(int), old - 1)]
        return chosen
    places = np.arange(old)
    if method == "area":
        low, high = (np.arange(new)[:, None] + end for end in (0, 1))
        weights = np.minimum(high * step, places + 1) - np.maximum(low * step, places)
    else:
        middles = (np.arange(new)[:, None] + 0.5) * step - 0.5
        weights = 1 - np.abs(places - middles) / max(step, 1)
    weights = np.maximum(weights, 0)
    total: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return total


def _numbers(chosen: tuple[str, ...], labels: NDArray[Any], names: Mapping[int, str], where: str) -> list[int]:
    """Return the numbers of classes that are called by name or number; a name wins."""
    by_name = {name: number for number, name in names.items()}
    numbers = [by_name[one] if one in by_name else int(one) if one.isdecimal() else -1 for one in chosen]
    there = set(np.unique(labels).tolist()) | set(names)
    if missing := [one for one, number in zip(chosen, numbers, strict=True) if number not in there]:
        known = [names.get(number, str(number)) for number in sorted(there)]
        more = " ..." if len(known) > 20 else ""
        raise DataError(
            f"{where}: input.classes: there is no class {', '.join(missing)}; known: {', '.join(known[:20])}{more}"
        )
    return numbers


def _place_in_class(labels: NDArray[Any], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many counted images of its class are before each image."""
    places = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        of_class = labels == label
        places[of_class] = np.cumsum(counted[of_class]) - counted[of_class]
    return places


def _rows(images: Pixels, chosen: NDArray[np.bool_]) -> Pixels:
    return images[chosen] if isinstance(images, np.ndarray) else [images[k] for k in np.flatnonzero(chosen)]
