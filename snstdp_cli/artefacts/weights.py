"""Trained weights and thresholds: `XeAe<name>.npy`, `theta_A<name>.npy` and their provenance `<name>.json`.

The two arrays are the ancestor's files. Theta is in volts on the disk and in mV everywhere else, so a theta that was
saved and loaded may differ in its last digit; checkpoints hold the exact bits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snstdp_cli.artefacts.arrays import npy_bytes, parse_npy, real_numbers, whole_numbers
from snstdp_cli.artefacts.files import (
    MAX_BYTES,
    MAX_JSON_BYTES,
    Workdir,
    checked_name,
    checksum,
    exists,
    json_bytes,
    parse_json,
    read_file,
    refuse_overwrite,
    write_files,
)
from snstdp_cli.artefacts.records import TrainingRecord, read_record
from snstdp_cli.errors import ArtefactError, ConfigError

#: More inputs than this, told by an index in the three-column form, are a damaged index.
MAX_LISTED_INPUTS = 1_000_000


@dataclass(frozen=True)
class TrainedWeights:
    """Weights, thresholds and where they come from.

    Attributes
    ----------
    weights
        [n_input, n_e].
    theta_mv
        Adaptive thresholds, [n_e], mV.
    record
        How they were made; None where nothing is written down, as for the ancestor's files.
    sha256
        Digest of the bytes of `weights` (C order) followed by those of `theta_mv`.
    """

    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    record: TrainingRecord | None = None
    sha256: str = ""


def save_weights(
    workdir: Workdir,
    name: str,
    weights: NDArray[Any],
    theta_mv: NDArray[Any],
    record: TrainingRecord,
    *,
    force: bool = False,
    dtype: DTypeLike = np.float64,
) -> list[Path]:
    """Write weights, thresholds and their record, which gets the files' checksums as `files`.

    Parameters
    ----------
    weights
        Shape [n_input, n_e].
    theta_mv
        Shape [n_e], mV.
    dtype
        Floating type on the disk.

    Raises
    ------
    ArtefactError
        If a file exists and not `force`, if the arrays do not fit each other or are not finite, or if writing fails.
    """
    paths = weight_paths(workdir, name)
    weights_path, theta_path, json_path = paths
    refuse_overwrite(paths, force)
    arrays = encode_weights(weights_path, theta_path, weights, theta_mv, dtype)
    sums = {path.name: checksum(data) for path, data in arrays.items()}
    content = record.model_copy(update={"files": sums}).model_dump(mode="json")
    written = {json_path: json_bytes(content, json_path)}
    # The record comes last, so that it never vouches for files that are not there. Over old arrays it comes first:
    # wherever a crash stops the renaming, its checksums then disagree with what is left of the old ones.
    old = exists(weights_path) or exists(theta_path)
    write_files({**written, **arrays} if old else {**arrays, **written})
    return paths


def load_weights(workdir: Workdir, name: str, *, n_input: int | None = None, n_e: int | None = None) -> TrainedWeights:
    """Read weights by name; the record is None for weights without a JSON file, such as the ancestor's.

    Raises
    ------
    ArtefactError
        If a file is missing, damaged, of another size than asked for, or does not match its provenance.
    """
    weights_path, theta_path = array_paths(workdir.weights, checked_name(name))
    weights_data, theta_data = read_file(weights_path), read_file(theta_path)
    loaded = _decode(weights_path, weights_data, theta_path, theta_data, n_input, n_e)
    json_path = workdir.weights / f"{name}.json"
    if not exists(json_path):
        return loaded
    record = read_record(TrainingRecord, parse_json(read_file(json_path, MAX_JSON_BYTES), json_path), json_path)
    for path, data in ((weights_path, weights_data), (theta_path, theta_data)):
        if record.files.get(path.name, "") not in ("", checksum(data)):
            raise ArtefactError(
                f"{path}: does not match its provenance (sha256): the file was changed or damaged after it was "
                f"written; delete {json_path} to use it anyway"
            )
    return TrainedWeights(loaded.weights, loaded.theta_mv, record, loaded.sha256)


def load_weight_files(
    weights_path: Path, theta_path: Path, *, n_input: int | None = None, n_e: int | None = None
) -> TrainedWeights:
    """Read a pair of files, such as a snapshot's.

    The weights are flat [n_input * n_e] (input-major), a matrix [n_input, n_e], or the ancestor's three columns
    i, j, value (counted from 0; pairs that are not listed are 0). The length of theta tells n_e. Three columns tell
    n_input by the largest i listed, unless it is given. With three neurons a matrix of three columns is taken
    as [n_input, 3], unless n_input is given and differs.

    Raises
    ------
    ArtefactError
        If a file is missing, damaged or of another size than asked for.
    """
    return _decode(weights_path, read_file(weights_path), theta_path, read_file(theta_path), n_input, n_e)


def digest_of_weights(weights: NDArray[np.float64], theta_mv: NDArray[np.float64]) -> str:
    """Return the SHA-256 of weights [n_input, n_e] and thresholds [n_e] in mV."""
    digest = hashlib.sha256(np.ascontiguousarray(weights))
    digest.update(np.ascontiguousarray(theta_mv))
    return digest.hexdigest()


def weights_exist(workdir: Workdir, name: str) -> bool:
    """Tell whether both arrays of `name` are there."""
    return all(exists(path) for path in array_paths(workdir.weights, checked_name(name)))


def list_weights(workdir: Workdir) -> list[str]:
    """Return the names of all weights that have both arrays, sorted."""
    names = []
    for path in workdir.weights.glob("XeAe*.npy"):
        name = path.name.removeprefix("XeAe").removesuffix(".npy")
        try:
            complete = weights_exist(workdir, name)
        except ConfigError:  # somebody else's file, whose name no command could ask for
            continue
        if complete:
            names.append(name)
    return sorted(names)


def weight_paths(workdir: Workdir, name: str) -> list[Path]:
    """Return the three files of `name`: weights, thresholds and their record."""
    return [*array_paths(workdir.weights, checked_name(name)), workdir.weights / f"{name}.json"]


def array_paths(folder: Path, stem: str) -> tuple[Path, Path]:
    """Return where weights and thresholds are, as the ancestor names them."""
    return folder / f"XeAe{stem}.npy", folder / f"theta_A{stem}.npy"


def encode_weights(
    weights_path: Path, theta_path: Path, weights: NDArray[Any], theta_mv: NDArray[Any], dtype: DTypeLike = np.float64
) -> dict[Path, bytes]:
    """Return what the two files hold for weights [n_input, n_e] and thresholds [n_e] in mV, checked."""
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ArtefactError(f"{weights_path}: weights are stored as float32 or float64, not as {np.dtype(dtype)}")
    if weights.ndim != 2 or theta_mv.shape != weights.shape[1:]:
        raise ArtefactError(
            f"{weights_path}: expected weights [n_input, n_e] and theta [n_e], found shapes {weights.shape} and "
            f"{theta_mv.shape}; nothing was written"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        flat, volts = weights.reshape(-1).astype(dtype), (theta_mv / 1000).astype(dtype)
    real_numbers(flat, weights_path, "weights (nothing was written)")
    real_numbers(volts, theta_path, "thresholds (nothing was written)")
    return {weights_path: npy_bytes(flat, weights_path), theta_path: npy_bytes(volts, theta_path)}


def _decode(
    weights_path: Path, weights_data: bytes, theta_path: Path, theta_data: bytes, n_input: int | None, n_e: int | None
) -> TrainedWeights:
    theta_volts = real_numbers(parse_npy(theta_data, theta_path), theta_path, "thresholds")
    if theta_volts.ndim != 1:
        raise ArtefactError(
            f"{theta_path}: expected one threshold for each neuron (1 dimension), found shape {theta_volts.shape}"
        )
    with np.errstate(over="ignore"):
        theta_mv = real_numbers(theta_volts * 1000, theta_path, "thresholds in mV")
    stored = real_numbers(parse_npy(weights_data, weights_path), weights_path, "weights")
    weights = _matrix(stored, theta_mv.size, n_input, weights_path, theta_path)
    if weights.shape != (n_input or weights.shape[0], n_e or weights.shape[1]):
        asked = " and ".join(f"{k} {v}" for k, v in (("n_input", n_input), ("n_e", n_e)) if v is not None)
        raise ArtefactError(
            f"{weights_path}: holds weights of n_input {weights.shape[0]} and n_e {weights.shape[1]}, but {asked} "
            f"is asked for; set --n-e {weights.shape[1]} or use other weights"
        )
    return TrainedWeights(weights, theta_mv, None, digest_of_weights(weights, theta_mv))


def _matrix(
    stored: NDArray[np.float64], n_e: int, n_input: int | None, path: Path, theta_path: Path
) -> NDArray[np.float64]:
    if stored.ndim == 1 and stored.size % n_e == 0:
        return stored.reshape(-1, n_e)
    if stored.ndim == 2:
        listed = stored.shape[1] == 3 and (n_e != 3 or n_input not in (None, stored.shape[0]))
        if listed:
            return _from_columns(stored, n_e, n_input, path)
        if stored.shape[1] == n_e:
            return stored
    raise ArtefactError(
        f"{path}: found shape {stored.shape}; {theta_path.name} has {n_e} neurons, so expected [n_input * {n_e}], "
        f"[n_input, {n_e}] or three columns i, j, value; use the two files of the same training"
    )


def _from_columns(rows: NDArray[np.float64], n_e: int, n_input: int | None, path: Path) -> NDArray[np.float64]:
    inputs = whole_numbers(rows[:, 0], (n_input or MAX_LISTED_INPUTS) - 1, path, "column i (input)")
    neurons = whole_numbers(rows[:, 1], n_e - 1, path, "column j (neuron)")
    count = n_input or int(inputs.max()) + 1
    pairs = inputs * n_e + neurons
    if np.unique(pairs).size != pairs.size:
        raise ArtefactError(f"{path}: a pair i, j is listed twice; expected each once in the three-column form")
    if count * n_e * 8 > MAX_BYTES:
        raise ArtefactError(f"{path}: {count:,} inputs and {n_e:,} neurons need more than {MAX_BYTES:,} bytes")
    weights = np.zeros((count, n_e))
    weights[inputs, neurons] = rows[:, 2]
    return weights
