"""One training at a time for each name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from snstdp_cli.artefacts.files import Workdir, checked_name
from snstdp_cli.errors import ArtefactError


@contextmanager
def lock_name(workdir: Workdir, name: str) -> Iterator[None]:
    """Hold `weights/.locks/<name>.lock` while the body runs; the system releases it if the process is killed.

    Raises
    ------
    ArtefactError
        If another process (or this one, elsewhere) holds the lock, or the file cannot be locked.
    """
    path = workdir.weights / ".locks" / f"{checked_name(name)}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except (OSError, ValueError) as error:
        raise ArtefactError(f"cannot lock {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtefactError(f"cannot lock {path}: not a regular file; delete it")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise ArtefactError(
                f"another snstdp process (pid {holder if holder.isdigit() else 'unknown'}) is training {name} in "
                f"{workdir.root}; wait until it ends, or choose another --save-name"
            ) from None
        except OSError as error:
            raise ArtefactError(f"cannot lock {path}: {error.strerror}; use a --workdir on a local disk") from None
        # The number is a courtesy for the message above; a full disk must not stop a training here.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        # The file stays: if it were removed, a third process could lock a new one beside a holder of the old.
        yield
    finally:
        os.close(descriptor)
