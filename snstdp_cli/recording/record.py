"""Record the responses of a frozen network: no plasticity, constant thresholds, every presentation from rest.

A response depends on its image and its number alone, so the examples can be divided among any number of workers.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    DataRecord,
    RecordingFigures,
    RecordingRecord,
    Responses,
    TrainedWeights,
    WeightsRecord,
    Workdir,
    load_weights,
    recording_mark,
    recording_path,
    refuse_ancestor_pair,
    refuse_overwrite,
    require_writable,
    save_ancestor_pair,
    save_responses,
)
from snstdp_cli.artefacts.files import checked_name
from snstdp_cli.artefacts.provenance import describe_data, describe_run
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, Part, check_fit, doubts_of, load_dataset, part_of, refuse_sealed, split_of
from snstdp_cli.engines import Stream, available_cores, choose_engine
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.events import EventLog
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.corruption import corrupt_images, seen_by
from snstdp_cli.recording.partial import PartialRecording
from snstdp_cli.recording.plausibility import check_plausible
from snstdp_cli.recording.recorder import Answers, Recorder
from snstdp_cli.recording.withheld import divided_otherwise, refuse_trained_on

#: Each split has random numbers of its own.
STREAMS: dict[Part, Stream] = {
    "train": Stream.TRAINING_RECORDING,
    "test": Stream.TEST_RECORDING,
    "validation": Stream.VALIDATION_RECORDING,
}
#: The setting that says how many images of a split are shown, below `evaluation`.
_COUNTS: dict[Part, str] = {
    "train": "assign_examples",
    "test": "test_examples",
    "validation": "validation_examples",
}


def configured_examples(experiment: Experiment, split: Part) -> int:
    """Return how many images of a split the configuration asks for."""
    return int(getattr(experiment.evaluation, _COUNTS[split]))


def plan_record(
    experiment: Experiment, name: str, weights: TrainedWeights, data: DataRecord, label: str | None = None
) -> RecordingRecord:
    """Return the record of a recording before it is made: what it will be known by is in it."""
    return RecordingRecord(
        **describe_run(experiment, choose_engine(experiment), 0.0),
        label=label,
        weights=WeightsRecord(name=name, sha256=weights.sha256),
        data=data,
        figures=RecordingFigures(spikes_per_example=0.0, retries=0, silent_examples=0),
    )


def record_activity(
    experiment: Experiment,
    workdir: Workdir,
    name: str,
    split: Part,
    *,
    num_examples: int | None = None,
    dataset: Dataset | None = None,
    data_dir: Path | None = None,
    label: str | None = None,
    workers: int | None = None,
    ancestor_format: bool = False,
    resume: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> tuple[Responses, list[Path]]:
    """Record what the weights `name` answer to the first `num_examples` images of `split`, and save it.

    `train` are the training images without those for validation, of which the experiment says how many there are.

    What is done is kept from time to time, so that an interrupted recording can be resumed.

    Parameters
    ----------
    resume
        Go on with an interrupted recording of the same weights, settings and images; the result is the same, bit for
        bit. Without one, begin.
    dataset
        The whole split that holds the images; by default that which `experiment.data` names, looked for in `data_dir`.
    label
        Name for these responses, beside others of the same network and split.

    Raises
    ------
    ArtefactError, DataError, EngineError, NumericalError
        If weights or data are missing or do not fit, a recording would be overwritten, the engine fails, or the
        network runs away or does not answer.
    ConfigError
        If there are no validation images, or the network was trained on them.
    """
    log = EventLog(workdir, name, report or Reporter())
    report = log.report
    refuse_sealed(split, name)
    experiment = seen_by(experiment, split)
    weights = _weights_of(experiment, workdir, name, report)
    if dataset is None:
        dataset = load_dataset(experiment.data, split_of(split), data_dir, inputs=experiment.input)
    dataset = _part_for(experiment, name, weights, split, dataset, report)
    num = _number_of_examples(experiment, split, num_examples, dataset, report)
    if label is not None:
        checked_name(label, "--as")
    record = plan_record(experiment, name, weights, describe_data(dataset), label)
    require_writable(workdir.activity)
    if ancestor_format and not force:
        refuse_ancestor_pair(workdir, num)
    if not ancestor_format:
        refuse_overwrite([recording_path(workdir, name, split, num, recording_mark(record))], force)
    began = time.perf_counter()
    keeper = PartialRecording(workdir, record, dataset.labels, num, report)
    done = keeper.resumed() if resume else None
    training = None if weights.record is None else weights.record.training
    with log.opened(training, "recording", split, 0 if done is None else len(done[0]), num, goes_on=True):
        answers = _record(experiment, weights, dataset, split, num, workers, keeper, done, report)
    responses = _responses(answers, dataset.labels[:num], record, time.perf_counter() - began)
    save = save_ancestor_pair if ancestor_format else _save
    files = list(save(workdir, responses, force=force))
    keeper.delete()
    return replace(responses, path=files[0]), files


def _weights_of(experiment: Experiment, workdir: Workdir, name: str, report: Reporter) -> TrainedWeights:
    """Return the weights, once they are plausible; what is known against them is told."""
    weights = load_weights(workdir, name, n_e=experiment.n_e, theta_init_mv=experiment.network.theta_init_mv)
    check_plausible(weights, name)
    if weights.note is not None:
        report.warn(f"{name}: {weights.note}")
    return weights


def _save(workdir: Workdir, responses: Responses, *, force: bool) -> tuple[Path]:
    return (save_responses(workdir, responses, force=force),)


def _responses(answers: Answers, labels: NDArray[np.uint8], record: RecordingRecord, seconds: float) -> Responses:
    """Return what was recorded, with its figures in its record."""
    counts, attempts, silent = answers
    figures = RecordingFigures(
        spikes_per_example=float(counts.sum(axis=1).mean()),
        retries=int(attempts.sum()) - len(labels),
        silent_examples=int(silent.sum()),
    )
    made = record.model_copy(update={"figures": figures, "duration_s": round(seconds, 3)})
    return Responses(counts, labels, attempts, silent, made)


def _part_for(
    experiment: Experiment, name: str, weights: TrainedWeights, split: Part, dataset: Dataset, report: Reporter
) -> Dataset:
    """Return the part that is shown, once it is known to fit the network and not to be what it was trained on."""
    held = experiment.evaluation.withheld
    part = part_of(dataset, split, held)
    check_fit(part, weights.weights.shape[0], f"the network '{name}'")
    if split == "validation":
        refuse_trained_on(weights, name, describe_data(part), held)
    trained = None if weights.record is None else weights.record.data
    shown = describe_data(part)
    renamed = None if trained is None else trained.names_apart(shown)
    divided = divided_otherwise(weights, name, shown, experiment.input) if split == "test" else None
    lacking = _lacking(part) if split == "validation" else None
    for sentence in filter(None, (*doubts_of(part), renamed, divided, lacking)):
        report.warn(sentence)
    return part


def _lacking(part: Dataset) -> str | None:
    """Tell which classes of the data set have no image among those for validation."""
    lacking = np.setdiff1d(part.classes, part.labels)
    if not len(lacking):
        return None
    return (
        f"no image of class {', '.join(map(str, lacking))} among the {len(part):,} validation images: withhold "
        "more, or images that are spread over the set (evaluation.validation_images: spread)"
    )


def _number_of_examples(
    experiment: Experiment, split: Part, asked: int | None, dataset: Dataset, report: Reporter
) -> int:
    """Return how many images to show, and say so if there are fewer than were asked for."""
    wanted = asked or configured_examples(experiment, split)
    num = min(wanted, len(dataset))
    if num < wanted:
        fewer = f"--set evaluation.{_COUNTS[split]}={max(1, num // 5)}" if asked is None else "--num-examples"
        report.say(f"recording all {num:,} {split} images, which is less than {wanted:,}; for fewer: {fewer}")
    return num


def _record(
    experiment: Experiment,
    weights: TrainedWeights,
    dataset: Dataset,
    split: Part,
    num: int,
    workers: int | None,
    keeper: PartialRecording,
    done: Answers | None,
    report: Reporter,
) -> Answers:
    """Present the images that are left; keep what is done if that is interrupted."""
    try:
        recorder = Recorder(experiment, draw_wiring(experiment, dataset.n_input), workers or available_cores(), report)
        try:
            return recorder.record(
                weights,
                corrupt_images(dataset.images[:num], experiment, STREAMS[split]).reshape(num, -1),
                stream=STREAMS[split],
                split=split,
                progress=report.recording,
                done=done,
                keep=keeper.keep,
            )
        finally:
            recorder.close()
    except KeyboardInterrupt:
        raise InterruptedRunError(keeper.told_interrupt()) from None
    except InterruptedRunError as interrupt:  # whoever asked for it knows it by its class
        raise type(interrupt)(keeper.told_interrupt()) from None
