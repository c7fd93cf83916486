"""Recorded responses: how often each neuron fired for each example, with the labels.

`activity/<name>.<split>.<num_examples>.<mark>.npz` is ours: the mark is the name that the user gave the recording, or
the beginning of its identity (settings, weights, images), so that recordings of different settings or data sets lie
side by side. Version 0.1 wrote no mark. The pair `resultPopVecs<N>.npy` and `inputNumbers<N>.npy` is the ancestor's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.ancestor import align_at_end
from snstdp_cli.artefacts.arrays import npy_bytes, npz_bytes, parse_npy, read_npz, whole_numbers
from snstdp_cli.artefacts.files import (
    Workdir,
    checked_name,
    json_bytes,
    parse_json,
    read_file,
    refuse_overwrite,
    write_atomic,
    write_files,
)
from snstdp_cli.artefacts.record_files import read_record
from snstdp_cli.artefacts.records import RecordingRecord
from snstdp_cli.datasets import Part, is_sealed, refuse_sealed
from snstdp_cli.errors import ArtefactError, ConfigError

#: 60,000 examples of 6,400 neurons are 0.8 GB; a small file may unpack to a thousand times its size.
MAX_RECORDING_BYTES = 2 * 2**30
_ARRAYS = ("counts", "labels", "attempts", "silent")
_RECORD = "provenance"
_FILE = re.compile(r"(?P<name>.+)\.(?P<split>train|test|validation)\.(?P<num>[0-9]{1,18})(\.(?P<mark>[^.]+))?\.npz")
#: Digits of its identity that mark a recording without a name of its own.
_MARK_DIGITS = 8
_LARGEST_LABEL = 255


@dataclass(frozen=True, eq=False)
class Responses:
    """What a network answered to `num_examples` examples.

    Attributes
    ----------
    counts
        Excitatory spikes of the accepted presentation, [num_examples, n_e].
    labels
        Class of each example, [num_examples].
    attempts
        Presentations needed, [num_examples].
    silent
        Examples that never answered, [num_examples].
    record
        How they were made; None for the ancestor's files.
    path
        The file that they were read from.
    notes
        What to say of how they were read.
    """

    counts: NDArray[np.uint16]
    labels: NDArray[np.uint8]
    attempts: NDArray[np.uint16]
    silent: NDArray[np.bool_]
    record: RecordingRecord | None = None
    path: Path = field(default=Path())
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordingFile:
    """A recording on the disk, as its name tells."""

    path: Path
    name: str
    split: Part
    num_examples: int
    mark: str | None


def recording_mark(record: RecordingRecord) -> str:
    """Return what tells a recording from others of its network and split in the file's name."""
    return record.label or record.identity[:_MARK_DIGITS]


def recording_path(workdir: Workdir, name: str, split: Part, num: int, mark: str) -> Path:
    """Return where the responses to `num` examples of a split are kept.

    Raises
    ------
    ConfigError
        If a part could not be told apart in the file's name.
    """
    for part, what in ((split, "split"), (mark, "--as")):
        if "." in part:
            raise ConfigError(f"{what}: expected a name without a dot, found {part[:60]!r}")
    stem = f"{checked_name(name)}.{checked_name(split, 'split')}.{num}.{checked_name(mark, '--as')}"
    return workdir.activity / f"{stem}.npz"


def list_recordings(workdir: Workdir, name: str | None = None, split: Part | None = None) -> list[RecordingFile]:
    """Return the recordings of a network (of all networks), those with most examples first.

    Those of test images are left out where these stay closed.
    """
    found = []
    for path in workdir.activity.glob("*.npz"):
        match = _FILE.fullmatch(path.name)
        if (
            match
            and name in (None, match["name"])
            and split in (None, match["split"])
            and not is_sealed(match["split"])
        ):
            kind = next(one for one in get_args(Part) if one == match["split"])
            found.append(RecordingFile(path, match["name"], kind, int(match["num"]), match["mark"]))
    return sorted(found, key=lambda file: (-file.num_examples, file.path.name))


def list_recorded(workdir: Workdir, split: Part = "test") -> list[str]:
    """Return the names of all networks whose responses to a split are recorded, sorted."""
    return sorted({file.name for file in list_recordings(workdir, split=split)})


def save_responses(workdir: Workdir, responses: Responses, *, force: bool = False) -> Path:
    """Write responses under the name, split and mark that their record tells.

    Raises
    ------
    ArtefactError
        If the file exists and not `force`, the arrays do not fit each other, or writing fails.
    """
    record = responses.record
    assert record is not None, "responses without a record are the ancestor's"
    num = len(responses.counts)
    path = recording_path(workdir, record.weights.name, record.data.split, num, recording_mark(record))
    refuse_overwrite([path], force)
    write_responses(path, responses)
    return path


def write_responses(path: Path, responses: Responses) -> None:
    """Write responses with their record to a file.

    Raises
    ------
    ArtefactError
        If the arrays do not fit each other, or writing fails.
    """
    record = responses.record
    assert record is not None, "responses without a record are the ancestor's"
    checked = _checked(responses.counts, responses.labels, responses.attempts, responses.silent, record, path)
    arrays: dict[str, NDArray[Any]] = {key: getattr(checked, key) for key in _ARRAYS}
    arrays[_RECORD] = np.frombuffer(json_bytes(record.model_dump(mode="json"), path), dtype=np.uint8)
    write_atomic(path, npz_bytes(arrays, path, compress=True))


