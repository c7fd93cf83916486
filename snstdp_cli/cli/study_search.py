"""A search as the command line shows it: a line for each trial, and the best settings at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snstdp_cli.cli.console import percent, print_files, print_line, print_note
from snstdp_cli.cli.hints import suggest

if TYPE_CHECKING:
    from snstdp_cli.studies import CellExecutor, Study
    from snstdp_cli.studies.search.storage import SearchTrial
    from snstdp_cli.studies.search.study import SearchResult


def run_search_of(
    study: Study, executor: CellExecutor, storage: str | None, data_dir: Path | None, quiet: bool
) -> SearchResult | None:
    """Run the search of a study file; None if it has none."""
    if study.file.search is None:
        return None
    from snstdp_cli.studies.search.study import run_search

    lines = _Lines(study.file.search.trials)
    ended = (lambda _: None) if quiet else lines.ended
    return run_search(study, executor, storage=storage, data_dir=data_dir, ended=ended)


def stored_search(study: Study) -> SearchResult | None:
    """Return how the search of a study file stands; None if it has none."""
    if study.file.search is None:
        return None
    from snstdp_cli.studies.search.study import load_search

    return load_search(study)


def show_search_plan(study: Study) -> None:
    """Say what a search will try, if there is one."""
    found = stored_search(study)
    if found is None:
        return
    settings = found.plan.settings
    done = sum(trial.state != "running" for trial in found.trials)
    num = found.plan.base.evaluation.validation_examples
    print_line(
        f"search: {settings.trials:,} trials by {settings.sampler}, {done:,} of them done, over "
        f"{', '.join(found.plan.space)}; scored on {num:,} validation images"
    )


class _Lines:
    """One line for each trial, which says when it is the best so far."""

    def __init__(self, total: int) -> None:
        self.total, self.best = total, -1.0

    def ended(self, trial: SearchTrial) -> None:
        told = trial.state if trial.value is None else f"{trial.state}, {percent(trial.value)}"
        if trial.error:
            told += f": {trial.error.splitlines()[0]}"
        if trial.state == "finished" and trial.value is not None and trial.value > self.best:
            self.best = trial.value
            told += " (best of this session)"
        print_note(f"trial {trial.number}, of {self.total:,}  {_settings(trial.settings)}: {told}")


def show_search(study: Study, result: SearchResult) -> None:
    """Print how a search stands: its best settings, those of the base beside them, and the files that were written."""
    best, base = result.best, result.base_trial
    counts = Counter(trial.state for trial in result.trials)
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items()) or "no trial"
    print_line((f"search {study.name}", "bold"), f": {told}, in {study.folder}")
    if best is None or best.value is None:
        return
    print_line((percent(best.value), "bold green"), f"  trial {best.number}: {_settings(best.settings)}", indent=2)
    if base is not None and base.value is not None:
        print_line(f"{percent(base.value)}  trial {base.number}, the base: {_settings(base.settings)}", indent=2)
    num = result.plan.base.evaluation.validation_examples
    print_note(f"accuracies by {result.plan.settings.read_out} on {num:,} validation images; the best flatters itself")
    if result.files:
        print_files(list(result.files))
        suggest("study run", result.files[-1], workdir=study.workdir)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={f'{value:.4g}' if isinstance(value, float) else value}" for key, value in settings.items()
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
