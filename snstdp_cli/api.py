"""The functions of the Python API: what the commands do, for scripts and notebooks.

Nothing here prints (unless `progress=True`) or exits; what goes wrong is an `SnstdpError`. Brian 2's preferences,
device and `defaultclock` are left as they were found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from snstdp_cli.artefacts import Responses, Workdir
from snstdp_cli.config import Experiment, build_experiment, read_file
from snstdp_cli.datasets import (
    ArrayDataset,
    Dataset,
    Part,
    Split,
    images_from_array,
    load_dataset,
    load_images,
    sealed_test_images,
    split_of,
)
from snstdp_cli.engines import choose_engine
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import record_activity
from snstdp_cli.recording.tracing import Trace
from snstdp_cli.results import AssignFrom, Prediction, Score, ScoreOn, TrainedNetwork, predict_images, score_network
from snstdp_cli.results.presentation import present_again
from snstdp_cli.studies import load_study
from snstdp_cli.studies.opened import OpenStudy
from snstdp_cli.training import train_network

#: Called with each event: `TrainingProgress`, `RecordingProgress`, `Preflight`, or a sentence (str).
Callback: TypeAlias = Callable[[Any], None]
Data: TypeAlias = str | Path | ArrayDataset
Progress: TypeAlias = bool | Callback


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
    return build_experiment(content, dict(_dotted(settings)), where)


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
    """
    place, (chosen, images) = Workdir(Path(workdir)), _images(experiment, "train", data)
    with _reporter(progress) as report:
        train_network(chosen, place, dataset=images, more=more, resume=resume, force=force, report=report)
    return TrainedNetwork(place, chosen.save_name)


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
    """
    network = load(network, workdir) if isinstance(network, str) else network
    made = network.experiment
    changed = {**dict(_dotted(settings)), "load_name": network.name}
    chosen = build_experiment(made.model_dump(mode="json"), changed, network.name, run_rule_files=False)
    chosen, images = _images(chosen, split_of(split), data)
    if workers is None and choose_engine(chosen) == "runtime":
        workers = 1
    with _reporter(progress) as report:
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
    workdir: str | Path = ".",
) -> Score:
    """Score recorded responses: neurons get labels from training responses, test responses are classified.

    Parameters
    ----------
    data, label
        Which of several recordings; by default that of the data set of the training.
    classifier
        The read-out that `Score.evaluation` is of; `Score.evaluations` has all.
    assign_from
        `test` labels the neurons by the very responses that are scored, which flatters.
    num_examples
        Score only the first ones.
    score_on
        `validation` scores the answers to the training images that were kept for validation.

    Raises
    ------
    ArtefactError
        If the recordings are missing, or do not belong together.
    """
    network = load(network, workdir) if isinstance(network, str) else network
    return score_network(
        network,
        assign_from=assign_from,
        classifier=classifier,
        num_examples=num_examples,
        data=data,
        mark=label,
        score_on=score_on,
    )


def predict(
    network: TrainedNetwork | str,
    images: ArrayLike | str | Path,
    *,
    label: str | None = None,
    workdir: str | Path = ".",
    workers: int | None = None,
    progress: Progress = False,
) -> Prediction:
    """Tell the classes of images that nobody has labelled; nothing learns, nothing is written.

    The neurons carry the labels that the recorded training responses give them (`record(network, split="train")`).

    Parameters
    ----------
    network
        A network, or its name in `workdir`.
    images
        Grey values from 0 to 255 of type uint8, [num, rows, cols]; or the path of an .npz, .npy or IDX file.
    label
        Which training responses give the labels, if there are some of several conditions.
    workers
        As for `record`.

    Returns
    -------
    prediction
        `predictions` and `scores` by read-out, `counts` [num, n_e], `silent` [num].

    Raises
    ------
    SnstdpError
        If training responses are missing or of other conditions, or the images do not fit.
    """
    network = load(network, workdir) if isinstance(network, str) else network
    shown = load_images(str(images)) if isinstance(images, str | Path) else images_from_array(images)
    if workers is None and choose_engine(network.experiment) == "runtime":
        workers = 1
    with _reporter(progress) as report:
        return predict_images(network, shown, mark=label, workers=workers, report=report)


def trace(
    network: TrainedNetwork | str,
    example: int = 0,
    *,
    neurons: Sequence[int] | None = None,
    data: str | None = None,
    label: str | None = None,
    workdir: str | Path = ".",
) -> Trace:
    """Present a test image to a frozen network once more and watch every spike; a recorded one gives the same spikes.

    Parameters
    ----------
    network
        A network, or its name in `workdir`.
    example
        Number of the image, from 0.
    neurons
        Excitatory neurons whose voltage and conductances are watched; by default the three that answer most.
    data, label
        Which of several recordings to repeat; by default that of the data set of the training.

    Returns
    -------
    trace
        Spike times in ms and neurons of each group; voltage, conductances and threshold of the watched neurons.
        `trace.arrays()` has all of it as arrays, as `snstdp trace` writes them.

    Raises
    ------
    SnstdpError
        If weights or images are not there, or there is no such image or neuron.
    """
    network = load(network, workdir) if isinstance(network, str) else network
    return present_again(network, example, neurons=neurons, data=data, mark=label)


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
    """
    with sealed_test_images(score_on == "validation"), _reporter(progress) as report:
        chosen, train_images = _images(experiment, "train", data)
        datasets: dict[Split, Dataset] = {"train": train_images}
        if score_on == "test":
            datasets["test"] = _images(experiment, "test", data)[1]
        if workers is None and choose_engine(chosen) == "runtime":
            workers = 1
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


def load(name: str, workdir: str | Path = ".") -> TrainedNetwork:
    """Return a trained network by its name.

    Raises
    ------
    ArtefactError
        If there are neither weights nor recordings of this name.
    """
    network = TrainedNetwork(Workdir(Path(workdir)), name)
    if not network.has_weights and not network.recordings:
        raise ArtefactError(f"{network.workdir.root}: neither weights nor recorded responses of '{name}'")
    return network


def study(file: str | Path, *, workdir: str | Path = ".") -> OpenStudy:
    """Open a study: many experiments from one file, whose results are in `studies/<name>/`.

    Parameters
    ----------
    file
        YAML file of the study (see docs/studies.md).
    workdir
        Folder of `studies/`.

    Raises
    ------
    ConfigError
        For a file or cell that cannot be used; nothing is run then.
    """
    return OpenStudy(load_study(Path(file), Path(workdir)))


def _dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings with dotted keys; a mapping is a section."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _images(experiment: Experiment, split: Split, data: Data | None) -> tuple[Experiment, Dataset]:
    """Return the images to show, and the experiment that names them."""
    if isinstance(data, ArrayDataset):
        return experiment, data.split(split)
    if data is not None:
        changed = {**experiment.model_dump(mode="json"), "data": str(data)}
        rule = experiment.rule
        experiment = build_experiment(changed, {}, "data", run_rule_files=False).model_copy(update={"rule": rule})
    return experiment, load_dataset(experiment.data, split)


@contextmanager
def _reporter(progress: Progress) -> Iterator[Reporter]:
    if progress is True:
        from snstdp_cli.cli.live import reporter

        with reporter(quiet=False) as report:
            yield report
    elif callable(progress):
        yield Reporter(progress, progress, progress, progress, progress)
    else:
        yield Reporter()
