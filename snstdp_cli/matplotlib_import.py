"""Importing Matplotlib without reading a file of the current folder.

Matplotlib takes its settings from `./matplotlibrc` if there is one, which may be anybody's, and waits for ever if it is
a pipe. The files of the user's own (`MATPLOTLIBRC`, `~/.config/matplotlib`) are read as ever.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

__all__ = ["import_matplotlib"]

_IN_THE_CURRENT_FOLDER = "matplotlibrc"
_LOCK = threading.Lock()


def import_matplotlib() -> None:
    """Import Matplotlib; call this before any other import of it, also before that of Brian 2."""
    with _LOCK:
        if "matplotlib" in sys.modules:
            return
        exists, here = os.path.exists, threading.get_ident()

        def exists_elsewhere(path: Any) -> bool:
            return (path != _IN_THE_CURRENT_FOLDER or threading.get_ident() != here) and exists(path)

        # Matplotlib asks for the file by this relative name, and there is no setting that keeps it from doing so.
        os.path.exists = exists_elsewhere
        try:
            importlib.import_module("matplotlib")
        finally:
            os.path.exists = exists
