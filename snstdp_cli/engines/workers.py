"""Worker processes that import nothing from the current folder, and whose death is told in a sentence.

Python starts a worker with `python -c ...`, which looks for every module in the current folder first, and hands it the
search path of its parent, in which the current folder may stand as ''.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from snstdp_cli.errors import EngineError

_LOCK = threading.Lock()


class _SafeProcess(SpawnProcess):
    """A process that is started with a safe search path."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the name that multiprocessing calls
        with _safe_start():
            return SpawnProcess._Popen(process_obj)  # type: ignore[attr-defined, unused-ignore]


class _SafeContext(SpawnContext):
    """Starts fresh Python processes that do not look into the current folder."""

    Process = _SafeProcess


def safe_spawn_context() -> SpawnContext:
    """Return a context for `ProcessPoolExecutor(mp_context=...)` and the like.

    Its processes start with `PYTHONSAFEPATH` and without the current folder in their search path, unless this package
    lies there; then it comes last.
    """
    with _safe_start():
        # It would be started by the first lock or queue, and looks for modules like a worker.
        resource_tracker.ensure_running()
    return _SafeContext()


@contextmanager
def worker_deaths_told(what: str = "recording") -> Iterator[None]:
    """Raise `EngineError` in the place of `BrokenProcessPool`, which says that a worker was killed."""
    try:
        yield
    except BrokenProcessPool:
        raise EngineError(
            f"a worker process died while {what}: it was killed from outside, perhaps because memory ran out; run the "
            "command again, with fewer --workers if memory is short"
        ) from None


def safe_search_path(path: list[str]) -> list[str]:
    """Return a search path without the current folder, relative folders and ''; this package is still found."""
    here, package = Path.cwd(), Path(__file__).resolve().parents[2]
    kept = [place for place in path if Path(place).is_absolute() and Path(place) != here]
    # From a checkout in the current folder, after everything else: the standard library wins.
    return kept if any(Path(place).resolve() == package for place in kept) else [*kept, str(package)]


@contextmanager
def _safe_start() -> Iterator[None]:
    with _LOCK:
        path, before = sys.path, os.environ.get("PYTHONSAFEPATH")
        sys.path, os.environ["PYTHONSAFEPATH"] = safe_search_path(path), "1"
        try:
            yield
        finally:
            sys.path = path
            if before is None:
                del os.environ["PYTHONSAFEPATH"]
            else:
                os.environ["PYTHONSAFEPATH"] = before
