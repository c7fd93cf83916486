"""The whole experiment: train, record training and test (or validation) responses, evaluate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    load_responses,
    load_weights,
    recording_mark,
    recording_path,
    require_writable,
)
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.artefacts.records import RecordingRecord
from snstdp_cli.config import STAGED_ORDERS, Experiment
from snstdp_cli.datasets import Dataset, Part, Split, load_dataset, part_of, sealed_test_images, split_of
from snstdp_cli.errors import ArtefactError, InterruptedRunError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import plan_record, record_activity
from snstdp_cli.recording.corruption import seen_by
from snstdp_cli.recording.record import configured_examples
from snstdp_cli.results import Score, ScoreOn, TrainedNetwork, score_responses
from snstdp_cli.training import train_network
from snstdp_cli.training.completed import is_trained
from snstdp_cli.training.stages import record_stages, refuse_more_passes


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
    score_on: ScoreOn = "test",
    read_outs: Sequence[Classifier] = (),
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
    score_on
        `validation` scores the answers to the training images that were kept for validation; then nothing of the test
        images is read.
    read_outs
        What to score by beside the experiment's read-out and those that are always told.
    datasets
        The whole training and test splits, as far as they are needed; by default those that `experiment.data` names,
        looked for in `data_dir`.

    Raises
    ------
    SnstdpError
        For anything that a user can cause or meet.
    """
    with sealed_test_images(score_on == "validation"):
        parts: tuple[Part, Part] = ("train", score_on)
        held = experiment.evaluation.withheld
        whole = dict(datasets or {})
        for split in map(split_of, parts):
            if split not in whole:
                whole[split] = load_dataset(experiment.data, split, data_dir, inputs=experiment.input)
        images = {part: part_of(whole[split_of(part)], part, held) for part in parts}
        return _run(experiment, workdir, images, score_on, read_outs, workers, resume, force, report or Reporter())


def _run(
    experiment: Experiment,
    workdir: Workdir,
    images: dict[Part, Dataset],
    score_on: ScoreOn,
    read_outs: Sequence[Classifier],
    workers: int | None,
    resume: bool,
    force: bool,
    report: Reporter,
) -> RunResult:
    """Train, record all parts of the images, and score."""
    began, name, files = time.perf_counter(), experiment.save_name, list[Path]()
    require_writable(workdir.weights, workdir.activity)
    has_stages = experiment.order in STAGED_ORDERS and score_on == "test"
    if has_stages:
        refuse_more_passes(experiment, images["train"])
    if resume and is_trained(experiment, workdir, images["train"]):
        report.say(f"the training '{name}' is complete")
    else:
        result = train_network(experiment, workdir, dataset=images["train"], resume=resume, force=force, report=report)
        files += result.files
    if has_stages:
        stages = record_stages(
            experiment, workdir, images["train"], images["test"], workers=workers, resume=resume, report=report
        )
        files += [stages] if stages is not None else []
    answers: dict[Part, Responses] = {}
    for part, shown in images.items():
        answers[part], written = _record(experiment, workdir, part, shown, workers, resume, force, report)
        files += written
    score = score_responses(
        TrainedNetwork(workdir, name),
        answers["train"],
        answers[score_on],
        classifier=experiment.evaluation.classifier,
        read_outs=read_outs,
    )
    return RunResult(score, files, time.perf_counter() - began)


def _record(
    experiment: Experiment,
    workdir: Workdir,
    split: Part,
    dataset: Dataset,
    workers: int | None,
    resume: bool,
    force: bool,
    report: Reporter,
) -> tuple[Responses, list[Path]]:
    """Record a split, or keep the recording that this experiment would make."""
    name = experiment.save_name
    if resume and (kept := find_recorded(experiment, workdir, split, dataset)) is not None:
        report.say(f"the {split} responses of '{name}' are recorded")
        return kept, [kept.path]
    try:
        return record_activity(
            experiment,
            workdir,
            name,
            split,
            dataset=dataset,
            workers=workers,
            resume=resume,
            force=force or resume,
            report=report,
        )
    except InterruptedRunError as error:
        raise type(error)(f"{error}; the training is kept") from None


def plan_recording(
    experiment: Experiment, workdir: Workdir, split: Part, dataset: Dataset
) -> tuple[RecordingRecord, int, Path]:
    """Return the record of the recording that this experiment would make, its number of examples, and its file.

    Raises
    ------
    ArtefactError
        If there are no weights yet.
    """
    weights, name = load_weights(workdir, experiment.save_name), experiment.save_name
    planned = plan_record(seen_by(experiment, split), name, weights, describe_data(dataset))
    num = min(configured_examples(experiment, split), len(dataset))
    return planned, num, recording_path(workdir, name, split, num, recording_mark(planned))


def find_recorded(experiment: Experiment, workdir: Workdir, split: Part, dataset: Dataset) -> Responses | None:
    """Return the recording that this experiment would make, if it is there already and intact."""
    planned, num, path = plan_recording(experiment, workdir, split, dataset)
    try:
        found = load_responses(path)
    except ArtefactError:
        return None
    same = found.record is not None and found.record.identity == planned.identity
    return found if same and len(found.labels) == num else None
