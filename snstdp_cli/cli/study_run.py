"""The command `study run`: run the cells and the search of a study file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_note
from snstdp_cli.cli.signals import working
from snstdp_cli.cli.study_options import (
    ClusterPath,
    FailFast,
    Retry,
    Scheduler,
    Storage,
    StudyPath,
    StudyWorkdir,
    StudyWorkers,
)
from snstdp_cli.cli.study_plan import show_plan
from snstdp_cli.cli.study_search import run_search_of
from snstdp_cli.cli.study_state import finish
from snstdp_cli.cli.study_view import study_reporter

if TYPE_CHECKING:
    from snstdp_cli.studies import Study


def run(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    workers: StudyWorkers = None,
    scheduler: Scheduler = None,
    cluster: ClusterPath = None,
    storage: Storage = None,
    retry: Retry = False,
    fail_fast: FailFast = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the cells and what they will take; run nothing.")
    ] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Run the cells of a study that are not finished; the same command goes on after an interruption.

    Example: snstdp study run configs/studies/rules.yaml
    """
    from snstdp_cli.engines import available_cores
    from snstdp_cli.studies import load_study, run_study
    from snstdp_cli.studies.executors.opening import open_executor

    study, num = load_study(file, workdir, run_rules=None), workers or available_cores()
    if study.file.search is not None and not study.cells:  # more workers would have nothing to do
        num = min(num, study.file.search.parallel or num, study.file.search.trials)
    if dry_run:
        show_plan(study, num, data_dir, storage, retry=retry, as_json=as_json, quiet=quiet)
        return
    say = (lambda _: None) if quiet else print_note
    with working(), open_executor(num, scheduler, cluster, say) as executor:
        with study_reporter(study, quiet) as report:
            say(f"study {study.name}: {_planned(study)} in {study.folder}")
            outcome = run_study(study, executor, retry=retry, fail_fast=fail_fast, data_dir=data_dir, report=report)
        found = run_search_of(study, executor, storage, data_dir, quiet)
    finish(study, outcome, found, as_json, quiet)


def _planned(study: Study) -> str:
    """Return what a study has to do in words, such as `18 cells` or `30 trials`."""
    trials = 0 if study.file.search is None else study.file.search.trials
    counts = ((len(study.cells), "cell"), (trials, "trial"))
    return " and ".join(f"{num:,} {name}{'s' * (num > 1)}" for num, name in counts if num)
