"""The same experiment gives the same bits: twice, with any workers, chunks and engines, and with the same memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from snstdp_cli.workflows import Reporter, train_network
from synthetic import SMALL, write_idx_set
from trials import Trial, working_folder

from snstdp_cli.artefacts import Workdir, load_responses
from snstdp_cli.config import merge, validate
from snstdp_cli.datasets import load_dataset
from snstdp_cli.engines import Chunk, Stream, initial_state
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.network.wiring import draw_weights, draw_wiring
from snstdp_cli.rules import complete, plasticity_of

pytestmark = [pytest.mark.compiles, pytest.mark.slow]


@pytest.fixture(scope="module")
def whole() -> Iterator[Trial]:
    """A folder with the whole experiment `a`: trained, recorded, scored."""
    with working_folder() as folder:
        trial = Trial(folder, Path(os.environ["SNSTDP_CACHE"]))
        run(trial, "run", "--config", "small.yaml", "--save-name", "a", "--workers", "1")
        yield trial


def run(trial: Trial, *arguments: str, **options: Any) -> None:
    code, said = trial.end(trial.start(*arguments, **options))
    assert code == 0, said


def responses(trial: Trial, name: str = "a") -> list[NDArray[Any]]:
    found: list[NDArray[Any]] = []
    for split in ("train", "test"):
        loaded = load_responses(trial.folder / "activity" / f"{name}.{split}.10.npz")
        found += [loaded.counts, loaded.attempts, loaded.silent, loaded.labels]
    return found


def same(first: list[NDArray[Any]], second: list[NDArray[Any]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def other_folder(whole: Trial, folder: Path, with_weights: bool = False) -> Trial:
    trial = Trial(folder, whole.cache)
    if with_weights:
        shutil.copytree(whole.folder / "weights", folder / "weights")
    return trial


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("--workers", "4"),
        ("--engine", "runtime", "--set", "evaluation.curve_every=0"),
    ],
    ids=["again", "four workers", "NumPy engine"],
)
def test_the_whole_experiment_gives_the_same_bits(whole: Trial, changes: tuple[str, ...]) -> None:
    with working_folder() as folder:
        trial = other_folder(whole, folder)
        options = {"PATH": "/nonexistent", "CXX": None} if "runtime" in changes else {}
        workers = () if "--workers" in changes else ("--workers", "1")
        run(trial, "run", "--config", "small.yaml", "--save-name", "a", *workers, *changes, **options)
        ours, theirs = trial.results(), whole.results()
        for key in theirs if not changes else [key for key in theirs if key.endswith(".npy")]:
            assert ours[key] == theirs[key], key
        assert same(responses(trial), responses(whole))


def test_another_seed_gives_other_bits(whole: Trial) -> None:
    """So that the tests above cannot hold for a reason that makes all runs equal."""
    with working_folder() as folder:
        trial = other_folder(whole, folder)
        run(trial, "run", "--config", "small.yaml", "--save-name", "a", "--seed", "1")
        assert trial.results()["XeAea.npy"] != whole.results()["XeAea.npy"]
        assert not same(responses(trial), responses(whole))


@pytest.mark.parametrize("workers", ["2", "4", "7"])
def test_recording_does_not_depend_on_the_workers(whole: Trial, workers: str) -> None:
    with working_folder() as folder:
        trial = other_folder(whole, folder, with_weights=True)
        for split in ("train", "test"):
            run(trial, "test", "--load-name", "a", "--split", split, "--workers", workers)
        assert same(responses(trial), responses(whole))


def test_the_memory_of_the_program_does_not_grow_with_the_number_of_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk is a process of its own, which holds its images and spikes and nothing of the chunks before."""
    monkeypatch.setattr("snstdp_cli.engines.standalone.time.sleep", lambda _: None)  # look without a pause
    experiment = complete(validate(merge(SMALL, {"rule.name": "smin"}), "test"))
    write_idx_set(tmp_path / "MNIST")
    images = load_dataset("mnist", "train", tmp_path / "MNIST").images.reshape(10, -1)
    wiring, plasticity = draw_wiring(experiment, 36), plasticity_of(experiment, 36)
    state = initial_state(experiment, wiring, plasticity, draw_weights(experiment, 36, plasticity.l1_target))
    engine = StandaloneEngine(experiment, plasticity, wiring)
    peaks = []
    try:
        for k in range(60):
            engine._peak_kb = 0  # so that it is measured anew
            order = np.arange(4 * k, 4 * k + 4) % 10
            state = engine.run(state, Chunk(4 * k, images[order], Stream.TRAINING)).state
            peaks.append(engine.peak_memory_mb())
    finally:
        engine.close()
    # A chunk can be over before anybody looks, so that the largest of many counts.
    assert max(peaks[:30]) > 1
    assert max(peaks[30:]) < 1.05 * max(peaks[:30]) + 0.2


def test_a_checkpoint_does_not_grow_with_the_number_of_chunks() -> None:
    """Only the history grows, by a few numbers a chunk."""
    settings = {"evaluation.curve_every": 0, "num_examples": 120, "checkpoint_every": 120}
    sizes = []
    with working_folder() as folder:
        write_idx_set(folder / "MNIST")

        def measure(_: object) -> None:
            sizes.append(max(path.stat().st_size for path in (folder / "weights").rglob("*.ckpt")))

        train_network(
            complete(validate(merge(SMALL, settings), "test")),
            Workdir(folder),
            data_dir=folder / "MNIST",
            report=Reporter(training=measure),
        )
    assert len(sizes) == 30
    assert (sizes[-1] - sizes[0]) / 29 < 400
