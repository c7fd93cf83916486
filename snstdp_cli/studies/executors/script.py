"""A job script for sites without Dask: an array of workers, each of which takes cells until none is left."""

from __future__ import annotations

import shlex
from pathlib import Path

from snstdp_cli.fields.command_lines import place_words
from snstdp_cli.studies.cell import build_cell
from snstdp_cli.studies.memory import estimate_memory_mb
from snstdp_cli.studies.plan import Study

_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{jobs}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem={memory}M
#SBATCH --time={walltime}
#SBATCH --output={name}-%A_%a.log
#SBATCH --signal=B:TERM@120
#SBATCH --requeue

# {work}. Each job takes what no other has, until nothing is left. A job that the queue ends keeps its last
# checkpoint; submit the script again to go on. On a file system without locks add:
# --share $SLURM_ARRAY_TASK_ID/{jobs}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 SNSTDP_CORES=1
cd {folder}
exec {command}
"""


def slurm_script(
    study: Study, *, jobs: int, walltime: str, folder: Path, data_dir: Path | None = None, program: str = "snstdp"
) -> str:
    """Return a script for `sbatch`.

    Parameters
    ----------
    jobs
        Workers side by side.
    walltime
        Limit of a job, such as `04:00:00`.
    folder
        The folder to work in, in which the study's paths are meant.
    """
    words = [str(study.path), *place_words(study.workdir, data_dir)]
    experiments = [cell.experiment for cell in study.cells]
    num_trials, parallel = 0, jobs
    if study.file.search is not None:
        num_trials, parallel = study.file.search.trials, study.file.search.parallel or jobs
        experiments.append(build_cell(study.base, {}, study.file.seeds[0], ()).experiment)
    need = max(map(estimate_memory_mb, experiments))
    work = [f"{num:,} {name}" for num, name in ((len(study.cells), "cells"), (num_trials, "trials")) if num]
    return _SCRIPT.format(
        name=study.name,
        jobs=min(jobs, max(len(study.cells), min(num_trials, parallel))),
        memory=round(need + 500),
        walltime=walltime,
        work=" and ".join(work),
        folder=shlex.quote(str(folder)),
        command=f"{program} study worker {shlex.join(words)}",
    )
