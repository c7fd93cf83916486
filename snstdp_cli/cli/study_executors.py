"""Who runs the cells of `study run`, by its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snstdp_cli.studies import CellExecutor


@contextmanager
def open_executor(
    workers: int, scheduler: str | None, cluster: Path | None, say: Callable[[str], None]
) -> Iterator[CellExecutor]:
    """Yield who runs the cells; `say` hears what they wait for."""
    from snstdp_cli.errors import ConfigError

    if scheduler is not None and cluster is not None:
        raise ConfigError("found both --scheduler and --cluster; expected one of them")
    if scheduler is not None:
        from snstdp_cli.studies.executors.clusters import running_cluster

        with running_cluster(scheduler, say) as executor:
            yield executor
    elif cluster is not None:
        from snstdp_cli.studies.executors.cluster_file import read_cluster_file
        from snstdp_cli.studies.executors.queue import batch_cluster

        with batch_cluster(read_cluster_file(cluster), say) as executor:
            yield executor
    else:
        from snstdp_cli.studies.executors.clusters import local_cluster

        with local_cluster(workers) as executor:
            yield executor
