"""The trials of a search as cells of a study: each in a folder of its own, scored on validation images only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from snstdp_cli.artefacts import Workdir, weights_exist
from snstdp_cli.errors import ArtefactError, ConfigError, SnstdpError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.studies.cell import CELL_NAME, Cell, build_cell
from snstdp_cli.studies.cells import running_cells
from snstdp_cli.studies.executors.base import CellExecutor
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.records import CellProgress, read_cell_record, read_progress
from snstdp_cli.studies.search.driver import Proposal, TrialEnd
from snstdp_cli.studies.search.events import SearchReporter
from snstdp_cli.studies.search.storage import SearchTrial
from snstdp_cli.studies.tasks import CellOutcome, CellTask, make_task, request_stop


def running_trials(study: Study, trials: Iterable[SearchTrial]) -> list[tuple[SearchTrial, CellProgress]]:
    """Return the trials that run now, here or elsewhere, and how far they are."""
    found = []
    for trial in trials:
        if trial.state == "running":
            cell = _cell(study, trial.settings)
            found += [(trial, progress) for _, progress in running_cells(study, [cell])]
    return found


def folder_of_trial(study: Study, trial: SearchTrial) -> Path | None:
    """Return the folder of a trial's cell, which may not be there; None for settings that do not go together."""
    try:
        return study.folder_of(_cell(study, trial.settings))
    except SnstdpError:
        return None


def _cell(study: Study, settings: Mapping[str, Any]) -> Cell:
    return build_cell(study.base, dict(settings), study.file.seeds[0], list(settings), "search")


class CellRunner:
    """Runs the trials of a search as cells, whatever the study's own cells are scored on.

    Parameters
    ----------
    study
        The study that searches; its first seed is that of every trial.
    read_out
        Whose accuracy is told.
    report
        Hears of trials that begin, and twice a second that the search goes on.
    """

    def __init__(
        self,
        study: Study,
        executor: CellExecutor,
        read_out: Classifier,
        *,
        data_dir: Path | None = None,
        report: SearchReporter | None = None,
    ) -> None:
        self.study = replace(study, file=study.file.model_copy(update={"score_on": "validation"}))
        self.executor, self.read_out, self.data_dir = executor, read_out, data_dir
        self.report = report or SearchReporter()
        self._proposals: dict[str, list[Proposal]] = {}
        self._cells: dict[int, Cell] = {}
        self._refused: list[TrialEnd] = []

    def cell_of(self, proposal: Proposal) -> Cell:
        """Return the cell of a trial.

        Raises
        ------
        ConfigError
            If the settings do not go together.
        """
        if proposal.number not in self._cells:
            self._cells[proposal.number] = _cell(self.study, proposal.settings)
        return self._cells[proposal.number]

    def run(self, proposals: Iterable[Proposal | None], tick: Callable[[], None]) -> Iterator[TrialEnd]:
        """Yield how trials end."""

        def both() -> None:
            tick()
            self.report.tick()

        with closing(self.executor.run(self._tasks(proposals), both)) as outcomes:  # type: ignore[type-var]
            for outcome in outcomes:
                yield self._end(outcome)
                yield from self._take_refused()
        yield from self._take_refused()

    def curve(self, proposal: Proposal) -> Sequence[tuple[int, float]]:
        """Return the learning curve of a trial so far, as its cell wrote it down."""
        folder = self.study.folder_of(self.cell_of(proposal))
        if (progress := read_progress(folder)) is not None:
            return progress.curve
        try:
            if weights_exist(Workdir(folder), CELL_NAME):
                points = TrainedNetwork(Workdir(folder), CELL_NAME).learning_curve
                return [(point.examples, point.accuracy) for point in points]
        except ArtefactError:
            return ()  # the cell itself tells what is wrong
        return ()

    def stop(self, proposal: Proposal) -> None:
        """Ask the cell of a trial to stop at the end of its chunk."""
        request_stop(self.study.folder_of(self.cell_of(proposal)))

    def _tasks(self, proposals: Iterable[Proposal | None]) -> Iterator[CellTask | None]:
        for proposal in proposals:
            if proposal is None:
                if not any(self._proposals.values()):
                    self.report.waits()
                yield None
                continue
            try:
                cell = self.cell_of(proposal)
            except ConfigError as error:
                self._refused.append(TrialEnd(proposal, error=str(error)))
                continue
            self._proposals.setdefault(cell.id, []).append(proposal)
            self.report.began(proposal.number, cell)
            yield make_task(self.study, cell, data_dir=self.data_dir)

    def _take_refused(self) -> list[TrialEnd]:
        found, self._refused = self._refused, []
        return found

    def _end(self, outcome: CellOutcome) -> TrialEnd:
        proposal = self._proposals[outcome.cell].pop(0)
        if outcome.state == "failed":
            return TrialEnd(proposal, error=outcome.error or "failed")
        if outcome.state != "finished":
            return TrialEnd(proposal)
        try:
            record = read_cell_record(self.study.folder_of(outcome.cell))
        except SnstdpError as error:
            return TrialEnd(proposal, error=str(error))
        # From the record by the name of the split: a cell that was tested later has an accuracy on test images too.
        score = None if record is None else record.scores.get("validation")
        if score is None:
            return TrialEnd(proposal, error="the cell was not scored on validation images")
        return TrialEnd(proposal, score.accuracies[self.read_out])
