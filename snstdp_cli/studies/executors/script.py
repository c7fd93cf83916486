"""A job script for sites without Dask: an array of workers, each of which takes cells until none is left."""

from __future__ import annotations

import shlex
from pathlib import Path

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

# {cells} cells. Each job takes cells that no other has, until none is left. A job that the queue ends keeps its cell's
# last checkpoint; submit the script again to go on. On a file system without locks add:
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
    words = [str(study.path)]
    words += ["--workdir", str(study.workdir)] if study.workdir != Path() else []
    words += ["--data-dir", str(data_dir)] if data_dir is not None else []
    need = max((estimate_memory_mb(cell.experiment) for cell in study.cells), default=1000.0)
    return _SCRIPT.format(
        name=study.name,
        jobs=min(jobs, max(1, len(study.cells))),
        memory=round(need + 500),
        walltime=walltime,
        cells=f"{len(study.cells):,}",
        folder=shlex.quote(str(folder)),
        command=f"{program} study worker {shlex.join(words)}",
    )
