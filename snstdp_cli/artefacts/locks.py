"""Locks that the system releases when a process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snstdp_cli.artefacts.files import Workdir, checked_name
from snstdp_cli.errors import ArtefactError

#: Opening never waits for the other end of a pipe and never follows a link.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LockedError(ArtefactError):
    """Another process holds a lock.

    Attributes
    ----------
    holder
        Number of the process, or `unknown`.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path}: held by another snstdp process (pid {holder}); wait until it ends")
        self.holder = holder


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, made if need be, while the body runs.

    The file stays: if it were removed, a third process could lock a new one beside a holder of the old.

    Raises
    ------
    LockedError
        If another process (or this one, elsewhere) holds it.
    ArtefactError
        If the file cannot be locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o666)
    except (OSError, ValueError) as error:
        raise ArtefactError(f"cannot lock {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtefactError(f"cannot lock {path}: not a regular file; delete it")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise LockedError(path, holder if holder.isdigit() else "unknown") from None
        except OSError as error:
            raise ArtefactError(f"cannot lock {path}: {error.strerror}; use a --workdir on a local disk") from None
        # The number is a courtesy for the message above; a full disk must not stop a training here.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the lock of a file; asking holds it for a moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _SAFELY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def lock_name(workdir: Workdir, name: str) -> Iterator[None]:
    """Hold `weights/.locks/<name>.lock` while the body runs: one training at a time for each name.

    Raises
    ------
    ArtefactError
        If another process (or this one, elsewhere) holds the lock, or the file cannot be locked.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold_lock(workdir.weights / ".locks" / f"{checked_name(name)}.lock"))
        except LockedError as error:
            raise ArtefactError(
                f"another snstdp process (pid {error.holder}) is training {name} in {workdir.root}; wait until it "
                "ends, or choose another --save-name"
            ) from None
        yield
