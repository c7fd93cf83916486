"""Several scored networks side by side: in what they differ, and which are the same but for the seed.

Images and weights are compared by their checksums: a name says where they were found, not what they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snstdp_cli.config import differing_settings, setting_notes
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, mean_and_sd
from snstdp_cli.results.scoring import Score

#: Settings that only draw other random numbers.
SEEDS = ("seed", "noise_seed")
#: So much of a checksum is told, unless it takes all of it to tell two apart.
_FEW_DIGITS = 8
#: Of a name before a checksum its end, so that a note, which is cut, shows both.
_MOST_OF_A_NAME = 40
#: What something is called, and its checksum where one is known.
_Named = tuple[str, str | None]


@dataclass(frozen=True, eq=False)
class SeedGroup:
    """Networks that differ in nothing but their seeds.

    Attributes
    ----------
    scores
        One a seed, in the order in which they were given.
    notes
        Which networks were left out as copies, and what tells the group from others: settings, data, labels, number of
        images, what the training began with.
    copies
        A sentence for each network that was left out: its weights are those of one that is there.
    """

    scores: tuple[Score, ...]
    notes: tuple[str, ...]
    copies: tuple[str, ...] = ()

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
    """Return for each score the settings in which any two differ, and all else that `differing_origins` tells."""
    rows = differing_settings([score.experiment for score in scores])
    return [row | origins for row, origins in zip(rows, differing_origins(scores), strict=True)]


def differing_origins(scores: Sequence[Score]) -> list[dict[str, str]]:
    """Return for each score what it was made from, beside settings, as far as any two differ in it.

    These are the images that were scored, that labelled the neurons and that were trained on, the weights that the
    training began with, and the generation of random numbers. What has one name and is not the same is told with a part
    of its checksum. Of a network whose training is not written down, images and weights are unknown.
    """
    known = [score for score in scores if score.experiment is not None]
    beside: dict[str, list[str]] = {
        "data": _tell_apart([_scored_data(score) for score in scores]),
        "labels from": _tell_apart([_labels_data(score) for score in scores]),
        "images": [f"{score.evaluation.num_examples:,}" for score in scores],
        "labelled by": ["the images that are scored" if score.circular else "training images" for score in scores],
    }
    of_known: dict[str, list[str]] = {
        "trained on": _tell_apart([_training_data(score) for score in known]),
        "begun with": _tell_apart([_start(score) for score in known]),
        "generation": [_generation(score) for score in known],
    }
    rows: list[dict[str, str]] = [{} for _ in scores]
    rows_of_known = [row for row, score in zip(rows, scores, strict=True) if score.experiment is not None]
    for columns, places in ((beside, rows), (of_known, rows_of_known)):
        for key, values in columns.items():
            if len(set(values)) > 1:
                for row, value in zip(places, values, strict=True):
                    row[key] = value
    return rows


def group_seeds(scores: Sequence[Score]) -> list[SeedGroup]:
    """Put networks together that differ in nothing but their seeds; in the order of each group's first one.

    A copy of a network is no other seed: of several with the same weights, the first one counts. Networks of which no
    settings are known stay on their own, and so do those whose trainings began with different weights, even where
    these were drawn by different seeds.

    Raises
    ------
    DataError
        If there is nothing to compare.
    """
    if not scores:
        raise DataError("expected at least one scored network to compare, found none")
    groups: dict[str, tuple[list[Score], list[str]]] = {}
    for place, (score, row) in enumerate(zip(scores, differing_rows(scores), strict=True)):
        kept = {key: value for key, value in row.items() if key not in SEEDS}
        key = json.dumps(kept, sort_keys=True, default=str) if score.experiment is not None else f"unknown {place}"
        groups.setdefault(key, ([], setting_notes(kept)))[0].append(score)
    return [_without_copies(members, notes) for members, notes in groups.values()]


def _without_copies(scores: Sequence[Score], notes: Sequence[str]) -> SeedGroup:
    """Return a group of those scores whose weights are of none before."""
    first: dict[str, Score] = {}
    members, copies = [], []
    for score in scores:
        weights = None if score.test.record is None else score.test.record.weights.sha256
        if weights is not None and (other := first.setdefault(weights, score)) is not score:
            copies.append(f"without {score.name}: the weights of {other.name}")
        else:
            members.append(score)
    return SeedGroup(tuple(members), (*copies, *notes), tuple(copies))


def on_same_data(scores: Sequence[Score]) -> bool:
    """Tell whether all scores are of the same images of the same data set."""
    return len({(_images_of(score), score.evaluation.num_examples) for score in scores}) == 1


def _images_of(score: Score) -> str:
    return score.data if score.test.record is None else score.test.record.data.sha256


def _scored_data(score: Score) -> _Named:
    record = score.test.record
    return score.data, None if record is None else record.data.sha256


def _labels_data(score: Score) -> _Named:
    record = score.assign.record
    return (score.data, None) if record is None else (record.data.identity, record.data.sha256)


def _training_data(score: Score) -> _Named:
    data = None if score.training is None else score.training.data
    return ("unknown images", None) if data is None else (data.identity, data.sha256)


def _start(score: Score) -> _Named:
    start = None if score.training is None else score.training.start
    if start is None:
        return "unknown weights", None
    return ("weights drawn from the seed", None) if start.name is None else (start.name, start.sha256)


def _generation(score: Score) -> str:
    """Return the generation of random numbers of training, labelling and scored responses; one if they agree."""
    records = (score.training, score.assign.record, score.test.record)
    return ", ".join(dict.fromkeys(str(record.generation) for record in records if record is not None))


def _tell_apart(found: Sequence[_Named]) -> list[str]:
    """Return texts that are equal where checksums are, or names where there is none: names, if these tell enough."""
    names: dict[str, str] = {}  # of several for one checksum, the first
    for name, digest in found:
        names.setdefault(digest or name, name)
    few = len({key[:_FEW_DIGITS] for key in names}) == len(names)
    called = list(names.values())
    texts = []
    for name, digest in found:
        name = names[digest or name]
        shown = None if digest is None else digest[:_FEW_DIGITS] if few else digest
        texts.append(name if shown is None or called.count(name) == 1 else f"{_end_of(name)} ({shown})")
    return texts


def _end_of(name: str) -> str:
    return name if len(name) <= _MOST_OF_A_NAME else f"...{name[3 - _MOST_OF_A_NAME :]}"
