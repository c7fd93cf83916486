"""Waiting for a process that somebody may interrupt, and watching what it takes."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable
from pathlib import Path

#: Longest wait for a program after which signals are looked for, seconds.
WAIT_S = 0.5
_LOOK_S = 0.02


def wait_until_over(pid: int) -> None:
    """Wait for a process in short steps: a signal that arrives just before a long wait would be noticed at its end."""
    with contextlib.suppress(AttributeError, OSError):  # elsewhere than on Linux it is one long wait
        descriptor = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            while not poll.poll(WAIT_S * 1000):
                pass
        finally:
            os.close(descriptor)


def watch_memory(pid: int, note: Callable[[int], None]) -> None:
    """Tell the peak memory of a process in kB while it runs; afterwards the system does not tell it apart."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        while True:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            note(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]))
            time.sleep(_LOOK_S)
