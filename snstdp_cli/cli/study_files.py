"""The commands `study init`, `study script` and `study schema`: files around a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.study_options import RunRules, StudyPath, StudyWorkdir


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


def script(
    file: StudyPath,
    data_dir: o.DataDir = None,
    workdir: StudyWorkdir = Path(),
    jobs: Annotated[int, typer.Option(min=1, max=10_000, help="Workers side by side.")] = 20,
    walltime: Annotated[str, typer.Option(help="Time limit of a job.")] = "04:00:00",
    run_rule: RunRules = None,
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


def schema() -> None:
    """Print the JSON Schema of study files, for editors.

    Example: snstdp study schema
    """
    from snstdp_cli.studies import study_schema

    print_json(study_schema())
