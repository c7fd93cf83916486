"""Cells one after the other in this process, as a worker of a study takes them; needs no Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from snstdp_cli.progress import Reporter
from snstdp_cli.studies.running import run_cell
from snstdp_cli.studies.tasks import CellOutcome, CellTask


class SerialExecutor:
    """Runs each cell in this process; one that another process runs is `busy`.

    Parameters
    ----------
    report
        Hears how each training and recording goes.
    """

    def __init__(self, report: Reporter | None = None) -> None:
        self.report = report

    def run(self, tasks: Iterable[CellTask], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in their order."""
        for task in tasks:
            yield run_cell(task, report=self.report)
            tick()
