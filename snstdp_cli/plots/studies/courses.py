"""Accuracy while a network learned: its learning curve, and what it knew after each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from snstdp_cli.config import STAGED_ORDERS
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, CurvePoint
from snstdp_cli.plots.drawing.studies import Curve, Line, Place, learning_curves, lines_over_stages
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.plots.studies.wording import describe, left_out, over_seeds
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.intervals import estimate
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.stages import load_courses, summarize_stages
from snstdp_cli.studies.statistics import group_settings

#: Bands of more curves than these cover each other.
_MAX_BANDS = 4


def draw_curves(study: StudyResults) -> Figure:
    """Draw the learning curve of each setting.

    Raises
    ------
    DataError
        If no finished cell has one.
    """
    curves = []
    for group in group_settings(study.cells):
        known = [points for cell in group if cell.state == "finished" and (points := study.load_curve(cell))]
        if known:
            curves.append(_curve(describe(study, group[0].settings), known))
    if not curves:
        raise DataError(
            "no learning curves: no cell is finished, or none was trained with evaluation.curve_every below "
            "num_examples"
        )
    means = over_seeds(len(curve.seeds) for curve in curves)
    if len(curves) > _MAX_BANDS:
        means = "mean over seeds, each seed as a thin line"
        curves = [replace(one, places=tuple(replace(place, interval=None) for place in one.places)) for one in curves]
    return learning_curves(curves, title=f"{plain(study.name, 40)}: accuracy on withheld training images, {means}")


def _curve(name: str, seeds: Sequence[Sequence[CurvePoint]]) -> Curve:
    """Take the mean at each number of examples that every seed has."""
    by_examples = [{point.examples: point.accuracy for point in points} for points in seeds]
    shared = sorted(set.intersection(*(set(one) for one in by_examples)))
    places = []
    for examples in shared:
        found = estimate([one[examples] for one in by_examples])
        assert found is not None
        places.append(Place(examples, found.mean, found.ci95))
    each = tuple((tuple(float(e) for e in one), tuple(one.values())) for one in by_examples)
    return Curve(name, tuple(places), each)


def has_stages(cell: CellResult) -> bool:
    """Tell whether a cell learns its classes or its data sets one after the other."""
    return cell.experiment is not None and cell.experiment.order in STAGED_ORDERS


def draw_stages(study: StudyResults, read_outs: Sequence[Classifier]) -> Figure:
    """Draw what each setting knew after each stage, by the first of the read-outs that has answers of all stages.

    Raises
    ------
    DataError
        If no finished cell has stages.
    """
    courses, _ = load_courses(study.cells, study.load_courses)
    rows = summarize_stages(study.cells, courses, read_outs)
    if not rows:
        raise DataError(
            "no stages: no finished cell has learned its classes or data sets one after the other "
            f"(`order: by_class` or `by_data`), with answers by {' or '.join(read_outs)}"
        )
    alike = [row for row in rows if row.learned == rows[0].learned]
    lines = [
        Line(
            describe(study, row.settings),
            tuple(Place(k, one.mean, one.ci95) for k, one in enumerate(row.accuracies)),
        )
        for row in alike
    ]
    title = f"{plain(study.name, 40)}: accuracy by {rows[0].read_out} on all classes seen so far"
    title += f"\n{over_seeds(row.online_accuracy.num_seeds for row in rows)}"
    title += left_out(len(rows) - len(alike), "with other stages")
    return lines_over_stages(lines, rows[0].learned, title=title)
