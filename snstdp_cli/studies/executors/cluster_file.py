"""The file that says which batch system is asked for jobs, and for which."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from snstdp_cli.config import Whole, read_file
from snstdp_cli.config.sections import Section
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import describe, setting

_WALLTIME = re.compile(r"(\d{1,4}):([0-5]\d)(:[0-5]\d)?")
_MEMORY = re.compile(r"(\d{1,6}(?:\.\d+)?) ?(MB|GB|MiB|GiB)")
_UNITS_MB = {"MB": 1.0, "GB": 1000.0, "MiB": 2**20 / 1e6, "GiB": 2**30 / 1e6}


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
