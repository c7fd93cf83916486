"""Trained weights and thresholds: `XeAe<name>.npy`, `theta_A<name>.npy` and their provenance `<name>.json`.

The two arrays are the ancestor's files (see `ancestor`). Theta is in volts in them, as in the state of an engine and in
checkpoints, and in mV in every value that is called so (`TrainedWeights.theta_mv`). A theta that was saved and loaded
may therefore differ in its last digit; checkpoints hold the exact bits.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snstdp_cli.artefacts.ancestor import (
    UNNAMED,
    array_paths,
    paths_to_read,
    usual_theta_mv,
)
from snstdp_cli.artefacts.files import (
    Workdir,
    checked_name,
    checksum,
    exists,
    json_bytes,
    read_file,
    refuse_overwrite,
    write_files,
)
from snstdp_cli.artefacts.record_files import read_record_file
from snstdp_cli.artefacts.records import TrainingRecord
from snstdp_cli.artefacts.weight_arrays import (
    TrainedWeights,
    decode_weights,
    decode_without_thresholds,
    encode_weights,
)
from snstdp_cli.errors import ArtefactError, ConfigError


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


def load_weights(
    workdir: Workdir,
    name: str,
    *,
    n_input: int | None = None,
    n_e: int | None = None,
    theta_init_mv: float | None = None,
) -> TrainedWeights:
    """Read weights by name; the record is None for weights without a JSON file, such as the ancestor's.

    Parameters
    ----------
    n_input, n_e
        Refuse weights of another size.
    theta_init_mv
        Thresholds of weights that have none beside them, such as the ancestor's initial ones; by default the usual one.

    Raises
    ------
    ArtefactError
        If a file is missing, damaged, of another size than asked for, or does not match its provenance.
    """
    weights_path, theta_path = paths_to_read(workdir.weights, checked_name(name))
    weights_data = read_file(weights_path)
    if not exists(theta_path) and not _is_interrupted(workdir, name):
        return decode_without_thresholds(weights_path, weights_data, n_input, n_e).with_initial_theta(
            usual_theta_mv() if theta_init_mv is None else theta_init_mv
        )
    theta_data = read_file(theta_path)
    loaded = decode_weights(weights_path, weights_data, theta_path, theta_data, n_input, n_e)
    json_path = workdir.weights / f"{name}.json"
    if not exists(json_path):
        return loaded
    record = read_record_file(TrainingRecord, json_path)
    for path, data in ((weights_path, weights_data), (theta_path, theta_data)):
        if record.files.get(path.name, "") not in ("", checksum(data)):
            raise ArtefactError(
                f"{path}: does not match its provenance (sha256): the file was changed or damaged after it was "
                f"written; delete {json_path} to use it anyway"
            )
    return replace(loaded, record=record)


def _is_interrupted(workdir: Workdir, name: str) -> bool:
    """Tell whether snstdp wrote something of this name: then a file without its partner is a half-written one."""
    return exists(workdir.weights / f"{name}.json") or exists(workdir.weights / ".checkpoints" / name)


def weights_exist(workdir: Workdir, name: str) -> bool:
    """Tell whether weights of `name` can be read; the ancestor's initial ones have no thresholds beside them."""
    weights_path, theta_path = paths_to_read(workdir.weights, checked_name(name))
    return exists(weights_path) and (exists(theta_path) or not _is_interrupted(workdir, name))


def list_weights(workdir: Workdir) -> list[str]:
    """Return the names of all weights, sorted; those without a name are called `UNNAMED`."""
    names = set()
    for path in workdir.weights.glob("XeAe*.npy"):
        name = path.name.removeprefix("XeAe").removesuffix(".npy") or UNNAMED
        try:
            complete = weights_exist(workdir, name)
        except ConfigError:  # somebody else's file, whose name no command could ask for
            continue
        if complete and array_paths(workdir.weights, name)[0] == path:
            names.add(name)
    if weights_exist(workdir, UNNAMED):
        names.add(UNNAMED)
    return sorted(names)


def weight_paths(workdir: Workdir, name: str) -> list[Path]:
    """Return the three files of `name`: weights, thresholds and their record."""
    return [*array_paths(workdir.weights, checked_name(name)), workdir.weights / f"{name}.json"]
