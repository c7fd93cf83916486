"""What a finished cell is remembered by: its accuracies, and what else was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.stages import load_stages
from snstdp_cli.results import Score, TrainedNetwork, online_course
from snstdp_cli.studies.cell import CELL_NAME
from snstdp_cli.studies.records import CellScore


def cell_score(score: Score) -> CellScore:
    """Return what a cell came to on the images that were scored, as its record has it."""
    evaluation = score.evaluation
    found: dict[str, float | None] = {
        "silent_examples": evaluation.silent_examples,
        "undecided_examples": evaluation.undecided_examples,
        "unassigned_neurons": evaluation.unassigned_neurons,
    }
    if score.test.record is not None:
        found["spikes_per_example"] = score.test.record.figures.spikes_per_example
    return CellScore(
        accuracies={kind: evaluation.accuracy for kind, evaluation in score.evaluations.items()},
        chance=evaluation.chance,
        num_examples=evaluation.num_examples,
        figures=_known(found),
    )


def cell_figures(score: Score, folder: Path) -> dict[str, float]:
    """Return what is known of the training of a cell, whatever was scored, by name.

    What was known after each stage is read as the score is; by `average` where the stages have no answers by that
    read-out (see `training.stages.read_outs_of`).
    """
    network = TrainedNetwork(Workdir(folder), CELL_NAME)
    found: dict[str, float | None] = {}
    if network.record is not None and (trained := network.record.figures) is not None:
        found |= {
            "l1_mean": trained.l1_mean,
            "l1_sd": trained.l1_sd,
            "l1_target": trained.l1_target,
            "theta_mean_mv": trained.theta_mv[1],
            "retries": trained.retries,
            "silent_training_examples": trained.silent_examples,
            "never_learned": trained.never_learned,
            "training_s": network.record.duration_s,
        }
    if (record := load_stages(network.workdir, network.name)) is not None:
        is_read = all(score.classifier in stage.answers for stage in record.stages)
        course = online_course(network, score.classifier if is_read else "average")
        found |= {"online_accuracy": course.online_accuracy, "forgetting": course.forgetting}
    return _known(found)


def _known(found: Mapping[str, float | None]) -> dict[str, float]:
    return {key: float(value) for key, value in found.items() if value is not None and not math.isnan(value)}
