"""Snapshots: weights and thresholds that a training kept on its way, in the ancestor's two files each.

`weights/snapshots/<name>.json` says which training they belong to and their checksums: what is not in it, such as
snapshots of an earlier training of the same name, is not shown as this training's.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.ancestor import UNNAMED, array_paths, series_numbers
from snstdp_cli.artefacts.files import (
    Workdir,
    checked_name,
    checksum,
    exists,
    json_bytes,
    read_file,
    write_files,
)
from snstdp_cli.artefacts.record_files import read_record_file
from snstdp_cli.artefacts.records import Count, Counts, Digest, Identity, Record, Text
from snstdp_cli.artefacts.weight_arrays import encode_weights, load_weight_files, marks_of
from snstdp_cli.errors import ArtefactError


class SnapshotFiles(Record):
    """A snapshot's number of examples, and the checksums of its two files by name.

    Attributes
    ----------
    never_learned
        Neurons that had not spiked by then; None where it was not written down.
    """

    examples: Count
    files: dict[Text, Digest]
    never_learned: Counts | None = None


class SnapshotList(Record):
    """The snapshots of one training, in order."""

    format: Literal[2] = 2
    training: Identity
    snapshots: tuple[SnapshotFiles, ...]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Weights [n_input, n_e] and thresholds [n_e] in mV after `examples` training examples.

    `never_learned` tells where a neuron had not spiked by then, [n_e]; None if that is not written down.
    """

    examples: int
    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    never_learned: NDArray[np.bool_] | None = None


def save_snapshot(
    workdir: Workdir,
    name: str,
    training: str,
    examples: int,
    weights: NDArray[Any],
    theta_mv: NDArray[Any],
    never_learned: NDArray[np.bool_] | None = None,
) -> None:
    """Keep the weights [n_input, n_e] and thresholds [n_e] in mV as they are after `examples` examples.

    Parameters
    ----------
    never_learned
        Where a neuron has not spiked so far, [n_e]; None if that is not known.

    Raises
    ------
    ArtefactError
        If they cannot be written.
    """
    files = encode_weights(*_array_paths(workdir, name, examples), weights, theta_mv)
    listed = _intact_list(workdir, name)
    kept = listed.snapshots if listed is not None and listed.training == training else ()
    one = SnapshotFiles(
        examples=examples,
        files={path.name: checksum(data) for path, data in files.items()},
        never_learned=None if never_learned is None else tuple(np.flatnonzero(never_learned).tolist()),
    )
    every = sorted((*(old for old in kept if old.examples != examples), one), key=lambda shot: shot.examples)
    path = _list_path(workdir, name)
    content = SnapshotList(training=training, snapshots=tuple(every)).model_dump(mode="json")
    write_files({**files, path: json_bytes(content, path)})


def load_snapshots(workdir: Workdir, name: str, training: str | None, n_input: int, n_e: int) -> list[Snapshot]:
    """Return the snapshots of a training in order.

    Parameters
    ----------
    name
        Of the weights; those without a name have as snapshots what the ancestor's script saved on its way.
    training
        Identity of the training; None for one of version 0.1, whose snapshots have no list.

    Raises
    ------
    ArtefactError
        If a file that belongs to it is missing, damaged or of another size.
    """
    if name == UNNAMED and training is None:
        series = {number: array_paths(workdir.weights, str(number)) for number in series_numbers(workdir.weights)}
        return [_load(number, paths, n_input, n_e) for number, paths in series.items()]
    listed = _read_list(workdir, name)
    known: dict[int, SnapshotFiles | None] = {}
    if training is None and listed is None:
        known = dict.fromkeys(_numbers(workdir, name))
    elif listed is not None and listed.training == training:
        known = {shot.examples: shot for shot in listed.snapshots}
    found = []
    for examples, shot in sorted(known.items()):
        paths = _array_paths(workdir, name, examples)
        for path in paths if shot is not None else ():
            if shot is not None and shot.files.get(path.name) != checksum(read_file(path)):
                raise ArtefactError(f"{path}: does not match the list of snapshots beside it; train again")
        loaded = _load(examples, paths, n_input, n_e)
        if shot is not None and shot.never_learned is not None:
            where = f"{_list_path(workdir, name)}: never_learned"
            loaded = replace(loaded, never_learned=marks_of(shot.never_learned, n_e, where))
        found.append(loaded)
    return found


def _load(examples: int, paths: tuple[Path, Path], n_input: int, n_e: int) -> Snapshot:
    loaded = load_weight_files(*paths, n_input=n_input, n_e=n_e)
    return Snapshot(examples, loaded.weights, loaded.theta_mv)


def drop_other_snapshots(workdir: Workdir, name: str, training: str) -> None:
    """Remove the snapshots of this name that another training made, and those whose list is damaged."""
    listed = _intact_list(workdir, name)
    if listed is not None and listed.training == training:
        return
    paths = [path for number in _numbers(workdir, name) for path in _array_paths(workdir, name, number)]
    for path in [*paths, _list_path(workdir, name)]:
        with contextlib.suppress(OSError):  # what stays is in no list, and is not shown
            path.unlink(missing_ok=True)


def _folder(workdir: Workdir) -> Path:
    return workdir.weights / "snapshots"


def _list_path(workdir: Workdir, name: str) -> Path:
    return _folder(workdir) / f"{checked_name(name)}.json"


def _array_paths(workdir: Workdir, name: str, examples: int) -> tuple[Path, Path]:
    return array_paths(_folder(workdir), f"{checked_name(name)}.ex{examples:08d}")


def _read_list(workdir: Workdir, name: str) -> SnapshotList | None:
    path = _list_path(workdir, name)
    if not exists(path):
        return None
    return read_record_file(SnapshotList, path)


def _intact_list(workdir: Workdir, name: str) -> SnapshotList | None:
    # A damaged list must not stop a training: without it nobody knows whose its snapshots are.
    with contextlib.suppress(ArtefactError):
        return _read_list(workdir, name)
    return None


def _numbers(workdir: Workdir, name: str) -> list[int]:
    pattern = re.compile(rf"XeAe{re.escape(checked_name(name))}\.ex([0-9]{{8,18}})\.npy")
    names = (path.name for path in _folder(workdir).glob("XeAe*.npy"))
    return [int(match[1]) for match in map(pattern.fullmatch, names) if match]
