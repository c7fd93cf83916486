"""What runs cells: takes tasks one by one when there is room, and gives back how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from snstdp_cli.studies.tasks import CellOutcome, CellTask


class CellExecutor(Protocol):
    """Runs cells side by side, in this process or elsewhere."""

    def run(self, tasks: Iterable[CellTask | None], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in the order of their ends.

        Tasks are taken from the iterable one by one when there is room for one, so that they may depend on the
        outcomes before (a search asks for its next trial then). Closing the iterator ends what runs.

        Parameters
        ----------
        tasks
            None among them: there is none just now, ask again a little later.
        tick
            Called about twice a second.
        """
        ...


class Upcoming:
    """Tasks of which the next one can be looked at before it is taken.

    Attributes
    ----------
    is_over
        Whether there will be none any more.
    """

    def __init__(self, tasks: Iterable[CellTask | None]) -> None:
        self._tasks, self.is_over = iter(tasks), False
        self._next: CellTask | None = None

    def peek(self) -> CellTask | None:
        """Return the next task; None if there is none, or none just now."""
        if self._next is None and not self.is_over:
            try:
                self._next = next(self._tasks)
            except StopIteration:
                self.is_over = True
        return self._next

    def take(self) -> CellTask:
        """Return the task that was looked at; the next look is at the one behind it."""
        task, self._next = self._next, None
        assert task is not None
        return task
