"""The commands of `study`: many experiments from one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import duration, percent, print_files, print_json, print_line, print_note, print_warning
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.signals import working
from snstdp_cli.cli.study_search import run_search_of, search_as_json, show_search, show_search_plan, stored_search
from snstdp_cli.cli.study_view import progress_text, study_reporter

if TYPE_CHECKING:
    from snstdp_cli.studies import CellExecutor, CellResult, CellState, Study, StudyOutcome
    from snstdp_cli.studies.search.study import SearchResult

StudyPath = Annotated[Path, typer.Argument(help="YAML file of the study.", show_default=False)]
StudyWorkdir = Annotated[Path, typer.Option("--workdir", help="Folder of studies/.", rich_help_panel=o.RUNNING)]
StudyWorkers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=1024,
        help="Cells that run side by side on this machine.  \\[default: all cores]",
        rich_help_panel=o.RUNNING,
        show_default=False,
    ),
]
Retry = Annotated[bool, typer.Option("--retry", help="Try failed cells again.", rich_help_panel=o.RUNNING)]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="End at the first cell that fails.", rich_help_panel=o.RUNNING)
]
RuleFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--run-rule",
        metavar="FILE:NAME",
        help="Let this rule of the study run: one in a file is a program. Repeat it for more.",
        show_default=False,
        rich_help_panel=o.RUNNING,
    ),
]
#: States in the order in which they are told.
_STATES: tuple[CellState, ...] = ("finished", "running", "interrupted", "failed", "missing")


def init(
    file: Annotated[Path, typer.Argument(help="YAML file to write.", show_default=False)],
    force: o.Force = False,
) -> None:
    """Write a commented study file to begin with.

    Example: snstdp study init my_study.yaml
    """
    from snstdp_cli.artefacts import write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite
    from snstdp_cli.cli.init import safe_stem
    from snstdp_cli.studies.template import study_template

    refuse_overwrite([file], force)
    write_atomic(file, study_template(safe_stem(file)).encode())
    print_files([file])
    suggest("study run", file, dry_run=True)
    suggest("study run", file)


def run(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    workers: StudyWorkers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler that runs already.", rich_help_panel=o.RUNNING),
    ] = None,
    cluster: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of a batch system: SLURM, PBS, SGE or LSF (see docs/studies.md).", rich_help_panel=o.RUNNING
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Database of a search's trials, such as sqlite:///trials.db.  \\[default: the study's folder]",
            show_default=False,
            rich_help_panel=o.RUNNING,
        ),
    ] = None,
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

    study, num = load_study(file, workdir), workers or available_cores()
    if study.file.search is not None and study.file.search.parallel is not None:
        num = min(num, study.file.search.parallel)
    if dry_run:
        _show_plan(study, num, data_dir, as_json, quiet)
        return
    with working(), _executor(num, scheduler, cluster) as executor:
        with study_reporter(study, quiet) as report:
            if not quiet:
                print_note(f"study {study.name}: {len(study.cells):,} cells in {study.folder}")
            outcome = run_study(study, executor, retry=retry, fail_fast=fail_fast, data_dir=data_dir, report=report)
        found = run_search_of(study, executor, storage, data_dir, quiet)
    _finish(study, outcome, found, as_json, quiet)


def show(file: StudyPath, workdir: StudyWorkdir = Path(), run_rule: RuleFiles = None, as_json: o.Json = False) -> None:
    """Tell the state of a study, which may run elsewhere: everything is read from its folder.

    Example: snstdp study show configs/studies/rules.yaml
    """
    from snstdp_cli.rules import only_rule_files
    from snstdp_cli.studies import load_results, load_study, running_cells

    with only_rule_files(run_rule or ()):
        study = load_study(file, workdir)
        results, found = load_results(study), stored_search(study)
    if as_json:
        print_json({**_as_json(study, results), **search_as_json(found)})
        return
    print_line((f"study {study.name}", "bold"), f": {_counts(results) or 'no cells'}, in {study.folder}")
    for cell, progress in running_cells(study):
        print_line((cell.label, "cyan"), f": {progress_text(progress)}", indent=2)
    labels = {cell.id: cell.label for cell in study.cells}
    for result in results:
        if result.accuracies:
            told = ", ".join(f"{kind} {percent(share)}" for kind, share in result.accuracies.items())
            print_line((labels[result.cell], "cyan"), f": {told}", indent=2)
    _tell_failures(study, results)
    if found is not None:
        show_search(study, found)


def worker(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    share: Annotated[
        str | None,
        typer.Option(
            help="Take only part I of N of the cells, as I/N: where file locks do not work.",
            rich_help_panel=o.RUNNING,
        ),
    ] = None,
    retry: Retry = False,
    fail_fast: FailFast = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Take cells that nobody else runs, one after the other, until none is left; needs no Dask.

    Start as many as there are cores, on any machines that share the folder.

    Example: snstdp study worker configs/studies/rules.yaml
    """
    import os

    from snstdp_cli.cli.live import reporter
    from snstdp_cli.engines.cores import CORES_VARIABLE
    from snstdp_cli.studies import StudyReporter, load_study, run_study
    from snstdp_cli.studies.executors import SerialExecutor

    os.environ.setdefault(CORES_VARIABLE, "1")
    study, part = load_study(file, workdir), _read_share(share)
    with reporter(quiet) as progress:
        from snstdp_cli.cli.study_view import ended_line

        report = StudyReporter(
            progress.say, print_warning, (lambda _: None) if quiet else lambda event: print_note(ended_line(event))
        )
        outcome = run_study(
            study,
            SerialExecutor(progress),
            retry=retry,
            fail_fast=fail_fast,
            share=part,
            data_dir=data_dir,
            report=report,
        )
    _finish(study, outcome, None, as_json, quiet)


