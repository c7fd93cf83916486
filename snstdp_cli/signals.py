"""Signals that ask a run to end, held back while something is half made.

A signal is in one of four states: its default (the process dies), ignored, a handler in Python, or a handler of a
library in C (`signal.getsignal` says None). An ignored signal stays ignored, and a handler in C is left alone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: What a terminal, a user or a batch system sends to end a run.
END_SIGNALS = (signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)

_Handlers = dict[int, Any]


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Let signals that end a run wait until the body is done, so that nothing is begun and then forgotten.

    Only the main thread can hold signals; elsewhere this does nothing, and nothing interrupts the body there.
    """
    caught: list[int] = []
    try:
        with _handled(lambda number, frame: caught.append(number)):
            yield
    finally:
        for number in dict.fromkeys(caught):
            signal.raise_signal(number)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Put a handler in the place of those of the signals while the body runs."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets no other thread change handlers, and calls them in the main thread only
        return
    before: _Handlers = {}
    try:
        for number in END_SIGNALS:
            found = signal.getsignal(number)
            if found is not None and found is not signal.SIG_IGN:
                before[number] = found
                signal.signal(number, handler)
        yield
    finally:
        _restore(before)


def _restore(handlers: _Handlers) -> None:
    """Give every signal its handler back, also when one of them arrives meanwhile and raises."""
    if not handlers:
        return
    number = next(iter(handlers))
    try:
        signal.signal(number, handlers[number])
    finally:
        handlers.pop(number, None)
        _restore(handlers)
