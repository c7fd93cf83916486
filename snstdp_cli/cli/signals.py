"""Signals: Ctrl-C, SIGTERM, SIGHUP and SIGQUIT end the program with exit code 130, and no traceback.

While a command works, a signal is a `KeyboardInterrupt`, so that the work can tidy up. While modules are imported
there is nothing to tidy up, and an exception in the middle of an import may be swallowed or turned into another one:
then the program ends at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


class _State:
    """What a signal meets."""

    received = False
    in_command = False
    working = False


def catch() -> None:
    """Take the signals, also those that a background job of a shell ignores; SIGHUP stays ignored under nohup."""
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore() -> None:
    """Let nothing disturb the last words."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def received() -> bool:
    """Tell whether a signal has come."""
    return _State.received


@contextlib.contextmanager
def command() -> Iterator[None]:
    """Let signals interrupt what runs within, as long as it is not an import."""
    _State.in_command, _State.received = True, False
    try:
        yield
    finally:
        _State.in_command = False


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Let signals interrupt what runs within, even an import: there is something to tidy up."""
    before, _State.working = _State.working, True
    try:
        yield
    finally:
        _State.working = before


def _interrupt(number: int, frame: FrameType | None) -> None:
    _State.received = True
    if not _State.in_command or (not _State.working and _is_importing(frame)):
        with contextlib.suppress(OSError):
            os.write(2, b"error interrupted\n")
        os._exit(INTERRUPTED)
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False
