"""Networks on the disk that nobody trained: weights, snapshots and recordings of nine neurons, made up by a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from synthetic import SIDE, SMALL, write_idx_set

from snstdp_cli.artefacts import (
    RecordingFigures,
    RecordingRecord,
    Responses,
    TrainingFigures,
    TrainingRecord,
    WeightsRecord,
    Workdir,
    load_weights,
    save_responses,
    save_snapshot,
    save_weights,
)
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import Dataset, load_dataset

N_E, NUM = 9, 40
TRAINING = "0123456789abcdef"


def settings(name: str, **changes: Any) -> dict[str, Any]:
    return {**SMALL, "n_e": N_E, "save_name": name, **changes}


def run_fields(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "date": "2026-03-04T05:06:07+00:00",
        "duration_s": 12.3,
        "engine": "runtime",
        "experiment": build_experiment(settings(name, **changes)),
        "versions": {"snstdp": "0.1.0", "numpy": "2.3.5"},
    }


def training_record(name: str, data: Dataset, experiment: dict[str, Any], /, **changes: Any) -> TrainingRecord:
    columns = {
        "examples": (4, 8, 10),
        "spikes_per_example": (9, 9, 9),
        "retries": (0, 0, 1),
        "silent_neurons": (0, 0, 0),
        "l1_mean": (9, 12, 15),
        "l1_min": (8, 9, 12),
        "l1_max": (12, 17, 18),
        "theta_min_mv": (5, 5, 5),
        "theta_mean_mv": (5, 6, 7),
        "theta_max_mv": (6, 7, 8),
    }
    record = {
        **run_fields(name, **experiment),
        "kind": "training",
        "training": TRAINING,
        "start": {"drawn_from_seed": 0},
        "data": describe_data(data),
        "figures": figures(),
        "history": columns,
        "learning_curve": ({"examples": 4, "correct": 1, "total": 4}, {"examples": 8, "correct": 3, "total": 4}),
        "never_learned": (2,),
        **changes,
    }
    return TrainingRecord.model_validate(record)


def figures(**changes: Any) -> TrainingFigures:
    known: dict[str, Any] = {"examples": 10, "presentations": 11, "retries": 1, "silent_examples": 0}
    known |= {"l1_target": 18.0, "l1_mean": 15.0, "l1_sd": 1.0, "theta_mv": (5.0, 7.0, 8.0), "never_learned": 1}
    return TrainingFigures.model_validate(known | changes)


def images(root: Path, split: Any) -> Dataset:
    folder = root / "images"
    if not folder.exists():
        write_idx_set(folder, NUM)
    return load_dataset(str(folder), split)


def make_network(
    root: Path,
    name: str,
    seed: int = 0,
    *,
    record: bool = True,
    experiment: dict[str, Any] | None = None,
    **changes: Any,
) -> Workdir:
    """Write weights, two snapshots and responses; `changes` are those of the training's record."""
    place, random = Workdir(root), np.random.default_rng(seed)
    weights, theta = random.uniform(-0.3, 1, (SIDE * SIDE, N_E)), random.uniform(20, 30, N_E)
    experiment = {"seed": seed, **(experiment or {})}
    save_weights(place, name, weights, theta, training_record(name, images(root, "train"), experiment, **changes))
    for examples in (4, 8):
        save_snapshot(place, name, TRAINING, examples, weights * examples / 10, theta)
    for split in ("train", "test") if record else ():
        record_responses(place, name, images(root, split), random, **experiment)
    return place


def record_responses(
    place: Workdir,
    name: str,
    data: Dataset,
    random: np.random.Generator,
    *,
    label: str | None = None,
    num: int = NUM,
    labels: Any = None,
    **experiment: Any,
) -> Path:
    """Write what nine neurons might answer; the first three images stay without an answer."""
    classes = data.labels[:num] if labels is None else np.asarray(labels, np.uint8)
    counts = random.poisson(0.3, (num, N_E)).astype(np.uint16)
    counts[np.arange(num), (np.searchsorted(np.unique(classes), classes) + 4 * random.integers(0, 2, num)) % 8] += 2
    counts[:3] = 0
    record = RecordingRecord(
        **run_fields(name, **experiment),
        label=label,
        weights=WeightsRecord(name=name, sha256=load_weights(place, name).sha256),
        data=describe_data(data),
        figures=RecordingFigures(spikes_per_example=4.0, retries=0, silent_examples=3),
    )
    silent = np.arange(num) < 3
    return save_responses(place, Responses(counts, classes, np.ones(num, np.uint16), silent, record), force=True)


def save_bare(root: Path, name: str, n_input: int, n_e: int = 4) -> Workdir:
    """Write weights without a record, as the ancestor's are."""
    place, random = Workdir(root), np.random.default_rng(0)
    record = TrainingRecord.model_validate({**run_fields(name), "kind": "training"})
    save_weights(place, name, random.random((n_input, n_e)), random.uniform(20, 30, n_e), record)
    (place.weights / f"{name}.json").unlink()
    return place
