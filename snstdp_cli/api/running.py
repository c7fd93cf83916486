"""Make an experiment, train a network, run the whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snstdp_cli.api.arguments import Data, Progress, dotted, images_of, reporter_of, workers_of
from snstdp_cli.artefacts import Workdir
from snstdp_cli.config import Experiment, build_experiment, read_file
from snstdp_cli.datasets import (
    Dataset,
    Split,
    sealed_test_images,
)
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.results import Score, ScoreOn, TrainedNetwork
from snstdp_cli.training import train_network


def experiment(config: str | Path | Mapping[str, Any] | None = None, /, **settings: Any) -> Experiment:
    """Build a complete experiment from a YAML file or a mapping, and settings that win over it.

    Parameters
    ----------
    config
        Path of a YAML file, or its content as a mapping; nothing for the defaults.
    settings
        Any key of a configuration: `n_e=100`, `rule="smax"`, `rule={"eta": 0.02}`, `network={"w_inh_exc": 10}`;
        dotted keys by `**{"rule.eta": 0.02}`. `rule` also takes a `Rule` of your own.

    Raises
    ------
    ConfigError
        For a file, key or value that cannot be used.

    Examples
    --------
    >>> experiment(n_e=100, rule={"name": "smax", "eta": 0.02}).rule.parameters["eta"]
    0.02
    """
    content = read_file(Path(config)) if isinstance(config, str | Path) else config
    where = str(config) if isinstance(config, str | Path) else "experiment"
    return build_experiment(content, dict(dotted(settings)), where)


def train(
    experiment: Experiment,
    *,
    data: Data | None = None,
    more: int | None = None,
    workdir: str | Path = ".",
    resume: bool = False,
    force: bool = False,
    progress: Progress = False,
) -> TrainedNetwork:
    """Train a network; weights, thresholds and record are kept under `experiment.save_name`.

    Parameters
    ----------
    data
        Images in the place of those that the experiment names: a name, a path, or a `Dataset`.
    more
        Continue the finished training `experiment.load_name` for so many examples more, with all its settings.
    workdir
        Folder of `weights/` and `activity/`.
    resume
        Go on from the last checkpoint of an interrupted training.
    force
        Replace what has this name.
    progress
        `True` prints; a function is called with each event.

    Raises
    ------
    SnstdpError
        For anything that goes wrong.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> tiny = snstdp.experiment(n_e=20, num_examples=60, data="bundled", save_name="tiny")
    >>> network = snstdp.train(tiny)
    >>> network.weights.shape, network.theta_mv.shape
    ((784, 20), (20,))
    """
    place, (chosen, images) = Workdir(Path(workdir)), images_of(experiment, "train", data)
    with reporter_of(progress) as report:
        train_network(chosen, place, dataset=images, more=more, resume=resume, force=force, report=report)
    return TrainedNetwork(place, chosen.save_name)


def run(
    experiment: Experiment,
    *,
    score_on: ScoreOn = "test",
    data: Data | None = None,
    workdir: str | Path = ".",
    workers: int | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress = False,
) -> Score:
    """Train, record both splits and evaluate; the arguments are those of `train`, `record` and `evaluate`.

    Raises
    ------
    SnstdpError
        For anything that goes wrong.

    Examples
    --------
    >>> import snstdp_cli as snstdp
    >>> short = {"assign_examples": 40, "test_examples": 40}
    >>> tiny = snstdp.experiment(n_e=20, num_examples=60, data="bundled", save_name="whole", evaluation=short)
    >>> score = snstdp.run(tiny)
    >>> score.evaluation.confusion.shape
    (10, 10)
    """
    with sealed_test_images(score_on == "validation"), reporter_of(progress) as report:
        chosen, train_images = images_of(experiment, "train", data)
        datasets: dict[Split, Dataset] = {"train": train_images}
        if score_on == "test":
            datasets["test"] = images_of(experiment, "test", data)[1]
        workers = workers_of(workers, chosen)
        return run_experiment(
            chosen,
            Workdir(Path(workdir)),
            score_on=score_on,
            datasets=datasets,
            workers=workers,
            resume=resume,
            force=force,
            report=report,
        ).score
