"""Run the cells of a study that are not finished; whatever happens to one, the others go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from snstdp_cli.artefacts import require_writable
from snstdp_cli.errors import EngineError, InterruptedRunError
from snstdp_cli.studies.cell import Cell
from snstdp_cli.studies.cells import CellResult, CellState, in_order, load_results
from snstdp_cli.studies.events import CellEnded, StudyReporter
from snstdp_cli.studies.executors.base import CellExecutor
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.records import RECORD
from snstdp_cli.studies.tasks import CellOutcome, CellTask, make_task


@dataclass(frozen=True)
class StudyOutcome:
    """How a study stands after it was run.

    Attributes
    ----------
    ran
        How the cells ended that were run now.
    results
        All cells of the study, from the disk.
    """

    ran: tuple[CellOutcome, ...]
    results: tuple[CellResult, ...]

    def count(self, state: CellState) -> int:
        """Return how many cells are in a state."""
        return count_states(self.results)[state]


def count_states(results: Sequence[CellResult]) -> Counter[CellState]:
    """Count the cells in each state."""
    return Counter(result.state for result in results)


def cells_to_run(
    study: Study, results: Sequence[CellResult], *, retry: bool = False, share: tuple[int, int] = (1, 1)
) -> list[Cell]:
    """Return the cells that are left, interrupted ones first.

    Parameters
    ----------
    retry
        Failed ones too.
    share
        Part and number of parts: only every so many cells of the plan, from this one.
    """
    part, parts = share
    mine = [one for k, one in enumerate(results) if k % parts == part - 1]
    left = [one for one in mine if one.state != "finished" and (retry or one.state != "failed")]
    left.sort(key=lambda one: one.state != "interrupted")  # stable: otherwise in the order of the plan
    return [study.by_id[one.cell] for one in left]


def run_study(
    study: Study,
    executor: CellExecutor,
    *,
    retry: bool = False,
    fail_fast: bool = False,
    share: tuple[int, int] = (1, 1),
    data_dir: Path | None = None,
    report: StudyReporter | None = None,
) -> StudyOutcome:
    """Run what is not finished.

    Finished cells stay as they are; interrupted ones go on from their checkpoints; failed ones are left alone unless
    `retry`. A cell that another process ran, which ended before it had finished, is taken up after the others.

    Parameters
    ----------
    fail_fast
        End at the first cell that fails.

    Raises
    ------
    SnstdpError
        If cells cannot be run at all; `InterruptedRunError` after Ctrl-C, when everything is kept.
    """
    report = report or StudyReporter()
    require_writable(study.folder)
    cells = cells_to_run(study, load_results(study), retry=retry, share=share)
    ran: dict[str, CellOutcome] = {}
    total = len(cells)
    report.begun(total)
    try:
        while cells:
            tasks = (make_task(study, cell, data_dir=data_dir, retry=retry) for cell in cells)
            for ended in run_tasks(executor, tasks, report.tick):
                outcome = replace(ended, accuracies=in_order(ended.accuracies, study))
                ran[outcome.cell] = outcome
                _check_shared(study, outcome)
                report.ended(CellEnded(study.by_id[outcome.cell], outcome, len(ran), total))
                if fail_fast and outcome.state == "failed":
                    report.warn("ending at the first failed cell, as --fail-fast says")
                    return StudyOutcome(tuple(ran.values()), tuple(load_results(study)))
            cells = _left_by_others(study, ran)
    except (KeyboardInterrupt, InterruptedRunError):
        raise InterruptedRunError(
            f"interrupted; everything is kept in {study.folder}: run the same command to go on"
        ) from None
    return StudyOutcome(tuple(ran.values()), tuple(load_results(study)))


def _left_by_others(study: Study, ran: Mapping[str, CellOutcome]) -> list[Cell]:
    """Return the cells that another process ran when they were asked for, and that it has left unfinished since."""
    busy = {outcome.cell for outcome in ran.values() if outcome.state == "busy"}
    left = (one for one in load_results(study) if one.cell in busy and one.state == "interrupted") if busy else ()
    return [study.by_id[one.cell] for one in left]


def run_tasks(
    executor: CellExecutor, tasks: Iterable[CellTask | None], tick: Callable[[], None] = lambda: None
) -> Iterator[CellOutcome]:
    """Yield how tasks end; whoever stops listening ends what runs."""
    with closing(executor.run(tasks, tick)) as outcomes:  # type: ignore[type-var]
        yield from outcomes


def _check_shared(study: Study, outcome: CellOutcome) -> None:
    """Refuse to believe a worker that wrote its results where nobody here sees them."""
    if outcome.state == "finished" and not (study.folder_of(outcome.cell) / RECORD).exists():
        raise EngineError(
            f"a worker finished the cell {outcome.cell}, but {study.folder_of(outcome.cell)} is not here: workers on "
            "other machines must see the study's folder under the same path"
        )
