"""The command `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_note


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Few cases, about a minute.")] = False,
    yardstick: Annotated[
        Path | None, typer.Option("--yardstick", help="yardstick.py or its folder: the same protocol by hand, in C.")
    ] = None,
    bindsnet: Annotated[
        Path | None,
        typer.Option("--bindsnet", help="Python interpreter with BindsNET, which is measured on the same protocol."),
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=100, help="Measurements of each case.")] = 5,
    data_dir: o.DataDir = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Folder for performance.md and its plot, such as docs.", rich_help_panel=o.OUTPUT),
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Measure time and memory of a presentation on this machine, which should be idle.

    Example: snstdp bench --quick
    """
    from snstdp_cli.machine.bench import report_markdown, run_benchmark, write_report

    result = run_benchmark(
        quick=quick,
        repeats=repeats,
        yardstick=yardstick,
        bindsnet=bindsnet,
        data_dir=data_dir,
        say=_ignore if as_json else print_note,
    )
    if write is not None:
        write_report(result, write)
    if as_json:
        print_json(result.as_dict())
        return
    for line in report_markdown(result).splitlines():
        print_line(line)


def _ignore(_: str) -> None:
    """Do nothing."""
