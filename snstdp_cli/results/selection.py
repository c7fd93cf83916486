"""Which recordings belong together: the same weights and settings, one data set for the answers, labels that fit.

What does not belong together is never scored: the choice is plain, or it is refused with what differs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from snstdp_cli.artefacts import RecordingRecord, Responses, SeenImages, load_responses, recording_mark
from snstdp_cli.config import settings_of
from snstdp_cli.errors import ArtefactError
from snstdp_cli.network.neurons import generation
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.refusals import (
    Recorded,
    current_recordings,
    no_labels,
    nothing_recorded,
    several_recorded,
    stale_files,
)

#: The images whose answers are scored: the test images, or training images that were kept for validation.
ScoreOn = Literal["test", "validation"]


@dataclass(frozen=True, eq=False)
class ResponsePair:
    """Responses that label the neurons, and responses that are scored, of one network under the same conditions.

    Attributes
    ----------
    notes
        What the user should know of the choice.
    """

    assign: Responses
    test: Responses
    notes: tuple[str, ...] = ()


def recorded_variants(network: TrainedNetwork) -> list[Recorded]:
    """Return one test recording, the largest, of each data set and settings, the usual one first."""
    found: dict[tuple[str, str], Recorded] = {}
    for one in current_recordings(network, "test"):
        found.setdefault(_kind(one[1]), one)
    return sorted(found.values(), key=lambda one: not is_usual(network, one[1]))


def find_test(
    network: TrainedNetwork, data: str | None = None, mark: str | None = None, score_on: ScoreOn = "test"
) -> tuple[Recorded, list[str]]:
    """Choose the recording to score: one of test images, or of validation images.

    Parameters
    ----------
    data
        Name or identity of the data set; by default that of the training.
    mark
        Name of the recording (`test --as`), or the beginning of its identity.

    Returns
    -------
    recorded, notes
        The largest recording of the choice, and what the user should know.

    Raises
    ------
    ArtefactError
        If there is none, or several that the choice leaves open.
    """
    every = current_recordings(network, score_on)
    fitting = [one for one in every if data is None or _is_of(one[1], data)]
    if mark is not None:
        # A name is exact; the beginning of an identity need not be.
        fitting = [one for one in fitting if recording_mark(one[1]) == mark] or [
            one for one in fitting if one[1].identity.startswith(mark)
        ]
    if not fitting:
        raise ArtefactError(nothing_recorded(network, score_on, every, data, mark))
    usual = next(group for group in _preferred(network, fitting) if group)
    if len({_kind(record) for _, record in usual}) > 1:
        raise ArtefactError(several_recorded(network, usual))
    return usual[0], _notes(network)


def find_assign(network: TrainedNetwork, test: RecordingRecord) -> tuple[Recorded, list[str]]:
    """Choose the training responses that label the neurons for a test recording.

    They were recorded under the same conditions; of the same data set if there are such, else of the data set that the
    network was trained on. For validation images, they were recorded without these.

    Raises
    ------
    ArtefactError
        If there are none.
    """
    every = current_recordings(network, "train")
    same = [one for one in every if one[1].conditions == test.labelling_conditions and _is_without(one[1], test)]
    own = [one for one in same if one[1].data.belongs_to(test.data)]
    if own:
        return own[0], []
    trained = [one for one in same if network.data is not None and one[1].data.belongs_to(network.data)]
    if trained:
        labels = trained[0][1].data
        notes = [f"labels of the neurons from {labels.identity}, answers to {test.data.identity}"]
        return trained[0], [*notes, *filter(None, [labels.names_apart(test.data)])]
    raise ArtefactError(no_labels(network, test, every))


def find_pair(
    network: TrainedNetwork, data: str | None = None, mark: str | None = None, score_on: ScoreOn = "test"
) -> ResponsePair:
    """Load the responses that label the neurons and those to score that belong together.

    Raises
    ------
    ArtefactError
        If they are not there, or the choice is open.
    """
    (file, record), notes = find_test(network, data, mark, score_on)
    (labels_file, _), more = find_assign(network, record)
    return ResponsePair(load_responses(labels_file.path), load_responses(file.path), (*notes, *more))


def _is_without(labels: RecordingRecord, scored: RecordingRecord) -> bool:
    """Tell whether responses that label the neurons are none to the validation images that are scored."""
    if scored.data.split != "validation":
        return True
    return SeenImages.of(labels.data, labels.experiment).lacks(scored.data, scored.experiment.evaluation.withheld)


def _kind(record: RecordingRecord) -> tuple[str, str]:
    return record.conditions, record.data.set_sha256 or record.data.identity


def _preferred(network: TrainedNetwork, fitting: Sequence[Recorded]) -> list[list[Recorded]]:
    """Return the recordings by preference: the images and settings of the training, its settings, all others.

    Those that this version recorded come before those of version 0.1, whose random numbers were others.
    """
    groups: list[list[Recorded]] = []
    for kind in (is_usual, _has_usual_settings):
        chosen = [one for one in fitting if kind(network, one[1])]
        groups += [[one for one in chosen if one[1].generation == generation()], chosen]
    return [*groups, list(fitting)]


def _has_usual_settings(network: TrainedNetwork, record: RecordingRecord) -> bool:
    if not network.has_weights:
        return False
    return settings_of(record.experiment, "recording") == settings_of(network.experiment, "recording")


def is_usual(network: TrainedNetwork, record: RecordingRecord) -> bool:
    """Tell whether a recording is of the data set of the training, with the settings of the training."""
    if not _has_usual_settings(network, record) or network.data is None:
        return False
    return record.data.belongs_to(network.data)


def _is_of(record: RecordingRecord, data: str) -> bool:
    """Tell whether a recording is of a data set, by its name, its path however it is written, or what it is."""
    return data == record.data.identity or os.path.normpath(data) == os.path.normpath(record.data.name)


def _notes(network: TrainedNetwork) -> list[str]:
    notes = [f"{path} was recorded with other weights of this name and is not used" for path in stale_files(network)]
    return notes + [f"{sentence} (this recording is not used)" for sentence in network.damaged_recordings]
