"""Cells on the workers of a Dask client, wherever they are.

Tasks carry paths and settings, and return a small record; all else goes through the study's folder. A worker that is
killed loses at most a chunk of its cell, which another worker goes on with.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from snstdp_cli.config import recorded_experiment
from snstdp_cli.engines.cores import CORES_VARIABLE
from snstdp_cli.errors import EngineError
from snstdp_cli.studies.executors.base import Upcoming
from snstdp_cli.studies.memory import estimate_memory_mb
from snstdp_cli.studies.running import run_cell, write_failure, write_interruption
from snstdp_cli.studies.tasks import CellOutcome, CellTask, request_stop

#: Dask's resource of the workers: memory in MB.
MEMORY = "MB"
_TICK_S = 0.5
#: How many workers may die with the same cell before it counts as failed.
DEATHS = 3


class DaskExecutor:
    """Runs cells on the workers of a Dask client.

    Parameters
    ----------
    slots
        Cells at a time; by default as many as the workers have threads.
    memory_mb
        Memory that all cells share, if they run on this machine: those that run together fit.
    worker_mb
        Memory of a worker, where all have the same; otherwise that of the largest one is asked for.
    without_workers
        Returns what to say while there is no worker, or raises an `EngineError` where there will be none.
    """

    def __init__(
        self,
        client: Any,
        slots: Callable[[], int] | None = None,
        *,
        memory_mb: float | None = None,
        worker_mb: float | None = None,
        without_workers: Callable[[], str] = lambda: "waiting for workers",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.client, self.slots, self.memory_mb, self.worker_mb = client, slots, memory_mb, worker_mb
        self.without_workers, self.say = without_workers, say
        self._running: dict[Any, CellTask] = {}
        self._stopped: list[CellTask] = []
        self._memory: dict[str, float] = {}
        self._is_alone = False

    def run(self, tasks: Iterable[CellTask | None], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in the order of their ends.

        Raises
        ------
        EngineError
            If the scheduler is gone, or the workers cannot run cells at all.
        """
        upcoming = Upcoming(tasks)
        try:
            while True:
                yield from self._fill(upcoming)
                if not self._running and upcoming.is_over:
                    return
                done = self._wait()
                tick()
                for future in done:
                    yield self._outcome(future)
        finally:
            self._stop()

    def write_interruptions(self, patience_s: float = 0.0) -> None:
        """Write down as interrupted what was stopped and did not come to do so itself: its workers are ended.

        Parameters
        ----------
        patience_s
            How long to wait for workers that are not gone yet.
        """
        end = time.monotonic() + patience_s
        for task in self._stopped:
            while not write_interruption(Path(task.folder)) and time.monotonic() < end:
                time.sleep(_TICK_S)

    def _fill(self, upcoming: Upcoming) -> Iterator[CellOutcome]:
        """Hand out tasks while there is room; yield the outcomes of those for which there is none anywhere."""
        workers = self._workers()
        slots = sum(worker["nthreads"] for worker in workers) if self.slots is None else self.slots()
        # One is handed out even if there is no worker: clusters that adapt start one for it.
        while len(self._running) < max(1, slots) and (task := upcoming.peek()) is not None:
            if (refused := self._refuse(task, workers)) is not None:
                upcoming.take()
                yield refused
            elif self._fits(task):
                self._submit(upcoming.take(), workers)
            else:
                return

    def _workers(self) -> list[dict[str, Any]]:
        """Return Dask's facts of the workers; say if there are none, and when there are some again."""
        workers = list(self.client.scheduler_info(n_workers=-1)["workers"].values())
        was_alone, self._is_alone = self._is_alone, not workers and bool(self._running)
        if self._is_alone:
            told = self.without_workers()
            if not was_alone:
                self.say(told)
        elif workers and was_alone:
            self.say(f"{len(workers):,} worker{'s' * (len(workers) > 1)} there: going on")
        return workers

    def _submit(self, task: CellTask, workers: list[dict[str, Any]]) -> None:
        has_memory = any(MEMORY in worker["resources"] for worker in workers)
        resources = {MEMORY: self._need_mb(task)} if has_memory else None
        future = self.client.submit(_run_task, task, pure=False, resources=resources)
        self._running[future] = task

    def _need_mb(self, task: CellTask) -> float:
        if task.cell not in self._memory:
            self._memory[task.cell] = estimate_memory_mb(recorded_experiment(task.experiment, task.cell))
        return self._memory[task.cell]

    def _fits(self, task: CellTask) -> bool:
        if self.memory_mb is None or not self._running:
            return True
        return sum(map(self._need_mb, self._running.values())) + self._need_mb(task) <= self.memory_mb

    def _refuse(self, task: CellTask, workers: list[dict[str, Any]]) -> CellOutcome | None:
        """Write down a cell as failed that this machine, or every worker, is too small for: it would wait for ever."""
        where, most = "this machine has", self.memory_mb
        if most is None:
            where, most = "the largest worker has", self.worker_mb or _largest_mb(workers)
        if most is None or self._need_mb(task) <= most:
            return None
        return write_failure(
            task,
            f"needs about {self._need_mb(task):,.0f} MB of memory, and {where} {most:,.0f} MB; run it on a larger one, "
            "or with fewer neurons",
        )

    def _wait(self) -> list[Any]:
        from distributed import wait

        if not self._running:
            time.sleep(_TICK_S)
        else:
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                wait(list(self._running), timeout=_TICK_S, return_when="FIRST_COMPLETED")
        if self.client.status not in ("running", "connecting"):
            raise EngineError(
                "the Dask scheduler is gone; what is finished is kept: start it, and run the same command again"
            )
        return [future for future in self._running if future.done()]

    def _outcome(self, future: Any) -> CellOutcome:
        from distributed.scheduler import KilledWorker

        task, status = self._running.pop(future), future.status
        if status == "finished":
            outcome: CellOutcome = future.result()
            return outcome
        if status != "error":
            raise EngineError(
                "the Dask scheduler forgot a cell (it was restarted?); what is finished is kept: run the same command "
                "again"
            )
        error = future.exception()
        if isinstance(error, KilledWorker):
            told = f"{DEATHS} worker processes died while they ran it, perhaps because memory ran out; try it with"
            return write_failure(task, f"{told} fewer --workers and --retry")
        raise EngineError(
            f"a Dask worker cannot run cells: {type(error).__name__}: {' '.join(str(error).split())[:300]}; has it the "
            "same version of snstdp and of its libraries?"
        )

    def _stop(self) -> None:
        """Let go of what still runs: it stops at the end of its chunk, or is ended with its cluster."""
        running, self._running = self._running, {}
        if not running:
            return
        self._stopped += running.values()
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self.client.cancel(list(running), force=True)
        for task in running.values():
            with contextlib.suppress(Exception):
                request_stop(Path(task.folder))


def _largest_mb(workers: list[dict[str, Any]]) -> float | None:
    """Return the memory of the largest worker; None while no worker tells its own."""
    return max((worker["resources"][MEMORY] for worker in workers if MEMORY in worker["resources"]), default=None)


def _run_task(task: CellTask) -> CellOutcome:
    """Run a cell in a worker, on one core as workers of our own do; wait for one that was cut off and still runs it."""
    os.environ.setdefault(CORES_VARIABLE, "1")
    return run_cell(task, wait=True)
