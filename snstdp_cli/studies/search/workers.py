"""Who works on a search: each process holds a lock as long as it lives, so that the trials of one that died are known.

studies/<name>/.search.lock       held for a moment by whoever takes a trial
studies/<name>/searching/<id>     held by a process that runs trials
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from snstdp_cli.artefacts.locks import LockedError, hold_lock, is_locked

_LOCK, _FOLDER = ".search.lock", "searching"
_ASK_S, _PATIENCE_S = 0.05, 600.0


class SearchWorker:
    """A process that works on a search, alone: whatever else is running was left by one that died.

    Attributes
    ----------
    name
        What its trials are marked with.
    """

    name = "alone"

    def turn(self) -> AbstractContextManager[None]:
        """Hold off the others while a trial is taken."""
        return nullcontext()

    def is_alive(self, name: str) -> bool:
        """Tell whether the worker of this name still runs."""
        return name == self.name


class SharingWorker(SearchWorker):
    """One of several processes that work on a search in a folder that they share.

    Parameters
    ----------
    folder
        The study's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, secrets.token_hex(8)

    @contextmanager
    def present(self) -> Iterator[bool]:
        """Be known as running while the body runs; yield whether nobody else is."""
        place = self.folder / _FOLDER
        with contextlib.ExitStack() as held:
            with self.turn():
                others = [path for path in sorted(place.glob("*")) if not self._is_left(path)]
                held.callback((place / self.name).unlink, missing_ok=True)
                held.enter_context(hold_lock(place / self.name))
            yield not others

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold off the others while a trial is taken.

        Raises
        ------
        LockedError
            If another process does not let go within ten minutes.
        """
        end = time.monotonic() + _PATIENCE_S
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(hold_lock(self.folder / _LOCK))
                    break
                except LockedError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(_ASK_S)
            yield

    def is_alive(self, name: str) -> bool:
        """Tell whether the worker of this name still runs."""
        return name == self.name or (name.isalnum() and is_locked(self.folder / _FOLDER / name))

    @staticmethod
    def _is_left(path: Path) -> bool:
        """Remove the mark of a process that was killed; tell whether it was one."""
        if is_locked(path):
            return False
        with contextlib.suppress(OSError):
            path.unlink()
        return True
