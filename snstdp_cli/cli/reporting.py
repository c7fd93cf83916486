"""The command that writes a report of one or several networks."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import out, print_files, print_json, print_note
from snstdp_cli.cli.names import joined, known_names


def report(
    names: Annotated[list[str], typer.Argument(help="Name of the weights; several are compared.", show_default=False)],
    classifier: o.Classifier = None,
    example: Annotated[
        int | None,
        typer.Option("--example", min=0, help="Also simulate this test image and draw its spikes and traces."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File.  \\[default: report.NAME.html in figures/ of the workdir]", show_default=False
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the report as well.")] = False,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    as_json: o.Json = False,
) -> None:
    """Write a report of one or several networks as one HTML file.

    Example: snstdp report mine other
    """
    from snstdp_cli.artefacts import Workdir, write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite
    from snstdp_cli.report import gather, render

    place = Workdir(workdir)
    chosen = known_names(names, "report", place)
    path = output or workdir / "figures" / f"report.{joined(chosen)}.html"
    refuse_overwrite([path], force)
    content = gather(
        place,
        chosen,
        classifier="average" if classifier is None else classifier.value,
        data_dir=data_dir,
        example=example,
    )
    page = render(content).encode()
    write_atomic(path, page)
    missing = {run.name: run.missing for run in content.runs}
    if as_json:
        print_json({"files": [path], "bytes": len(page), "missing": missing})
    else:
        for name, parts in missing.items():
            for part, reason in parts.items():
                print_note(f"{name}: left out: {part}: {reason}")
        print_files([path])
        out.print(f"  {len(page) / 1e6:.1f} MB, complete in itself: open it in a browser, mail it, archive it")
    if show:
        webbrowser.open(path.resolve().as_uri())
