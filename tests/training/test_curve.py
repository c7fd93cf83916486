"""The learning curve beside the training: the same points as in line, whatever overlaps, ends or fails meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small

from snstdp_cli.artefacts import Workdir, read_checkpoint, read_state, write_checkpoint
from snstdp_cli.engines import Chunk, ChunkResult, Stream
from snstdp_cli.engines.cores import CORES_VARIABLE
from snstdp_cli.engines.runtime import RuntimeEngine
from snstdp_cli.engines.standalone import StandaloneEngine
from snstdp_cli.errors import ArtefactError, EngineError, InterruptedRunError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.progress import Reporter, TrainingProgress
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.training import train_network
from snstdp_cli.training.curve import LearningCurve

pytestmark = pytest.mark.compiles

#: Six chunks of 4 examples; points after 8, 16 and 24.
SETTINGS: dict[str, Any] = {"num_examples": 24, "checkpoint_every": 24, "evaluation.curve_every": 8}
#: A point after 16, labelled by all examples before it.
EVERY_16 = {**SETTINGS, "evaluation.curve_every": 16}


class Points:
    """Holds back the points of the curve, each until so many examples more were shown than those of the point."""

    def __init__(self, patch: pytest.MonkeyPatch, engine: type[Any] = StandaloneEngine) -> None:
        self.shown, self.held_for, self.stopped_after = 0, 0, 1_000
        self.moved = threading.Condition()
        #: Was it made in the thread of the training?
        self.in_line: list[bool] = []
        self.fail: Callable[[], None] = lambda: None
        make, run = LearningCurve._make, engine.run

        def make_held(curve: LearningCurve, moment: Any) -> CurvePoint:
            self.in_line.append(threading.current_thread() is threading.main_thread())
            wanted = min(moment.examples + self.held_for, 24)
            with self.moved:
                while self.shown < wanted and not getattr(curve.recorder._engines[0], "_stopped", False):
                    self.moved.wait(0.02)
            self.fail()
            return make(curve, moment)

        def run_stopped(engine: Any, state: Any, chunk: Chunk) -> ChunkResult:
            if chunk.stream == Stream.TRAINING and chunk.first == self.stopped_after:
                raise KeyboardInterrupt
            result: ChunkResult = run(engine, state, chunk)
            if chunk.stream == Stream.TRAINING:
                with self.moved:
                    self.shown = chunk.first + len(chunk.images)
                    self.moved.notify_all()
            return result

        patch.setattr(LearningCurve, "_make", make_held)
        patch.setattr(engine, "run", run_stopped)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Points:
    monkeypatch.setenv(CORES_VARIABLE, "2")
    return Points(monkeypatch)


@pytest.fixture
def labelled_by(points: Points, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of each point that is made: after how many examples, and how many responses label the neurons."""
    made: list[tuple[int, int]] = []
    make = LearningCurve._make

    def noted(curve: LearningCurve, moment: Any) -> CurvePoint:
        made.append((moment.examples, len(moment.labels)))
        return make(curve, moment)

    monkeypatch.setattr(LearningCurve, "_make", noted)
    return made


