"""Who runs the cells: one function for the command line and for Python, whatever was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from snstdp_cli.errors import ConfigError
from snstdp_cli.studies.executors.base import CellExecutor


@contextmanager
def open_executor(
    workers: int,
    scheduler: str | None = None,
    cluster: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[CellExecutor]:
    """Yield who runs the cells, and end it after the body.

    Parameters
    ----------
    workers
        Processes on this machine, unless something else is named.
    scheduler
        Address of a Dask scheduler that runs already.
    cluster
        YAML file of a batch system.
    say
        Hears what the cells wait for.

    Raises
    ------
    ConfigError
        If both others are named, or the file cannot be used.
    EngineError
        If it cannot be started or reached.
    """
    from snstdp_cli.studies.executors.clusters import local_cluster, running_cluster

    if scheduler is not None and cluster is not None:
        raise ConfigError("found both --scheduler and --cluster; expected one of them")
    if scheduler is not None:
        with running_cluster(scheduler, say) as executor:
            yield executor
    elif cluster is not None:
        from snstdp_cli.studies.executors.cluster_file import read_cluster_file
        from snstdp_cli.studies.executors.queue import batch_cluster

        with batch_cluster(read_cluster_file(cluster), say) as jobs:
            yield jobs
    else:
        with local_cluster(workers) as executor:
            yield executor
