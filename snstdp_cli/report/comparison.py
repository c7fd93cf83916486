"""The part of a report that puts networks and their recordings side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from snstdp_cli.config import Experiment, differing_settings, setting_notes
from snstdp_cli.evaluation import Classifier, Evaluation, read_out_title
from snstdp_cli.report.content import Content, Pair, Run
from snstdp_cli.report.markup import Cell, Markup, duration, interval_text, number, percent, signed, table, tag
from snstdp_cli.results import SeedGroup, differing_origins, differing_rows, group_seeds


def comparison(content: Content) -> list[Markup]:
    """Return the networks below each other, seeds together, and what tells each pair apart; none for one network."""
    parts = _recordings(content)
    if len(content.runs) < 2:
        return parts
    columns = (
        "network",
        "rule",
        "neurons",
        "training images",
        "scored on",
        *(f"accuracy, {read_out_title(c)}" for c in content.read_outs),
        "chance",
        "mean L1 norm",
        "training time",
        "seed",
    )
    scored = [run.score for run in content.runs if run.score is not None]
    different = _differing(content.runs)
    rows = [_comparison_row(run, apart, content.read_outs) for run, apart in zip(content.runs, different, strict=True)]
    parts.insert(0, table(columns, rows, "The networks side by side, with every setting in which any two differ"))
    groups = group_seeds(scored) if scored else []
    if several := [group for group in groups if len(group.scores) > 1]:
        parts.insert(1, _seed_table(several, content.read_outs))
    if copies := [copy for group in groups for copy in group.copies]:
        parts.append(tag("p", f"A copy of a network is no other seed: {'; '.join(copies)}.", class_="note"))
    if content.pairs:
        parts += _pairs(content.pairs)
    return parts


def _recordings(content: Content) -> list[Markup]:
    """Return a table of all recordings of networks that were recorded more than once."""
    several = [run for run in content.runs if len(run.scores) > 1]
    if not several:
        return []
    rows = []
    for run in several:
        for score, row in zip(run.scores, differing_rows(run.scores), strict=True):
            name = Cell([run.name, *(tag("small", note) for note in setting_notes(row))])
            rows.append((name, score.data, *(_accuracy_cell(score.evaluations[c]) for c in content.read_outs)))
    columns = ("network", "scored on", *(f"accuracy, {read_out_title(c)}" for c in content.read_outs))
    return [table(columns, rows, "All recordings, with the settings in which those of a network differ")]


def _differing(runs: Sequence[Run]) -> list[dict[str, object]]:
    """Return for each network in what any two differ: in settings, of the recording if there is one, and in origins."""
    known = [
        run.experiment if run.score is None or run.score.experiment is None else run.score.experiment for run in runs
    ]
    rows: list[dict[str, object]] = [dict(row) for row in differing_settings(known)]
    scored = [(row, run.score) for row, run in zip(rows, runs, strict=True) if run.score is not None]
    for (row, _), origins in zip(scored, differing_origins([score for _, score in scored]), strict=True):
        row.update(origins)
    return rows


def _comparison_row(run: Run, different: Mapping[str, object], read_outs: Sequence[Classifier]) -> tuple[object, ...]:
    experiment: Experiment | None = run.experiment
    figures = None if run.record is None else run.record.figures
    norm = None if run.weights is None else float(np.abs(run.weights.weights).sum(axis=0).mean())
    score = run.score
    return (
        Cell([run.name, *(tag("small", note) for note in setting_notes(different))]),
        "unknown" if experiment is None else experiment.rule.name,
        _number_cell(None if run.weights is None else run.network.n_e),
        _number_cell(None if figures is None else figures.examples),
        "not recorded" if score is None else f"{score.evaluation.num_examples:,} of {score.data}",
        *(Cell("not recorded") if score is None else _accuracy_cell(score.evaluations[c]) for c in read_outs),
        _number_cell(None if score is None else score.evaluation.chance, percent),
        _number_cell(norm, lambda v: f"{v:,.1f}"),
        _number_cell(None if run.record is None else run.record.duration_s, duration),
        _number_cell(None if experiment is None else experiment.seed),
    )


def _number_cell(value: float | None, shown: Callable[[float], str] = number) -> Cell:
    return Cell("unknown") if value is None or not math.isfinite(value) else Cell(shown(value), value)


def _accuracy_cell(result: Evaluation) -> Cell:
    return Cell([percent(result.accuracy, 2), " ", interval_text(result.ci95)], result.accuracy)


def _seed_table(groups: Sequence[SeedGroup], read_outs: Sequence[Classifier]) -> Markup:
    rows = []
    for group in groups:
        cells = []
        for classifier in read_outs:
            mean, sd = group.mean_and_sd(classifier)
            cells.append(Cell(f"{percent(mean, 2)} ± {percent(sd or 0.0, 2)}", mean))
        rows.append((Cell([", ".join(group.names)]), Cell(len(group.scores), len(group.scores)), *cells))
    columns = ("networks", "seeds", *(f"accuracy, {read_out_title(c)}" for c in read_outs))
    return table(columns, rows, "Networks that differ in nothing but the seed: mean ± standard deviation over seeds")


def _pairs(pairs: list[Pair]) -> list[Markup]:
    rows = [row for pair in pairs for row in _pair_rows(pair)]
    columns = ("networks", "read-out", "only first right", "only second right", "difference", "McNemar's p")
    reasons = [tag("p", f"{pair.a} and {pair.b}: {pair.missing}", class_="missing") for pair in pairs if pair.missing]
    if not rows:
        return reasons
    note = (
        "The difference is that of the accuracies, first minus second, in points of percent with its 95 % interval. "
        "McNemar's exact p is the chance of so uneven a split of the images that only one of the two got right, if "
        "both were equally good. It speaks of these trained networks on these images: whether one rule is better than "
        "another takes several seeds of each."
    )
    if len(pairs) > 1:
        note += f" The p-values are not corrected for the {len(pairs)} pairs compared."
    return [table(columns, rows, "Pairs on the same test images"), tag("p", note, class_="note"), *reasons]


def _pair_rows(pair: Pair) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for classifier, result in pair.comparisons.items():
        low, high = result.ci95
        interval = tag("span", f"{signed(100 * low)} to {signed(100 * high)}", class_="interval-text")
        rows.append(
            (
                Cell([f"{pair.a} − {pair.b}", tag("small", pair.data) if pair.data is not None else None]),
                classifier,
                Cell(f"{result.only_a:,}", result.only_a),
                Cell(f"{result.only_b:,}", result.only_b),
                Cell([signed(100 * result.difference), " ", interval], result.difference),
                Cell(f"{result.p_value:.2g}", result.p_value),
            )
        )
    return rows
