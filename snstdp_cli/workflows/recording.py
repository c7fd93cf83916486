"""Record the responses of a frozen network: no plasticity, constant thresholds, every presentation from rest.

A response depends on its image and its number alone, so the examples can be divided among any number of workers.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    load_weights,
    refuse_recording,
    save_ancestor_pair,
    save_responses,
)
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, Split, load_dataset
from snstdp_cli.engines import choose_engine
from snstdp_cli.errors import DataError, InterruptedRunError
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.workflows.progress import Reporter
from snstdp_cli.workflows.provenance import describe_data, describe_run
from snstdp_cli.workflows.recorder import Recorder


def check_fit(dataset: Dataset, n_input: int, what: str) -> None:
    """Refuse images of another size than the weights."""
    if dataset.n_input != n_input:
        rows, cols = dataset.images.shape[1:]
        raise DataError(
            f"{dataset.source}: the images have {rows} x {cols} = {dataset.n_input} pixels, but {what} has {n_input} "
            "inputs; use weights that were trained on images of this size"
        )


def configured_examples(experiment: Experiment, split: Split) -> int:
    """Return how many images of a split the configuration asks for."""
    settings = experiment.evaluation
    return settings.assign_examples if split == "train" else settings.test_examples


def record_activity(
    experiment: Experiment,
    workdir: Workdir,
    name: str,
    split: Split,
    *,
    num_examples: int | None = None,
    data_dir: Path | None = None,
    workers: int | None = None,
    ancestor_format: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> tuple[Responses, list[Path]]:
    """Record what the weights `name` answer to the first `num_examples` images of `split`, and save it.

    Raises
    ------
    ArtefactError, DataError, EngineError
        If weights or data are missing or do not fit, a recording would be overwritten, or the engine fails.
    """
    report = report or Reporter()
    weights = load_weights(workdir, name, n_e=experiment.n_e)
    dataset = load_dataset(experiment.data, split, data_dir)
    check_fit(dataset, weights.weights.shape[0], f"the network '{name}'")
    wanted = num_examples or configured_examples(experiment, split)
    num = min(wanted, len(dataset))
    if num < wanted:
        key = "assign_examples" if split == "train" else "test_examples"
        report.say(
            f"recording all {num:,} {split} images, which is less than {wanted:,}; for fewer: "
            + (f"--set evaluation.{key}={max(1, num // 5)}" if num_examples is None else "--num-examples")
        )
    if not force:
        refuse_recording(workdir, name, split, num, ancestor_format=ancestor_format)
    began = time.perf_counter()
    recorder = Recorder(experiment, draw_wiring(experiment, dataset.n_input), workers or os.cpu_count() or 1, report)
    try:
        counts, attempts, silent = recorder.record(
            weights, dataset.images[:num].reshape(num, -1), split=split, progress=report.recording
        )
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"interrupted while recording the {split} images; no file was written: run the same command again"
        ) from None
    finally:
        recorder.close()
    provenance = {
        **describe_run("recording", experiment, choose_engine(experiment), time.perf_counter() - began),
        "weights": {"name": name, "sha256": weights.sha256},
        "data": describe_data(dataset),
        "figures": {
            "spikes_per_example": float(counts.sum(axis=1).mean()),
            "retries": int(attempts.sum()) - num,
            "silent_examples": int(silent.sum()),
        },
    }
    responses = Responses(counts, dataset.labels[:num], attempts, silent, provenance)
    if ancestor_format:
        return responses, list(save_ancestor_pair(workdir, responses, force=force))
    return responses, [save_responses(workdir, name, split, responses, force=force)]
