"""The same experiment gives the same bits: twice, with any workers, chunks and engines, and with the same memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import small, write_idx_set

from snstdp_cli.artefacts import Workdir, list_recordings, load_responses
from snstdp_cli.datasets import load_dataset
from snstdp_cli.engines import Chunk, Stream, initial_state
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.network.wiring import draw_weights, draw_wiring
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import record_activity
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.training import train_network

pytestmark = [pytest.mark.compiles, pytest.mark.slow]


def responses(workdir: Workdir, label: str | None = None) -> list[NDArray[Any]]:
    """Return all arrays of the recordings of `a`, training images first."""
    files = [file for split in ("train", "test") for file in list_recordings(workdir, "a", split)]
    found: list[NDArray[Any]] = []
    for file in files:
        if label is None or file.mark == label:
            loaded = load_responses(file.path)
            found += [loaded.counts, loaded.attempts, loaded.silent, loaded.labels]
    return found


def same(first: list[NDArray[Any]], second: list[NDArray[Any]]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def results(workdir: Workdir) -> dict[str, Any]:
    """Return all of a training that must not depend on how it was run."""
    network = TrainedNetwork(workdir, "a")
    assert network.record is not None
    shots = [(shot.examples, shot.weights.tobytes(), shot.theta_mv.tobytes()) for shot in network.snapshots]
    told = network.record.model_dump(include={"figures", "learning_curve", "files", "never_learned", "training"})
    return {"weights": network.weights.tobytes(), "theta": network.theta_mv.tobytes(), "snapshots": shots, **told}


@pytest.mark.parametrize("change", ["again", "four workers", "NumPy engine"])
def test_the_whole_experiment_gives_the_same_bits(
    trained: Workdir, tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    settings: dict[str, Any] = {"save_name": "a"}
    if change == "NumPy engine":
        settings |= {"engine": "runtime"}
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.delenv("CXX", raising=False)
    workers = 4 if change == "four workers" else 1
    run_experiment(small(**settings), Workdir(tmp_path), data_dir=small_data, workers=workers)
    assert results(Workdir(tmp_path)) == results(trained)
    assert same(responses(Workdir(tmp_path)), responses(trained))


def test_another_seed_gives_other_bits(trained: Workdir, tmp_path: Path, small_data: Path) -> None:
    """So that the tests above cannot hold for a reason that makes all runs equal."""
    run_experiment(small(save_name="a", seed=1), Workdir(tmp_path), data_dir=small_data, workers=1)
    assert results(Workdir(tmp_path))["weights"] != results(trained)["weights"]
    assert not same(responses(Workdir(tmp_path)), responses(trained))


@pytest.mark.parametrize("workers", [2, 4, 7])
def test_recording_does_not_depend_on_the_workers(
    trained: Workdir, copied: Workdir, small_data: Path, workers: int
) -> None:
    for split in ("train", "test"):
        record_activity(
            small(),
            copied,
            "a",
            split,
            data_dir=small_data,
            workers=workers,
            label="many",  # type: ignore[arg-type]
        )
    assert same(responses(copied, "many"), responses(trained))


def test_the_memory_of_the_program_does_not_grow_with_the_number_of_chunks(tmp_path: Path) -> None:
    """It holds the images and spikes of one chunk and nothing of the chunks before."""
    experiment = small()
    write_idx_set(tmp_path / "MNIST")
    images = load_dataset("mnist", "train", tmp_path / "MNIST").images.reshape(10, -1)
    wiring, plasticity = draw_wiring(experiment, 36), experiment.plasticity(36)
    state = initial_state(experiment, wiring, plasticity, draw_weights(experiment, 36, plasticity.l1_target))
    engine = StandaloneEngine(experiment, plasticity, wiring)
    peaks = []
    try:
        for k in range(60):
            order = np.arange(4 * k, 4 * k + 4) % 10
            state = engine.run(state, Chunk(4 * k, images[order], Stream.TRAINING)).state
            peaks.append(engine.peak_memory_mb())
    finally:
        engine.close()
    assert peaks[29] > 1
    assert peaks[-1] < 1.05 * peaks[29] + 0.2


def test_a_checkpoint_does_not_grow_with_the_number_of_chunks(tmp_path: Path, small_data: Path) -> None:
    """Only the history grows, by a few numbers a chunk."""
    settings = {"evaluation.curve_every": 0, "num_examples": 120, "checkpoint_every": 120}
    sizes: list[int] = []

    def measure(_: object) -> None:
        sizes.append(max(path.stat().st_size for path in (tmp_path / "weights").rglob("*.ckpt")))

    train_network(small(**settings), Workdir(tmp_path), data_dir=small_data, report=Reporter(training=measure))
    assert len(sizes) == 30
    assert (sizes[-1] - sizes[0]) / 29 < 400
