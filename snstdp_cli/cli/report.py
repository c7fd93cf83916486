"""The command `report`."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line, print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import joined, known_names

if TYPE_CHECKING:
    from snstdp_cli.artefacts import Workdir

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="Names of the networks; several are compared.  \\[default: the only one]",
        show_default=False,
    ),
]


@o.takes_settings("classifier", file=False)
def report(
    given: o.GivenSettings,
    names: Names = None,
    example: Annotated[
        int | None,
        typer.Option("--example", min=0, help="Also simulate this test image and draw its spikes and traces."),
    ] = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File.  \\[default: report.NAME.html in figures/ of the workdir]",
            show_default=False,
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the report as well.", rich_help_panel=o.OUTPUT)] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a report of one or several networks as one HTML file.

    Example: snstdp report mine other
    """
    from snstdp_cli.artefacts import Workdir, write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite

    place = Workdir(workdir)
    chosen = known_names(names or [], "report", place)
    path = output or workdir / "figures" / f"report.{joined(chosen)}.html"
    refuse_overwrite([path], force)
    with steps(quiet) as step:
        page, missing = _page(given, place, chosen, data_dir, example, step)
        write_atomic(path, page)
    if as_json:
        print_json({"files": [path], "bytes": len(page), "missing": missing})
    else:
        for name, parts in missing.items():
            for part, reason in parts.items():
                print_note(f"{name}: left out: {part}: {reason}")
        print_files([path])
        print_line(f"  {len(page) / 1e6:.1f} MB, complete in itself: open it in a browser, mail it, archive it")
    if show:
        webbrowser.open(path.resolve().as_uri())


def _page(
    given: o.GivenSettings,
    workdir: Workdir,
    names: list[str],
    data_dir: Path | None,
    example: int | None,
    step: Callable[[str], None],
) -> tuple[bytes, dict[str, dict[str, str]]]:
    """Return the page, and by network and part why something is missing."""
    from snstdp_cli.report import gather, render

    content = gather(workdir, names, classifier=given.classifier, data_dir=data_dir, example=example, say=step)
    return render(content).encode(), {run.name: run.missing for run in content.runs}
