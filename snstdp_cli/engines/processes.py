"""A program that runs chunk after chunk: start it, ask it, wait for its answer, end it.

Starting a program costs as much as two dozen presentations, so it is kept and asked again. It ends when its standard
input is closed, which happens however this process ends (`requests.h`).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.engines.compilation import PARENT_VARIABLE
from snstdp_cli.engines.compiler import safe_environment
from snstdp_cli.errors import EngineError

#: Longest wait for a program after which signals are looked for, seconds.
WAIT_S = 0.5
_LOG = "log.txt"
_ANSWER = re.compile(rb"([0-9.]+) ([0-9]+)\n")


@dataclass(frozen=True)
class Answer:
    """What a program says after a chunk.

    Attributes
    ----------
    cpu_seconds
        CPU time of the chunk; of the first one, the program's start too.
    peak_kb
        The most memory that the program took so far.
    """

    cpu_seconds: float
    peak_kb: int


class RunningProgram:
    """A program that waits for requests."""

    def __init__(self, command: Sequence[str], executable: str, folder: Path) -> None:
        self._log = folder / _LOG
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches this process only, which then ends the program.
            self._process = subprocess.Popen(
                list(command),
                executable=executable,
                cwd=folder,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=safe_environment(**{PARENT_VARIABLE: str(os.getpid())}),
            )

    def runs(self) -> bool:
        """Tell whether it can be asked."""
        return self._process.poll() is None

    def ask(self, arguments: Sequence[str]) -> Answer:
        """Send a request and wait for its answer.

        Raises
        ------
        EngineError
            With what the program said, if it ended or said anything.
        """
        self._send(arguments)
        line = self._read_line()
        said = self._log.read_bytes()
        if not said and (found := _ANSWER.fullmatch(line)):
            return Answer(float(found[1]), int(found[2]))
        text = (said or line).decode(errors="replace").strip()
        raise EngineError(
            f"the simulation program failed{self._exit_code()}: {text[-500:] or 'it said nothing'}. The last "
            "checkpoint is intact; run again with --resume"
        )

    def kill(self) -> None:
        """End it now; for another thread, while one waits for its answer."""
        self._process.kill()

    def end(self) -> None:
        """End it and forget it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, arguments: Sequence[str]) -> None:
        assert self._process.stdin is not None
        request = memoryview(b"".join(os.fsencode(argument) + b"\0" for argument in [*arguments, ""]))
        with contextlib.suppress(BrokenPipeError):  # it has ended; what it said is read
            while request:
                request = request[self._process.stdin.write(request) or 0 :]

    def _read_line(self) -> bytes:
        """Return the next line, or what there is of it when the program ends.

        It is waited for in short steps: a signal that arrives just before a long wait would be noticed at its end.
        """
        assert self._process.stdout is not None
        descriptor, line = self._process.stdout.fileno(), b""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not line.endswith(b"\n"):
            if not poll.poll(WAIT_S * 1000):
                continue
            if not (read := os.read(descriptor, 4096)):
                break
            line += read
        return line

    def _exit_code(self) -> str:
        try:
            return f" (exit code {self._process.wait(WAIT_S)})"
        except subprocess.TimeoutExpired:  # it said something in the place of an answer
            return ""
