"""The whole experiment: train, record training and test responses, evaluate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.artefacts import (
    Workdir,
    load_responses,
    load_weights,
    read_checkpoint,
    recording_path,
    weights_exist,
)
from snstdp_cli.artefacts.provenance import digest_of_data
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Split, load_dataset
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.record import configured_examples, record_activity
from snstdp_cli.results.scoring import Score, evaluate_activity
from snstdp_cli.training.journal import fingerprint_of
from snstdp_cli.training.train import train_network


@dataclass(frozen=True)
class RunResult:
    """A finished experiment: its score, what was written, and the time it took in this session."""

    score: Score
    files: list[Path]
    seconds: float


def run_experiment(
    experiment: Experiment,
    workdir: Workdir,
    *,
    data_dir: Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> RunResult:
    """Train, record and evaluate under `experiment.save_name`.

    With `resume` what is there already is kept if it was made with these settings on these images: a finished
    training, a finished recording, a checkpoint.
    """
    report = report or Reporter()
    began, name, files = time.perf_counter(), experiment.save_name, list[Path]()
    if resume and _is_trained(experiment, workdir, data_dir):
        report.say(f"the training '{name}' is complete")
    else:
        files += train_network(experiment, workdir, data_dir=data_dir, resume=resume, force=force, report=report).files
    splits: tuple[Split, Split] = ("train", "test")
    for split in splits:
        if resume and (path := _recorded(experiment, workdir, split, data_dir)) is not None:
            files.append(path)
            continue
        try:
            files += record_activity(
                experiment,
                workdir,
                name,
                split,
                data_dir=data_dir,
                workers=workers,
                force=force or resume,
                report=report,
            )[1]
        except (KeyboardInterrupt, InterruptedRunError):
            raise InterruptedRunError(
                f"interrupted while recording the {split} images; the training is kept: run the same command with "
                "--resume to go on"
            ) from None
    score = evaluate_activity(workdir, name, classifier=experiment.evaluation.classifier, report=report)
    return RunResult(score, files, time.perf_counter() - began)


def _is_trained(experiment: Experiment, workdir: Workdir, data_dir: Path | None) -> bool:
    """Tell whether this very training is complete; refuse to mix it with another of the same name."""
    name = experiment.save_name
    if not weights_exist(workdir, name) or read_checkpoint(workdir, name) is not None:
        return False
    found = load_weights(workdir, name).provenance
    wanted = {"experiment": experiment.model_dump(mode="json")}
    if found.get("kind") != "training" or fingerprint_of(found) != fingerprint_of(wanted):
        difference = "with other settings"
    elif digest_of_data(found) != load_dataset(experiment.data, "train", data_dir).sha256:
        difference = "from other images"
    else:
        return True
    raise ConfigError(
        f"{workdir.weights}: there are weights named '{name}' already, made {difference}; choose another --save-name, "
        "or start again with --force"
    )


def _recorded(experiment: Experiment, workdir: Workdir, split: Split, data_dir: Path | None) -> Path | None:
    """Return the recording that this experiment would make, if it is there already."""
    dataset, name = load_dataset(experiment.data, split, data_dir), experiment.save_name
    num = min(configured_examples(experiment, split), len(dataset))
    path = recording_path(workdir, name, split, num)
    try:
        made = load_responses(path).provenance
    except ArtefactError:
        return None
    weights = made.get("weights")
    made_with = weights.get("sha256") if isinstance(weights, dict) else None
    same = made_with == load_weights(workdir, name).sha256 and digest_of_data(made) == dataset.sha256
    return path if same else None
