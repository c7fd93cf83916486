"""Loaded by each worker process of a local cluster before it works."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import Any

from snstdp_cli.studies.executors.clusters import LOUD


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, and all talk to the command that started the workers."""
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
