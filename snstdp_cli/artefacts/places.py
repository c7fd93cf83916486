"""Whether results can be written where they belong, asked before the work and not after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from snstdp_cli.errors import ArtefactError


def require_writable(*folders: Path) -> None:
    """Make the folders and write a file into each, which leaves nothing behind.

    Raises
    ------
    ArtefactError
        For the first folder that cannot be made or written.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"\0" * 4096)
                probe.flush()
                os.fsync(probe.fileno())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ArtefactError(
                f"{folder}: results cannot be written here: {reason}; check the folder, or name another one by "
                "--workdir; nothing was run"
            ) from None
