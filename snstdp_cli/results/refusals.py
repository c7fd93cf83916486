"""Why recordings cannot be scored together, and the command that leads on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, get_args

from snstdp_cli.artefacts import RecordingFile, RecordingRecord, recording_mark
from snstdp_cli.config import differences, settings_of
from snstdp_cli.datasets import Part
from snstdp_cli.network.neurons import generation
from snstdp_cli.results.network import TrainedNetwork

Recorded = tuple[RecordingFile, RecordingRecord]


def current_recordings(network: TrainedNetwork, split: str) -> list[Recorded]:
    """Return the recordings of a split that were made with the weights as they are now, the largest first."""
    known = [one for one in network.recordings if one[0].split == split]
    if not network.has_weights:
        return known
    return [one for one in known if one[1].weights.sha256 in (None, network.stored_for(one[1].experiment).sha256)]


def stale_files(network: TrainedNetwork) -> list[str]:
    """Return the recordings that were made with other weights of this name."""
    current = {file.path for split in get_args(Part) for file, _ in current_recordings(network, split)}
    return [str(file.path) for file, _ in network.recordings if file.path not in current]


def recording_command(
    network: TrainedNetwork, split: str, *, like: RecordingRecord | None = None, data: str | None = None
) -> str:
    """Return the command that records a split, under the conditions of another recording."""
    words = ["snstdp", "test", "--load-name", network.name, "--split", split]
    if like is not None and network.has_weights:
        wanted, usual = (settings_of(one, "recording") for one in (like.experiment, network.experiment))
        for key, value in wanted.items():
            if usual.get(key) != value:
                words += ["--set", f"{key}={_as_text(value)}"]
    if data is not None:
        words += ["--data", data]
    return shlex.join(words)


def nothing_recorded(
    network: TrainedNetwork, split: str, every: Sequence[Recorded], data: str | None = None, mark: str | None = None
) -> str:
    """Say that responses are missing, which there are, and how to record them."""
    command, asked = recording_command(network, split, data=data), data or mark
    if mark is not None:
        command += f" --as {shlex.quote(mark)}"
    if every and asked is not None:
        there = ", ".join(f"{record.data.identity} ({recording_mark(record)})" for _, record in every)
        return (
            f"{network.workdir.activity}: no {split} responses of '{network.name}' to {asked!r}; there are: {there}; "
            f"record them: {command}"
        )
    if stale := [path for path in stale_files(network) if f".{split}." in path]:
        return (
            f"{stale[0]}: recorded with other weights than those now in {network.workdir.weights}; record again: "
            f"{command} --force"
        )
    damaged = "".join(f"{sentence}\n" for sentence in network.damaged_recordings)
    again = " --force" if damaged else ""
    return (
        f"{damaged}{network.workdir.activity}: no {'intact ' if damaged else ''}responses of '{network.name}' to the "
        f"{split} split are recorded; record them: {command}{again}"
    )


def several_recorded(network: TrainedNetwork, fitting: Sequence[Recorded]) -> str:
    """Say in which ways a network was recorded, and how to choose."""
    lines = [f"{network.workdir.activity}: '{network.name}' was recorded in several ways; choose one by --as:"]
    marks = [recording_mark(record) for _, record in fitting]
    usual = settings_of(network.experiment, "recording") if network.has_weights else None
    for (file, record), mark in zip(fitting, marks, strict=True):
        apart = differences(settings_of(record.experiment, "recording"), usual) if usual is not None else []
        if record.generation != generation():
            apart.append("recorded by another version of snstdp")
        if network.has_weights and not network.stored.has_thresholds:
            apart.append(f"theta {record.experiment.network.theta_init_mv:g} mV")
        notes = f"; {', '.join(apart)}" if apart else ""
        choice = mark if marks.count(mark) == 1 else record.identity
        lines.append(f"  --as {choice}: {file.num_examples:,} images of {record.data.identity}{notes}")
    return "\n".join(lines)


def no_labels(network: TrainedNetwork, test: RecordingRecord, every: Sequence[Recorded]) -> str:
    """Say why none of the training responses `every` can label the neurons for a test recording."""
    if test.generation != generation():
        # Labels that belong to it could be made by that version only; both are made again.
        both = " && ".join(recording_command(network, split, like=test) for split in ("test", "train"))
        return (
            f"the test responses of '{network.name}' to {test.data.identity} were recorded by another version of "
            f"snstdp, whose training responses are not there; record both again: {both}"
        )
    data = test.data.name if network.data is None else None
    command = recording_command(network, "train", like=test, data=data)
    if not every:
        return (
            f"{network.workdir.activity}: no training responses of '{network.name}' are recorded, which label its "
            f"neurons; record them: {command}"
        )
    file, record = every[0]
    apart = differences(settings_of(test.experiment, "recording"), settings_of(record.experiment, "recording"))
    if test.generation != record.generation:
        apart.append("recorded by another version of snstdp")
    if test.data.split == "validation":
        apart += differences(*(one.experiment.evaluation.withheld.settings for one in (test, record)))
        command += f" {test.experiment.evaluation.withheld.options}"
    if not apart:
        apart = [f"images of {test.data.identity}, there of {record.data.identity}"]
    return (
        f"{file.path}: these training responses do not belong to the {test.data.split} responses (different: "
        f"{', '.join(apart)}); record some with the same settings: {command}"
    )


def _as_text(value: Any) -> str:
    return "null" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
