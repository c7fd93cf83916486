"""Standard output and error that never end the work, and an environment that does not upset libraries.

A full disk, a closed descriptor or a pipe that nobody reads any more makes a line vanish; a training goes on. What was
lost from standard output, which carries the results, shows in the exit code.
"""

from __future__ import annotations

import errno
import io
import os
import re
import select
import sys
from typing import Any, TextIO, cast

#: Columns: a table of a million columns would be laid out for a minute.
_MIN_COLUMNS, _MAX_COLUMNS = 20, 1000


class LossyFile(io.FileIO):
    """A file descriptor that swallows what cannot be written.

    Attributes
    ----------
    lost
        Why something was not written; None if all was.
    """

    def __init__(self, descriptor: int, *, closed: bool = False) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._broken = OSError(errno.EBADF, "it is closed") if closed else None
        self.lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of it, or remember why not."""
        content = bytes(data)
        left = content
        while left and self._broken is None:
            try:
                written = super().write(left)
                if written is None:  # a terminal or pipe that does not wait
                    select.select([], [self], [])
            except OSError as error:
                self._broken = error
            else:
                left = left[written or 0 :]
        if left:
            self.lost = self._broken
        return len(content)


class _Streams:
    """The streams that `prepare` put into place."""

    out: LossyFile | None = None


def prepare() -> None:
    """Put streams into place that cannot fail, and correct what upsets libraries."""
    closed = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    _occupy_descriptors()
    _Streams.out = LossyFile(1, closed=closed[1])
    sys.stdout = _text(_Streams.out, sys.stdout)
    sys.stderr = _text(LossyFile(2, closed=closed[2]), sys.stderr)
    _correct_environment()


def finish(code: int) -> int:
    """Write what is left and return the exit code: 1 in place of 0 if results were lost."""
    sys.stdout.flush()
    lost = _Streams.out.lost if _Streams.out is not None else None
    if lost is not None and lost.errno != errno.EPIPE:  # who closes a pipe knows it
        reason = lost.strerror or str(lost)
        sys.stderr.write(
            f"error the result could not be printed: standard output: {reason}; files are written as usual\n"
        )
    sys.stderr.flush()
    return 1 if lost is not None and code == 0 else code


def _occupy_descriptors() -> None:
    """Open the null device in place of closed standard streams, which a file would be taken for otherwise."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _text(raw: LossyFile, old: TextIO | None) -> io.TextIOWrapper:
    """Return a text stream that writes what its encoding does not have as an escape."""
    encoding = getattr(old, "encoding", None) or "utf-8"
    buffered: Any = io.BufferedWriter(cast(Any, raw))
    return io.TextIOWrapper(buffered, encoding, errors="backslashreplace", line_buffering=raw.fileno() == 2)


def _correct_environment() -> None:
    for name in ("COLUMNS", "TERMINAL_WIDTH"):
        if (value := os.environ.get(name)) is not None:
            usable = re.fullmatch(r"[0-9]{1,9}", value)
            if usable and int(value) > 0:
                os.environ[name] = str(min(max(int(value), _MIN_COLUMNS), _MAX_COLUMNS))
            else:
                del os.environ[name]
    if not re.fullmatch(r"[0-9]{1,4}", os.environ.get("LINES", "")):
        os.environ.pop("LINES", None)
    # Figures go to files, whatever backend is named; threads of linear algebra help nothing here, and fail at a limit.
    os.environ["MPLBACKEND"] = "agg"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
