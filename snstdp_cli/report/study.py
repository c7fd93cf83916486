"""The report of a study: its question, its table, its figures, and every cell behind them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from snstdp_cli.errors import SnstdpError
from snstdp_cli.evaluation import read_out_title
from snstdp_cli.plots import render_figure
from snstdp_cli.plots.drawing.style import DARK, LIGHT, Theme, use_theme
from snstdp_cli.plots.studies import StudyKind, draw_study, kinds_of
from snstdp_cli.report.document import Section, html_document
from snstdp_cli.report.embedding import data_uri
from snstdp_cli.report.markup import Cell, Markup, duration, interval_text, number, percent, signed, table, tag
from snstdp_cli.report.study_cells import Facts, cells_section, facts_of, failures, name_of, provenance, time_cell
from snstdp_cli.report.study_commands import commands
from snstdp_cli.studies.differences import Difference
from snstdp_cli.studies.formats import Shown
from snstdp_cli.studies.intervals import Estimate
from snstdp_cli.studies.results import StudyResults, Trial
from snstdp_cli.studies.statistics import SettingRow, describe_settings, show_value
from snstdp_cli.studies.tables import StudyTable
from snstdp_cli.studies.text_tables import count_cells, show_p, stage_tables

_MAX_TRIALS = 50
_PICTURES: dict[StudyKind, str] = {
    "lines": "Accuracy over the values of a setting. Lines are means over seeds, bands their 95 % t intervals, small "
    "points single seeds.",
    "categories": "Accuracy of each setting: means over seeds with 95 % t intervals, and single seeds as small points.",
    "heatmap": "Mean accuracy over seeds for each pair of values; the best is framed.",
    "curves": "Accuracy on withheld training images during the training: means over seeds, each seed as a "
    "thin line, and 95 % t intervals where there are few curves.",
    "stages": "Accuracy on test images of all classes seen so far, after each stage of a training that shows one class "
    "or data set after the other: means over seeds, bands their 95 % t intervals.",
    "history": "The search: accuracy of each trial on validation images, and the best finished one so far.",
    "importance": "How much each setting mattered for being among the best trials (PED-ANOVA).",
    "parallel": "Every trial as a line through its settings, in the colour of its accuracy on validation images.",
}
_MEASURED = (
    "Accuracy is the share of images that were right; a row is the mean over seeds of otherwise equal cells, with the "
    "sample standard deviation and Student's 95 % interval of the mean. Neurons are labelled by their responses to "
    "training images. Chance is what always answering the commonest class would get right."
)
_COMPARED = (
    "Differences are paired: within each seed, on the same images, accuracy minus that of the baseline, in points of "
    "percent. Where several seeds are complete, interval and p are those of Student's t test of these differences, and "
    "d_z is their mean divided by their standard deviation; with a single one they are McNemar's, over its images. "
    "Holm's p is corrected for all {num} comparisons of this table."
)


def render_study(study: StudyResults, *, against: Sequence[str] = ()) -> str:
    """Return the page.

    Parameters
    ----------
    against
        The baseline of the differences as `KEY=VALUE`; without it none are told.

    Raises
    ------
    ConfigError
        If the baseline is none of the study.
    ArtefactError
        If the page would be too large.
    """
    summary = study.table(against=against) if study.cells else None
    facts, problems = facts_of(study)
    of_cells = study.cells or not study.trials  # a search without a grid has nothing to say there
    result = [] if summary is None else _result(study, summary)
    sections = [
        Section("question", "Question", _question(study, [one.seconds for one in facts.values()])),
        *([Section("result", "Result", result, _MEASURED, _NO_CELLS)] if of_cells else []),
        *([Section("differences", "Differences", _differences(summary), nothing=_NO_BASELINE)] if of_cells else []),
        *([Section("stages", "Stages", stages)] if (stages := _stages(summary)) else []),
        Section("figures", "Figures", _figures(study)),
        *([Section("search", "Search", _trials(study.trials, facts))] if study.trials else []),
        *([Section("cells", "Cells", cells_section(study, facts), nothing=_NO_CELLS)] if of_cells else []),
        Section("failures", "Failures", failures(study), nothing="No cell failed."),
        Section("provenance", "Time, versions and machines", provenance(study, facts, problems)),
        Section("commands", "Make it again", commands(study, against)),
    ]
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return html_document(study.name, sections, created, advice="split the study into smaller ones")


_NO_CELLS = "The study has no cells."
_NO_BASELINE = "No baseline was named: snstdp study report FILE --against KEY=VALUE compares every setting with one."


def _question(study: StudyResults, seconds: Sequence[float]) -> list[Markup]:
    texts = [tag("p", text) for text in study.about.split("\n\n") if text.strip()]
    facts = [
        *(_cell_facts(study) if study.cells or not study.trials else []),
        *(_trial_facts(study.trials) if study.trials else []),
        *([("computing time", duration(sum(seconds)))] if seconds else []),
    ]
    told_facts = tag("dl", [[tag("dt", key), tag("dd", value)] for key, value in facts])
    missing = tag("p", "The study file does not say what it asks (about:).", class_="missing")
    return [*(texts or [missing]), told_facts]


_UNFINISHED = ("failed", "running", "interrupted", "missing")
_VALIDATION = "training images withheld for validation"


def _cell_facts(study: StudyResults) -> list[tuple[str, str]]:
    done = sum(cell.state == "finished" for cell in study.cells)
    rest = [(state, sum(cell.state == state for cell in study.cells)) for state in _UNFINISHED]
    counts = [f"{done:,} of {len(study.cells):,} finished", *(f"{num:,} {state}" for state, num in rest if num)]
    return [
        ("cells", ", ".join(counts)),
        ("seeds", ", ".join(map(str, sorted({cell.seed for cell in study.cells})[:20])) or "none"),
        ("scored on", "test images" if study.score_on == "test" else _VALIDATION),
    ]


def _trial_facts(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    counts = Counter(trial.state for trial in trials)
    return [
        ("trials", ", ".join(f"{num:,} {state}" for state, num in counts.items())),
        ("trials scored on", _VALIDATION),
    ]


def _result(study: StudyResults, summary: StudyTable) -> list[Markup]:
    keys = summary.keys or ["setting"]
    columns = [*keys, "cells"]
    for read_out in summary.read_outs:
        columns += [f"accuracy, {read_out_title(read_out)}", "standard deviation"]
    rows = [_row(row, summary) for row in summary.rows]
    warnings = [tag("p", f"{text[:1].upper()}{text[1:]}.", class_="warning") for text in summary.warnings]
    caption = f"{plural(len(rows), 'setting')} of {study.name}; the best by each read-out is bold"
    return [*warnings, table([*columns, "chance"], rows, caption)]


def plural(num: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{num:,} {noun}" + ("" if num == 1 else "s")


def _row(row: SettingRow, summary: StudyTable) -> list[object]:
    cells: list[object] = [_setting_cell(row.settings.get(key)) for key in summary.keys] or [Cell("all")]
    cells.append(Cell(count_cells(row), row.finished))
    for read_out in summary.read_outs:
        found = row.estimates.get(read_out)
        cells += [_accuracy_cell(found, read_out in row.best), _sd_cell(found)]
    return [*cells, Cell("–") if row.chance is None else Cell(percent(row.chance), row.chance)]


def _setting_cell(value: object) -> Cell:
    if value is None:
        return Cell("–")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(show_value(value), float(value) if is_number else None)  # type: ignore[arg-type]


def _accuracy_cell(found: Estimate | None, best: bool) -> Cell:
    if found is None:
        return Cell("–")
    mean = percent(found.mean, 2)
    interval = [] if found.ci95 is None else [" ", interval_text(found.ci95)]
    return Cell([tag("strong", mean) if best else mean, *interval], found.mean)


def _sd_cell(found: Estimate | None) -> Cell:
    return Cell("–") if found is None or found.sd is None else Cell(percent(found.sd, 2), found.sd)


def _differences(summary: StudyTable | None) -> list[Markup]:
    if summary is None or not summary.differences:
        return []
    columns = ["setting", "read-out", "seeds", "difference", "d_z", "p", "Holm's p"]
    noted = any(one.note for one in summary.differences)
    rows = [[*_difference_row(one), *([one.note or ""] if noted else [])] for one in summary.differences]
    num = sum(bool(one.seeds) for one in summary.differences)
    caption = f"Each setting minus {describe_settings(summary.against)}, equal in all else"
    columns += ["note"] if noted else []
    return [table(columns, rows, caption), tag("p", _COMPARED.format(num=num), class_="note")]


def _difference_row(one: Difference) -> list[object]:
    points: object = "–"
    if one.mean is not None:
        limits = [] if one.ci95 is None else [" ", tag("span", _limits(one.ci95), class_="interval-text")]
        points = Cell([signed(100 * one.mean), *limits], one.mean)
    return [
        describe_settings(one.settings),
        read_out_title(one.read_out),
        Cell(str(len(one.seeds)), len(one.seeds)),
        points,
        Cell("–") if one.effect_size is None else Cell(signed(one.effect_size), one.effect_size),
        *(Cell(show_p(p), p) for p in (one.p_value, one.p_holm)),
    ]


def _stages(summary: StudyTable | None) -> list[Markup]:
    """Return what was known after each stage of trainings that show one class, or data set, after the other."""
    tables = [] if summary is None else stage_tables(summary)
    return [table(one.columns, [[_shown_cell(cell) for cell in row] for row in one.rows], one.title) for one in tables]


def _shown_cell(shown: Shown) -> Cell:
    """Return a cell of a text table; it is sorted by the number that it begins with."""
    begin = re.match(r"[<\s]*([+-]?\d+(\.\d+)?)", shown.text.replace("−", "-")) if shown.number else None
    return Cell(shown.text, None if begin is None else float(begin[1]))


def _limits(limits: tuple[float, float]) -> str:
    return " to ".join(signed(100 * limit) for limit in limits)


def _figures(study: StudyResults) -> list[Markup]:
    """Draw what there is to draw; the one that fits the study says why it is missing."""
    parts = []
    for kind in kinds_of(study):
        try:
            parts.append(_picture(study, kind))
        except SnstdpError as error:
            parts.append(tag("p", f"{kind}: {error}", class_="missing"))
    return [tag("div", parts, class_="figures pictures")] if parts else []


def _picture(study: StudyResults, kind: StudyKind) -> Markup:
    light, dark = [_png(study, kind, theme) for theme in (LIGHT, DARK)]
    source = tag("source", srcset=data_uri(dark), media="(prefers-color-scheme: dark)")
    image = tag("img", src=data_uri(light), alt=_PICTURES[kind])
    return tag("figure", tag("picture", source, image), tag("figcaption", _PICTURES[kind]), class_="picture")


def _png(study: StudyResults, kind: StudyKind, theme: Theme) -> bytes:
    with use_theme(theme):
        return render_figure(draw_study(study, kind), "png")


def _trials(trials: Sequence[Trial], facts: Facts) -> list[Markup]:
    """Return the best trials, best first; those without a value last."""
    ordered = sorted(trials, key=lambda trial: (trial.state != "finished", -(trial.value or 0.0), trial.number))
    keys = list(dict.fromkeys(key for trial in trials for key in trial.settings))
    rows = [
        [
            Cell(str(trial.number), trial.number),
            Cell("–") if trial.value is None else Cell(percent(trial.value, 2), trial.value),
            trial.state,
            *(_setting_cell(trial.settings.get(key)) for key in keys),
            name_of(trial) or "–",
            time_cell(facts.get(name_of(trial))),
        ]
        for trial in ordered[:_MAX_TRIALS]
    ]
    caption = (
        f"The best of {number(len(trials))} trials by accuracy on validation images; pruned ones by the end of their "
        "learning curves"
    )
    return [table(("trial", "accuracy", "state", *keys, "cell", "time"), rows, caption)]
