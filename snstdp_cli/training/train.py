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
    keep_state,
    lock_name,
    read_checkpoint,
    require_writable,
    save_weights,
)
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, doubts_of, load_dataset, part_of
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.events import EventLog
from snstdp_cli.progress import Reporter
from snstdp_cli.training.continuing import continued_experiment, copy_snapshots, load_state
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
    more: int | None = None,
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
        The training split; by default that which `experiment.data` names, looked for in `data_dir`. Those of its
        images that are for validation (`evaluation.validation_examples`) are not shown.
    more
        Continue the finished training `experiment.load_name` for so many examples more: the next images, fresh random
        numbers, all its settings. 200 examples and 200 more equal 400 bit for bit. Of `experiment` only the names
        count, and a rule of the user's own; under the same name it needs `force`.

    Raises
    ------
    SnstdpError
        For anything that a user can cause or meet; `InterruptedRunError` after Ctrl-C or SIGTERM.
    """
    report = report or Reporter()
    source = experiment.load_name
    if more is not None:
        experiment = continued_experiment(experiment, workdir, more)
    held = experiment.evaluation.withheld
    dataset = part_of(
        dataset or load_dataset(experiment.data, "train", data_dir, inputs=experiment.input), "train", held
    )
    name = experiment.save_name
    require_writable(workdir.weights)
    with lock_name(workdir, name):
        checkpoint = read_checkpoint(workdir, name) if resume or not force else None
        refuse_to_overwrite(workdir, name, checkpoint, resume=resume, force=force)
        for sentence in checkpoint.skipped if checkpoint and resume else ():
            report.warn(sentence)
        log = EventLog(workdir, name, report)
        for sentence in doubts_of(dataset):
            log.report.warn(sentence)
        session = TrainingSession(experiment, workdir, dataset, log.report)
        begin = checkpoint if resume else None
        continues = more is not None and begin is None and source is not None
        try:
            if continues:
                begin = load_state(session, workdir, str(source))
            with session.opened(begin, own=not continues), session.logged(log, goes_on=begin is not None):
                if continues:
                    copy_snapshots(session, workdir, str(source))
                session.run_all()
                weights, theta_mv = session.learned()
                record = session.record()
                files = save_weights(workdir, name, weights, theta_mv, record, force=force or resume)
            keep_state(workdir, name)
            delete_checkpoints(workdir, name)
        except KeyboardInterrupt:
            raise InterruptedRunError(_where_it_stopped(session)) from None
    return TrainingResult(experiment, weights, theta_mv, record, files)


def _where_it_stopped(session: TrainingSession) -> str:
    """Tell what an interrupt left: the examples of the last checkpoint."""
    if not session.saved_examples:
        return "interrupted before the first checkpoint; run the same command again"
    return (
        f"interrupted after {session.saved_examples:,} of {session.experiment.num_examples:,} examples; nothing is "
        "lost: run the same command with --resume to go on"
    )
