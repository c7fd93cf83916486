"""What a network knew after each stage of a training, a class or a data set: its snapshots answer to what was seen.

Everything is frozen while they answer; neurons are labelled by training images of the classes seen so far, and answers
are to test images of them. Nothing of a later class takes part.

The last stage ends with the training. Test images are made harder as in the recording that is scored
(`recording.corruption`). A neuron that had not learned by the end of a stage has no label there, as in the score: each
snapshot tells which ones these are; for one of an earlier version, which does not, they are those that never learned
in the whole training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Snapshot, TrainedWeights, Workdir, load_snapshots, load_weights, marks_of
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord, load_stages, save_stages, stages_path
from snstdp_cli.config import Experiment
from snstdp_cli.config.sections import CORRUPTIONS
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines import Stream, available_cores
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.evaluation import Classifier, evaluate_all, with_usual
from snstdp_cli.fields.readouts import TRAINED
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.recording.recorder import Recorder
from snstdp_cli.training.start import TrainingImages, divide_images


def refuse_more_passes(experiment: Experiment, train: Dataset) -> None:
    """Refuse a training of several passes whose stages are to be told: after the first one every class is seen again.

    Raises
    ------
    ConfigError
        If the order has stages, and there are more examples than images of a pass.
    """
    images = divide_images(experiment, train)
    num = len(images.shown)
    if len(images.stage_ends) and experiment.num_examples > num:
        raise ConfigError(
            f"num_examples: found {experiment.num_examples:,}, expected at most {num:,}, which is one pass "
            f"({len(images.withheld):,} images are withheld for the learning curve): with order: {experiment.order} it "
            "is told what is known after each stage, and in a second pass all stages come again"
        )


def record_stages(
    experiment: Experiment,
    workdir: Workdir,
    train: Dataset,
    test: Dataset,
    *,
    workers: int | None = None,
    resume: bool = False,
    report: Reporter | None = None,
) -> Path | None:
    """Let the snapshots at the ends of the stages answer, and write down what they came to.

    A training that ends within a class has its last stage there.

    Parameters
    ----------
    train, test
        The images that the network was trained on, and those that are answered to; the first
        `evaluation.stage_examples` of each are shown.
    resume
        Keep what is written down of this very training.

    Returns
    -------
    path
        None for a training in another order, and if no image of any class that was seen is among those shown.

    Raises
    ------
    ConfigError
        If the training has several passes.
    """
    report, name = report or Reporter(), experiment.save_name
    refuse_more_passes(experiment, train)
    images = divide_images(experiment, train)
    if not len(images.stage_ends):
        return None
    weights = load_weights(workdir, name)
    planned, read_outs = _plan(experiment, workdir, weights, train, test), read_outs_of(experiment)
    if resume and (kept := _kept(workdir, name, planned, experiment.num_examples, read_outs)) is not None:
        return kept
    shown, ends = _shown(experiment, train, test), _seen_by_end(experiment, images)
    if unknown := sorted({*ends[experiment.num_examples].tolist()} - {*shown.classes.tolist()}):
        report.warn(
            f"after no stage anything will be known of classes {_listed(unknown)}: the first {planned['shown'][0]:,} "
            f"training or {planned['shown'][1]:,} test images hold none of them; show more (evaluation.stage_examples)"
        )
    networks = _networks(experiment, workdir, weights, planned["training"], train.n_input)
    recorder = Recorder(experiment, draw_wiring(experiment, train.n_input), workers or available_cores(), report)
    stages = []
    try:
        for end in sorted(ends.keys() & networks.keys()):
            known = np.intersect1d(ends[end], shown.classes)
            if not len(known):
                continue
            report.say(f"after {end:,} examples: answers to classes {_listed(known)}")
            stages.append(_stage(recorder, networks[end], ends[end], shown, read_outs))
    finally:
        recorder.close()
    return save_stages(workdir, name, StagesRecord(**planned, stages=tuple(stages))) if stages else None


def read_outs_of(experiment: Experiment) -> tuple[Classifier, ...]:
    """Return the read-outs of the stages: the usual ones, and the experiment's own unless it is trained by labels.

    Such a read-out needs two classes, and the first stage has one.
    """
    own = experiment.evaluation.classifier
    return with_usual() if own in TRAINED else with_usual(own)


def _seen_by_end(experiment: Experiment, images: TrainingImages) -> dict[int, NDArray[np.uint8]]:
    """Return the classes seen by the end of each stage, by its number of examples; the training ends the last one."""
    ends = {*images.stage_ends.tolist(), experiment.num_examples}
    return {end: np.unique(images.labels[images.shown[:end]]) for end in sorted(ends) if end <= experiment.num_examples}


def _listed(classes: Sequence[int] | NDArray[np.uint8]) -> str:
    return ", ".join(map(str, classes))


def _plan(
    experiment: Experiment, workdir: Workdir, weights: TrainedWeights, train: Dataset, test: Dataset
) -> dict[str, Any]:
    """Return all of the record but for the stages: what it will be known by."""
    if weights.record is None or weights.record.training is None:
        raise ArtefactError(f"{workdir.weights}: nothing is written down of the training '{experiment.save_name}'")
    num, changes = experiment.evaluation.stage_examples, experiment.input
    return {
        "training": weights.record.training,
        "weights": weights.sha256,
        "train": describe_data(train),
        "test": describe_data(test),
        "shown": (min(num, len(train)), min(num, len(test))),
        "harder": {f"input.{key}": getattr(changes, key) for key in CORRUPTIONS if getattr(changes, key)},
    }


def _kept(
    workdir: Workdir, name: str, planned: Mapping[str, Any], num_examples: int, read_outs: Sequence[Classifier]
) -> Path | None:
    """Return the file of stages that were written down of this very training and these images, by these read-outs.

    Those of an earlier version are kept too, though it gave labels to neurons that had not learned by then.
    """
    with contextlib.suppress(ArtefactError):  # a damaged one is made again
        found = load_stages(workdir, name)
        if found is None or any(getattr(found, key) != value for key, value in planned.items()):
            return None
        is_whole = found.stages[-1].examples == num_examples
        if is_whole and all(stage.answers.keys() >= {*read_outs} for stage in found.stages):
            return stages_path(workdir, name)
    return None


def _networks(
    experiment: Experiment, workdir: Workdir, weights: TrainedWeights, training: str, n_input: int
) -> dict[int, Snapshot]:
    """Return the network at its end and at each snapshot, by examples."""
    record, name, never = weights.record, experiment.save_name, None
    if record is not None and record.never_learned is not None:
        never = marks_of(record.never_learned, experiment.n_e, f"{workdir.weights / name}.json: never_learned")
    shots = load_snapshots(workdir, name, training, n_input, experiment.n_e)
    known = {one.examples: one if one.never_learned is not None else replace(one, never_learned=never) for one in shots}
    last = Snapshot(experiment.num_examples, weights.weights, weights.theta_mv, never)
    return {**known, last.examples: last}


class _Shown(NamedTuple):
    """The images that label neurons, and those that are answered to: values [num, n_input] and classes [num] each."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    @property
    def classes(self) -> NDArray[np.uint8]:
        """The classes of which there are images of both sorts."""
        known: NDArray[np.uint8] = np.intersect1d(self.train_labels, self.test_labels)
        return known


