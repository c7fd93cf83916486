"""Several scored networks side by side: in which settings they differ, and which are the same but for the seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snstdp_cli.config import differing_settings, setting_notes
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, mean_and_sd
from snstdp_cli.results.scoring import Score

#: Settings that only draw other random numbers.
SEEDS = ("seed", "noise_seed")


@dataclass(frozen=True, eq=False)
class SeedGroup:
    """Networks that differ in nothing but their seeds.

    Attributes
    ----------
    scores
        One a seed, in the order in which they were given.
    notes
        What tells the group from others: settings, data, labels, number of images.
    """

    scores: tuple[Score, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The networks' names."""
        return tuple(score.name for score in self.scores)

    def accuracies(self, classifier: Classifier) -> list[float]:
        """Return the accuracy of each network by a read-out."""
        return [score.evaluations[classifier].accuracy for score in self.scores]

    def mean_and_sd(self, classifier: Classifier) -> tuple[float, float | None]:
        """Return mean and standard deviation over the seeds (n - 1); None for the latter of a single network."""
        return mean_and_sd(self.accuracies(classifier))


def differing_rows(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return for each score the settings in which any two differ, and data, labels and images where these differ."""
    rows = differing_settings([score.experiment for score in scores])
    beside: dict[str, list[str]] = {
        "data": [score.data for score in scores],
        "labels from": [_labels_data(score) for score in scores],
        "images": [f"{score.evaluation.num_examples:,}" for score in scores],
        "labelled by": ["the images that are scored" if score.circular else "training images" for score in scores],
    }
    for key, values in beside.items():
        if len(set(values)) > 1:
            for row, value in zip(rows, values, strict=True):
                row[key] = value
    return rows


def group_seeds(scores: Sequence[Score]) -> list[SeedGroup]:
    """Put networks together that differ in nothing but their seeds; in the order of each group's first one.

    Networks of which no settings are known stay on their own.

    Raises
    ------
    DataError
        If there is nothing to compare.
    """
    if not scores:
        raise DataError("expected at least one scored network to compare, found none")
    groups: dict[str, tuple[list[Score], Mapping[str, Any]]] = {}
    for place, (score, row) in enumerate(zip(scores, differing_rows(scores), strict=True)):
        kept = {key: value for key, value in row.items() if key not in SEEDS}
        key = json.dumps(kept, sort_keys=True, default=str) if score.experiment is not None else f"unknown {place}"
        groups.setdefault(key, ([], kept))[0].append(score)
    return [SeedGroup(tuple(members), tuple(setting_notes(kept))) for members, kept in groups.values()]


def on_same_data(scores: Sequence[Score]) -> bool:
    """Tell whether all scores are of the same images of the same data set."""
    return len({(_images_of(score), score.evaluation.num_examples) for score in scores}) == 1


def _images_of(score: Score) -> str:
    return score.data if score.test.record is None else score.test.record.data.sha256


def _labels_data(score: Score) -> str:
    return score.data if score.assign.record is None else score.assign.record.data.identity
