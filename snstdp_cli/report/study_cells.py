"""The parts of a study's report about its cells: what became of each, failures, time, versions and machines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from snstdp_cli.config import setting_leaves
from snstdp_cli.errors import SnstdpError
from snstdp_cli.report.markup import Cell, Markup, duration, percent, table, tag
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.results import CellFacts, StudyResults, Trial
from snstdp_cli.studies.statistics import describe_settings, show_value, varied_keys

#: More rows could not be read; the long table holds all.
_MAX_CELLS, _MAX_FAILURES = 2000, 100

#: How cells were made, by cell.
Facts = Mapping[str, CellFacts]


def facts_of(study: StudyResults) -> tuple[dict[str, CellFacts], list[str]]:
    """Return how each cell and that of each trial was made, as far as it is written down, and what cannot be read."""
    facts, problems = dict[str, CellFacts](), list[str]()
    made: list[CellResult | Trial] = [*study.cells, *study.trials]
    for cell in made:
        try:
            found = study.load_facts(cell)
        except SnstdpError as error:
            problems.append(str(error))
            continue
        if found is not None:
            facts[name_of(cell)] = found
    return facts, problems


def name_of(cell: CellResult | Trial) -> str:
    """Return the name of a cell, or of that of a trial; nothing for a trial that has none."""
    if isinstance(cell, CellResult):
        return cell.cell
    return "" if cell.folder is None else cell.folder.name


def cells_section(study: StudyResults, facts: Facts) -> list[Markup]:
    """Return a row for each cell."""
    if not study.cells:
        return []
    keys, chosen = varied_keys(study.cells), study.cells[:_MAX_CELLS]
    columns = ("cell", *keys, "seed", "state", *(f"accuracy, {key}" for key in study.read_outs), "time", "machine")
    rows = [_cell_row(cell, keys, study, facts.get(cell.cell)) for cell in chosen]
    more = len(study.cells) - len(chosen)
    parts = [table(columns, rows, "Each cell is a working folder of its own, below cells/ in the folder of the study")]
    if more:
        text = f"{more:,} cells more: snstdp study table --long lists all of them."
        parts.append(tag("p", text, class_="note"))
    return parts


def failures(study: StudyResults) -> list[Markup]:
    """Return why each failed cell and trial failed."""
    cells = [cell for cell in study.cells if cell.state == "failed"]
    trials = [trial for trial in study.trials if trial.state == "failed"]
    retry = "snstdp study run FILE --retry tries them again."
    return [
        *_failed(cells, [f"{describe_settings(cell.settings)}, seed {cell.seed}" for cell in cells], "Cells", retry),
        *_failed(trials, [f"trial {one.number}: {describe_settings(one.settings)}" for one in trials], "Trials", ""),
    ]


def _failed(failed: Sequence[CellResult | Trial], names: Sequence[str], kind: str, advice: str) -> list[Markup]:
    if not failed:
        return []
    rows = [
        (name, name_of(one) or "–", one.error or "no reason is written down")
        for name, one in list(zip(names, failed, strict=True))[:_MAX_FAILURES]
    ]
    cut = f"The first {len(rows)} of {len(failed):,}." if len(failed) > len(rows) else ""
    note = " ".join(filter(None, (cut, advice)))
    rest = [tag("p", note, class_="note")] if note else []
    return [table(("setting", "cell", "what went wrong"), rows, f"{kind} that failed"), *rest]


def provenance(study: StudyResults, facts: Facts, problems: Sequence[str]) -> list[Markup]:
    """Return time spent, machines and versions, and the settings that all cells share."""
    parts = [tag("p", text, class_="missing") for text in problems[:_MAX_FAILURES]]
    if facts:
        parts += [_machines(facts), _versions(facts)]
    else:
        parts.append(tag("p", "Nothing is written down about time, versions and machines.", class_="missing"))
    if study.shared:
        rows = [(key, show_value(value)) for key, value in setting_leaves(study.shared)]
        parts.append(table(("setting", "value"), rows, "Settings of all cells", class_="settings"))
    return parts


def _cell_row(
    cell: CellResult, keys: Sequence[str], study: StudyResults, facts: CellFacts | None
) -> tuple[object, ...]:
    accuracies = [cell.accuracies.get(key) for key in study.read_outs]
    return (
        cell.cell,
        *(show_value(cell.settings[key]) if key in cell.settings else "–" for key in keys),
        Cell(str(cell.seed), cell.seed),
        cell.state,
        *(Cell("–") if value is None else Cell(percent(value, 2), value) for value in accuracies),
        time_cell(facts),
        "–" if facts is None or facts.machine is None else facts.machine,
    )


def time_cell(facts: CellFacts | None) -> Cell:
    """Return how long a cell took."""
    return Cell("–") if facts is None else Cell(duration(facts.seconds), facts.seconds)


def _machines(facts: Facts) -> Markup:
    seconds, cells, again = defaultdict[str, float](float), Counter[str](), Counter[str]()
    for one in facts.values():
        name = one.machine or "not written down"
        seconds[name] += one.seconds
        cells[name] += 1
        again[name] += max(0, one.attempts - 1)
    rows = [
        (
            name,
            Cell(f"{cells[name]:,}", cells[name]),
            Cell(duration(seconds[name]), seconds[name]),
            Cell(f"{again[name]:,}", again[name]),
        )
        for name in sorted(cells)
    ]
    return table(
        ("machine", "cells", "computing time", "resumed or tried again"), rows, "Machines of the last attempts"
    )


def _versions(facts: Facts) -> Markup:
    counted: dict[str, Counter[str]] = {}
    for one in facts.values():
        for key, value in one.versions.items():
            counted.setdefault(key, Counter())[value] += 1
    rows = [
        (key.replace("_", " "), "; ".join(_version(value, num, len(values)) for value, num in values.most_common()))
        for key, values in counted.items()
    ]
    return table(("software", "version"), rows, "Versions that the cells were made with", class_="facts")


def _version(value: str, num: int, others: int) -> str:
    return value if others == 1 else f"{value} ({num:,} cell{'s' * (num != 1)})"
