"""Dask clusters: one of this machine's own that lives as long as the command, or one that runs already."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from snstdp_cli.engines.cores import CORES_VARIABLE
from snstdp_cli.engines.workers import safe_search_path
from snstdp_cli.errors import EngineError
from snstdp_cli.studies.executors.dask import DEATHS, MEMORY, DaskExecutor
from snstdp_cli.studies.extras import require_extra
from snstdp_cli.studies.memory import machine_memory_mb

_CONNECT_S = 20
#: Loggers of Dask, and of the loops that it runs in.
LOUD = ("distributed", "tornado.application", "asyncio")
#: Each worker is one process that uses one core, and imports nothing from the current folder.
WORKER_ENVIRONMENT = {
    CORES_VARIABLE: "1",
    "PYTHONSAFEPATH": "1",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
}
_WORKER_SETUP = "snstdp_cli.studies.executors.worker_setup"
DASK_SETTINGS = {
    "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    "distributed.scheduler.work-stealing": False,
    # Dask opens these ports in any case; there is nothing to be seen on them.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.comm.retry.count": 3,
}


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
        with ExitStack() as after, ending(cluster, 5), Client(cluster) as client:
            executor = DaskExecutor(client, lambda: workers, memory_mb=memory_mb)
            after.callback(executor.write_interruptions)
            yield executor


@contextmanager
def running_cluster(address: str, say: Callable[[str], None] = lambda _: None) -> Iterator[DaskExecutor]:
    """Connect to a scheduler that runs already, such as `tcp://host:8786`.

    Parameters
    ----------
    say
        Hears when there are no workers, and when there are some.

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
        told = (
            f"the Dask scheduler at {address} has no workers: waiting for one; start it with `dask worker {address} "
            "--nthreads 1`, on a machine that sees this folder"
        )
        with client:
            yield DaskExecutor(client, without_workers=lambda: told, say=say)


@contextmanager
def ending(cluster: Any, patience_s: float) -> Iterator[None]:
    """End a cluster and its workers after the body, however that ends.

    A job that a batch system takes while the others end is left by Dask, which only asserts that there is none.
    """
    from distributed.core import Status

    async def end_jobs() -> None:
        for job in [one for one in cluster._created if one.status == Status.running]:
            await job.close()

    try:
        yield
    finally:
        try:
            cluster.close(timeout=patience_s)
        except AssertionError:
            cluster.sync(end_jobs)
            cluster.status = Status.failed  # from which it can be closed
            cluster.close(timeout=patience_s)


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