def load_record(path: Path) -> RecordingRecord:
    """Read the record of a recording without its arrays.

    Raises
    ------
    ArtefactError
        If the file is missing or damaged, or the record does not fit.
    """
    return _record_of(_read(path, (_RECORD,)), path)


def load_responses(path: Path) -> Responses:
    """Read responses that `save_responses` wrote.

    Raises
    ------
    ArtefactError
        If the file is missing, damaged or its arrays do not fit each other.
    DataError
        If they are responses to test images, which stay closed.
    """
    arrays = _read(path, (*_ARRAYS, _RECORD))
    record = _record_of(arrays, path)
    refuse_sealed(record.data.split, str(path))
    return _checked(arrays["counts"], arrays["labels"], arrays["attempts"], arrays["silent"], record, path)


def refuse_ancestor_pair(workdir: Workdir, num: int) -> None:
    """Raise `ArtefactError` if the ancestor's files for `num` examples are there already."""
    refuse_overwrite(_ancestor_paths(workdir, num), False)


def save_ancestor_pair(workdir: Workdir, responses: Responses, *, force: bool = False) -> tuple[Path, Path]:
    """Write counts (float64 [N, n_e]) and labels (int64 [N]) as the ancestor's evaluation reads them.

    Raises
    ------
    ArtefactError
        If a file exists and not `force`, the arrays do not fit each other, or writing fails.
    """
    result_path, labels_path = _ancestor_paths(workdir, len(responses.counts))
    refuse_overwrite([result_path, labels_path], force)
    checked = _checked(responses.counts, responses.labels, responses.attempts, responses.silent, None, result_path)
    write_files(
        {
            result_path: npy_bytes(checked.counts.astype(np.float64), result_path),
            labels_path: npy_bytes(checked.labels.astype(np.int64), labels_path),
        }
    )
    return result_path, labels_path


def load_ancestor_pair(result_path: Path) -> Responses:
    """Read `resultPopVecs<N>.npy` and the `inputNumbers<N>.npy` beside it; attempts, not recorded there, are 1.

    Where there are more labels than counts, the counts are those of the last examples, which `notes` says.

    Raises
    ------
    ArtefactError
        If the name is another, a file is missing or damaged, or the two do not fit.
    """
    if not re.fullmatch(r"resultPopVecs.*\.npy", result_path.name):
        raise ArtefactError(f"{result_path}: expected a file called resultPopVecs<N>.npy, as the ancestor names it")
    labels_path = result_path.with_name(result_path.name.replace("resultPopVecs", "inputNumbers", 1))
    counts = parse_npy(read_file(result_path), result_path)
    labels = parse_npy(read_file(labels_path), labels_path)
    whole_numbers(labels, _LARGEST_LABEL, labels_path, "labels")
    counts, labels, notes = align_at_end(counts, labels, result_path)
    examples = counts.shape[:1]
    silent = np.asarray(~counts.any(axis=1)) if counts.ndim == 2 else np.zeros(examples, dtype=np.bool_)
    checked = _checked(counts, labels, np.ones(examples, dtype=np.uint16), silent, None, result_path)
    return replace(checked, notes=notes)


def _ancestor_paths(workdir: Workdir, num: int) -> tuple[Path, Path]:
    return workdir.activity / f"resultPopVecs{num}.npy", workdir.activity / f"inputNumbers{num}.npy"


def _read(path: Path, wanted: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    arrays = read_npz(path, wanted, limit=MAX_RECORDING_BYTES)
    if missing := [key for key in wanted if key not in arrays]:
        raise ArtefactError(
            f"{path}: misses the arrays {', '.join(missing)}; expected responses as snstdp records them"
        )
    return arrays


def _record_of(arrays: dict[str, NDArray[Any]], path: Path) -> RecordingRecord:
    if arrays[_RECORD].dtype != np.uint8:
        raise ArtefactError(f"{path}: the provenance is not text; expected responses as snstdp records them")
    return read_record(RecordingRecord, parse_json(arrays[_RECORD].tobytes(), path), path)


def _checked(
    counts: NDArray[Any],
    labels: NDArray[Any],
    attempts: NDArray[Any],
    silent: NDArray[Any],
    record: RecordingRecord | None,
    where: Path,
) -> Responses:
    if counts.ndim != 2 or counts.size == 0:
        raise ArtefactError(f"{where}: expected counts [num_examples, n_e], found shape {counts.shape}")
    for key, array in (("labels", labels), ("attempts", attempts), ("silent", silent)):
        if array.shape != counts.shape[:1]:
            raise ArtefactError(
                f"{where}: {counts.shape[0]} examples have counts, but {key} has shape {array.shape}; "
                f"expected ({counts.shape[0]},); use files of the same recording"
            )
    if silent.dtype != np.bool_:
        raise ArtefactError(f"{where}: expected true or false for silent, found type {silent.dtype}")
    largest = int(np.iinfo(np.uint16).max)
    return Responses(
        counts=counts
        if counts.dtype == np.uint16
        else whole_numbers(counts, largest, where, "spike counts").astype(np.uint16),
        labels=whole_numbers(labels, _LARGEST_LABEL, where, "labels").astype(np.uint8),
        attempts=whole_numbers(attempts, largest, where, "attempts").astype(np.uint16),
        silent=silent.copy(),
        record=record,
        path=where,
    )
