"""Connections that nothing is drawn for: every source with every target, or with the target of the same number."""

from __future__ import annotations

import numpy as np

from snstdp_cli.brian_import import Synapses, all_devices, get_device


def connect_all(synapses: Synapses) -> None:
    """Connect every source with every target."""
    if _runs_here():
        sources, targets = len(synapses.source), len(synapses.target)
        synapses.connect(i=np.repeat(np.arange(sources), targets), j=np.tile(np.arange(targets), sources))
    else:
        synapses.connect()


def connect_each(synapses: Synapses) -> None:
    """Connect every source with the target of its number."""
    if _runs_here():
        numbers = np.arange(len(synapses.source))
        synapses.connect(i=numbers, j=numbers)
    else:
        synapses.connect(j="i")


def _runs_here() -> bool:
    """Return whether the network is run by this process: then numbers spare the code that would make them once.

    Of the time in which a network is built for NumPy, that code took two thirds. A C++ program would have to read the
    numbers from files at each start.
    """
    runs_here: bool = get_device() is all_devices["runtime"]
    return runs_here
