"""A study in Python: its cells, running them, and what came out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from snstdp_cli.engines import available_cores
from snstdp_cli.evaluation import Classifier
from snstdp_cli.studies.cell import Cell
from snstdp_cli.studies.cells import CellResult, load_results
from snstdp_cli.studies.events import CellEnded, StudyReporter
from snstdp_cli.studies.executors import opening
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.results import gather_results
from snstdp_cli.studies.run import run_study
from snstdp_cli.studies.search.events import SearchReporter
from snstdp_cli.studies.search.settings import MAX_TRIALS
from snstdp_cli.studies.search.storage import SearchTrial
from snstdp_cli.studies.search.study import SearchResult, load_search, plan_search, run_search
from snstdp_cli.studies.tables import StudyTable


class OpenStudy:
    """A study and its folder; results are read from the disk whenever they are asked for.

    Parameters
    ----------
    study
        The study with its cells, from `load_study`.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    def __repr__(self) -> str:
        return f"OpenStudy({str(self.study.path)!r}, {len(self.study.cells)} cells)"

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.name

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return self.study.folder

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The planned experiments."""
        return self.study.cells

    def run(
        self,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        cluster: str | Path | None = None,
        retry: bool = False,
        fail_fast: bool = False,
        data_dir: str | Path | None = None,
        progress: Callable[[CellEnded], None] | None = None,
    ) -> list[CellResult]:
        """Run the cells that are not finished, side by side; return what became of all.

        A script that calls this needs an `if __name__ == "__main__"` guard, as the workers are processes.

        Parameters
        ----------
        workers
            Processes on this machine; by default one a core.
        scheduler
            Address of a Dask scheduler that runs already, in their place.
        cluster
            YAML file of a batch system, in their place (docs/studies.md).
        retry
            Try failed cells again.
        fail_fast
            End at the first cell that fails.
        progress
            Called with each cell that came to its end.

        Raises
        ------
        SnstdpError
            If cells cannot be run at all; one that fails is a result with its sentence.
        """
        report = StudyReporter() if progress is None else StudyReporter(ended=progress)
        with opening.open_executor(workers or available_cores(), scheduler, _path(cluster), _warn) as executor:
            outcome = run_study(
                self.study,
                executor,
                retry=retry,
                fail_fast=fail_fast,
                data_dir=_path(data_dir),
                report=report,
            )
        return list(outcome.results)

    def search(
        self,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        cluster: str | Path | None = None,
        storage: str | None = None,
        data_dir: str | Path | None = None,
        progress: Callable[[SearchTrial], None] = lambda _: None,
    ) -> SearchResult:
        """Run the trials that the study's search has left, scored on validation images; return how it stands.

        The arguments are those of `run`.

        Parameters
        ----------
        storage
            A database for the trials in the place of the journal in the study's folder.
        progress
            Called with each trial that came to its end.

        Raises
        ------
        SnstdpError
            If the study file has no search, or it cannot be run at all.
        """
        plan = plan_search(self.study)
        workers = min(workers or available_cores(), plan.settings.parallel or MAX_TRIALS)
        with opening.open_executor(workers, scheduler, _path(cluster), _warn) as executor:
            return run_search(
                self.study,
                executor,
                storage=storage,
                data_dir=_path(data_dir),
                report=SearchReporter(ended=progress),
            )

    def trials(self, storage: str | None = None) -> SearchResult:
        """Return how the study's search stands: its trials, the best of them, and how much each setting matters."""
        return load_search(self.study, storage)

    def results(self) -> list[CellResult]:
        """Return what became of each cell, in the order of the plan."""
        return load_results(self.study)

    def table(self, *, against: str | Sequence[str] = (), read_outs: Sequence[Classifier] = ()) -> StudyTable:
        """Summarize what is finished: `.records()` and `.long_records()` as dictionaries, `.frame()` for pandas.

        Parameters
        ----------
        against
            The baseline of paired differences as `KEY=VALUE`, such as `rule=triplet`.
        read_outs
            Which accuracies; those of the study without it.

        Raises
        ------
        SnstdpError
            If the baseline is none of the study, or SciPy is not installed.
        """
        baseline = [against] if isinstance(against, str) else against
        return gather_results(self.study).table(against=baseline, read_outs=read_outs)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)
