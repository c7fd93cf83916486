"""The command `study script`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_line
from snstdp_cli.cli.study_options import StudyPath, StudyWorkdir


def script(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    jobs: Annotated[int, typer.Option(min=1, max=10_000, help="Workers side by side.")] = 20,
    walltime: Annotated[str, typer.Option(help="Time limit of a job.")] = "04:00:00",
    run_rule: o.RunRules = None,
) -> None:
    """Print a job script for SLURM, whose array of workers runs the study without Dask.

    Example: snstdp study script configs/studies/rules.yaml --jobs 50 > rules.sh
    """
    from snstdp_cli.rules import only_rule_files
    from snstdp_cli.studies import load_study
    from snstdp_cli.studies.executors.script import slurm_script

    with only_rule_files(run_rule or ()):
        study = load_study(file, workdir, run_rules=run_rule or ())
    text = slurm_script(study, jobs=jobs, walltime=walltime, folder=Path.cwd(), data_dir=data_dir)
    for line in text.splitlines():
        print_line(line)
