"""The command `data fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_note


def fetch(
    name: Annotated[str, typer.Argument(help="mnist or fashion-mnist.", show_default=False)],
    target: Annotated[
        Path | None,
        typer.Option(
            "--target", help="Folder.  \\[default: your cache]", show_default=False, rich_help_panel=o.RUNNING
        ),
    ] = None,
) -> None:
    """Download a data set, checked by SHA-256.

    Example: snstdp data fetch mnist
    """
    from snstdp_cli.datasets import fetch_dataset

    print_note(f"fetching {name}")
    print_files(fetch_dataset(name, target))
