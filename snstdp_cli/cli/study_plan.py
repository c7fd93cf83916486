"""What `study run --dry-run` shows: the cells that are left, and what they will take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from snstdp_cli.cli.console import duration, print_json, print_line
from snstdp_cli.cli.study_search import show_search_plan
from snstdp_cli.cli.study_state import tell_counts

if TYPE_CHECKING:
    from snstdp_cli.studies import Study


def show_plan(
    study: Study, workers: int, data_dir: Path | None, storage: str | None, as_json: bool, quiet: bool
) -> None:
    """List the cells that are left, and what they will take."""
    from snstdp_cli.cli.live import steps
    from snstdp_cli.studies import cells_to_run, load_results
    from snstdp_cli.studies.estimate import estimate_study

    results = load_results(study)
    states = {one.cell: one.state for one in results}
    left = cells_to_run(study, results, retry=True)
    if not as_json:
        for cell in study.cells:
            print_line((cell.id, "cyan"), f"  {states[cell.id]:<11}  {cell.label}", indent=2)
        print_line(f"{len(study.cells):,} cells: {tell_counts(results)}")
        show_search_plan(study, storage)
    if not left:
        print_line("nothing is left to run")
        return
    with steps(quiet) as say:
        plan = estimate_study(left, workers, data_dir=data_dir, say=say)
    if as_json:
        print_json(
            {
                "cells": [{"cell": c.id, "settings": c.settings, "seed": c.seed} for c in study.cells],
                "left": len(left),
                "workers": workers,
                "seconds": plan.seconds,
                "memory_mb": plan.memory_mb,
                "disk_mb": plan.disk_mb,
            }
        )
        return
    print_line(
        f"{len(left):,} to run: about {duration(plan.seconds)} on {workers} worker{'s' * (workers > 1)}, "
        f"{plan.memory_mb:,.0f} MB of memory, {plan.disk_mb:,.0f} MB of disk (measured on {plan.measured} networks)"
    )
