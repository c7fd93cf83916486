"""Accuracy of each setting of a study, as bars below each other."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import Classifier, read_out_title
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.plots.studies.wording import describe, over_seeds, seeds_by_setting
from snstdp_cli.studies.results import StudyResults
from snstdp_cli.studies.statistics import setting_key, show_value, summarize, varied_keys

_MAX_ROWS = 60


def draw_categories(study: StudyResults, read_outs: Sequence[Classifier]) -> Figure:
    """Draw a bar for each setting and read-out, with its interval and its seeds.

    Raises
    ------
    DataError
        If no cell is finished, or there are more settings than fit on a figure.
    """
    rows = [row for row in summarize(study.cells, read_outs) if all(row.estimates[key] for key in read_outs)]
    if not rows:
        raise DataError(f"nothing to draw: no cell of '{plain(study.name)}' is finished; run the study first")
    if len(rows) > _MAX_ROWS:
        raise DataError(
            f"{len(rows)} settings do not fit below each other, expected at most {_MAX_ROWS}; use the table"
        )
    keys = varied_keys(study.cells)
    alone = keys[0] if len(keys) == 1 else None
    seeds = {key: seeds_by_setting(study, key) for key in read_outs}
    drawn = []
    for row in rows:
        bars = []
        for key in read_outs:
            found, single = row.estimates[key], seeds[key][setting_key(row.settings)]
            assert found is not None
            low, high = found.ci95 or (found.mean, found.mean)
            bars.append(drawing.Bar(found.mean, (max(0.0, low), min(1.0, high)), single if len(single) > 1 else ()))
        drawn.append((describe(study, row.settings) if alone is None else show_value(row.settings[alone]), bars))
    chances = [row.chance for row in rows]
    known = [chance for chance in chances if chance is not None]
    of_each = "" if alone is None else f" for each {plain(alone, 40)}"
    title = f"{plain(study.name, 40)}: accuracy{of_each}, {over_seeds(row.finished for row in rows)}"
    return drawing.accuracy_bars(
        drawn,
        [read_out_title(key) for key in read_outs],
        chances=known if len(known) == len(rows) else None,
        title=title,
    )
