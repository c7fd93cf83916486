"""Record what a trained network answers, and score it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snstdp_cli.api.arguments import Data, Progress, dotted, images_of, reporter_of, workers_of
from snstdp_cli.artefacts import Responses, Workdir
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import (
    Part,
    split_of,
)
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Classifier, Ties
from snstdp_cli.recording import record_activity
from snstdp_cli.results import AssignFrom, Score, ScoreOn, TrainedNetwork, score_network


def record(
    network: TrainedNetwork | str,
    *,
    split: Part = "test",
    data: Data | None = None,
    num_examples: int | None = None,
    label: str | None = None,
    workdir: str | Path = ".",
    workers: int | None = None,
    force: bool = False,
    progress: Progress = False,
    **settings: Any,
) -> Responses:
    """Record what a trained network answers to images; nothing learns.

    Parameters
    ----------
    network
        A network, or its name in `workdir`.
    split
        `train` for the responses that label the neurons, `test` for those that are scored, `validation` for those by
        which settings are chosen.
    data
        Images in the place of those that the network was trained on.
    num_examples
        How many of the images, from the front; by default as the experiment says.
    label
        A name for these responses, beside others of the same network.
    workers
        Programs or processes that record side by side; the result is the same. By default a program on each core, and
        none for the Python engine, whose processes need a script with an `if __name__ == "__main__"` guard.
    settings
        Settings in which the recording differs from the training, such as `dt=0.1`.

    Returns
    -------
    responses
        `counts` [num_examples, n_e], `labels` [num_examples] and how they were made.

    Raises
    ------
    SnstdpError
        For anything that goes wrong.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> snstdp.record("tiny", split="train", num_examples=40).counts.shape
    (40, 20)
    >>> snstdp.record("tiny", split="test", num_examples=40).labels.shape
    (40,)
    """
    network = network_of(network, workdir)
    made = network.experiment
    changed = {**dict(dotted(settings)), "load_name": network.name}
    chosen = build_experiment(made.model_dump(mode="json"), changed, network.name, run_rule_files=False)
    chosen, images = images_of(chosen, split_of(split), data)
    workers = workers_of(workers, chosen)
    with reporter_of(progress) as report:
        responses, _ = record_activity(
            chosen,
            network.workdir,
            network.name,
            split,
            num_examples=num_examples,
            dataset=images,
            label=label,
            workers=workers,
            force=force,
            report=report,
        )
    network.forget_recordings()
    return responses


def evaluate(
    network: TrainedNetwork | str,
    *,
    data: str | None = None,
    label: str | None = None,
    classifier: Classifier = "average",
    assign_from: AssignFrom = "train",
    num_examples: int | None = None,
    score_on: ScoreOn = "test",
    read_outs: Sequence[Classifier] = (),
    ties: Ties = "lowest",
    workdir: str | Path = ".",
) -> Score:
    """Score recorded responses: neurons get labels from training responses, test responses are classified.

    Parameters
    ----------
    data, label
        Which of several recordings; by default that of the data set of the training.
    classifier
        The read-out that `Score.evaluation` is of; `Score.evaluations` has it and the others.
    assign_from
        `test` labels the neurons by the very responses that are scored, which flatters.
    num_examples
        Score only the first ones.
    score_on
        `validation` scores the answers to the training images that were kept for validation.
    read_outs
        What to score by beside `classifier`, average and selective: proportion, all_activity, or linear, which is
        trained by labels and needs scikit-learn.
    ties
        `ancestor` predicts the highest of several best classes, as the ancestor's script does.

    Raises
    ------
    ArtefactError
        If the recordings are missing, or do not belong together.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> score = snstdp.evaluate("tiny")
    >>> sorted(score.evaluations), score.evaluation.num_examples
    (['average', 'selective'], 40)
    """
    network = network_of(network, workdir)
    return score_network(
        network,
        assign_from=assign_from,
        classifier=classifier,
        num_examples=num_examples,
        data=data,
        mark=label,
        score_on=score_on,
        read_outs=read_outs,
        ties=ties,
    )


def network_of(network: TrainedNetwork | str, workdir: str | Path) -> TrainedNetwork:
    """Return a network that is given, or named."""
    return load(network, workdir) if isinstance(network, str) else network


def load(name: str, workdir: str | Path = ".") -> TrainedNetwork:
    """Return a trained network by its name.

    Raises
    ------
    ArtefactError
        If there are neither weights nor recordings of this name.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> network = snstdp.load("tiny")
    >>> network.experiment.rule.name, network.image_shape
    ('smin', (28, 28))
    """
    network = TrainedNetwork(Workdir(Path(workdir)), name)
    if not network.has_weights and not network.recordings:
        raise ArtefactError(f"{network.workdir.root}: neither weights nor recorded responses of '{name}'")
    return network
