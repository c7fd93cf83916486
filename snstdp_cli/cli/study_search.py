"""A search as the command line runs and shows it: how it stands, and the best settings at the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snstdp_cli.cli.console import print_files, print_line, print_note
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.search_view import search_reporter, settings_text, trial_label
from snstdp_cli.cli.study_view import progress_text
from snstdp_cli.fields import percent

if TYPE_CHECKING:
    from snstdp_cli.studies import CellExecutor, Study
    from snstdp_cli.studies.search.storage import SearchTrial
    from snstdp_cli.studies.search.study import SearchResult


def run_search_of(
    study: Study, executor: CellExecutor, storage: str | None, data_dir: Path | None, quiet: bool, *, live: bool = True
) -> SearchResult | None:
    """Run the search of a study file; None if it has none."""
    if study.file.search is None:
        return None
    from snstdp_cli.studies.search.study import run_search

    with search_reporter(study, study.file.search.trials, quiet, live=live) as report:
        return run_search(study, executor, storage=storage, data_dir=data_dir, report=report)


def stored_search(study: Study, storage: str | None = None) -> SearchResult | None:
    """Return how the search of a study file stands; None if it has none."""
    if study.file.search is None:
        return None
    from snstdp_cli.studies.search.study import load_search

    return load_search(study, storage)


def show_search_plan(found: SearchResult) -> None:
    """Say what a search will try."""
    settings, num = found.plan.settings, found.plan.base.evaluation.validation_examples
    print_line(
        f"search: {settings.trials:,} trials by {settings.sampler}, {len(found.ended):,} of them done, over "
        f"{', '.join(found.plan.space)}; scored on {num:,} validation images"
    )
    _tell_of_base(found)


def show_search(study: Study, result: SearchResult) -> None:
    """Print how a search stands: its best settings, those of the base beside them, and the files that were written."""
    from snstdp_cli.studies.search.cells import running_trials

    best, base = result.best, result.base_trial
    counts = Counter(trial.state for trial in result.trials)
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items()) or "no trial"
    print_line((f"search {study.name}", "bold"), f": {told}, in {study.folder}")
    for trial, progress in running_trials(study, result.trials):
        print_line((trial_label(trial.number, trial.settings), "cyan"), f": {progress_text(progress)}", indent=2)
    if best is None or best.value is None:
        return
    print_line((percent(best.value), "bold green"), f"  trial {best.number}: {settings_text(best.settings)}", indent=2)
    if base is not None and base.value is not None:
        print_line(f"{percent(base.value)}  trial {base.number}, the base: {settings_text(base.settings)}", indent=2)
    _tell_of_base(result)
    num = result.plan.base.evaluation.validation_examples
    print_note(f"accuracies by {result.plan.settings.read_out} on {num:,} validation images; the best flatters itself")
    if result.files:
        print_files(list(result.files))
        suggest("study run", result.files[-1], workdir=study.workdir)


def _tell_of_base(result: SearchResult) -> None:
    """Say why the settings of the base are not tried, if they were to be."""
    if result.plan.settings.try_base and (outside := result.plan.outside):
        print_note(
            f"the settings of the base are not tried, as the space leaves out {settings_text(outside)}: what the "
            "search gained is not told"
        )


def search_as_json(result: SearchResult | None) -> dict[str, Any]:
    """Return how a search stands for `--json`; nothing if there is none."""
    if result is None:
        return {}

    def plain(trial: SearchTrial | None) -> dict[str, Any] | None:
        if trial is None:
            return None
        kept = {"number": trial.number, "state": trial.state, "accuracy": trial.value}
        return {**kept, "settings": dict(trial.settings), "error": trial.error}

    found = {
        "scored_on": "validation",
        "read_out": result.plan.settings.read_out,
        "best": plain(result.best),
        "base": plain(result.base_trial),
        "importances": result.importances,
        "trials": [plain(trial) for trial in result.trials],
        "files": list(result.files),
    }
    return {"search": found}
