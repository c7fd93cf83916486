"""Commands about this machine: doctor and bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import out, print_json, print_note

_LOOK = {"ok": "[green]ok  [/]", "note": "[yellow]note[/]", "bad": "[bold red]bad [/]"}


def doctor(
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Test Cython as well; compiling it takes minutes the first time.")
    ] = False,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
) -> None:
    """Check compiler, disk, memory, data and cache, and compare the engines.

    Example: snstdp doctor
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.machine.doctor import examine

    findings = []
    for finding in examine(Workdir(workdir), data_dir, thorough=thorough):
        findings.append(finding)
        if not as_json:
            out.print(f"{_LOOK[finding.state]} {finding.check:<22} {escape(finding.detail)}", soft_wrap=True)
    if as_json:
        print_json({"healthy": all(f.state != "bad" for f in findings), "findings": [vars(f) for f in findings]})
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Few cases, about a minute.")] = False,
    yardstick: Annotated[
        Path | None, typer.Option("--yardstick", help="yardstick.c, the same protocol written by hand in C.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=100, help="Measurements of each case.")] = 5,
    data_dir: o.DataDir = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Folder for performance.md and its plot, such as docs.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Measure time and memory of a presentation on this machine, which should be idle.

    Example: snstdp bench --quick
    """
    from snstdp_cli.machine.bench import report_markdown, run_benchmark, write_report

    result = run_benchmark(
        quick=quick, repeats=repeats, yardstick=yardstick, data_dir=data_dir, say=print_note if not as_json else _ignore
    )
    if write is not None:
        write_report(result, write)
    if as_json:
        print_json(result.as_dict())
    else:
        out.print(report_markdown(result), markup=False, soft_wrap=True)


def _ignore(_: str) -> None:
    """Do nothing."""
