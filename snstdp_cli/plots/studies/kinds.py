"""The kinds of figures of a study, which of them fits it, and how each is drawn."""

from __future__ import annotations

from typing import Literal, get_args

from matplotlib.figure import Figure

from snstdp_cli.evaluation import Classifier
from snstdp_cli.plots.studies.axes import is_grid, is_numeric, numbers_of
from snstdp_cli.plots.studies.categories import draw_categories
from snstdp_cli.plots.studies.courses import draw_curves, draw_stages, has_stages
from snstdp_cli.plots.studies.lines import draw_heat_map, draw_lines
from snstdp_cli.plots.studies.searches import draw_search
from snstdp_cli.studies.baseline import resolve_key
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import varied_keys

StudyKind = Literal["lines", "categories", "heatmap", "curves", "stages", "history", "importance", "parallel"]
#: What can be drawn of a study.
STUDY_KINDS: tuple[StudyKind, ...] = get_args(StudyKind)


def choose_kind(study: StudyResults, x: str | None = None) -> StudyKind:
    """Return which kind shows what a study varies: two numbers a heat map, one number lines, all else categories.

    Parameters
    ----------
    x
        The key along the axis, if it was asked for.

    Raises
    ------
    ConfigError
        If the study does not vary this key.
    """
    settings = [cell.settings for cell in study.cells]
    if x is not None:
        key = resolve_key(x, settings, "--x")
        return "lines" if is_numeric(study.cells, key) else "categories"
    numeric = [key for key in varied_keys(study.cells) if is_numeric(study.cells, key)]
    fine = [key for key in numeric if len(numbers_of(study.cells, key)) > 2]
    if len(fine) == 2 and is_grid(study.cells, fine):
        return "heatmap"
    return "lines" if numeric else "categories"


def kinds_of(study: StudyResults) -> list[StudyKind]:
    """Return every kind that a study may have something for, the one that fits it best first."""
    kinds: list[StudyKind] = [choose_kind(study), "curves"] if study.cells else []
    kinds += ["stages"] if any(has_stages(cell) for cell in study.cells) else []
    kinds += ["history", "parallel"] if study.trials else []
    return [*kinds, "importance"] if study.importances else kinds


def draw_study(
    study: StudyResults, kind: StudyKind, *, read_out: Classifier | None = None, x: str | None = None
) -> Figure:
    """Draw a figure of a study.

    Parameters
    ----------
    read_out
        Which accuracy; the study's first without it, but categories show all of the study's.
    x
        The key along the axis of lines, or the horizontal one of a heat map; the one with most values without it.

    Raises
    ------
    DataError
        If there is nothing to draw yet, or too much for one figure.
    ConfigError
        If the study does not vary the key.
    """
    shown = study.read_outs if read_out is None else (read_out,)
    read_out = shown[0]
    key = None if x is None else resolve_key(x, [cell.settings for cell in study.cells], "--x")
    if kind == "lines":
        return draw_lines(study, read_out, key)
    if kind == "heatmap":
        return draw_heat_map(study, read_out, key)
    if kind == "categories":
        return draw_categories(study, shown)
    if kind == "curves":
        return draw_curves(study)
    if kind == "stages":
        return draw_stages(study, shown)
    return draw_search(study, kind)
