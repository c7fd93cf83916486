"""The command `study worker`: run cells and trials that nobody else runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_note, print_warning
from snstdp_cli.cli.study_options import FailFast, Retry, Storage, StudyPath, StudyWorkdir
from snstdp_cli.cli.study_search import run_search_of
from snstdp_cli.cli.study_state import finish


def worker(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    share: Annotated[
        str | None,
        typer.Option(
            help="Take only part I of N of the cells, as I/N, where file locks do not work; part 1 runs the search.",
            rich_help_panel=o.RUNNING,
        ),
    ] = None,
    storage: Storage = None,
    retry: Retry = False,
    fail_fast: FailFast = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Take cells and trials that nobody else runs, one after the other, until none is left; needs no Dask.

    Start as many as there are cores, on any machines that share the folder.

    Example: snstdp study worker configs/studies/rules.yaml
    """
    import os

    from snstdp_cli.cli.live import reporter
    from snstdp_cli.engines.cores import CORES_VARIABLE
    from snstdp_cli.studies import StudyReporter, load_study, run_study
    from snstdp_cli.studies.executors import SerialExecutor

    os.environ.setdefault(CORES_VARIABLE, "1")
    study, part = load_study(file, workdir, run_rules=None), _read_share(share)
    with reporter(quiet) as progress:
        from snstdp_cli.cli.study_view import EndedLines

        lines = EndedLines()
        report = StudyReporter(
            progress.say, print_warning, (lambda _: None) if quiet else lambda event: print_note(lines.line(event))
        )
        executor = SerialExecutor(progress)
        outcome = run_study(
            study, executor, retry=retry, fail_fast=fail_fast, share=part, data_dir=data_dir, report=report
        )
        waiting = SerialExecutor(progress, wait=True)  # equal settings that another worker tries come out once
        is_first = part[0] == 1  # whoever shares a search needs locks
        found = run_search_of(study, waiting, storage, data_dir, quiet, live=False) if is_first else None
    finish(study, outcome, found, as_json, quiet)


def _read_share(text: str | None) -> tuple[int, int]:
    from snstdp_cli.errors import ConfigError

    if text is None:
        return 1, 1
    part, sign, parts = text.partition("/")
    if not (sign and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise ConfigError(f"--share: found {text[:40]!r}, expected I/N with I from 1 to N, such as 2/8")
    return int(part), int(parts)
