"""Train a network: chunk after chunk, with a checkpoint at each boundary, until all examples were shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    TrainingRecord,
    Workdir,
    delete_checkpoints,
    lock_name,
    read_checkpoint,
    require_writable,
    save_weights,
)
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, load_dataset
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.progress import Reporter
from snstdp_cli.training.session import TrainingSession
from snstdp_cli.training.start import refuse_to_overwrite


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A finished training.

    Attributes
    ----------
    weights
        [n_input, n_e].
    theta_mv
        Adaptive thresholds, [n_e], mV.
    record
        What was written down beside them.
    files
        What was written.
    """

    experiment: Experiment
    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    record: TrainingRecord
    files: list[Path]


def train_network(
    experiment: Experiment,
    workdir: Workdir,
    *,
    dataset: Dataset | None = None,
    data_dir: Path | None = None,
    resume: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> TrainingResult:
    """Train and save weights, thresholds and their record under `experiment.save_name`.

    A checkpoint is written before the first and after every chunk; `resume` continues from the newest intact one, and
    the result equals that of an uninterrupted training bit for bit. `force` replaces what has this name, but not
    before the new training stands.

    Parameters
    ----------
    dataset
        Training images; by default those that `experiment.data` names, looked for in `data_dir`.

    Raises
    ------
    SnstdpError
        For anything that a user can cause or meet; `InterruptedRunError` after Ctrl-C or SIGTERM.
    """
    report = report or Reporter()
    dataset = dataset or load_dataset(experiment.data, "train", data_dir)
    name = experiment.save_name
    require_writable(workdir.weights)
    with lock_name(workdir, name):
        checkpoint = read_checkpoint(workdir, name) if resume or not force else None
        refuse_to_overwrite(workdir, name, checkpoint, resume=resume, force=force)
        for sentence in checkpoint.skipped if checkpoint and resume else ():
            report.warn(sentence)
        session = TrainingSession(experiment, workdir, dataset, report)
        try:
            with session.opened(checkpoint if resume else None):
                session.run_all()
                weights, theta_mv = session.learned()
                record = session.record()
                files = save_weights(workdir, name, weights, theta_mv, record, force=force or resume)
            delete_checkpoints(workdir, name)
        except KeyboardInterrupt:
            raise InterruptedRunError(_where_it_stopped(experiment, workdir)) from None
    return TrainingResult(experiment, weights, theta_mv, record, files)


def _where_it_stopped(experiment: Experiment, workdir: Workdir) -> str:
    """Tell what an interrupt left: the examples of the last checkpoint."""
    checkpoint = read_checkpoint(workdir, experiment.save_name)
    examples = checkpoint.meta["examples"] if checkpoint else 0
    if not examples:
        return "interrupted before the first checkpoint; run the same command again"
    return (
        f"interrupted after {examples:,} of {experiment.num_examples:,} examples; nothing is lost: run the same "
        "command with --resume to go on"
    )
