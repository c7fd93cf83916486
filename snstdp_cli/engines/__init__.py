"""Engines: the same network as a C++ program or run by Brian 2 in this process."""

from __future__ import annotations

from collections.abc import Callable

from snstdp_cli.config import Experiment
from snstdp_cli.engines.base import (
    Chunk,
    ChunkResult,
    Engine,
    State,
    Stream,
    initial_state,
)
from snstdp_cli.engines.cache import cache_folder
from snstdp_cli.engines.compiler import find_compiler
from snstdp_cli.engines.cores import available_cores
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.rules import Plasticity

__all__ = [
    "Chunk",
    "ChunkResult",
    "Engine",
    "State",
    "Stream",
    "available_cores",
    "cache_folder",
    "choose_engine",
    "find_compiler",
    "initial_state",
    "open_engine",
]


def choose_engine(experiment: Experiment) -> str:
    """Return `standalone` or `runtime`; `auto` means standalone where a C++ compiler is found."""
    if experiment.engine != "auto":
        return experiment.engine
    return "standalone" if find_compiler() else "runtime"


def open_engine(
    experiment: Experiment,
    plasticity: Plasticity | None,
    wiring: Wiring,
    say: Callable[[str], None] = lambda text: None,
    count: bool = False,
) -> Engine:
    """Prepare the chosen engine for learning (`plasticity` given) or for a frozen network (None).

    With `count` its state has the counters of all spikes (`network.names.COUNTERS`).
    """
    if choose_engine(experiment) == "standalone":
        from snstdp_cli.engines.standalone import StandaloneEngine

        return StandaloneEngine(experiment, plasticity, wiring, say, count)
    from snstdp_cli.engines.runtime import RuntimeEngine

    return RuntimeEngine(experiment, plasticity, wiring, say, count=count)
