"""Temporary files beside the files they will replace.

A temporary file is locked while it is written: one that nobody locks was left by a killed process, and the next write
removes it. Between making and locking a file a neighbour may remove it; whoever has the lock therefore looks whether
the name still leads to the file, and begins again if not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import stat
import time
from pathlib import Path

#: How often a temporary file is made anew that a neighbour removed, and how long an empty one is left alone, seconds.
_TRIES = 100
_YOUNG_S = 2.0
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.snstdp-tmp")


def write_temporary(path: Path, data: bytes, temporaries: list[Path], locks: contextlib.ExitStack) -> None:
    """Write a locked temporary file beside `path`, flush it, and add its name to `temporaries`."""
    for _ in range(_TRIES):
        temporaries.append(path.with_name(f".{path.name}.{secrets.token_hex(8)}.snstdp-tmp"))
        # Not tempfile: its files are private, and artefacts follow the umask so that a group can share them.
        descriptor = os.open(temporaries[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        locks.callback(os.close, descriptor)
        with contextlib.suppress(OSError):  # a file system without locks still gets its file
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # a neighbour who is about to remove it holds it for a moment
        if _leads_to(temporaries[-1], descriptor):
            break
        temporaries.pop()
    else:
        raise OSError(f"other processes removed {_TRIES} temporary files")
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def remove_stale(folder: Path) -> None:
    """Remove the temporary files of killed processes: ours by name and user, and locked by nobody."""
    for path in folder.iterdir():
        if not _TEMPORARY.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            # Neither following links nor waiting for the other end of a named pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if _may_be_stale(os.fstat(descriptor)):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _leads_to(path, descriptor):
                        path.unlink()
            finally:
                os.close(descriptor)


def _may_be_stale(status: os.stat_result) -> bool:
    # One that is empty and young was made this moment, and its lock comes next.
    being_made = status.st_size == 0 and 0 <= time.time() - status.st_mtime < _YOUNG_S
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not being_made


def _leads_to(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
