"""How many cores this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

#: Cores that this process may use, if its surroundings do not tell.
CORES_VARIABLE = "SNSTDP_CORES"
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def available_cores(cgroups: Path = _CGROUPS, own_groups: Path = _OWN_GROUPS) -> int:
    """Return the cores that affinity and the limits of control groups leave to this process, at least 1.

    A batch system or a container gives a job some cores of a node; `os.cpu_count` tells those of the node. A limit of
    2.5 cores counts as 3. The variable SNSTDP_CORES says a number in place of all that: where several processes share
    a machine, each has its own.

    Parameters
    ----------
    cgroups
        Where the control groups are mounted.
    own_groups
        The file that names this process's groups.
    """
    if (said := os.environ.get(CORES_VARIABLE, "")).isdecimal() and int(said) > 0:
        return int(said)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [limit for folder in _group_folders(cgroups, own_groups) if (limit := _limit(folder)) is not None]
    return max(1, min([cores, *(math.ceil(limit) for limit in limits)]))


def _group_folders(cgroups: Path, own_groups: Path) -> list[Path]:
    """Return the folders of this process's groups and of all groups above: each may set a limit.

    A line of `own_groups` is `number:controllers:path`; version 2 has no controllers, and version 1 has its folders
    below the controllers' names.
    """
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in [cgroups / controllers, cgroups / "cpu"] if controllers else [cgroups, cgroups / "unified"]:
            # Within a container the path may be that of the host, of which only the root is seen.
            group = root / path.lstrip("/")
            folders += [folder for folder in (group, *group.parents) if folder.is_relative_to(root)]
    return folders


def _limit(folder: Path) -> float | None:
    """Return a group's limit in cores; None if it has none."""
    try:
        if (folder / "cpu.max").exists():  # version 2: "max 100000" or "250000 100000"
            quota, period = (folder / "cpu.max").read_text().split()[:2]
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        limit = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return limit if limit > 0 else None
