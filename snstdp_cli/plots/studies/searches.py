"""Trials of a search: how far it came, which settings mattered, and where the good ones are."""

from __future__ import annotations

from typing import Literal

from matplotlib.figure import Figure

from snstdp_cli.errors import DataError
from snstdp_cli.plots.drawing.searches import SearchAxis, parallel_coordinates, parameter_importance, search_history
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.studies.results import StudyResults

SearchKind = Literal["history", "importance", "parallel"]


def draw_search(study: StudyResults, kind: SearchKind) -> Figure:
    """Draw the trials of a search.

    Raises
    ------
    DataError
        If there are none.
    """
    if not study.trials:
        raise DataError(f"{kind}: the study has no trials: it has no `search`, or the search has not begun")
    name, trials = plain(study.name, 40), study.trials
    if kind == "history":
        states = [trial.state for trial in trials]
        title = f"{name}: search by accuracy on validation images"
        return search_history([t.number for t in trials], [t.value for t in trials], states, title=title)
    if kind == "importance":
        return parameter_importance(study.importances, title=f"{name}: importance of the settings")
    keys = list(dict.fromkeys(key for trial in trials for key in trial.settings))
    axes = [SearchAxis(key, tuple(t.settings.get(key) for t in trials), _is_log_axis(study, key)) for key in keys]
    # Those of trials that ended early are other measures: points of a curve, on fewer images.
    values = [trial.value if trial.state == "finished" else None for trial in trials]
    return parallel_coordinates(axes, values, title=f"{name}: settings of all trials")


def _is_log_axis(study: StudyResults, key: str) -> bool:
    values = [trial.settings[key] for trial in study.trials if key in trial.settings]
    return key in study.log_keys and all(isinstance(value, int | float) and value > 0 for value in values)
