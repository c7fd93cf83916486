"""What `study run --dry-run` shows: the cells and trials that are left, and what they will take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snstdp_cli.cli.console import duration, print_json, print_line
from snstdp_cli.cli.study_search import show_search_plan, stored_search
from snstdp_cli.cli.study_state import tell_counts

if TYPE_CHECKING:
    from snstdp_cli.studies import CellResult, Study
    from snstdp_cli.studies.estimate import StudyEstimate


def show_plan(
    study: Study,
    workers: int,
    data_dir: Path | None,
    storage: str | None,
    *,
    retry: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """List the cells, and tell what those and the trials will take that are left."""
    from snstdp_cli.cli.live import steps
    from snstdp_cli.studies import cells_to_run, load_results
    from snstdp_cli.studies.estimate import estimate_study
    from snstdp_cli.studies.search.study import largest_trials

    results, search = load_results(study), stored_search(study, storage)
    left = cells_to_run(study, results, retry=retry)
    trials = [] if search is None else largest_trials(study, search)
    if not as_json:
        _list_cells(study, results)
        if search is not None:
            show_search_plan(search)
    with steps(quiet) as say:
        plan = estimate_study(left, workers, score_on=study.file.score_on, data_dir=data_dir, say=say)
        side_by_side = min(workers, (study.file.search and study.file.search.parallel) or workers)
        searching = estimate_study(trials, side_by_side, score_on="validation", data_dir=data_dir, say=say)
    if as_json:
        cells = [{"cell": c.id, "settings": c.settings, "seed": c.seed} for c in study.cells]
        further = {} if search is None else {"search": _as_json(searching)}
        print_json({"cells": cells, "workers": workers, **_as_json(plan), **further})
        return
    if left:
        print_line(f"{len(left):,} to run: about {_told(plan)} (measured on {plan.measured} networks)")
    if trials:
        told = _told(searching)
        print_line(f"{len(trials):,} trials to run: about {told}, if all are of the largest size and none ends early")
    if not (left or trials):
        print_line("nothing is left to run")


def _list_cells(study: Study, results: Sequence[CellResult]) -> None:
    if not study.cells:
        return
    for cell, result in zip(study.cells, results, strict=True):
        print_line((cell.id, "cyan"), f"  {result.state:<11}  {cell.label}", indent=2)
    print_line(f"{len(study.cells):,} cells: {tell_counts(results)}")


def _told(plan: StudyEstimate) -> str:
    return (
        f"{duration(plan.seconds)} on {plan.workers} worker{'s' * (plan.workers > 1)}, {plan.memory_mb:,.0f} MB of "
        f"memory, {plan.disk_mb:,.0f} MB of disk"
    )


def _as_json(plan: StudyEstimate) -> dict[str, float]:
    return {
        "left": len(plan.cells),
        "seconds": plan.seconds,
        "memory_mb": plan.memory_mb,
        "disk_mb": plan.disk_mb,
    }
