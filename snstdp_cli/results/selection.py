"""Which recordings belong together: the same weights and settings, one data set for the answers, labels that fit.

What does not belong together is never scored: the choice is plain, or it is refused with what differs.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from snstdp_cli.artefacts import RecordingFile, RecordingRecord, Responses, load_responses, recording_mark
from snstdp_cli.config import differences, settings_of
from snstdp_cli.errors import ArtefactError
from snstdp_cli.results.network import TrainedNetwork

Recorded = tuple[RecordingFile, RecordingRecord]


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


def current_recordings(network: TrainedNetwork, split: str) -> list[Recorded]:
    """Return the recordings of a split that were made with the weights as they are now, the largest first."""
    own = network.stored.sha256 if network.has_weights else None
    known = [one for one in network.recordings if one[0].split == split]
    return [one for one in known if own is None or one[1].weights.sha256 in (None, own)]


def recorded_variants(network: TrainedNetwork) -> list[Recorded]:
    """Return one test recording, the largest, of each data set and settings, the usual one first."""
    found: dict[tuple[str, str], Recorded] = {}
    for one in current_recordings(network, "test"):
        found.setdefault(_kind(one[1]), one)
    return sorted(found.values(), key=lambda one: not is_usual(network, one[1]))


def find_test(network: TrainedNetwork, data: str | None = None, mark: str | None = None) -> tuple[Recorded, list[str]]:
    """Choose the test recording to score.

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
    every = current_recordings(network, "test")
    fitting = [one for one in every if _is_asked(one, data, mark)]
    if not fitting:
        raise ArtefactError(_nothing_recorded(network, "test", every, data or mark))
    kinds = {_kind(record) for _, record in fitting}
    if len(kinds) > 1:
        usual = [one for one in fitting if is_usual(network, one[1])]
        if len({_kind(record) for _, record in usual}) != 1:
            raise ArtefactError(_several(network, fitting))
        fitting = usual
    notes = [f"{path} was recorded with other weights of this name and is not used" for path in _stale(network)]
    return fitting[0], notes


def find_assign(network: TrainedNetwork, test: RecordingRecord) -> tuple[Recorded, list[str]]:
    """Choose the training responses that label the neurons for a test recording.

    They were recorded under the same conditions; of the same data set if there are such, else of the data set that the
    network was trained on.

    Raises
    ------
    ArtefactError
        If there are none.
    """
    every = current_recordings(network, "train")
    same = [one for one in every if one[1].conditions == test.conditions]
    own = [one for one in same if one[1].data.belongs_to(test.data)]
    if own:
        return own[0], []
    trained = [one for one in same if network.data is not None and one[1].data.belongs_to(network.data)]
    if trained:
        labels = trained[0][1].data.identity
        return trained[0], [f"labels of the neurons from {labels}, answers to {test.data.identity}"]
    raise ArtefactError(_no_labels(network, test, every))


def find_pair(network: TrainedNetwork, data: str | None = None, mark: str | None = None) -> ResponsePair:
    """Load the training and test responses that belong together.

    Raises
    ------
    ArtefactError
        If they are not there, or the choice is open.
    """
    (file, record), notes = find_test(network, data, mark)
    (labels_file, _), more = find_assign(network, record)
    return ResponsePair(load_responses(labels_file.path), load_responses(file.path), (*notes, *more))


def _kind(record: RecordingRecord) -> tuple[str, str]:
    return record.conditions, record.data.set_sha256 or record.data.identity


def is_usual(network: TrainedNetwork, record: RecordingRecord) -> bool:
    """Tell whether a recording is of the data set of the training, with the settings of the training."""
    if not network.has_weights or network.data is None:
        return False
    same = settings_of(record.experiment, "recording") == settings_of(network.experiment, "recording")
    return same and record.data.belongs_to(network.data)


def _is_asked(one: Recorded, data: str | None, mark: str | None) -> bool:
    record = one[1]
    if mark is not None and not (recording_mark(record) == mark or record.identity.startswith(mark)):
        return False
    return data in (None, record.data.name, record.data.identity, record.label)


def _stale(network: TrainedNetwork) -> list[str]:
    current = {file.path for split in ("train", "test") for file, _ in current_recordings(network, split)}
    return [str(file.path) for file, _ in network.recordings if file.path not in current]


def _nothing_recorded(network: TrainedNetwork, split: str, every: Sequence[Recorded], asked: str | None) -> str:
    command = f"snstdp test --load-name {shlex.quote(network.name)} --split {split}"
    if every and asked is not None:
        there = ", ".join(f"{record.data.identity} ({recording_mark(record)})" for _, record in every)
        return f"{network.workdir.activity}: no {split} responses of '{network.name}' to {asked!r}; there are: {there}"
    if stale := [path for path in _stale(network) if f".{split}." in path]:
        return (
            f"{stale[0]}: recorded with other weights than those now in {network.workdir.weights}; record again: "
            f"{command} --force"
        )
    return (
        f"{network.workdir.activity}: no responses of '{network.name}' to the {split} split are recorded; record them: "
        f"{command}"
    )


def _several(network: TrainedNetwork, fitting: Sequence[Recorded]) -> str:
    lines = [f"{network.workdir.activity}: '{network.name}' was recorded in several ways; choose by --data or --as:"]
    usual = settings_of(network.experiment, "recording") if network.has_weights else None
    for file, record in fitting:
        apart = differences(settings_of(record.experiment, "recording"), usual) if usual is not None else []
        notes = f"; {', '.join(apart)}" if apart else ""
        lines.append(f"  {recording_mark(record)}: {file.num_examples:,} images of {record.data.identity}{notes}")
    return "\n".join(lines)


def _no_labels(network: TrainedNetwork, test: RecordingRecord, every: Sequence[Recorded]) -> str:
    command = f"snstdp test --load-name {shlex.quote(network.name)} --split train"
    if not every:
        return _nothing_recorded(network, "train", every, None)
    file, record = every[0]
    ours, theirs = settings_of(test.experiment, "recording"), settings_of(record.experiment, "recording")
    apart = differences(ours, theirs)
    if test.generation != record.generation:
        apart.append("recorded by another version of snstdp")
    if not apart:
        apart = [f"images of {test.data.identity}, there of {record.data.identity}"]
    return (
        f"{file.path}: these training responses do not belong to the test responses (different: {', '.join(apart)}); "
        f"record some with the same settings: {command}"
    )
