"""What an error looks like: a sentence and an exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import typer

from snstdp_cli.cli import signals
from snstdp_cli.cli.console import print_error
from snstdp_cli.errors import SnstdpError

_NO_MEMORY = "not enough memory; use fewer neurons (--n-e), a smaller chunk (--set chunk=100) or fewer workers"
#: Sentences for what libraries raise as plain errors, by a part of their text.
_LIMITS = {
    "can't start new thread": (
        "this machine starts no further thread or process; raise the limit (ulimit -u), or use --workers 1"
    ),
    "home directory": "this user has no home folder, which is needed for a cache; name one by the variable HOME",
}


def reported(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what a user can cause or meet into a sentence and an exit code."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            with signals.command():
                function(*args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            told = _describe(error)
            if told is None:
                raise
            print_error(told[0])
            raise typer.Exit(signals.INTERRUPTED if signals.received() else told[1]) from None

    return run


def _describe(error: BaseException) -> tuple[str, int] | None:
    """Return the sentence and the exit code; None for what is a fault of the program."""
    if isinstance(error, SnstdpError):
        return str(error), error.exit_code
    if isinstance(error, typer.Exit | typer.Abort):
        return None
    if isinstance(error, KeyboardInterrupt) or signals.received():  # libraries make other errors of an interrupt
        return "interrupted", signals.INTERRUPTED
    if isinstance(error, MemoryError):
        return _NO_MEMORY, 1
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}; check the limits, the folder and the disk of this machine", 1
    for part, sentence in _LIMITS.items():
        if isinstance(error, RuntimeError) and part in str(error):
            return sentence, 1
    return None
