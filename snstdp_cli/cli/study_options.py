"""Arguments and options that the commands of `study` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o


def _read_out_names() -> list[str]:
    """Return the read-outs for a shell that completes words."""
    from snstdp_cli.fields.readouts import READ_OUTS

    return list(READ_OUTS)


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
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Address of a Dask scheduler that runs already.", rich_help_panel=o.RUNNING),
]
ClusterPath = Annotated[
    Path | None,
    typer.Option(
        "--cluster",
        help="YAML file of a batch system: SLURM, PBS, SGE or LSF (see docs/studies.md).",
        rich_help_panel=o.RUNNING,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        help="Database of a search's trials, such as sqlite:///trials.db.  \\[default: the study's folder]",
        show_default=False,
        rich_help_panel=o.RUNNING,
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="Baseline of paired differences, such as rule=triplet; repeat it to narrow it down."
    ),
]
ReadOuts = Annotated[
    list[str] | None,
    typer.Option(
        "--read-out",
        help="Only this read-out, such as average.  \\[default: those of the study]",
        show_default=False,
        autocompletion=_read_out_names,
    ),
]
ReadOut = Annotated[
    str | None,
    typer.Option(
        "--read-out",
        help="Which accuracy, such as average.  \\[default: the study's first]",
        show_default=False,
        autocompletion=_read_out_names,
    ),
]