def _shown(experiment: Experiment, train: Dataset, test: Dataset) -> _Shown:
    """Return the first images of both splits; those of the test split as the recording shows them."""
    num = experiment.evaluation.stage_examples
    clean, harder = train.images[:num], corrupt_images(test.images[:num], experiment, Stream.TEST_RECORDING)
    return _Shown(clean.reshape(len(clean), -1), train.labels[:num], harder.reshape(len(harder), -1), test.labels[:num])


def _stage(
    recorder: Recorder,
    network: Snapshot,
    seen: NDArray[np.uint8],
    shown: _Shown,
    read_outs: Sequence[Classifier],
) -> Stage:
    """Record and score the answers of one snapshot to the images of the classes seen."""
    weights, known, answers = TrainedWeights(network.weights, network.theta_mv), np.intersect1d(seen, shown.classes), []
    for images, labels, stream in (
        (shown.train, shown.train_labels, Stream.TRAINING_RECORDING),
        (shown.test, shown.test_labels, Stream.TEST_RECORDING),
    ):
        chosen = np.isin(labels, known)
        counts, _, silent = recorder.record(weights, images[chosen], stream=stream)
        answers.append((counts, labels[chosen], silent))
    (assign, assign_labels, _), (counts, labels, silent) = answers
    scored = evaluate_all(
        assign, assign_labels, counts, labels, silent, never_learned=network.never_learned, read_outs=read_outs
    )
    found = {name: one.by_class for name, one in scored.items()}
    return Stage(
        examples=network.examples,
        seen=tuple(seen.tolist()),
        answers={
            name: StageAnswers(
                correct=tuple(by_class[c].correct if c in by_class else 0 for c in seen.tolist()),
                total=tuple(by_class[c].total if c in by_class else 0 for c in seen.tolist()),
            )
            for name, by_class in found.items()
        },
    )
