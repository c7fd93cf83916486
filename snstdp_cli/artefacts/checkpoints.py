"""Checkpoints of a training: everything needed to continue bit for bit, in one file with a checksum.

`weights/.checkpoints/<name>/<examples>.ckpt` is a line of text, the 32 bytes of the SHA-256 of the rest, and an
uncompressed .npz. The last two are kept, so a damaged one costs a chunk and not the training. When a training is
complete its last one becomes `weights/.states/<name>.ckpt`, from which it can be continued.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.arrays import npz_bytes, parse_npz
from snstdp_cli.artefacts.files import Workdir, checked_name, json_bytes, parse_json, read_file, write_atomic
from snstdp_cli.errors import ArtefactError

_FORMAT = 1
_MAGIC = f"snstdp checkpoint {_FORMAT}\n".encode()
_ANY_MAGIC = re.compile(rb"snstdp checkpoint ([0-9]{1,9})\n")
_DIGEST_BYTES = 32
_FILE_NAME = re.compile(r"([0-9]{8,18})\.ckpt")
#: What can be done about a checkpoint that cannot be used.
AGAIN = "start the training again with --force and without --resume"
_META = "meta"
_ARRAY = "array."


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after `meta["examples"]` examples."""

    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]
    path: Path
    #: A sentence for each newer checkpoint that is damaged.
    skipped: list[str] = field(default_factory=list)


def write_checkpoint(workdir: Workdir, name: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Path:
    """Write a checkpoint and keep, besides it, the newest intact one before it.

    Parameters
    ----------
    arrays
        Of numbers or booleans; they come back bit for bit.
    meta
        Values that JSON can hold; `examples`, a whole number, is required.

    Raises
    ------
    ArtefactError
        If it cannot be written; the checkpoints before are then untouched.
    """
    folder = _folder(workdir, name)
    examples = meta.get("examples")
    if not _is_count(examples):
        raise ArtefactError(f"{folder}: a checkpoint needs meta['examples'], a whole number; found {examples!r}")
    path = folder / f"{examples:08d}.ckpt"
    content = {_META: np.frombuffer(json_bytes(meta, path), dtype=np.uint8)}
    for key, array in arrays.items():
        if np.asarray(array).dtype.kind not in "biuf":
            raise ArtefactError(f"{path}: cannot store '{key}' of type {np.asarray(array).dtype}; expected numbers")
        content[_ARRAY + key] = array
    body = npz_bytes(content, path, compress=False)
    write_atomic(path, _MAGIC + hashlib.sha256(body).digest() + body)
    _prune(folder, int(path.stem))
    return path


def read_checkpoint(workdir: Workdir, name: str) -> Checkpoint | None:
    """Return the newest intact checkpoint, or None if there is no checkpoint at all.

    Raises
    ------
    ArtefactError
        If there are checkpoints and all are damaged.
    """
    skipped: list[str] = []
    for _, path in _listed(_folder(workdir, name)):
        try:
            arrays, meta = _read(path)
        except ArtefactError as error:
            skipped.append(f"{error} (this checkpoint was skipped)")
        else:
            return Checkpoint(arrays, meta, path, skipped)
    if skipped:
        raise ArtefactError("\n".join([*skipped, f"no checkpoint of '{name}' is intact; {AGAIN}"]))
    return None


def delete_checkpoints(workdir: Workdir, name: str) -> None:
    """Remove all checkpoints of `name`, and their folder if nothing else is in it."""
    folder = _folder(workdir, name)
    for _, path in _listed(folder):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ArtefactError(f"{path}: cannot delete the checkpoint: {error.strerror}; delete it by hand") from None
    with contextlib.suppress(OSError):
        folder.rmdir()


def keep_state(workdir: Workdir, name: str) -> None:
    """Turn the newest checkpoint of a finished training into its kept state, from which it can be continued.

    Raises
    ------
    ArtefactError
        If it cannot be moved.
    """
    path, found = state_path(workdir, name), _listed(_folder(workdir, name))
    if not found:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(found[0][1], path)  # noqa: PTH105 - as everywhere in this room, so that a test can break it
    except OSError as error:
        raise ArtefactError(f"{path}: cannot keep the state of the training: {error.strerror}") from None


def state_path(workdir: Workdir, name: str) -> Path:
    """Return where the state is kept that a finished training ended with."""
    return workdir.weights / ".states" / f"{checked_name(name)}.ckpt"


def read_state(workdir: Workdir, name: str) -> Checkpoint:
    """Return the state that a finished training ended with.

    Raises
    ------
    ArtefactError
        If there is none, or it is damaged.
    """
    path = state_path(workdir, name)
    arrays, meta = _decode(_body(path), path)
    return Checkpoint(arrays, meta, path)


def _folder(workdir: Workdir, name: str) -> Path:
    return workdir.weights / ".checkpoints" / checked_name(name)


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < 10**18


def _listed(folder: Path) -> list[tuple[int, Path]]:
    """Return the checkpoints of a folder, the newest (by examples shown) first."""
    found = [(int(match[1]), path) for path in folder.glob("*.ckpt") if (match := _FILE_NAME.fullmatch(path.name))]
    return sorted(found, reverse=True)


def _prune(folder: Path, written: int) -> None:
    # A checkpoint with more examples than the one just written belongs to a training that was given up: if it
    # stayed, the next resume would continue that one.
    spare: Path | None = None
    for examples, path in _listed(folder):
        if examples == written:
            continue
        if spare is None and examples < written and _intact(path):
            spare = path
            continue
        with contextlib.suppress(OSError):  # an old checkpoint that stays is no reason to stop a training
            path.unlink(missing_ok=True)


def _intact(path: Path) -> bool:
    try:
        _body(path)
    except ArtefactError:
        return False
    return True


def _body(path: Path) -> bytes:
    """Return the whole file, whose end is the archive, if its checksum is right."""
    data = read_file(path)
    if not data.startswith(_MAGIC):
        if match := _ANY_MAGIC.match(data):
            raise ArtefactError(
                f"{path}: a checkpoint of another version of snstdp (format {int(match[1])}; this one reads {_FORMAT})"
            )
        raise ArtefactError(f"{path}: not a checkpoint of snstdp, or damaged at its beginning")
    start = len(_MAGIC) + _DIGEST_BYTES
    if hashlib.sha256(memoryview(data)[start:]).digest() != data[len(_MAGIC) : start]:
        raise ArtefactError(f"{path}: damaged: its checksum does not match ({len(data):,} bytes found)")
    return data


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays, meta = _decode(_body(path), path)
    if not _is_count(meta.get("examples")) or f"{meta['examples']:08d}.ckpt" != path.name:
        found = repr(meta.get("examples"))
        raise ArtefactError(f"{path}: holds the state after {found[:30]} examples; expected that of its name")
    return arrays, meta


def _decode(body: bytes, path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    # An archive may have anything before it, so the bytes need not be copied. We write arrays as they are: one that is
    # compressed is not ours, and might need more memory than the file has bytes.
    content = parse_npz(body, path, compressed=False)
    meta = parse_json(content.pop(_META, np.zeros(0, dtype=np.uint8)).tobytes(), path)
    strange = sorted(key for key in content if not key.startswith(_ARRAY))
    if strange:
        raise ArtefactError(f"{path}: holds {strange[0][:60]!r}, which is no part of a checkpoint")
    return {key.removeprefix(_ARRAY): array for key, array in content.items()}, meta
