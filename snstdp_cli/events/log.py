"""Write the events of a run beside its weights, a line each; whatever goes wrong with them never ends the run.

The file belongs to one training, as snapshots do: a resumed or lengthened training and the recordings of its network
add to it, another training of the same name begins it anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.files import read_file
from snstdp_cli.datasets import Part
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.events.records import (
    CurveEvent,
    EndedEvent,
    Event,
    PlanEvent,
    RecordingEvent,
    StartedEvent,
    TextEvent,
    TrainingEvent,
    Work,
    parse_event,
)
from snstdp_cli.fields import printable
from snstdp_cli.progress import Preflight, RecordingProgress, Reporter, TrainingProgress

_MAX_TEXT = 4000
#: No event is longer; more of a first line is not read.
_MAX_LINE = 65_536


def events_path(workdir: Workdir, name: str) -> Path:
    """Return where the events of the weights `name` are."""
    return workdir.weights / f"{name}.events.jsonl"


def read_events(workdir: Workdir, name: str) -> list[Event]:
    """Return the events of the weights `name` in order, without lines that are none of this version, or half of one.

    Raises
    ------
    ArtefactError
        If there are none, or the file cannot be read.
    """
    found = []
    for line in read_file(events_path(workdir, name)).splitlines():
        with contextlib.suppress(ValueError):
            found.append(parse_event(line))
    return found


class EventLog:
    """Writes what a run tells, and passes it on.

    What is told before `opened` waits, as it is not known yet to which training it belongs.

    Parameters
    ----------
    report
        Where the run's news go besides.
    """

    def __init__(self, workdir: Workdir, name: str, report: Reporter) -> None:
        self.path, self._name, self._report = events_path(workdir, name), name, report
        self._waiting: list[tuple[type[Event], dict[str, Any]]] = []
        self._training: str | None = None
        self._file: int | None = None
        self._curve = 0

    @property
    def report(self) -> Reporter:
        """Where the run tells its news."""
        return Reporter(self._say, self._warn, self._trained, self._recorded, self._planned)

    @contextlib.contextmanager
    def opened(
        self, training: str | None, work: Work, split: Part, examples: int, total: int, *, goes_on: bool
    ) -> Iterator[None]:
        """Write events while the body runs, how it begins, and how it ends.

        Parameters
        ----------
        training
            Identity of the training; without one, nothing is written.
        examples, total
            Examples that are done already, and all.
        goes_on
            Whether the events that are there stay, if they are of the same training.
        """
        if training is None:
            yield
            return
        self._begin(training, goes_on)
        self._add(StartedEvent, work=work, split=split, examples=examples, total=total)
        how, text = "failed", None
        try:
            yield
            how = "complete"
        except (KeyboardInterrupt, InterruptedRunError) as error:
            how, text = "interrupted", str(error)
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise
        finally:
            self._add(EndedEvent, work=work, split=split, how=how, text=text and printable(text, _MAX_TEXT))
            self._close()

    def skip_curve(self, points: int) -> None:
        """Leave out the first points of the learning curve, which were told before."""
        self._curve = points

    def _begin(self, training: str, goes_on: bool) -> None:
        self._training = training
        try:
            self._file = _open(self.path, keep=goes_on and _training_of(self.path) == training)
        except (OSError, ValueError) as error:
            self._give_up(error)
        waiting, self._waiting = self._waiting, []
        for kind, content in waiting:
            self._write(kind, content)

    def _add(self, kind: type[Event], **content: Any) -> None:
        content["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._training is None:
            self._waiting.append((kind, content))
        else:
            self._write(kind, content)

    def _write(self, kind: type[Event], content: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            event = kind.model_validate({"name": self._name, "training": self._training, **content})
            # One call: of two processes that add to a file, neither tears the other's line.
            os.write(self._file, f"{event.model_dump_json()}\n".encode())
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._close()
        reason = getattr(error, "strerror", None) or "a value that no event can hold"
        self._report.warn(f"{self.path}: the events of this run are not written ({reason}); the run goes on")

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file = None

    def _say(self, text: str) -> None:
        self._add(TextEvent, event="note", text=printable(text, _MAX_TEXT))
        self._report.say(text)

    def _warn(self, text: str) -> None:
        self._add(TextEvent, event="warning", text=printable(text, _MAX_TEXT))
        self._report.warn(text)

    def _planned(self, plan: Preflight) -> None:
        self._add(PlanEvent, **{key: value for key, value in asdict(plan).items() if key != "folder"})
        self._report.preflight(plan)

    def _trained(self, now: TrainingProgress) -> None:
        content = {key: getattr(now, key) for key in TrainingEvent.model_fields if hasattr(now, key)}
        theta = dict(zip(("theta_min_mv", "theta_mean_mv", "theta_max_mv"), now.theta_mv, strict=True))
        self._add(TrainingEvent, **content, **theta)
        for point in now.curve[self._curve :]:
            self._add(CurveEvent, examples=point.examples, correct=point.correct, total=point.total)
        self._curve = len(now.curve)
        self._report.training(now)

    def _recorded(self, now: RecordingProgress) -> None:
        self._add(RecordingEvent, **asdict(now))
        self._report.recording(now)


def _training_of(path: Path) -> str | None:
    """Return the identity in the first line of a file; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        first = file.readline(_MAX_LINE)
    try:
        content = json.loads(first)
    except ValueError:
        return None
    found = content.get("training") if isinstance(content, dict) else None
    return found if isinstance(found, str) else None


def _open(path: Path, *, keep: bool) -> int:
    """Open a file of ours for adding lines; whatever is no regular file is left alone.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        if not keep:
            os.ftruncate(descriptor, 0)
        elif status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
            os.write(descriptor, b"\n")  # a run that was killed left half a line
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
