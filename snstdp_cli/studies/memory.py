"""How much memory a cell takes, and how much this machine has."""

from __future__ import annotations

import os
from pathlib import Path

from snstdp_cli.config import Experiment

#: A worker process with Brian 2 and the images, while it compiles or runs, MB.
_PROCESS_MB = 450.0
#: Arrays of a plastic synapse in the simulation, its files and its checkpoint, bytes.
_BYTES_A_SYNAPSE = 120
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def estimate_memory_mb(experiment: Experiment, n_input: int = 784) -> float:
    """Return about how much memory a cell takes at its peak, MB; rather too much than too little."""
    dense = experiment.n_e**2 if experiment.network.inhibition == "dense" else 0
    return _PROCESS_MB + (n_input * experiment.n_e + dense) * _BYTES_A_SYNAPSE / 1e6


def machine_memory_mb() -> float:
    """Return the memory that this machine, or its control group, has for all processes, MB."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6]
    for path in _CGROUP_LIMITS:
        try:
            found.append(int(path.read_text()) / 1e6)
        except (OSError, ValueError):  # not there, or `max`
            continue
    return min(found)
