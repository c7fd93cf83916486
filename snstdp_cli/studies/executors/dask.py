"""Cells on Dask workers: a local cluster that lives as long as the command, or one that runs already.

Tasks carry paths and settings, and return a small record; all else goes through the study's folder. A worker that is
killed loses at most a chunk of its cell, which another worker goes on with.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snstdp_cli.config import recorded_experiment
from snstdp_cli.engines.cores import CORES_VARIABLE
from snstdp_cli.engines.workers import safe_search_path
from snstdp_cli.errors import EngineError
from snstdp_cli.studies.executors.extras import require_extra
from snstdp_cli.studies.memory import estimate_memory_mb, machine_memory_mb
from snstdp_cli.studies.running import run_cell, write_failure
from snstdp_cli.studies.tasks import CellOutcome, CellTask, request_stop

#: Dask's resource of the workers: memory in MB.
MEMORY = "MB"
_TICK_S = 0.5
_CONNECT_S = 20
#: Loggers of Dask, and of the loops that it runs in.
LOUD = ("distributed", "tornado.application", "asyncio")
#: How many workers may die with the same cell before it counts as failed.
_DEATHS = 3
#: Each worker is one process that uses one core, and imports nothing from the current folder.
WORKER_ENVIRONMENT = {
    CORES_VARIABLE: "1",
    "PYTHONSAFEPATH": "1",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
}
_WORKER_SETUP = "snstdp_cli.studies.executors.worker_setup"
DASK_SETTINGS = {
    "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
    "distributed.scheduler.allowed-failures": _DEATHS - 1,
    "distributed.scheduler.work-stealing": False,
    # Dask opens these ports in any case; there is nothing to be seen on them.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.comm.retry.count": 3,
}


class DaskExecutor:
    """Runs cells on the workers of a Dask client.

    Parameters
    ----------
    slots
        Cells at a time.
    memory_mb
        Memory that all cells share, if they run on this machine: those that run together fit.
    """

    def __init__(self, client: Any, slots: Callable[[], int], *, memory_mb: float | None = None) -> None:
        self.client, self.slots, self.memory_mb = client, slots, memory_mb
        self._running: dict[Any, CellTask] = {}
        self._memory: dict[str, float] = {}

    def run(self, tasks: Iterable[CellTask], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        """Yield how each task ended, in the order of their ends.

        Raises
        ------
        EngineError
            If the scheduler is gone, or the workers cannot run cells at all.
        """
        waiting, upcoming = iter(tasks), list[CellTask]()
        try:
            while True:
                while len(self._running) < max(1, self.slots()):
                    if not upcoming and (task := next(waiting, None)) is not None:
                        upcoming.append(task)
                    if not upcoming:
                        break
                    if (refused := self._refuse(upcoming[0])) is not None:
                        upcoming.pop()
                        yield refused
                    elif self._fits(upcoming[0]):
                        self._submit(upcoming.pop())
                    else:
                        break
                if not self._running:
                    return
                done = self._wait()
                tick()
                for future in done:
                    yield self._outcome(future)
        finally:
            self._stop()

    def _submit(self, task: CellTask) -> None:
        resources = {MEMORY: self._need_mb(task)} if self._has_resource() else None
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

    def _refuse(self, task: CellTask) -> CellOutcome | None:
        """Write down a cell as failed that this machine is too small for."""
        if self.memory_mb is None or self._need_mb(task) <= self.memory_mb:
            return None
        return write_failure(
            task,
            f"needs about {self._need_mb(task):,.0f} MB of memory, and this machine has {self.memory_mb:,.0f} MB; run "
            "it on a larger one, or with fewer neurons",
        )

    def _has_resource(self) -> bool:
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        return any(MEMORY in worker.get("resources", {}) for worker in workers)

    def _wait(self) -> list[Any]:
        from distributed import wait

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
            told = f"{_DEATHS} worker processes died while they ran it, perhaps because memory ran out; try it with"
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
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self.client.cancel(list(running), force=True)
        for task in running.values():
            with contextlib.suppress(Exception):
                request_stop(Path(task.folder))


@contextmanager
def local_cluster(workers: int) -> Iterator[DaskExecutor]:
    """Start a cluster of so many worker processes on this machine, each with one thread; close it afterwards.

    Raises
    ------
    EngineError
        If Dask is not installed, or the cluster does not start.
    """
    require_extra("distributed", "study")
    import dask
    from distributed import Client, LocalCluster

    memory_mb = machine_memory_mb()
    with dask.config.set({**DASK_SETTINGS, "distributed.worker.preload": [_WORKER_SETUP]}), _safe_path(), quiet():
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=0,  # the memory of a cell is that of its program, which Dask does not see
                silence_logs=logging.CRITICAL,
                resources={MEMORY: memory_mb},
                security=_temporary_security(),
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise EngineError(f"the local Dask cluster does not start: {error}; try fewer --workers") from None
        try:
            with cluster, Client(cluster) as client:
                yield DaskExecutor(client, lambda: workers, memory_mb=memory_mb)
        finally:
            cluster.close(timeout=5)


@contextmanager
def running_cluster(address: str) -> Iterator[DaskExecutor]:
    """Connect to a scheduler that runs already, such as `tcp://host:8786`.

    Raises
    ------
    EngineError
        If Dask is not installed, or no scheduler answers.
    """
    require_extra("distributed", "study")
    from distributed import Client

    with quiet():
        try:
            client = Client(address, timeout=_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise EngineError(
                f"no Dask scheduler answers at {address}: {error}; start one with `dask scheduler`, and workers with "
                "`dask worker ADDRESS --nthreads 1`"
            ) from None
        with client:
            yield DaskExecutor(client, lambda: _threads(client))


def _threads(client: Any) -> int:
    return sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())


def _run_task(task: CellTask) -> CellOutcome:
    """Run a cell in a worker; wait for a worker that was cut off and still runs it."""
    return run_cell(task, wait=True)


def _temporary_security() -> Any:
    """Return certificates of this cluster's own, so that no other user of the machine can send it work."""
    if importlib.util.find_spec("cryptography") is None:
        return None
    from distributed.security import Security

    return Security.temporary()


@contextmanager
def _safe_path() -> Iterator[None]:
    """Hand workers, which get this process's search path, one without the current folder."""
    path = sys.path
    sys.path = safe_search_path(path)
    try:
        yield
    finally:
        sys.path = path


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask and its event loop from printing: what matters is told by us.

    A heartbeat that is on its way while a cluster closes fails, and the loop would print the traceback.
    """
    before = [(logger, logger.level, logger.propagate) for logger in map(logging.getLogger, LOUD)]
    for logger, _, _ in before:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level, propagates in before:
            logger.setLevel(level)
            logger.propagate = propagates
