"""What a running search tells its caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from snstdp_cli.studies.cell import Cell
from snstdp_cli.studies.search.storage import SearchTrial


def _ignore(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class SearchReporter:
    """Where a search sends its news.

    Attributes
    ----------
    goes_on
        These trials came to an end in earlier sessions.
    began
        A trial of this number was handed out, whose cell is this one.
    ended
        A trial came to an end.
    waits
        No trial runs here, as others run as many as `parallel` allows; told again and again.
    tick
        Called about twice a second while trials run.
    """

    began: Callable[[int, Cell], None] = field(default=_ignore)
    ended: Callable[[SearchTrial], None] = field(default=_ignore)
    tick: Callable[[], None] = field(default=_ignore)
    waits: Callable[[], None] = field(default=_ignore)
    goes_on: Callable[[Sequence[SearchTrial]], None] = field(default=_ignore)
