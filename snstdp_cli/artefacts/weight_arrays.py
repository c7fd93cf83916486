"""The arrays of weights and thresholds, in our form and in the ancestor's: from bytes to [n_input, n_e] and back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snstdp_cli.artefacts.ancestor import neurons_without_thresholds
from snstdp_cli.artefacts.arrays import npy_bytes, parse_npy, real_numbers, whole_numbers
from snstdp_cli.artefacts.files import MAX_BYTES, read_file
from snstdp_cli.artefacts.records import TrainingRecord
from snstdp_cli.errors import ArtefactError

#: More inputs than this, told by an index in the three-column form, are a damaged index.
MAX_LISTED_INPUTS = 1_000_000


def marks_of(neurons: Sequence[int], n_e: int, where: str) -> NDArray[np.bool_]:
    """Return where a neuron is among these numbers, [n_e].

    Parameters
    ----------
    where
        Where the numbers are written down, for an error.

    Raises
    ------
    ArtefactError
        If a neuron is not there.
    """
    numbers = np.asarray(neurons, dtype=np.int64)
    if len(numbers) and numbers.max() >= n_e:
        raise ArtefactError(f"{where}: found the neuron {numbers.max()}, expected numbers below {n_e}")
    marks = np.zeros(n_e, dtype=np.bool_)
    marks[numbers] = True
    return marks


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
    has_thresholds
        Whether the thresholds were in a file; else they are those with which a training begins.
    """

    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    record: TrainingRecord | None = None
    sha256: str = ""
    has_thresholds: bool = True

    def with_initial_theta(self, theta_mv: float) -> TrainedWeights:
        """Return weights without thresholds with other initial ones, in mV; those with thresholds as they are."""
        if self.has_thresholds or (self.theta_mv == theta_mv).all():
            return self
        theta = np.full(self.theta_mv.size, theta_mv)
        return replace(self, theta_mv=theta, sha256=digest_of_weights(self.weights, theta))

    @property
    def note(self) -> str | None:
        """What to say of thresholds that were in no file."""
        if self.has_thresholds:
            return None
        return (
            f"no thresholds lie beside these weights: theta is {self.theta_mv[0]:g} mV for all neurons, as at the "
            "beginning of a training (network.theta_init_mv)"
        )


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
    return decode_weights(weights_path, read_file(weights_path), theta_path, read_file(theta_path), n_input, n_e)


def decode_weights(
    weights_path: Path, weights_data: bytes, theta_path: Path, theta_data: bytes, n_input: int | None, n_e: int | None
) -> TrainedWeights:
    """Return what the bytes of two files hold, in any of the forms of `load_weight_files`."""
    theta_volts = real_numbers(parse_npy(theta_data, theta_path), theta_path, "thresholds")
    if theta_volts.ndim != 1:
        raise ArtefactError(
            f"{theta_path}: expected one threshold for each neuron (1 dimension), found shape {theta_volts.shape}"
        )
    with np.errstate(over="ignore"):
        theta_mv = real_numbers(theta_volts * 1000, theta_path, "thresholds in mV")
    stored = real_numbers(parse_npy(weights_data, weights_path), weights_path, "weights")
    weights = _sized(_matrix(stored, theta_mv.size, n_input, weights_path, theta_path), n_input, n_e, weights_path)
    return TrainedWeights(weights, theta_mv, None, digest_of_weights(weights, theta_mv))


def _sized(
    weights: NDArray[np.float64], n_input: int | None, n_e: int | None, weights_path: Path
) -> NDArray[np.float64]:
    """Refuse weights of another size than the one that is asked for."""
    if weights.shape != (n_input or weights.shape[0], n_e or weights.shape[1]):
        asked = " and ".join(f"{k} {v}" for k, v in (("n_input", n_input), ("n_e", n_e)) if v is not None)
        raise ArtefactError(
            f"{weights_path}: holds weights of n_input {weights.shape[0]} and n_e {weights.shape[1]}, but {asked} "
            f"is asked for; set --n-e {weights.shape[1]} or use other weights"
        )
    return weights


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


def decode_without_thresholds(path: Path, data: bytes, n_input: int | None, n_e: int | None) -> TrainedWeights:
    """Return what a file of weights holds that has no thresholds beside it; theta is 0 until it is said."""
    stored = real_numbers(parse_npy(data, path), path, "weights")
    theta = np.zeros(n_e or neurons_without_thresholds(stored, path))
    weights = _sized(_matrix(stored, theta.size, n_input, path, path), n_input, n_e, path)
    return TrainedWeights(weights, theta, None, digest_of_weights(weights, theta), has_thresholds=False)


def digest_of_weights(weights: NDArray[np.float64], theta_mv: NDArray[np.float64]) -> str:
    """Return the SHA-256 of weights [n_input, n_e] and thresholds [n_e] in mV."""
    digest = hashlib.sha256(np.ascontiguousarray(weights))
    digest.update(np.ascontiguousarray(theta_mv))
    return digest.hexdigest()
