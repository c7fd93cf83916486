"""What runs cells: takes tasks one by one when there is room, and gives back how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from snstdp_cli.studies.tasks import CellOutcome, CellTask


class CellExecutor(Protocol):
    """Runs cells side by side, in this process or elsewhere."""

    def run(self, tasks: Iterable[CellTask], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in the order of their ends.

        Tasks are taken from the iterable one by one when there is room for one, so that they may depend on the
        outcomes before (a search asks for its next trial then). Closing the iterator ends what runs.

        Parameters
        ----------
        tick
            Called about twice a second.
        """
        ...
