"""What a network knew after each stage of a training, a class or a data set: its snapshots answer to what was seen.

Everything is frozen while they answer; neurons are labelled by training images of the classes seen so far, and answers
are to test images of them. Nothing of a later class takes part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights, Workdir, load_snapshots, load_weights
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord, load_stages, save_stages, stages_path
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines import Stream, available_cores
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import evaluate_all
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.recorder import Recorder
from snstdp_cli.training.start import divide_images


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
        None for a training in another order.
    """
    report, name = report or Reporter(), experiment.save_name
    images = divide_images(experiment, train)
    ends = {int(end): images.shown[:end] for end in images.stage_ends if end <= experiment.num_examples}
    if not ends:
        return None
    weights, num = load_weights(workdir, name), experiment.evaluation.stage_examples
    planned = _plan(workdir, name, weights, train, test, num)
    if resume and (kept := _kept(workdir, name, planned)) is not None:
        return kept
    known = _networks(experiment, workdir, weights, planned["training"], train.n_input)
    recorder = Recorder(experiment, draw_wiring(experiment, train.n_input), workers or available_cores(), report)
    stages = []
    try:
        for end in sorted(ends.keys() & known.keys()):
            seen = np.unique(images.labels[ends[end]])
            report.say(f"after {end:,} examples: answers to classes {', '.join(map(str, seen))}")
            stages.append(_stage(recorder, known[end], end, seen, _first(train, num), _first(test, num)))
    finally:
        recorder.close()
    return save_stages(workdir, name, StagesRecord(**planned, stages=tuple(stages)))


def _plan(
    workdir: Workdir, name: str, weights: TrainedWeights, train: Dataset, test: Dataset, num: int
) -> dict[str, Any]:
    """Return all of the record but for the stages: what it will be known by."""
    if weights.record is None or weights.record.training is None:
        raise ArtefactError(f"{workdir.weights}: nothing is written down of the training '{name}'")
    return {
        "training": weights.record.training,
        "weights": weights.sha256,
        "train": describe_data(train),
        "test": describe_data(test),
        "shown": (min(num, len(train)), min(num, len(test))),
    }


def _kept(workdir: Workdir, name: str, planned: Mapping[str, Any]) -> Path | None:
    """Return the file of stages that were written down of this very training and these images."""
    with contextlib.suppress(ArtefactError):  # a damaged one is made again
        found = load_stages(workdir, name)
        if found is not None and all(getattr(found, key) == value for key, value in planned.items()):
            return stages_path(workdir, name)
    return None


def _networks(
    experiment: Experiment, workdir: Workdir, weights: TrainedWeights, training: str, n_input: int
) -> dict[int, TrainedWeights]:
    """Return the network at its end and at each snapshot, by examples."""
    shots = load_snapshots(workdir, experiment.save_name, training, n_input, experiment.n_e)
    found = {one.examples: TrainedWeights(one.weights, one.theta_mv) for one in shots}
    return {**found, experiment.num_examples: weights}


_Labelled = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def _first(dataset: Dataset, num: int) -> _Labelled:
    shown = dataset.images[:num]
    return shown.reshape(len(shown), -1), dataset.labels[:num]


def _stage(
    recorder: Recorder,
    weights: TrainedWeights,
    examples: int,
    seen: NDArray[np.uint8],
    train: _Labelled,
    test: _Labelled,
) -> Stage:
    """Record and score the answers of one snapshot."""
    answers = []
    for (images, labels), stream in ((train, Stream.TRAINING_RECORDING), (test, Stream.TEST_RECORDING)):
        chosen = np.isin(labels, seen)
        counts, _, silent = recorder.record(weights, images[chosen], stream=stream)
        answers.append((counts, labels[chosen], silent))
    (assign, assign_labels, _), (counts, labels, silent) = answers
    scored = evaluate_all(assign, assign_labels, counts, labels, silent)
    found = {name: one.by_class for name, one in scored.items()}
    return Stage(
        examples=examples,
        seen=tuple(seen.tolist()),
        answers={
            name: StageAnswers(
                correct=tuple(by_class[c].correct if c in by_class else 0 for c in seen.tolist()),
                total=tuple(by_class[c].total if c in by_class else 0 for c in seen.tolist()),
            )
            for name, by_class in found.items()
        },
    )
