"""The command `study report`, and the page that it writes."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.study_options import Against, Storage, StudyPath, StudyWorkdir
from snstdp_cli.cli.study_table import gather

if TYPE_CHECKING:
    from snstdp_cli.studies.results import StudyResults


def report(
    file: StudyPath,
    against: Against = None,
    workdir: StudyWorkdir = Path(),
    storage: Storage = None,
    run_rule: o.RunRules = None,
    force: o.Force = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File.  \\[default: report.NAME.html in the study's folder]",
            show_default=False,
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the report as well.", rich_help_panel=o.OUTPUT)] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a report of a study as one HTML file: question, table, figures, every cell, how to repeat it.

    Example: snstdp study report configs/studies/rules.yaml --against rule=triplet
    """
    study_report(
        gather(file, workdir, run_rule, storage),
        against=against or (),
        output=output,
        force=force,
        as_json=as_json,
        quiet=quiet,
        show=show,
    )


def study_report(
    study: StudyResults,
    *,
    against: Sequence[str] = (),
    output: Path | None = None,
    force: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    show: bool = False,
) -> Path:
    """Write the report of a study as one HTML file, and print its name.

    Parameters
    ----------
    against
        The baseline of the differences as `KEY=VALUE`.
    output
        File; `report.<name>.html` in the study's folder without it.
    force
        Replace a file that is there; the study's own report is always replaced.

    Raises
    ------
    SnstdpError
        If the baseline is none of the study, or the file cannot be written.
    """
    from snstdp_cli.artefacts import write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite
    from snstdp_cli.report.study import render_study

    path = output or study.folder / f"report.{study.name}.html"
    if output is not None:
        refuse_overwrite([path], force)
    with steps(quiet) as step:
        step(f"{study.name}: figures and tables")
        page = render_study(study, against=against).encode()
        write_atomic(path, page)
    if as_json:
        print_json({"files": [path], "bytes": len(page)})
    else:
        print_files([path])
        print_line(f"  {len(page) / 1e6:.1f} MB, complete in itself: open it in a browser, mail it, archive it")
    if show:
        webbrowser.open(path.resolve().as_uri())
    return path
