"""The command `study init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files
from snstdp_cli.cli.hints import suggest


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
