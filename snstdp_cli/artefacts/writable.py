"""Whether results can be written where they belong, asked before the work and not after it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from snstdp_cli.errors import ArtefactError, StorageError

#: What a system says of a disk or a quota without room.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_writable(*folders: Path) -> None:
    """Make the folders and write a file into each, which leaves nothing behind.

    Raises
    ------
    ArtefactError
        For the first folder that cannot be made or written; `StorageError` if only the space is missing.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"\0")
                probe.flush()
                os.fsync(probe.fileno())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if getattr(error, "errno", None) in _NO_ROOM:
                raise StorageError(
                    f"{folder}: results cannot be written here: {reason}; free some space, or name another folder by "
                    "--workdir; nothing was run"
                ) from None
            raise ArtefactError(
                f"{folder}: results cannot be written here: {reason}; check the folder, or name another one by "
                "--workdir; nothing was run"
            ) from None
