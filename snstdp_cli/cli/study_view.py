"""What a study looks like while it runs: a live panel in a terminal, one line an event elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import duration, err, print_note, print_warning, styled
from snstdp_cli.cli.signals import working
from snstdp_cli.fields import percent

if TYPE_CHECKING:
    from snstdp_cli.studies import CellEnded, Study, StudyReporter
    from snstdp_cli.studies.records import CellProgress

#: Seconds between two looks at the running cells, and between two summaries where there is no terminal.
_LOOK_S, LINE_S = 1.0, 60.0
_MOST_ROWS = 12
_NARROW_BAR, _WIDE_BAR = 10, 30


@contextmanager
def study_reporter(study: Study, quiet: bool) -> Iterator[StudyReporter]:
    """Yield where a study sends its news, shown as suits the place."""
    from snstdp_cli.studies import StudyReporter

    with working():
        if quiet:
            yield StudyReporter(warn=print_warning)
        elif err.is_terminal:
            with Live(console=err, auto_refresh=False, transient=True) as live:
                panel = _CellPanel(study, live)
                yield StudyReporter(print_note, print_warning, panel.ended, panel.tick, panel.begun)
        else:
            lines = _Lines(study)
            yield StudyReporter(print_note, print_warning, lines.ended, lines.tick, lines.begun)


class Pace:
    """How much is done, and how long the rest takes."""

    def __init__(self) -> None:
        self.began, self.done, self.total = time.monotonic(), 0, 0

    def left(self, running: Iterable[CellProgress]) -> str:
        """Return the time left in words; nothing where it cannot be told yet."""
        done = self.done + sum(map(_share, running))
        if not self.total or done < 0.2:
            return ""
        seconds = (time.monotonic() - self.began) * (self.total - done) / done
        return f"about {duration(max(0.0, seconds))} left"


class Panel:
    """A panel that is drawn again with each event and each second: what is done, and a row for all that runs."""

    def __init__(self, live: Live, title: str) -> None:
        self.live, self.title, self.last = live, title, 0.0

    def is_due(self) -> bool:
        """Tell whether a second has passed since it was drawn."""
        return time.monotonic() - self.last >= _LOOK_S

    def say(self, text: str) -> None:
        """Print a line above the panel."""
        self.live.console.print(styled((text, "dim")))

    def draw(self, done: int, total: int, told: Sequence[str], rows: Sequence[tuple[str, CellProgress]]) -> None:
        """Draw the panel.

        Parameters
        ----------
        told
            What stands behind the bar; empty texts are left out.
        rows
            Names of what runs, and how far it is.
        """
        self.last = time.monotonic()
        head, body = Table.grid(padding=(0, 1)), Table.grid(padding=(0, 2))
        state = Text(", ".join(filter(None, told)))
        room = self.live.console.width - cell_len(self.title) - state.cell_len - 3
        bar = ProgressBar(total=total, completed=done, width=max(_NARROW_BAR, min(room, _WIDE_BAR)))
        head.add_row(styled((self.title, "bold")), bar, state)
        for name, progress in rows[:_MOST_ROWS]:
            body.add_row(styled((f"  {name}", "cyan")), styled(progress_text(progress)))
        if len(rows) > _MOST_ROWS:
            body.add_row(Text(f"  and {len(rows) - _MOST_ROWS} more"), Text(""))
        self.live.update(Group(head, body), refresh=True)


class _Cells:
    """What is known of the cells of this session."""

    def __init__(self, study: Study) -> None:
        self.study, self.pace, self.failed, self.lines = study, Pace(), 0, EndedLines()

    def begun(self, total: int) -> None:
        self.pace.total = total

    def take(self, event: CellEnded) -> str:
        """Take note of a cell that came to its end; return it in a line."""
        self.pace.done, self.pace.total = event.done, event.total
        self.failed += event.outcome.state == "failed"
        return self.lines.line(event)

    def parts(self, running: Sequence[CellProgress]) -> list[str]:
        """Return how the study stands, in parts: of the cells that were left when it was begun."""
        missing = max(0, self.pace.total - self.pace.done - len(running))
        told = [f"{self.pace.done:,} / {self.pace.total:,} cells", f"{len(running)} running"]
        told += [f"{num:,} {name}" for num, name in ((self.failed, "failed"), (missing, "missing")) if num]
        return [part for part in (*told, self.pace.left(running)) if part]


class _CellPanel(_Cells):
    """A panel, and a line for each cell above it."""

    def __init__(self, study: Study, live: Live) -> None:
        super().__init__(study)
        self.panel = Panel(live, f"study {study.name}")

    def ended(self, event: CellEnded) -> None:
        self.panel.say(self.take(event))
        self._draw()

    def tick(self) -> None:
        if self.panel.is_due():
            self._draw()

    def _draw(self) -> None:
        from snstdp_cli.studies import running_cells

        running = running_cells(self.study)
        told = self.parts([now for _, now in running])
        self.panel.draw(self.pace.done, self.pace.total, told, [(cell.label, now) for cell, now in running])


class _Lines(_Cells):
    """One line an event, and a summary now and then, for logs."""

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self.last = time.monotonic()

    def ended(self, event: CellEnded) -> None:
        print_note(self.take(event))

    def tick(self) -> None:
        from snstdp_cli.studies import running_cells

        if time.monotonic() - self.last >= LINE_S:
            self.last = time.monotonic()
            print_note(", ".join(self.parts([now for _, now in running_cells(self.study)])))


class EndedLines:
    """How cells ended, in a line each; why several failed stands in the line of the first."""

    def __init__(self) -> None:
        self._errors: set[str] = set()

    def line(self, event: CellEnded) -> str:
        """Return how a cell ended."""
        outcome = event.outcome
        head = f"{event.done:,} / {event.total:,}  {event.cell.label}: {outcome.state}"
        if outcome.state == "finished" and outcome.accuracies:
            head += f", {percent(next(iter(outcome.accuracies.values())))}"
        if outcome.seconds:
            head += f" ({duration(outcome.seconds)})"
        if outcome.error is None:
            return head
        if outcome.error in self._errors:
            return f"{head} in the same way"
        self._errors.add(outcome.error)
        return f"{head}: {outcome.error.splitlines()[0]}"


def progress_text(progress: CellProgress) -> str:
    """Return how far a cell is, in a few words."""
    text = f"{progress.stage} {progress.examples:,} / {progress.total:,}"
    if progress.rate:
        text += f", {progress.rate:.0f} examples/s"
    return text if progress.accuracy is None else f"{text}, {percent(progress.accuracy)} on withheld images"


def _share(progress: CellProgress) -> float:
    """Return about which share of a cell is done: training takes most of it."""
    share = progress.examples / max(1, progress.total)
    return 0.7 * share if progress.stage == "training" else 0.0 if progress.stage == "starting" else 0.7 + 0.3 * share
