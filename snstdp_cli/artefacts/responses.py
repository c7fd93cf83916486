"""Recorded responses: how often each neuron fired for each example, with the labels.

`activity/<name>.<split>.<num_examples>.npz` is ours; the pair `resultPopVecs<N>.npy` and `inputNumbers<N>.npy` is the
ancestor's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from snstdp_cli.errors import ArtefactError, ConfigError

#: 60,000 examples of 6,400 neurons are 0.8 GB; a small file may unpack to a thousand times its size.
MAX_RECORDING_BYTES = 2 * 2**30
_MEMBERS = ("counts", "labels", "attempts", "silent", "provenance")


@dataclass(frozen=True)
class Responses:
    """What a network answered to `num_examples` examples."""

    #: Excitatory spikes of the accepted presentation, [num_examples, n_e].
    counts: NDArray[np.uint16]
    #: [num_examples]
    labels: NDArray[np.uint8]
    #: Presentations needed, [num_examples].
    attempts: NDArray[np.uint16] | NDArray[np.uint8]
    #: Examples that never answered, [num_examples].
    silent: NDArray[np.bool_]
    provenance: dict[str, Any] = field(default_factory=dict)


def save_responses(workdir: Workdir, name: str, split: str, responses: Responses, *, force: bool = False) -> Path:
    """Write responses of the weights `name` to the examples of `split` (such as `train` or `test`).

    Raises
    ------
    ArtefactError
        If the file exists and not `force`, the arrays do not fit each other, or writing fails.
    """
    path = recording_path(workdir, name, split, len(responses.counts))
    refuse_overwrite([path], force)
    checked = _checked(
        responses.counts, responses.labels, responses.attempts, responses.silent, responses.provenance, path
    )
    text = json_bytes(checked.provenance, path)
    arrays: dict[str, NDArray[Any]] = {key: getattr(checked, key) for key in _MEMBERS[:-1]}
    arrays["provenance"] = np.frombuffer(text, dtype=np.uint8)
    write_atomic(path, npz_bytes(arrays, path, compress=True))
    return path


def find_recordings(workdir: Workdir, name: str, split: str) -> list[Path]:
    """Return the recordings of `name` and `split`, those with most examples first."""
    pattern = re.compile(rf"{re.escape(_stem(name, split))}\.([0-9]{{1,18}})\.npz")
    found = [(int(match[1]), p) for p in workdir.activity.glob("*.npz") if (match := pattern.fullmatch(p.name))]
    return [path for _, path in sorted(found, reverse=True)]


def list_recorded(workdir: Workdir) -> list[str]:
    """Return the names of all networks whose responses to the test split are recorded, sorted."""
    pattern = re.compile(r"(.+)\.test\.[0-9]{1,18}\.npz")
    return sorted({match[1] for path in workdir.activity.glob("*.npz") if (match := pattern.fullmatch(path.name))})


def refuse_recording(workdir: Workdir, name: str, split: str, num: int, *, ancestor_format: bool = False) -> None:
    """Raise `ArtefactError` if a recording of `num` examples would overwrite a file."""
    paths = list(_ancestor_paths(workdir, num)) if ancestor_format else [recording_path(workdir, name, split, num)]
    refuse_overwrite(paths, False)


def recording_path(workdir: Workdir, name: str, split: str, num: int) -> Path:
    """Return where the responses to `num` examples of a split are kept."""
    return workdir.activity / f"{_stem(name, split)}.{num}.npz"


def _ancestor_paths(workdir: Workdir, num: int) -> tuple[Path, Path]:
    return workdir.activity / f"resultPopVecs{num}.npy", workdir.activity / f"inputNumbers{num}.npy"


def load_responses(path: Path) -> Responses:
    """Read responses that `save_responses` wrote.

    Raises
    ------
    ArtefactError
        If the file is missing, damaged or its arrays do not fit each other.
    """
    arrays = read_npz(path, _MEMBERS, limit=MAX_RECORDING_BYTES)
    missing = [key for key in _MEMBERS if key not in arrays]
    if missing:
        raise ArtefactError(
            f"{path}: misses the arrays {', '.join(missing)}; expected responses as snstdp records them"
        )
    if arrays["provenance"].dtype != np.uint8:
        raise ArtefactError(f"{path}: the provenance is not text; expected responses as snstdp records them")
    provenance = parse_json(arrays["provenance"].tobytes(), path)
    return _checked(arrays["counts"], arrays["labels"], arrays["attempts"], arrays["silent"], provenance, path)


def save_ancestor_pair(workdir: Workdir, responses: Responses, *, force: bool = False) -> tuple[Path, Path]:
    """Write counts (float64 [N, n_e]) and labels (int64 [N]) as the ancestor's evaluation reads them.

    Raises
    ------
    ArtefactError
        If a file exists and not `force`, the arrays do not fit each other, or writing fails.
    """
    result_path, labels_path = _ancestor_paths(workdir, len(responses.counts))
    refuse_overwrite([result_path, labels_path], force)
    checked = _checked(responses.counts, responses.labels, responses.attempts, responses.silent, {}, result_path)
    write_files(
        {
            result_path: npy_bytes(checked.counts.astype(np.float64), result_path),
            labels_path: npy_bytes(checked.labels.astype(np.int64), labels_path),
        }
    )
    return result_path, labels_path


def load_ancestor_pair(result_path: Path) -> Responses:
    """Read `resultPopVecs<N>.npy` and the `inputNumbers<N>.npy` beside it; attempts, not recorded there, are 1.

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
    whole_numbers(labels, 255, labels_path, "labels")
    examples = counts.shape[:1]
    silent = np.asarray(~counts.any(axis=1)) if counts.ndim == 2 else np.zeros(examples, dtype=np.bool_)
    return _checked(counts, labels, np.ones(examples, dtype=np.uint16), silent, {}, result_path)


def _stem(name: str, split: str) -> str:
    if not (split.isascii() and split.isalnum()):
        # A dot in the split could make the recordings of two names share a file name.
        raise ConfigError(f"split: expected letters and digits only, such as train or test; found {split[:60]!r}")
    return f"{checked_name(name)}.{checked_name(split, 'split')}"


def _checked(
    counts: NDArray[Any],
    labels: NDArray[Any],
    attempts: NDArray[Any],
    silent: NDArray[Any],
    provenance: dict[str, Any],
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
        labels=whole_numbers(labels, 255, where, "labels").astype(np.uint8),
        attempts=whole_numbers(attempts, largest, where, "attempts").astype(np.uint16),
        silent=silent.copy(),
        provenance=provenance,
    )
