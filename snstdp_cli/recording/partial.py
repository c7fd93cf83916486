"""Keep what is recorded while a recording goes on, so that an interrupted one can be resumed."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import RecordingRecord, Responses, Workdir, delete_partial, load_partial, save_partial
from snstdp_cli.errors import ArtefactError
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.recorder import Answers

#: Seconds between two writes: a kill costs no more.
INTERVAL_S = 20.0


class PartialRecording:
    """The beginning of one recording on the disk.

    Parameters
    ----------
    labels
        Of all images of the split.
    num
        Images to record.
    """

    def __init__(
        self, workdir: Workdir, record: RecordingRecord, labels: NDArray[np.uint8], num: int, report: Reporter
    ) -> None:
        self.workdir, self.record, self.labels, self.num, self.report = workdir, record, labels, num, report
        self._written, self._saved = time.monotonic(), 0
        self._latest: tuple[int, Answers] | None = None

    def resumed(self) -> Answers | None:
        """Return the answers that are kept: counts, attempts and silent of the first images."""
        try:
            found = load_partial(self.workdir, self.record)
        except ArtefactError as error:
            self.report.warn(f"{error}; the recording begins again")
            return None
        rows = slice(0, self.num)
        if found is None or not np.array_equal(found.labels[rows], self.labels[rows][: len(found.labels)]):
            return None
        answers = found.counts[rows], found.attempts[rows], found.silent[rows]
        self._saved = len(answers[0])
        self.report.say(f"resuming after {self._saved:,} recorded images")
        return answers

    def keep(self, done: int, answers: Answers) -> None:
        """Take note that the first `done` images are recorded, and write them now and then."""
        self._latest = done, answers
        if time.monotonic() - self._written >= INTERVAL_S:
            self._save()

    def told_interrupt(self) -> str:
        """Write what is done and say how to go on."""
        split = self.record.data.split
        try:
            self._save()
        except ArtefactError as error:
            return f"interrupted while recording the {split} images; what was done could not be kept: {error}"
        if not self._saved:
            return f"interrupted before any of the {split} images was recorded: run the same command with --resume"
        return (
            f"interrupted after {self._saved:,} of {self.num:,} {split} images; nothing is lost: run the same command "
            "with --resume to go on"
        )

    def delete(self) -> None:
        """Remove the file when the recording is complete."""
        delete_partial(self.workdir, self.record)

    def _save(self) -> None:
        if self._latest is None or self._latest[0] <= self._saved:
            return
        done, (counts, attempts, silent) = self._latest
        save_partial(
            self.workdir, Responses(counts[:done], self.labels[:done], attempts[:done], silent[:done], self.record)
        )
        self._saved, self._written = done, time.monotonic()