def script(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    jobs: Annotated[int, typer.Option(min=1, max=10_000, help="Workers side by side.")] = 20,
    walltime: Annotated[str, typer.Option(help="Time limit of a job.")] = "04:00:00",
    run_rule: RuleFiles = None,
) -> None:
    """Print a job script for SLURM, whose array of workers runs the study without Dask.

    Example: snstdp study script configs/studies/rules.yaml --jobs 50 > rules.sh
    """
    from snstdp_cli.rules import only_rule_files
    from snstdp_cli.studies import load_study
    from snstdp_cli.studies.executors.script import slurm_script

    with only_rule_files(run_rule or ()):
        study = load_study(file, workdir)
    text = slurm_script(study, jobs=jobs, walltime=walltime, folder=Path.cwd(), data_dir=data_dir)
    for line in text.splitlines():
        print_line(line)


def schema() -> None:
    """Print the JSON Schema of study files, for editors.

    Example: snstdp study schema
    """
    from snstdp_cli.studies import study_schema

    print_json(study_schema())


@contextmanager
def _executor(workers: int, scheduler: str | None, cluster: Path | None) -> Iterator[CellExecutor]:
    """Yield who runs the cells."""
    from snstdp_cli.errors import ConfigError

    if scheduler is not None and cluster is not None:
        raise ConfigError("found both --scheduler and --cluster; expected one of them")
    if scheduler is not None:
        from snstdp_cli.studies.executors.dask import running_cluster

        with running_cluster(scheduler) as executor:
            yield executor
    elif cluster is not None:
        from snstdp_cli.studies.executors.queue import batch_cluster, read_cluster_file

        with batch_cluster(read_cluster_file(cluster)) as executor:
            yield executor
    else:
        from snstdp_cli.studies.executors.dask import local_cluster

        with local_cluster(workers) as executor:
            yield executor


def _finish(study: Study, outcome: StudyOutcome, found: SearchResult | None, as_json: bool, quiet: bool) -> None:
    """Tell how the study stands; exit with 1 if cells failed, or a search found nothing."""
    results = outcome.results
    if as_json:
        print_json({**_as_json(study, results), **search_as_json(found)})
    else:
        if study.cells or found is None:
            print_line((f"study {study.name}", "bold"), f": {_counts(results)}, in {study.folder}")
            _tell_failures(study, results)
        if found is not None:
            show_search(study, found)
        elif not quiet:
            suggest("study show", study.path, workdir=study.workdir)
    if outcome.count("failed") or (found is not None and found.best is None):
        raise typer.Exit(1)


def _tell_failures(study: Study, results: list[CellResult] | tuple[CellResult, ...]) -> None:
    labels = {cell.id: cell.label for cell in study.cells}
    for result in results:
        if result.state == "failed":
            print_warning(f"{labels[result.cell]}: {result.error}\n  in {result.folder}; try again with --retry")


def _counts(results: list[CellResult] | tuple[CellResult, ...]) -> str:
    """Return how many cells are in each state, such as `16 finished, 2 failed`."""
    from snstdp_cli.studies import count_states

    counts = count_states(results)
    return ", ".join(f"{counts[state]:,} {state}" for state in _STATES if counts[state])


def _as_json(study: Study, results: list[CellResult] | tuple[CellResult, ...]) -> dict[str, object]:
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


def _show_plan(study: Study, workers: int, data_dir: Path | None, as_json: bool, quiet: bool) -> None:
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
        print_line(f"{len(study.cells):,} cells: {_counts(results)}")
        show_search_plan(study)
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


def _read_share(text: str | None) -> tuple[int, int]:
    from snstdp_cli.errors import ConfigError

    if text is None:
        return 1, 1
    part, sign, parts = text.partition("/")
    if not (sign and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise ConfigError(f"--share: found {text[:40]!r}, expected I/N with I from 1 to N, such as 2/8")
    return int(part), int(parts)
