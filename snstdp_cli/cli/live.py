"""What a running training or recording looks like: a live panel in a terminal, single lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import duration, err, print_note, print_warning, styled, visible
from snstdp_cli.cli.signals import working
from snstdp_cli.fields import percent

if TYPE_CHECKING:
    from snstdp_cli.progress import Preflight, RecordingProgress, Reporter, TrainingProgress

#: Seconds between two lines where there is no terminal.
LINE_EVERY_S = 10.0
_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float], width: int = 40) -> str:
    """Return the values as a line of bars from the lowest to the highest, the latest `width` of them."""
    shown = values[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(_BARS[min(7, int(8 * (value - low) / span))] for value in shown)


@contextmanager
def steps(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that says what is being done: in a line that vanishes in a terminal, now and then elsewhere."""
    with working():
        if quiet:
            yield lambda _: None
        elif err.is_terminal:
            with Live(console=err, auto_refresh=False, transient=True) as live:
                yield lambda text: live.update(styled((f"{text} ...", "dim")), refresh=True)
        else:
            yield _LineView(time.monotonic()).step


@contextmanager
def reporter(quiet: bool) -> Iterator[Reporter]:
    """Yield where work sends its news, shown as suits the place; a warning that comes again is told once."""
    from snstdp_cli.progress import Reporter

    warn = _once(print_warning)
    with working():
        if quiet:
            yield Reporter(warn=warn)
        elif err.is_terminal:
            view = _LiveView()
            try:
                yield Reporter(print_note, warn, view.training, view.recording, view.preflight)
            finally:
                view.end()
        else:
            lines = _LineView()
            yield Reporter(print_note, warn, lines.training, lines.recording, _print_preflight)


def _once(show: Callable[[str], None]) -> Callable[[str], None]:
    """Return what shows a sentence the first time that it is told."""
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            show(sentence)

    return tell


def _print_preflight(plan: Preflight) -> None:
    print_note(
        f"about {duration(plan.seconds)} ({plan.rate:.0f} examples/s, measured on {plan.measured} examples), "
        f"{plan.memory_mb:,.0f} MB of memory, {plan.disk_mb:,.0f} MB of disk in {plan.folder}"
    )


class _LiveView:
    """A panel that is drawn again with each chunk."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._kind = ""

    def preflight(self, plan: Preflight) -> None:
        _print_preflight(plan)

    def training(self, now: TrainingProgress) -> None:
        left = (now.total - now.examples) / now.rate if now.rate else 0.0
        target = "" if now.l1_target is None else f" of {now.l1_target:g}"
        rows = [
            ("speed", f"{now.rate:.0f} examples/s, {duration(left)} left" if left else f"{now.rate:.0f} examples/s"),
            (
                "activity",
                f"{now.spikes_per_example:.1f} spikes an example; neurons: {now.silent_neurons} silent, "
                f"{now.never_learned} never learned",
            ),
            ("retries", f"{now.retries:,} presentations again, {now.silent:,} examples without an answer"),
            ("L1 norm", f"mean {now.l1_mean:.1f}{target} (from {now.l1_min:.1f} to {now.l1_max:.1f})"),
            (
                "theta",
                f"from {now.theta_mv[0]:.1f} to {now.theta_mv[2]:.1f} mV, mean {now.theta_mv[1]:.1f}",
            ),
        ]
        if now.curve:
            accuracies = [point.accuracy for point in now.curve]
            latest = f"{percent(accuracies[-1])} after {now.curve[-1].examples:,} examples"
            rows.append(("withheld", f"{sparkline(accuracies)} {latest}"))
        self._draw("training", now.examples, now.total, rows)

    def recording(self, now: RecordingProgress) -> None:
        left = (now.total - now.examples) / now.rate if now.rate else 0.0
        rows = [("speed", f"{now.rate:.0f} examples/s" + (f", {duration(left)} left" if left else ""))]
        self._draw(f"recording {now.split}", now.examples, now.total, rows)

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, kind: str, done: int, total: int, rows: list[tuple[str, str]]) -> None:
        if self._live is None or kind != self._kind:
            self.end()
            self._kind = kind
            self._live = Live(console=err, auto_refresh=False)
            self._live.start()
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(visible(kind), style="bold"),
            ProgressBar(total=total, completed=done, width=30),
            Text(f"{done:,} / {total:,}"),
        )
        body = Table.grid(padding=(0, 2))
        for name, value in rows:
            body.add_row(Text(f"  {name}", style="cyan"), Text(value))
        self._live.update(Group(head, body), refresh=True)


class _LineView:
    """A line now and then, for logs."""

    def __init__(self, last: float = -LINE_EVERY_S) -> None:
        self._last = last
        self._told: int | None = None

    def training(self, now: TrainingProgress) -> None:
        # Of a training that goes on, only the latest of the points that are there already.
        for point in now.curve[-1:] if self._told is None else now.curve[self._told :]:
            told = percent(point.accuracy)
            print_note(f"{point.examples:,} examples: accuracy on withheld training images {told}")
        self._told = len(now.curve)
        if self._due(now.examples == now.total):
            left = (now.total - now.examples) / now.rate
            print_note(
                f"training {now.examples:,} / {now.total:,}, {now.rate:.0f} examples/s, {duration(left)} left, "
                f"{now.spikes_per_example:.1f} spikes an example, L1 {now.l1_mean:.1f}, retries {now.retries:,}"
            )

    def recording(self, now: RecordingProgress) -> None:
        if self._due(now.examples == now.total):
            print_note(f"recording {now.split} {now.examples:,} / {now.total:,}, {now.rate:.0f} examples/s")

    def step(self, text: str) -> None:
        if self._due(False):
            print_note(text)

    def _due(self, last: bool) -> bool:
        if not last and time.monotonic() - self._last < LINE_EVERY_S:
            return False
        self._last = time.monotonic()
        return True
