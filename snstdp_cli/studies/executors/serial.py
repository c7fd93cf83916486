"""Cells one after the other in this process, as a worker of a study takes them; needs no Dask."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator

from snstdp_cli.progress import RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.studies.running import run_cell
from snstdp_cli.studies.tasks import CellOutcome, CellTask

#: Seconds before it is asked again for a task where there is none just now.
_PAUSE_S = 0.5


class SerialExecutor:
    """Runs each cell in this process; one that another process runs is `busy`.

    Parameters
    ----------
    report
        Hears how each training and recording goes.
    wait
        Wait for a cell that another process runs, and take what comes out; otherwise it is `busy`.
    """

    def __init__(self, report: Reporter | None = None, *, wait: bool = False) -> None:
        self.report, self.wait = report or Reporter(), wait

    def run(self, tasks: Iterable[CellTask | None], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in their order."""

        def training(now: TrainingProgress) -> None:
            self.report.training(now)
            tick()

        def recording(now: RecordingProgress) -> None:
            self.report.recording(now)
            tick()

        ticking = dataclasses.replace(self.report, training=training, recording=recording)
        for task in tasks:
            if task is None:
                time.sleep(_PAUSE_S)
            else:
                yield run_cell(task, wait=self.wait, report=ticking)
            tick()
