"""A study as tables, figures and the report look at it: what was asked, and what became of each cell and trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from snstdp_cli.artefacts import Workdir, weights_exist
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import CLASSIFIERS, Classifier, CurvePoint
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.cells import CellResult, load_correct, load_results
from snstdp_cli.studies.differences import LoadCorrect
from snstdp_cli.studies.file import ScoredSplit, StudyFile
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.records import read_cell_record
from snstdp_cli.studies.stages import LoadCourses, courses_of
from snstdp_cli.studies.tables import StudyTable, make_table

if TYPE_CHECKING:
    from snstdp_cli.studies.search.storage import TrialState


class Trial(NamedTuple):
    """One attempt of a search.

    Attributes
    ----------
    value
        Of a finished one its accuracy on validation images; of one that ended early the last point of its learning
        curve, which is another measure; None before there is either.
    error
        Why it failed, in a sentence.
    folder
        Its working folder, which is a cell's; None for settings of which no cell can be built.
    """

    number: int
    settings: Mapping[str, Any]
    value: float | None
    state: TrialState
    error: str | None = None
    folder: Path | None = None


class CellFacts(Protocol):
    """How a cell was made; the record that lies in its folder tells it."""

    @property
    def seconds(self) -> float: ...
    @property
    def attempts(self) -> int: ...
    @property
    def machine(self) -> str | None: ...
    @property
    def versions(self) -> Mapping[str, str]: ...


def curve_of(cell: CellResult) -> Sequence[CurvePoint]:
    """Return the learning curve of a cell from its folder; empty where there is none.

    Raises
    ------
    ArtefactError
        If the weights or their record are damaged.
    """
    place = Workdir(cell.folder)
    return TrainedNetwork(place, CELL_NAME).learning_curve if weights_exist(place, CELL_NAME) else ()


def facts_of_cell(cell: CellResult | Trial) -> CellFacts | None:
    """Return how a cell, or that of a trial, was made; None if it was never begun.

    Raises
    ------
    ArtefactError
        If its record is damaged.
    """
    return None if cell.folder is None else read_cell_record(cell.folder)


@dataclass(frozen=True, eq=False)
class StudyResults:
    """A study with its results.

    Attributes
    ----------
    name, about
        What it is called, and the question that it asks.
    cells
        Every cell, in the order of the plan.
    file
        The study file, as it is named in commands.
    folder
        Where its results are; figures go to figures/ in it.
    workdir
        The folder that `folder` is in, as it is named in commands.
    read_outs
        Those of the study; the first is told first.
    score_on
        Which images were scored.
    shared
        Settings that all cells share, as they were given.
    log_keys
        Varied keys whose range was logarithmic.
    rule_files
        Rules in files, which only run where they are named: `--run-rule`.
    trials
        Those of a search, in order.
    importances
        By key, how much it matters for being among the best trials, from 0 to 1.
    best_study
        The study file that tests the best settings of a search; None before there is one.
    load_correct, load_curve, load_courses, load_facts
        Read of a cell where it was right, its learning curve, what it knew after each stage, and how it, or that of a
        trial, was made.
    """

    name: str
    cells: tuple[CellResult, ...]
    about: str = ""
    file: Path | None = None
    folder: Path = Path()
    workdir: Path = Path()
    read_outs: tuple[Classifier, ...] = CLASSIFIERS
    score_on: ScoredSplit = "test"
    shared: Mapping[str, Any] = field(default_factory=dict)
    log_keys: frozenset[str] = frozenset()
    rule_files: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    best_study: Path | None = None
    load_correct: LoadCorrect | None = load_correct
    load_curve: Callable[[CellResult], Sequence[CurvePoint]] = curve_of
    load_courses: LoadCourses = courses_of
    load_facts: Callable[[CellResult | Trial], CellFacts | None] = facts_of_cell

    def table(self, *, against: Sequence[str] = (), read_outs: Sequence[Classifier] = ()) -> StudyTable:
        """Summarize the cells: a row for each setting, and differences to a baseline such as `rule=triplet`.

        Raises
        ------
        ConfigError
            If the baseline is none of the study.
        DataError
            If there is no cell.
        """
        if not self.cells and self.trials:
            raise DataError(
                f"'{self.name}': the study has no grid, only a search, and a table needs cells; look at it by "
                "`snstdp study plot` and `snstdp study show`"
            )
        return make_table(
            self.cells,
            read_outs=read_outs or self.read_outs,
            against=against,
            load_correct=self.load_correct,
            load_stages=self.load_courses,
        )


def gather_results(study: Study, storage: str | None = None) -> StudyResults:
    """Read from its folder what became of a study, and of its search if it has one.

    Parameters
    ----------
    storage
        A database with the trials, in the place of the journal in the folder.

    Raises
    ------
    SnstdpError
        If the trials of a search cannot be read.
    """
    file = study.file
    results = StudyResults(
        name=study.name,
        cells=tuple(load_results(study)),
        about=file.about,
        file=study.path,
        folder=study.folder,
        workdir=study.workdir,
        read_outs=file.read_outs,
        score_on=file.score_on,
        shared=study.base,
        log_keys=_log_keys(file),
        rule_files=study.rule_files,
    )
    if file.search is None:
        return results

    from snstdp_cli.studies.search.cells import folder_of_trial
    from snstdp_cli.studies.search.study import BEST_STUDY, load_search

    found, best = load_search(study, storage), study.folder / BEST_STUDY
    trials = tuple(
        Trial(one.number, one.settings, one.value, one.state, one.error, folder_of_trial(study, one))
        for one in found.trials
    )
    return replace(results, trials=trials, importances=found.importances, best_study=best if best.is_file() else None)


def _log_keys(file: StudyFile) -> frozenset[str]:
    """Return the keys whose range is logarithmic, of the grid and of the search."""
    ranges = [*file.vary.items(), *(() if file.search is None else file.search.space.items())]
    return frozenset(key for key, one in ranges if isinstance(one, Mapping) and one.get("scale") == "log")
