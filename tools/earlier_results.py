"""What is published already, of which a working folder may hold only a part: results of other machines are kept."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from snstdp_cli.plots.studies.courses import has_stages
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import setting_key

_DAY = "%d %B %Y"


@dataclass(frozen=True)
class EarlierResults:
    """The parts of a page by study, and by study and cell the raw records of what was finished.

    A cell is named by the fingerprint of its experiment: what a study asks for now and did not ask for then is no part
    of its results.
    """

    sections: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def made(self, name: str) -> tuple[str | None, list[date]]:
        """Return the machine that a study's part of the page names, None if none, and the days."""
        found = re.search(
            r"^`snstdp study run .*`; (.+?)((?:(?:, | to )\d\d [A-Z][a-z]+ \d{4})*)$", self._text(name), re.M
        )
        if found is None:
            return None, []
        days = re.findall(r"\d\d [A-Z][a-z]+ \d{4}", found[2])
        return found[1], [datetime.strptime(day, _DAY).date() for day in days]

    def keeps(self, results: StudyResults) -> bool:
        """Tell whether a study's part of the page stays as it is.

        It does where nothing that was measured since adds to it, and the records do not hold all that it tells: what
        became of a search, what was known after each stage, and single images, by which single seeds are compared.
        """
        if not results.cells:  # a search
            told = re.search(r"^(\d+) of \d+ trials have .*?(\d+) promised", self._text(results.name), re.M)
            ended = sum(trial.state in ("finished", "pruned") for trial in results.trials)
            return told is not None and int(told[1]) + int(told[2]) > ended
        known, new = self._known(results), {cell.cell for cell in results.cells if cell.state == "finished"}
        seeds = Counter(setting_key(cell.settings) for cell in results.cells if cell.cell in known)
        if any(map(has_stages, results.cells)):
            stays = not known.keys() <= new
        else:
            stays = 1 in seeds.values() and new < known.keys()
        return results.name in self.sections and stays

    def completes(self, results: StudyResults) -> StudyResults:
        """Return the results with what the records know of cells that are not finished."""
        known = self._known(results)
        cells = (
            _as_recorded(cell, known[cell.cell]) if cell.state != "finished" and cell.cell in known else cell
            for cell in results.cells
        )
        return replace(results, cells=tuple(cells))

    def _text(self, name: str) -> str:
        return self.sections.get(name, "")

    def _known(self, results: StudyResults) -> dict[str, Mapping[str, str]]:
        records = self.records.get(results.name, {})
        known = {cell.cell: records[cell.cell] for cell in results.cells if cell.cell in records}
        return {name: row for name, row in known.items() if row["score_on"] == results.score_on}


def read_earlier(page: Path) -> EarlierResults:
    """Return what a page and the records in the folder of its name say; nothing where there is no page."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    parts = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)[1:]
    sections = {name: f"## {name}{part.rstrip()}" for name, part in zip(parts[::2], parts[1::2], strict=True)}
    return EarlierResults(sections, {path.stem: _finished(path) for path in page.with_suffix("").glob("*.csv")})


def _finished(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        # Those of a search are of trials.
        return {row["cell"]: row for row in csv.DictReader(file) if "cell" in row and row["state"] == "finished"}


def _as_recorded(cell: CellResult, row: Mapping[str, str]) -> CellResult:
    """Return a cell with the results of its record, whose columns stand in the order of `long_records`.

    What it knew after each stage is no figure of it.
    """
    columns = list(row)
    num_examples, first = columns.index("chance") + 1, columns.index("chance") + 2
    figures = {name.removeprefix("figure."): row[name] for name in columns[first : columns.index("error")]}
    accuracies = {name.removeprefix("accuracy_"): row[name] for name in columns if name.startswith("accuracy_")}
    return replace(
        cell,
        state="finished",
        accuracies={name: float(value) for name, value in accuracies.items() if value},
        chance=float(row["chance"]),
        num_examples=int(row[columns[num_examples]]),
        figures={name: float(value) for name, value in figures.items() if value and "_after_stage_" not in name},
        error=None,
    )
