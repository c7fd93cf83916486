"""The command `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_columns, print_json

_LOOK = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("bad", "bold red")}
#: Columns of what was found, of which the last takes what is left: the longest check is `standalone = cython`.
_WIDTHS = (4, 19)


def doctor(
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Test Cython as well; compiling it takes minutes the first time.")
    ] = False,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
) -> None:
    """Check compiler, cores, folders, cache, memory and data, and compare the engines in both precisions.

    Exit code 1 if something does not work that an experiment needs.

    Example: snstdp doctor
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.machine.doctor import examine

    findings = []
    for finding in examine(Workdir(workdir), data_dir, thorough=thorough):
        findings.append(finding)
        if not as_json:
            print_columns((_LOOK[finding.state], finding.check, finding.detail), _WIDTHS)
    healthy = all(finding.state != "bad" for finding in findings)
    if as_json:
        print_json({"healthy": healthy, "findings": [vars(finding) for finding in findings]})
    if not healthy:
        raise typer.Exit(1)
