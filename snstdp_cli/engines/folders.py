"""Folders that last as long as a run, and interrupts that wait until what was begun can be ended.

A folder holds a locked file. The system releases the lock when the process ends, however it ends, so a folder that
can be locked was left by a killed process, and the next run removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOCK = ".lock"


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
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        path.rmdir()
        raise
    with contextlib.suppress(OSError):  # a file system without locks still gets its folder
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return HeldFolder(path, descriptor)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of this prefix that no process holds."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the body is done, so that nothing is begun and then forgotten."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python calls handlers in the main thread only
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    caught: list[int] = []
    held = [number for number, handler in handlers.items() if callable(handler)]
    try:
        for number in held:
            signal.signal(number, lambda number, _: caught.append(number))
        yield
    finally:
        for number in held:
            signal.signal(number, handlers[number])
        if caught:
            signal.raise_signal(caught[0])
