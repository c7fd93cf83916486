"""The whole experiment: train, record training and test responses, evaluate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.artefacts import (
    Responses,
    TrainedWeights,
    Workdir,
    load_responses,
    load_weights,
    read_checkpoint,
    recording_mark,
    recording_path,
    require_writable,
    weights_exist,
)
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, Split, load_dataset
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import plan_record, record_activity
from snstdp_cli.recording.record import configured_examples
from snstdp_cli.results import Score, TrainedNetwork, score_network
from snstdp_cli.training import train_network
from snstdp_cli.training.identity import identify_training
from snstdp_cli.training.start import start_weights


@dataclass(frozen=True, eq=False)
class RunResult:
    """A finished experiment: its score, what was written, and the time it took in this session."""

    score: Score
    files: list[Path]
    seconds: float


def run_experiment(
    experiment: Experiment,
    workdir: Workdir,
    *,
    datasets: dict[Split, Dataset] | None = None,
    data_dir: Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> RunResult:
    """Train, record and evaluate under `experiment.save_name`.

    With `resume` what is there already is kept if it was made with these settings on these images: a finished
    training, a finished recording, a checkpoint.

    Parameters
    ----------
    datasets
        Training and test images; by default those that `experiment.data` names, looked for in `data_dir`.

    Raises
    ------
    SnstdpError
        For anything that a user can cause or meet.
    """
    report = report or Reporter()
    began, name, files = time.perf_counter(), experiment.save_name, list[Path]()
    splits: tuple[Split, Split] = ("train", "test")
    images = datasets or {split: load_dataset(experiment.data, split, data_dir) for split in splits}
    require_writable(workdir.weights, workdir.activity)
    if resume and _is_trained(experiment, workdir, images["train"]):
        report.say(f"the training '{name}' is complete")
    else:
        result = train_network(experiment, workdir, dataset=images["train"], resume=resume, force=force, report=report)
        files += result.files
    for split in splits:
        files += _record(experiment, workdir, split, images[split], workers, resume, force, report)
    score = score_network(
        TrainedNetwork(workdir, name),
        classifier=experiment.evaluation.classifier,
        mark=_mark(experiment, workdir, images),
    )
    return RunResult(score, files, time.perf_counter() - began)


def _record(
    experiment: Experiment,
    workdir: Workdir,
    split: Split,
    dataset: Dataset,
    workers: int | None,
    resume: bool,
    force: bool,
    report: Reporter,
) -> list[Path]:
    """Record a split, or keep the recording that this experiment would make."""
    name = experiment.save_name
    if resume and (kept := find_recorded(experiment, workdir, split, dataset)) is not None:
        report.say(f"the {split} responses of '{name}' are recorded")
        return [kept.path]
    try:
        return record_activity(
            experiment,
            workdir,
            name,
            split,
            dataset=dataset,
            workers=workers,
            force=force or resume,
            report=report,
        )[1]
    except (KeyboardInterrupt, InterruptedRunError):
        raise InterruptedRunError(
            f"interrupted while recording the {split} images; the training is kept: run the same command with "
            "--resume to go on"
        ) from None


def find_recorded(experiment: Experiment, workdir: Workdir, split: Split, dataset: Dataset) -> Responses | None:
    """Return the recording that this experiment would make, if it is there already and intact."""
    weights, name = load_weights(workdir, experiment.save_name), experiment.save_name
    planned = plan_record(experiment, name, weights, describe_data(dataset))
    num = min(configured_examples(experiment, split), len(dataset))
    try:
        found = load_responses(recording_path(workdir, name, split, num, recording_mark(planned)))
    except ArtefactError:
        return None
    same = found.record is not None and found.record.identity == planned.identity
    return found if same and len(found.labels) == num else None


def _mark(experiment: Experiment, workdir: Workdir, images: dict[Split, Dataset]) -> str:
    """Return what the test recording of this experiment is known by."""
    weights: TrainedWeights = load_weights(workdir, experiment.save_name)
    return plan_record(experiment, experiment.save_name, weights, describe_data(images["test"])).identity


def _is_trained(experiment: Experiment, workdir: Workdir, dataset: Dataset) -> bool:
    """Tell whether this very training is complete; refuse to mix it with another of the same name."""
    name = experiment.save_name
    if not weights_exist(workdir, name) or read_checkpoint(workdir, name) is not None:
        return False
    record = load_weights(workdir, name).record
    plasticity = experiment.plasticity(dataset.n_input)
    start = start_weights(experiment, workdir, dataset, plasticity)[0].sha256
    wanted = identify_training(experiment, plasticity, dataset.sha256, start)
    if record is not None and record.training == wanted.digest:
        if record.experiment.num_examples == experiment.num_examples:
            return True
        difference = f"with num_examples {record.experiment.num_examples:,}"
    elif record is None or record.data is None or record.data.sha256 == dataset.sha256:
        difference = "with other settings"
    else:
        difference = "from other images"
    raise ConfigError(
        f"{workdir.weights}: there are weights named '{name}' already, made {difference}; choose another --save-name, "
        "or start again with --force"
    )
