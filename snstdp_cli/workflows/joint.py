"""The whole experiment: train, record training and test responses, evaluate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.artefacts import Workdir, load_weights, read_checkpoint, weights_exist
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Split
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError
from snstdp_cli.workflows.progress import Reporter
from snstdp_cli.workflows.recording import record_activity
from snstdp_cli.workflows.scoring import Score, evaluate_activity, load_recording
from snstdp_cli.workflows.training import fingerprint_of, train_network


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

    With `resume` what is there already is kept: a finished training, a finished recording, a checkpoint.
    """
    report = report or Reporter()
    began, name, files = time.perf_counter(), experiment.save_name, list[Path]()
    if resume and _is_trained(experiment, workdir):
        report.say(f"the training '{name}' is complete")
    else:
        files += train_network(experiment, workdir, data_dir=data_dir, resume=resume, force=force, report=report).files
    splits: tuple[Split, Split] = ("train", "test")
    for split in splits:
        if resume and (path := _recorded(workdir, name, split)) is not None:
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


def _is_trained(experiment: Experiment, workdir: Workdir) -> bool:
    """Tell whether this very training is complete; refuse to mix it with another of the same name."""
    name = experiment.save_name
    if not weights_exist(workdir, name) or read_checkpoint(workdir, name) is not None:
        return False
    found = load_weights(workdir, name).provenance
    if found.get("kind") == "training" and fingerprint_of(found) == fingerprint_of(
        {"experiment": experiment.model_dump(mode="json")}
    ):
        return True
    raise ConfigError(
        f"weights named '{name}' exist in {workdir.weights} and were made with other settings; choose another "
        "--save-name, or start again with --force"
    )


def _recorded(workdir: Workdir, name: str, split: str) -> Path | None:
    try:
        return load_recording(workdir, name, split)[1]
    except ArtefactError:
        return None
