"""Folders that last as long as a run, and locks that last as long as a process.

A folder holds a locked file with a text of ours and the number of its user. The system releases the lock when the
process ends, however it ends, so a folder of ours that can be locked was left by a killed process, and the next run
removes it. A folder without that text is somebody else's, whatever its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.signals import hold_interrupts

__all__ = ["HeldFolder", "hold_file", "hold_folder", "hold_interrupts", "remove_abandoned"]

_LOCK = ".lock"
#: Opening never waits for the other end of a pipe and never follows a link.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: How often a lock that another process holds is asked for, seconds.
_ASK_S = 0.2


@dataclass(frozen=True)
class HeldFolder:
    """A temporary folder, locked until it is removed."""

    path: Path
    descriptor: int

    def remove(self) -> None:
        """Remove the folder and its lock; a Ctrl-C meanwhile takes effect afterwards."""
        with hold_interrupts():
            shutil.rmtree(self.path, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.close(self.descriptor)


def hold_folder(parent: Path, prefix: str) -> HeldFolder:
    """Make a folder with a unique name that begins with `prefix`, after removing those that killed processes left.

    Call it within `hold_interrupts`, up to where somebody is in charge of removing the folder.
    """
    remove_abandoned(parent, prefix)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
    except OSError:
        path.rmdir()
        raise
    # Locked first, then marked: a neighbour who cleans up never sees a marked folder that is not held. A file system
    # without locks still gets its folder, which is then never taken for an abandoned one.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, _marker())
    return HeldFolder(path, descriptor)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of this prefix that bear our mark and that no process holds."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if not _is_own(folder.lstat(), stat.S_ISDIR):
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR | _SAFELY)
            try:
                if _bears_mark(descriptor):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _leads_to(folder / _LOCK, descriptor):
                        shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def hold_file(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of a file, made if need be, while the body runs; wait for whoever holds it.

    The file stays: if it were removed, a third process could lock a new one beside a holder of the old.

    Parameters
    ----------
    waiting
        Called once if another holds the lock.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600)
    try:
        told = False
        while not _lock(descriptor):
            if not told:
                waiting()
                told = True
            time.sleep(_ASK_S)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the work is done twice at worst
        return True
    return True


def _marker() -> bytes:
    return f"snstdp: folder of user {os.geteuid()}, removed when no process holds this lock\n".encode()


def _bears_mark(descriptor: int) -> bool:
    marker = _marker()
    return _is_own(os.fstat(descriptor), stat.S_ISREG) and os.pread(descriptor, len(marker) + 1, 0) == marker


def _is_own(status: os.stat_result, kind: Callable[[int], bool]) -> bool:
    return kind(status.st_mode) and status.st_uid == os.geteuid()


def _leads_to(path: Path, descriptor: int) -> bool:
    """Tell whether a name still leads to the file that is open: the lock may be that of a file that is gone."""
    return os.path.samestat(path.lstat(), os.fstat(descriptor))
