"""What a running study tells its caller: the command line shows it, scripts may listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from snstdp_cli.studies.cell import Cell
from snstdp_cli.studies.tasks import CellOutcome


@dataclass(frozen=True)
class CellEnded:
    """A cell came to its end.

    Attributes
    ----------
    done, total
        Cells that came to an end so far, and all of them.
    """

    cell: Cell
    outcome: CellOutcome
    done: int
    total: int


def _ignore(_: object) -> None:
    """Do nothing."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class StudyReporter:
    """Where a study sends its news.

    Attributes
    ----------
    begun
        So many cells are left to run.
    ended
        A cell came to its end.
    tick
        Called about twice a second while cells run.
    """

    say: Callable[[str], None] = field(default=_ignore)
    warn: Callable[[str], None] = field(default=_ignore)
    ended: Callable[[CellEnded], None] = field(default=_ignore)
    tick: Callable[[], None] = field(default=_nothing)
    begun: Callable[[int], None] = field(default=_ignore)
