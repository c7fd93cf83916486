"""What a search looks like while it runs: a live panel in a terminal, one line an event elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.live import Live

from snstdp_cli.cli.console import err, print_note
from snstdp_cli.cli.signals import working
from snstdp_cli.cli.study_view import LINE_S, Pace, Panel
from snstdp_cli.fields import percent

if TYPE_CHECKING:
    from snstdp_cli.studies import Cell, Study
    from snstdp_cli.studies.records import CellProgress
    from snstdp_cli.studies.search.events import SearchReporter
    from snstdp_cli.studies.search.storage import SearchTrial


@contextmanager
def search_reporter(study: Study, total: int, quiet: bool, *, live: bool = True) -> Iterator[SearchReporter]:
    """Yield where a search sends its news, shown as suits the place.

    Parameters
    ----------
    total
        Trials in all.
    live
        Whether there may be a panel; without it there are lines in a terminal too.
    """
    from snstdp_cli.studies.search.events import SearchReporter

    with working():
        if quiet:
            yield SearchReporter()
        elif live and err.is_terminal:
            with Live(console=err, auto_refresh=False, transient=True) as shown:
                panel = _TrialPanel(study, total, shown)
                yield SearchReporter(panel.began, panel.ended, panel.tick, panel.waits, panel.goes_on)
        else:
            lines = _TrialLines(study, total)
            yield SearchReporter(lines.began, lines.ended, lines.tick, lines.waits, lines.goes_on)


class _Trials:
    """What is known of the trials: those of this session, and what came to an end before it."""

    def __init__(self, study: Study, total: int) -> None:
        self.study, self.total, self.best, self.pace = study, total, -1.0, Pace()
        self.cells: dict[int, Cell] = {}
        self.states: Counter[str] = Counter()
        self._num_before = 0
        self._has_waited = False

    def goes_on(self, trials: Sequence[SearchTrial]) -> None:
        """Count trials of earlier sessions, whose time says nothing of what is left."""
        self.states.update(trial.state for trial in trials)
        self.best = max((trial.value or 0.0 for trial in trials if trial.state == "finished"), default=self.best)
        self._num_before = len(trials)

    def began(self, number: int, cell: Cell) -> None:
        self.cells[number] = cell

    def waits(self) -> None:
        """Say once why nothing runs here."""
        if not self._has_waited:
            print_note("waiting: others run as many trials as search.parallel allows")
        self._has_waited = True

    def take(self, trial: SearchTrial) -> str:
        """Take note of a trial that came to an end; return it in a line, which says if it is the best so far."""
        self.cells.pop(trial.number, None)
        self.states[trial.state] += 1
        done = self.states.total()
        self.pace.done, self.pace.total = done - self._num_before, max(self.total, done) - self._num_before
        told = trial.state if trial.value is None else f"{trial.state}, {percent(trial.value)}"
        if trial.error:
            told += f": {trial.error.splitlines()[0]}"
        if trial.state == "finished" and trial.value is not None and trial.value > self.best:
            self.best = trial.value
            told += " (best so far)"
        return f"{trial_label(trial.number, trial.settings)}, of {self.total:,}: {told}"

    def running(self) -> list[tuple[str, CellProgress]]:
        """Return what runs and how far it is."""
        from snstdp_cli.studies.records import read_progress

        found = ((number, cell, read_progress(self.study.folder_of(cell))) for number, cell in self.cells.items())
        return [(trial_label(number, cell.settings), now) for number, cell, now in found if now is not None]

    def parts(self, running: list[tuple[str, CellProgress]]) -> list[str]:
        """Return how the search stands, in parts."""
        told = [f"{self.states.total():,} / {self.total:,} trials", f"{len(running)} running"]
        told += [f"{self.states[state]:,} {state}" for state in ("pruned", "failed") if self.states[state]]
        told += [f"best {percent(self.best)}" if self.best >= 0 else "", self.pace.left(now for _, now in running)]
        return [part for part in told if part]


class _TrialPanel(_Trials):
    """A panel, and a line for each trial above it."""

    def __init__(self, study: Study, total: int, live: Live) -> None:
        super().__init__(study, total)
        self.panel = Panel(live, f"search {study.name}")

    def ended(self, trial: SearchTrial) -> None:
        self.panel.say(self.take(trial))
        self._draw()

    def tick(self) -> None:
        if self.panel.is_due():
            self._draw()

    def _draw(self) -> None:
        running = self.running()
        self.panel.draw(self.states.total(), self.total, self.parts(running), running)


class _TrialLines(_Trials):
    """A line for each trial, and a summary now and then."""

    def __init__(self, study: Study, total: int) -> None:
        super().__init__(study, total)
        self.last = time.monotonic()

    def ended(self, trial: SearchTrial) -> None:
        print_note(self.take(trial))

    def tick(self) -> None:
        if time.monotonic() - self.last >= LINE_S:
            self.last = time.monotonic()
            print_note(", ".join(self.parts(self.running())))


def trial_label(number: int, settings: Mapping[str, Any]) -> str:
    """Return a trial in a few words, such as `trial 3: rule.eta=0.01`."""
    return f"trial {number}: {settings_text(settings)}"


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings in a few words."""
    return ", ".join(
        f"{key}={f'{value:.4g}' if isinstance(value, float) else value}" for key, value in settings.items()
    )
