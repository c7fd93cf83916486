"""Cells on the nodes of a batch system: SLURM, PBS, SGE or LSF, by dask-jobqueue.

Jobs are started as cells are left and end when there are none; each worker ends itself before the queue's limit, and
its cell goes on elsewhere.
"""

from __future__ import annotations

import importlib
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from snstdp_cli.errors import EngineError
from snstdp_cli.studies.executors.cluster_file import ClusterFile
from snstdp_cli.studies.executors.clusters import DASK_SETTINGS, WORKER_ENVIRONMENT, ending, quiet
from snstdp_cli.studies.executors.dask import MEMORY, DaskExecutor
from snstdp_cli.studies.executors.submissions import Submissions
from snstdp_cli.studies.extras import require_extra

#: Module below dask_jobqueue and class in it.
_CLASSES = {
    "slurm": ("slurm", "SLURMCluster"),
    "pbs": ("pbs", "PBSCluster"),
    "sge": ("sge", "SGECluster"),
    "lsf": ("lsf", "LSFCluster"),
    "local": ("local", "LocalCluster"),
}
#: A worker ends this share of the queue's limit early, and no two at the same moment.
_EARLY, _STAGGER = 0.1, 0.05
#: How long jobs may take to end, seconds.
_PATIENCE_S = 20.0


def open_batch_system(settings: ClusterFile, submissions: Submissions | None = None) -> Any:
    """Return dask-jobqueue's cluster, which has submitted nothing yet; `job_script()` is what it would submit.

    Raises
    ------
    ConfigError
        If dask-jobqueue is not installed.
    EngineError
        If it cannot be opened here.
    """
    require_extra("dask_jobqueue", "cluster")
    cluster = _cluster_class(settings.kind)
    early = int(settings.walltime_s * _EARLY)
    worker = ["--lifetime", f"{settings.walltime_s - early}s", "--lifetime-stagger"]
    worker += [f"{int(settings.walltime_s * _STAGGER)}s", "--resources", f"{MEMORY}={settings.memory_mb:.0f}"]
    options: dict[str, Any] = {
        "job_cls": (submissions or Submissions(settings.kind)).job_class(cluster.job_cls),
        "cores": 1,
        "processes": 1,
        "memory": settings.memory,
        "interface": settings.interface,
        "log_directory": settings.log_folder,
        "worker_extra_args": worker,
        "job_script_prologue": [
            *settings.prologue,
            *(f"export {name}={value}" for name, value in WORKER_ENVIRONMENT.items()),
        ],
        "scheduler_options": {"dashboard": False, "dashboard_address": ":0"},
    }
    if settings.kind == "local":
        options["job_script_prologue"] = []  # its jobs are started without a shell
    else:
        options |= {"walltime": settings.walltime, "queue": settings.queue}
        options["job_extra_directives"] = list(settings.directives)
        options["project" if settings.kind == "lsf" else "account"] = settings.account
    if settings.kind == "sge":
        options["project"] = options.pop("account")
    try:
        return cluster(**options)
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise EngineError(f"the cluster '{settings.kind}' cannot be opened: {error}") from None


def _cluster_class(kind: str) -> Any:
    """Import dask-jobqueue without its handler of Ctrl-C, which would exit with 0."""
    module, name = _CLASSES[kind]
    before = signal.getsignal(signal.SIGINT)
    try:
        return getattr(importlib.import_module(f"dask_jobqueue.{module}"), name)
    finally:
        signal.signal(signal.SIGINT, before)


def _job_a_cell() -> Any:
    """Return the class that tells how many jobs are wanted: one for each cell that is left.

    Dask's own guesses how long tasks take before one has ended, and asks for one job until the first has come.
    """
    from distributed.deploy import Adaptive

    class JobACell(Adaptive):  # type: ignore[misc]
        async def target(self) -> int:
            tasks = self.cluster.scheduler.tasks.values()
            return sum(task.state in ("waiting", "no-worker", "queued", "processing") for task in tasks)

    return JobACell


def _require_command(command: str | None, kind: str) -> None:
    if command is not None and shutil.which(command) is None:
        raise EngineError(
            f"the program `{command}`, by which jobs are submitted to {kind}, is not on this machine; run the command "
            "on one from which jobs are submitted"
        )


@contextmanager
def batch_cluster(settings: ClusterFile, say: Callable[[str], None] = lambda _: None) -> Iterator[DaskExecutor]:
    """Submit jobs while cells are left; end them afterwards.

    Parameters
    ----------
    say
        Hears when no job runs, and when some do.

    Raises
    ------
    SnstdpError
        If dask-jobqueue is not installed, or the batch system does not answer.
    """
    require_extra("dask_jobqueue", "cluster")
    import dask
    from distributed import Client

    submissions = Submissions(settings.kind)
    # Jobs start one by one, and the first gets all cells that wait: the others take them from it.
    with dask.config.set({**DASK_SETTINGS, "distributed.scheduler.work-stealing": True}), quiet():
        cluster = submissions.cluster = open_batch_system(settings, submissions)
        _require_command(cluster.job_cls.submit_command, settings.kind)
        with ExitStack() as after, ending(cluster, _PATIENCE_S), Client(cluster) as client:
            cluster.adapt(Adaptive=_job_a_cell(), minimum_jobs=0, maximum_jobs=settings.jobs)
            executor = DaskExecutor(
                client,
                lambda: settings.jobs,
                worker_mb=settings.memory_mb,
                without_workers=submissions.waiting,
                say=say,
            )
            after.callback(executor.write_interruptions, _PATIENCE_S)
            yield executor
