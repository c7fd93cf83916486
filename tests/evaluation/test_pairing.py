"""The same answers are recognized whatever file they come from, and only pairs are compared pairwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from snstdp_cli.evaluation import difference_of_labels, same_responses


@dataclass
class Recording:
    counts: np.ndarray
    labels: np.ndarray


COUNTS = np.random.default_rng(0).poisson(2, (30, 5))
LABELS = np.arange(30) % 3
HERE = Recording(COUNTS, LABELS)


@pytest.mark.parametrize(
    "other",
    [
        HERE,
        Recording(COUNTS.astype(np.uint16), LABELS.astype(np.uint8)),
        Recording(COUNTS.astype(float), LABELS.copy()),
        Recording(COUNTS[:10], LABELS[:10]),
    ],
    ids=["itself", "a copy of another type", "a copy as floats", "its beginning"],
)
def test_the_same_content_is_the_same_answers(other: Recording) -> None:
    assert same_responses(HERE, other)
    assert same_responses(other, HERE)


@pytest.mark.parametrize(
    "other",
    [
        Recording(COUNTS + 1, LABELS),
        Recording(COUNTS, LABELS[::-1]),
        Recording(COUNTS[:, :4], LABELS),
        Recording(COUNTS[1:], LABELS[1:]),
        Recording(COUNTS[:0], LABELS[:0]),
    ],
    ids=["other counts", "other labels", "other neurons", "shifted", "nothing"],
)
def test_other_content_is_not(other: Recording) -> None:
    assert not same_responses(HERE, other)


def test_answers_to_clean_and_corrupted_images_are_pairs_by_labels_and_order() -> None:
    assert difference_of_labels(LABELS, LABELS.astype(np.uint8)) is None


def test_what_keeps_two_recordings_apart_is_said() -> None:
    changed = LABELS.copy()
    changed[[4, 7]] = 9
    assert difference_of_labels(LABELS, changed) == "the first difference is at example 4: class 1 and class 9"
    assert difference_of_labels(LABELS, LABELS[:29]) == "30 and 29 examples"
