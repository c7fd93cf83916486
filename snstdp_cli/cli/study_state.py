"""How the state of a study is told, by `study show` and at the end of the commands that run one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from snstdp_cli.cli.console import print_json, print_line, print_warning
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.study_search import search_as_json, show_search

if TYPE_CHECKING:
    from snstdp_cli.studies import CellResult, CellState, Study, StudyOutcome
    from snstdp_cli.studies.search.study import SearchResult

#: How many of the cells that failed alike are named.
_MOST_CELLS = 3
#: States in the order in which they are told.
_STATES: tuple[CellState, ...] = ("finished", "running", "interrupted", "failed", "missing")


def finish(study: Study, outcome: StudyOutcome, found: SearchResult | None, as_json: bool, quiet: bool) -> None:
    """Tell how the study stands; exit with 1 if cells failed, or a search found nothing."""
    results = outcome.results
    if as_json:
        print_json({**state_as_json(study, results), **search_as_json(found)})
    else:
        if study.cells or found is None:
            print_line((f"study {study.name}", "bold"), f": {tell_counts(results)}, in {study.folder}")
            tell_failures(study, results)
        if found is not None:
            show_search(study, found)
        elif not quiet:
            suggest("study show", study.path, workdir=study.workdir, run_rule=study.rule_files)
    if outcome.count("failed") or (found is not None and found.best is None):
        raise typer.Exit(1)


def tell_failures(study: Study, results: Sequence[CellResult]) -> None:
    """Warn of the failed cells; a sentence with which several failed stands once, with the first of their folders."""
    labels, alike = {cell.id: cell.label for cell in study.cells}, defaultdict[str, list[str]](list)
    for result in results:
        if result.state == "failed":
            alike[str(result.error)].append(f"{labels[result.cell]}, in {result.folder}")
    for error, cells in alike.items():
        told = [*cells[:_MOST_CELLS], *([f"and {len(cells) - _MOST_CELLS:,} more"] * (len(cells) > _MOST_CELLS))]
        count = f"{len(cells):,} cell{'s' * (len(cells) > 1)}"
        print_warning("\n  ".join([f"{count} failed, try again with --retry: {error}", *told]))


def tell_counts(results: Sequence[CellResult]) -> str:
    """Return how many cells are in each state, such as `16 finished, 2 failed`."""
    from snstdp_cli.studies import count_states

    counts = count_states(results)
    return ", ".join(f"{counts[state]:,} {state}" for state in _STATES if counts[state])


def state_as_json(study: Study, results: Sequence[CellResult]) -> dict[str, object]:
    """Return the state of a study and of its cells for `--json`."""
    from snstdp_cli.studies import count_states

    counts = count_states(results)
    return {
        "study": study.name,
        "folder": study.folder,
        "cells": {state: counts[state] for state in _STATES},
        "results": [
            {
                "cell": one.cell,
                "settings": one.settings,
                "seed": one.seed,
                "state": one.state,
                "accuracies": one.accuracies,
                "chance": one.chance,
                "num_examples": one.num_examples,
                "figures": one.figures,
                "error": one.error,
            }
            for one in results
        ],
    }
