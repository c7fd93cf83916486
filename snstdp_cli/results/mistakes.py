"""The images that a network got wrong, from the data set that was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import RecordingRecord
from snstdp_cli.datasets import Dataset, load_part
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.recording.record import STREAMS
from snstdp_cli.results.scoring import Score

#: No more classes than these are told as guesses.
_MOST_GUESSES = 3


@dataclass(frozen=True, eq=False)
class Mistake:
    """A test image that was taken for another class.

    Attributes
    ----------
    number
        Its place in the data set, from 0: what `--example` takes.
    image
        Pixels, [rows, cols].
    label
        Its class.
    guesses
        The classes that most spoke for, best first; none where nothing spoke for any.
    """

    number: int
    image: NDArray[np.uint8]
    label: int
    guesses: list[int]


def recorded_images(record: RecordingRecord, where: Path, data_dir: Path | None = None) -> Dataset:
    """Load the data set of a recording, which need not be that of the training.

    Parameters
    ----------
    where
        The recording's file, for errors.
    data_dir
        Folder of the images, if it is not the usual one.

    Raises
    ------
    DataError
        If the images are not to be found, or other ones are found in their place.
    """
    held = record.experiment.evaluation.withheld
    dataset = load_part(record.data.name, record.data.split, held, data_dir, inputs=record.experiment.input)
    if dataset.sha256 != record.data.sha256:
        raise DataError(
            f"{dataset.source}: holds other images than those of {record.data.identity} that {where} was recorded on; "
            "name their folder by --data-dir"
        )
    return dataset


def find_mistakes(score: Score, data_dir: Path | None = None, *, most: int = 24) -> list[Mistake]:
    """Return images that were taken for another class, evenly chosen over the data set.

    Parameters
    ----------
    data_dir
        Folder of the images, if it is not the usual one.
    most
        How many at most.

    Raises
    ------
    ArtefactError, DataError
        If it is not written down which images were recorded, or they cannot be had (see `recorded_images`).
    """
    if score.test.record is None:
        raise ArtefactError(f"{score.test.path}: which images were recorded is not written down")
    dataset = recorded_images(score.test.record, score.test.path, data_dir)
    scored = score.evaluation
    wrong = np.flatnonzero(~scored.correct)
    places = np.linspace(0, len(wrong) - 1, min(most, len(wrong))).round().astype(int)
    record, chosen = score.test.record, wrong[places]
    images = corrupt_images(dataset.images[chosen], record.experiment, STREAMS[record.data.split], chosen)
    return [
        Mistake(int(k), image, int(score.test.labels[k]), best_guesses(scored.scores[k], scored.classes))
        for k, image in zip(chosen, images, strict=True)
    ]


def best_guesses(scores: NDArray[np.float64], classes: NDArray[np.int64]) -> list[int]:
    """Return the three classes with the highest scores; one with the lowest of all is no guess.

    Parameters
    ----------
    scores
        Evidence for each class of one image, [num_classes].
    classes
        The classes, [num_classes].

    Examples
    --------
    >>> best_guesses(np.array([1.0, 4.0, 3.0]), np.array([3, 5, 8]))
    [5, 8]
    """
    order = np.argsort(-scores, kind="stable")[:_MOST_GUESSES]
    return [int(classes[k]) for k in order if scores[k] > scores.min()]