@pytest.fixture(scope="module")
def in_line(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> TrainedNetwork:
    """The network of a training that stopped for each point."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CORES_VARIABLE, "1")
        made = Points(patch)
        network = train(tmp_path_factory.mktemp("in_line"), small_data)
        assert made.in_line == [True] * 3
    return network


def train(place: Path, data: Path, report: Reporter | None = None, **options: Any) -> TrainedNetwork:
    resume = bool(options.pop("resume", False))
    train_network(
        small(**SETTINGS, **options, save_name="a"), Workdir(place), data_dir=data, resume=resume, report=report
    )
    return TrainedNetwork(Workdir(place), "a")


def assert_same(network: TrainedNetwork, other: TrainedNetwork) -> None:
    assert [point.examples for point in network.learning_curve] == [8, 16, 24]
    assert network.learning_curve == other.learning_curve
    np.testing.assert_array_equal(network.weights, other.weights)
    np.testing.assert_array_equal(network.theta_mv, other.theta_mv)


@pytest.mark.parametrize("held_for", [0, 4, 8])
def test_points_beside_the_training_are_those_of_a_training_that_waited(
    tmp_path: Path, small_data: Path, points: Points, in_line: TrainedNetwork, held_for: int
) -> None:
    points.held_for = held_for
    seen: list[TrainingProgress] = []
    assert_same(train(tmp_path, small_data, Reporter(training=seen.append)), in_line)
    assert not any(points.in_line)
    for progress in seen:
        assert progress.curve == in_line.learning_curve[: len(progress.curve)]
    if held_for == 8:
        assert [len(progress.curve) for progress in seen] == [0, 0, 0, 1, 1, 3]
    kept = read_state(Workdir(tmp_path), "a")
    assert not [name for name in kept.arrays if name.startswith("curve.point")]


@pytest.mark.parametrize("cores", ["1", "2"])
@pytest.mark.parametrize(("examples", "kept"), [(8, 1), (12, 5)], ids=["of its checkpoint", "of an earlier moment"])
def test_a_point_under_way_is_made_again_after_an_interrupt(
    tmp_path: Path,
    small_data: Path,
    points: Points,
    in_line: TrainedNetwork,
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
    kept: int,
    cores: str,
) -> None:
    points.held_for, points.stopped_after = 16, examples
    with pytest.raises(InterruptedRunError, match=f"after {examples} of 24"):
        train(tmp_path, small_data)
    checkpoint = read_checkpoint(Workdir(tmp_path), "a")
    assert checkpoint is not None
    assert checkpoint.meta["curve"] == []
    # The weights of the point are written down only where they are no longer those of the training.
    assert len([name for name in checkpoint.arrays if name.startswith("curve.point")]) == kept
    points.held_for, points.stopped_after = 0, 1_000
    monkeypatch.setenv(CORES_VARIABLE, cores)
    assert_same(train(tmp_path, small_data, resume=True), in_line)


def test_a_point_under_way_is_made_also_where_no_example_is_left(
    tmp_path: Path, small_data: Path, points: Points, in_line: TrainedNetwork
) -> None:
    points.held_for, points.stopped_after = 16, 8
    with pytest.raises(InterruptedRunError):
        train(tmp_path, small_data)
    points.held_for = 0
    workdir = Workdir(tmp_path)
    experiment = small(**{**SETTINGS, "num_examples": 8}, save_name="a")
    train_network(experiment, workdir, data_dir=small_data, resume=True)
    assert TrainedNetwork(workdir, "a").learning_curve == in_line.learning_curve[:1]
    assert [point["examples"] for point in read_state(workdir, "a").meta["curve"]] == [8]


def train_until(place: Path, data: Path, examples: int, *, resume: bool = False) -> TrainedNetwork:
    """Train with points after each 16 examples."""
    experiment = small(**{**EVERY_16, "num_examples": examples}, save_name="a")
    train_network(experiment, Workdir(place), data_dir=data, resume=resume)
    return TrainedNetwork(Workdir(place), "a")


def train_more(place: Path, data: Path, examples: int) -> TrainedNetwork:
    names = small(load_name="a", save_name="a")
    train_network(names, Workdir(place), data_dir=data, more=examples, force=True)
    return TrainedNetwork(Workdir(place), "a")


def assert_same_point(network: TrainedNetwork, other: TrainedNetwork) -> None:
    assert [point.examples for point in other.learning_curve] == [16]
    assert network.learning_curve == other.learning_curve
    np.testing.assert_array_equal(network.weights, other.weights)
    np.testing.assert_array_equal(network.theta_mv, other.theta_mv)


@pytest.mark.parametrize("first", [4, 12])
def test_a_training_in_parts_draws_the_curve_of_one_at_once(
    tmp_path: Path, small_data: Path, points: Points, labelled_by: list[tuple[int, int]], first: int
) -> None:
    whole = train_until(tmp_path / "whole", small_data, 24)
    train_until(tmp_path / "parts", small_data, first)
    parts = train_more(tmp_path / "parts", small_data, 24 - first)
    assert labelled_by == [(16, 16)] * 2
    assert_same_point(parts, whole)


@pytest.mark.parametrize("stop", [4, 8])
def test_a_training_that_is_resumed_to_more_examples_draws_the_curve_of_one_at_once(
    tmp_path: Path, small_data: Path, points: Points, labelled_by: list[tuple[int, int]], stop: int
) -> None:
    whole = train_until(tmp_path / "whole", small_data, 24)
    points.stopped_after = stop
    with pytest.raises(InterruptedRunError):
        train_until(tmp_path / "parts", small_data, 12)
    points.stopped_after = 1_000
    parts = train_until(tmp_path / "parts", small_data, 24, resume=True)
    assert labelled_by == [(16, 16)] * 2
    assert_same_point(parts, whole)


def test_the_frozen_network_is_compiled_only_where_a_point_falls_due(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the frozen network was compiled")

    with monkeypatch.context() as patch:
        patch.setattr("snstdp_cli.training.curve.Recorder", refuse)
        assert train_until(tmp_path, small_data, 12).learning_curve == ()
        with pytest.raises(AssertionError, match="was compiled"):
            train_more(tmp_path, small_data, 4)
    assert len(train_more(tmp_path, small_data, 4).learning_curve) == 1
    monkeypatch.setattr("snstdp_cli.training.curve.Recorder", refuse)
    assert [point.examples for point in train_more(tmp_path, small_data, 8).learning_curve] == [16]


def test_a_checkpoint_that_remembers_nothing_of_the_curve_is_resumed(
    tmp_path: Path, small_data: Path, points: Points, labelled_by: list[tuple[int, int]]
) -> None:
    points.stopped_after = 8
    with pytest.raises(InterruptedRunError):
        train_until(tmp_path, small_data, 12)
    workdir = Workdir(tmp_path)
    found = read_checkpoint(workdir, "a")
    assert found is not None
    kept = {name: values for name, values in found.arrays.items() if not name.startswith("curve.")}
    assert len(kept) < len(found.arrays)
    write_checkpoint(workdir, "a", kept, found.meta)
    points.stopped_after = 1_000
    assert [point.examples for point in train_until(tmp_path, small_data, 24, resume=True).learning_curve] == [16]
    assert labelled_by == [(16, 8)]


def test_an_engine_that_fails_beside_the_training_ends_it_with_its_sentence(
    tmp_path: Path, small_data: Path, points: Points, in_line: TrainedNetwork
) -> None:
    def fail() -> None:
        raise EngineError("the simulation program failed: no space left")

    points.fail, points.held_for = fail, 4
    with pytest.raises(EngineError, match="no space left"):
        train(tmp_path, small_data)
    points.fail, points.held_for = lambda: None, 0
    assert_same(train(tmp_path, small_data, resume=True), in_line)


def test_a_point_that_does_not_fit_the_network_is_refused(tmp_path: Path, small_data: Path, points: Points) -> None:
    points.held_for, points.stopped_after = 16, 12
    with pytest.raises(InterruptedRunError):
        train(tmp_path, small_data)
    workdir = Workdir(tmp_path)
    found = read_checkpoint(workdir, "a")
    assert found is not None
    wrong: list[dict[str, Any]] = [{"curve.point.examples": np.array(values)} for values in ([16], [-4], [np.nan], [])]
    for name in ("weights", "theta_mv", "recent", "labels"):
        wrong.append({f"curve.point.{name}": np.zeros(3)})
    for change in wrong:
        write_checkpoint(workdir, "a", {**found.arrays, **change}, found.meta)
        with pytest.raises(ArtefactError, match=r"does not fit.*curve_every=0"):
            train(tmp_path, small_data, resume=True)


@pytest.mark.slow
def test_the_python_engine_stops_for_its_points_and_draws_the_same_curve(
    tmp_path: Path, small_data: Path, in_line: TrainedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CORES_VARIABLE, "2")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("CXX", raising=False)
    points = Points(monkeypatch, RuntimeEngine)
    assert_same(train(tmp_path, small_data, engine="runtime"), in_line)
    assert points.in_line == [True] * 3
