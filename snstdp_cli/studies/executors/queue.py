"""Cells on the nodes of a batch system: SLURM, PBS, SGE or LSF, by dask-jobqueue.

Jobs are started as cells are left and end when there are none; each worker ends itself before the queue's limit, and
its cell goes on elsewhere.
"""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from snstdp_cli.config import Whole, read_file
from snstdp_cli.config.sections import Section
from snstdp_cli.errors import ConfigError, EngineError
from snstdp_cli.fields import describe, printable, setting
from snstdp_cli.studies.executors.clusters import DASK_SETTINGS, WORKER_ENVIRONMENT, ending, quiet
from snstdp_cli.studies.executors.dask import MEMORY, DaskExecutor
from snstdp_cli.studies.executors.extras import require_extra

#: Module below dask_jobqueue and class in it.
_CLASSES = {
    "slurm": ("slurm", "SLURMCluster"),
    "pbs": ("pbs", "PBSCluster"),
    "sge": ("sge", "SGECluster"),
    "lsf": ("lsf", "LSFCluster"),
    "local": ("local", "LocalCluster"),
}
_WALLTIME = re.compile(r"(\d{1,4}):([0-5]\d)(:[0-5]\d)?")
_MEMORY = re.compile(r"(\d{1,6}(?:\.\d+)?) ?(MB|GB|MiB|GiB)")
_UNITS_MB = {"MB": 1.0, "GB": 1000.0, "MiB": 2**20 / 1e6, "GiB": 2**30 / 1e6}
#: A worker ends this share of the queue's limit early, and no two at the same moment.
_EARLY, _STAGGER = 0.1, 0.05


def _check_walltime(value: str) -> str:
    if not _WALLTIME.fullmatch(value):
        raise ValueError("expected hours and minutes in quotes, such as '02:00' or '02:00:00'")
    return value


def _check_memory(value: str) -> str:
    if not _MEMORY.fullmatch(value):
        raise ValueError("expected a size such as 4GB")
    return value


class ClusterFile(Section):
    """A batch system and what to ask it for."""

    kind: Literal["slurm", "pbs", "sge", "lsf", "local"] = setting(
        "batch system; local: jobs are processes of this machine, to try it", ()
    )
    jobs: Annotated[Whole, Field(ge=1, le=10_000)] = setting("jobs at a time, at most", (), 10)
    memory: Annotated[str, AfterValidator(_check_memory)] = setting("memory of a job, such as 4GB", (), "4GB")
    walltime: Annotated[str, AfterValidator(_check_walltime)] = setting(
        "time limit of a job, hours and minutes in quotes", (), "04:00:00"
    )
    queue: str | None = setting("queue or partition", (), None)
    account: str | None = setting("account or project", (), None)
    directives: tuple[str, ...] = setting("further lines for the job script's head, such as --exclusive", (), ())
    prologue: tuple[str, ...] = setting("commands before the worker, such as `module load gcc`", (), ())
    interface: str | None = setting("network interface that nodes reach each other by, such as ib0", (), None)
    log_folder: str | None = setting("where the jobs' output goes; by default the batch system's choice", (), None)

    @property
    def walltime_s(self) -> int:
        """The limit in seconds."""
        hours, minutes, seconds = _WALLTIME.fullmatch(self.walltime).groups()  # type: ignore[union-attr]
        return int(hours) * 3600 + int(minutes) * 60 + int((seconds or ":0")[1:])

    @property
    def memory_mb(self) -> float:
        """Memory of a job in MB."""
        number, unit = _MEMORY.fullmatch(self.memory).groups()  # type: ignore[union-attr]
        return float(number) * _UNITS_MB[unit]


def read_cluster_file(path: Path) -> ClusterFile:
    """Read and check a cluster file.

    Raises
    ------
    ConfigError
        For a file, key or value that cannot be used.
    """
    try:
        return ClusterFile.model_validate(read_file(path))
    except ValidationError as error:
        raise ConfigError(describe(error, str(path), ClusterFile)) from None


def open_batch_system(settings: ClusterFile, refused: Callable[[str], None] = lambda _: None) -> Any:
    """Return dask-jobqueue's cluster, which has submitted nothing yet; `job_script()` is what it would submit.

    Parameters
    ----------
    refused
        Hears why the batch system does not take a job.

    Raises
    ------
    ConfigError
        If dask-jobqueue is not installed.
    EngineError
        If it cannot be opened here.
    """
    require_extra("dask_jobqueue", "cluster")
    module, name = _CLASSES[settings.kind]
    cluster = getattr(importlib.import_module(f"dask_jobqueue.{module}"), name)
    early = int(settings.walltime_s * _EARLY)
    worker = ["--lifetime", f"{settings.walltime_s - early}s", "--lifetime-stagger"]
    worker += [f"{int(settings.walltime_s * _STAGGER)}s", "--resources", f"{MEMORY}={settings.memory_mb:.0f}"]
    options: dict[str, Any] = {
        "job_cls": _telling(cluster.job_cls, refused),
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


def _telling(job: Any, refused: Callable[[str], None]) -> Any:
    """Return a class of jobs that tell why they cannot be submitted; dask-jobqueue only logs it."""
    from distributed.core import Status

    class TellingJob(job):  # type: ignore[misc]
        async def start(self) -> None:
            try:
                await super().start()
            except (OSError, RuntimeError, ValueError) as error:
                said = str(error).rpartition("stderr:")[2] or str(error)
                refused(printable(" ".join(said.split()), 300))
                self.status = Status.failed  # otherwise Dask waits for its end
                raise

    return TellingJob


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

    refused: list[str] = []

    def without_workers() -> str:
        if refused:  # dask-jobqueue does not try again
            raise EngineError(
                f"the batch system ({settings.kind}) takes no job: {refused[-1]}; correct the cluster file, and run "
                "the same command again"
            )
        return f"no job runs yet: waiting for the batch system ({settings.kind}) to start one"

    with dask.config.set(DASK_SETTINGS), quiet():
        cluster = open_batch_system(settings, refused.append)
        _require_command(cluster.job_cls.submit_command, settings.kind)
        with ExitStack() as after, ending(cluster, 20), Client(cluster) as client:
            cluster.adapt(minimum_jobs=0, maximum_jobs=settings.jobs)
            executor = DaskExecutor(
                client,
                lambda: settings.jobs,
                worker_mb=settings.memory_mb,
                without_workers=without_workers,
                say=say,
            )
            after.callback(executor.write_interruptions)
            yield executor
