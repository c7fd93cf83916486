"""How far a running cell is, written down now and then for whoever watches; and whether somebody wants it to stop."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.progress import RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.studies.records import STOP, CellProgress, write_progress

#: Seconds between two notes.
_NOTE_S = 1.0


class StoppedError(InterruptedRunError):
    """Somebody asked a cell to stop; it can be gone on with."""


class CellNotes:
    """Writes down how far a cell is, and looks whether somebody wants it to stop."""

    def __init__(self, folder: Path, report: Reporter) -> None:
        self.folder, self.report, self.last = folder, report, 0.0

    def reporter(self) -> Reporter:
        return dataclasses.replace(self.report, training=self.training, recording=self.recording)

    def training(self, now: TrainingProgress) -> None:
        self.report.training(now)
        curve = tuple((point.examples, point.accuracy) for point in now.curve)
        self._note("training", now.examples, now.total, now.rate, curve)

    def recording(self, now: RecordingProgress) -> None:
        self.report.recording(now)
        self._note(f"recording {now.split}", now.examples, now.total, now.rate)

    def _note(
        self, stage: str, examples: int, total: int, rate: float, curve: tuple[tuple[int, float], ...] = ()
    ) -> None:
        if time.monotonic() - self.last >= _NOTE_S:
            self.last = time.monotonic()
            progress = CellProgress(
                stage=stage,
                examples=examples,
                total=total,
                rate=rate,
                accuracy=curve[-1][1] if curve else None,
                time=time.time(),
                curve=curve,
            )
            write_progress(self.folder, progress)
        if (self.folder / STOP).exists():
            raise StoppedError("stopped on request; run the study again to go on")
