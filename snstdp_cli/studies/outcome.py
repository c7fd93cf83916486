"""A study as tables, figures and the report look at it: what was asked, and what became of each cell and trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from snstdp_cli.artefacts import Workdir, list_weights
from snstdp_cli.evaluation import CLASSIFIERS, Classifier, CurvePoint
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.differences import LoadCorrect
from snstdp_cli.studies.tables import StudyTable, make_table


class Trial(NamedTuple):
    """One attempt of a search: its value is an accuracy on validation images, None before there is one."""

    number: int
    settings: Mapping[str, Any]
    value: float | None
    state: Literal["finished", "pruned", "failed", "running"]


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
    names = list_weights(place)
    return TrainedNetwork(place, names[0]).learning_curve if len(names) == 1 else ()


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
    read_outs
        Those of the study; the first is told first.
    score_on
        Which images were scored.
    shared
        Settings that all cells share, as they were given.
    log_keys
        Varied keys whose range was logarithmic.
    trials
        Those of a search, in order.
    importances
        By key, how much of the variance of a search's values it explains, from 0 to 1.
    load_correct, load_curve, load_facts
        Read of a cell where it was right, its learning curve, and how it was made.
    """

    name: str
    cells: tuple[CellResult, ...]
    about: str = ""
    file: Path | None = None
    folder: Path = Path()
    read_outs: tuple[Classifier, ...] = CLASSIFIERS
    score_on: Literal["test", "validation"] = "test"
    shared: Mapping[str, Any] = field(default_factory=dict)
    log_keys: frozenset[str] = frozenset()
    trials: tuple[Trial, ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    load_correct: LoadCorrect | None = None
    load_curve: Callable[[CellResult], Sequence[CurvePoint]] = curve_of
    load_facts: Callable[[CellResult], CellFacts | None] = lambda cell: None

    def table(self, *, against: Sequence[str] = (), read_outs: Sequence[Classifier] = ()) -> StudyTable:
        """Summarize the cells: a row for each setting, and differences to a baseline such as `rule=triplet`.

        Raises
        ------
        ConfigError
            If the baseline is none of the study.
        DataError
            If there is no cell.
        """
        return make_table(
            self.cells, read_outs=read_outs or self.read_outs, against=against, load_correct=self.load_correct
        )
