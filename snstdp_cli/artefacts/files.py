"""Where artefacts live, and reading and writing whole files so that a crash never leaves half of one.

A file is written under a temporary name in its own folder, flushed to the disk and renamed (`temporaries`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from snstdp_cli.artefacts.temporaries import remove_stale, write_temporary
from snstdp_cli.config import check_name
from snstdp_cli.errors import ArtefactError, ConfigError, StorageError

#: No artefact is larger, neither on the disk nor unpacked.
MAX_BYTES = 8 * 2**30
MAX_JSON_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Workdir:
    """The folder of a project: `weights/` and `activity/` are below it."""

    root: Path

    @property
    def weights(self) -> Path:
        return self.root / "weights"

    @property
    def activity(self) -> Path:
        return self.root / "activity"


def checked_name(value: str, what: str = "name") -> str:
    """Return `value` if it can be part of a file name.

    Raises
    ------
    ConfigError
        If it could leave the folder or upset a file system.
    """
    try:
        return check_name(value)
    except ValueError as error:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise ConfigError(f"{what}: {error}; found {shown}") from None


def open_file(path: Path, limit: int = MAX_BYTES) -> BinaryIO:
    """Open a regular file of at most `limit` bytes for reading.

    Raises
    ------
    ArtefactError
        If it is missing, not a file, too large or cannot be read.
    """
    try:
        # Opening a named pipe would wait for a writer, and a device may never end.
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except FileNotFoundError:
        raise ArtefactError(f"{path}: the file does not exist; check the name and --workdir") from None
    except IsADirectoryError:
        raise _no_file(path, "a folder") from None
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path}: cannot read the file: {_reason(error)}") from None
    status = os.fstat(stream.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
        return stream
    stream.close()
    if not stat.S_ISREG(status.st_mode):
        raise _no_file(path, "not a regular file")
    raise ArtefactError(f"{path}: {status.st_size:,} bytes are too many; expected at most {limit:,}")


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most `limit` bytes.

    Raises
    ------
    ArtefactError
        If it is missing, not a file, too large or cannot be read.
    """
    with open_file(path, limit) as stream:
        try:
            return stream.read()
        except (OSError, MemoryError) as error:
            raise ArtefactError(f"{path}: cannot read the file: {_reason(error)}") from None


def _no_file(path: Path, kind: str) -> ArtefactError:
    return ArtefactError(f"{path}: expected a file, but it is {kind}; move it away or choose another name")


def exists(path: Path) -> bool:
    """Tell whether anything has this name, also a link that leads nowhere."""
    try:
        return path.is_symlink() or path.exists()
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path}: cannot look for the file: {_reason(error)}; check the folder") from None


def refuse_overwrite(paths: Iterable[Path], force: bool) -> None:
    """Raise `ArtefactError` for the first file that exists, unless `force`."""
    for path in () if force else paths:
        if exists(path):
            raise ArtefactError(
                f"{path}: the file exists already; nothing was written; choose another name, or overwrite with --force"
            )


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file completely or not at all.

    Raises
    ------
    ArtefactError
        If it cannot be written; a file of this name is then as it was before.
    """
    write_files({path: data})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all temporary files first, then rename them in order: a full disk changes none of the files.

    Raises
    ------
    ArtefactError
        If something that is no regular file has one of the names: a device or a pipe is never replaced.
    StorageError
        If a file cannot be written, saying whether any was replaced.
    """
    for path in files:
        _refuse_special(path)
    replaced: list[str] = []
    temporaries: list[Path] = []
    current = Path()
    with contextlib.ExitStack() as locks:
        try:
            for current, data in files.items():
                current.parent.mkdir(parents=True, exist_ok=True)
                remove_stale(current.parent)
                write_temporary(current, data, temporaries, locks)
            for current, temporary in zip(files, temporaries, strict=True):
                os.replace(temporary, current)  # noqa: PTH105 - the system call itself, so that a test can break it
                replaced.append(current.name)
        except (OSError, ValueError) as error:
            outcome = f"replaced before: {', '.join(replaced)}" if replaced else "nothing was overwritten"
            raise StorageError(
                f"cannot write {current}: {_reason(error)}; {outcome}; free some space or check the folder, then try "
                "again"
            ) from None
        finally:
            for temporary in temporaries:
                with contextlib.suppress(OSError, ValueError):
                    temporary.unlink(missing_ok=True)
    for folder in {path.parent for path in files}:
        _sync_folder(folder)


def _refuse_special(path: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # whatever cannot be asked for cannot be written either
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            raise _no_file(path, "a folder")
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise _no_file(path, "a device, a pipe or a socket")


def checksum(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def json_bytes(content: Mapping[str, Any], where: Path) -> bytes:
    """Encode as readable JSON in the given order; NumPy scalars, arrays and paths become plain values."""
    try:
        return (json.dumps(dict(content), indent=2, default=_plain, ensure_ascii=False) + "\n").encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{where}: cannot write the provenance as JSON: {error}; nothing was written") from None


def parse_json(data: bytes, where: Path) -> dict[str, Any]:
    """Decode a JSON object.

    Raises
    ------
    ArtefactError
        If it is anything else.
    """
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ArtefactError(f"{where}: not valid JSON; expected an object; delete it or write it again") from None
    if not isinstance(content, dict):
        raise ArtefactError(f"{where}: expected a JSON object, found {type(content).__name__}; delete or rewrite it")
    return content


def _sync_folder(folder: Path) -> None:
    # Some file systems cannot flush a folder; the files themselves are flushed by then.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
