"""What a study will take, before it is run: time, memory and disk, from a few examples that are thrown away."""

from __future__ import annotations

import dataclasses
import heapq
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from snstdp_cli.artefacts import Workdir
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.config.sections import EvaluationSettings
from snstdp_cli.datasets import Dataset, Split, load_dataset, part_of, sealed_test_images, split_of
from snstdp_cli.errors import SnstdpError
from snstdp_cli.pipeline import run_experiment
from snstdp_cli.progress import RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.studies.cell import Cell
from snstdp_cli.studies.file import ScoredSplit
from snstdp_cli.studies.memory import estimate_memory_mb
from snstdp_cli.training.stages import refuse_more_passes

#: Examples that are shown to measure a network, and the largest number of networks that are measured.
_SHOWN, _RECORDED, _MOST_MEASURED = 40, 20, 6
#: Seconds that a cell takes beside its examples: images, records, programs that start.
_OVERHEAD_S = 1.0


@dataclass(frozen=True)
class CellEstimate:
    """What one cell takes."""

    cell: Cell
    seconds: float
    memory_mb: float
    disk_mb: float


@dataclass(frozen=True)
class StudyEstimate:
    """What the cells of a study take.

    Attributes
    ----------
    seconds
        Until the last cell is done, on so many workers.
    memory_mb
        The most that cells which run together take.
    measured
        Networks that were measured.
    """

    cells: tuple[CellEstimate, ...]
    workers: int
    measured: int

    @property
    def seconds(self) -> float:
        """Until the last cell is done, on so many workers, in the order of the plan."""
        free = [0.0] * self.workers
        for one in self.cells:
            heapq.heapreplace(free, free[0] + one.seconds)
        return max(free)

    @property
    def memory_mb(self) -> float:
        """Memory of the largest cells that may run together."""
        return sum(sorted((one.memory_mb for one in self.cells), reverse=True)[: self.workers])

    @property
    def disk_mb(self) -> float:
        """Disk of all results."""
        return sum(one.disk_mb for one in self.cells)


@dataclass(frozen=True)
class _Rates:
    """Examples a second of a network, and its inputs."""

    n_e: int
    n_input: int
    training: float
    recording: float


def estimate_study(
    cells: Sequence[Cell],
    workers: int,
    *,
    score_on: ScoredSplit = "test",
    data_dir: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> StudyEstimate:
    """Check the images of all cells, measure one network of each rule and size, at most six, and tell what all take.

    Parameters
    ----------
    score_on
        What the cells are scored on; for validation images no test image is read.

    Raises
    ------
    SnstdpError
        If images are missing, or a network cannot be run: the study would say the same.
    """
    groups: dict[tuple[str, int], Cell] = {}
    for cell in cells:
        groups.setdefault(_group(cell.experiment), cell)
    with sealed_test_images(score_on == "validation"):
        _check_images(cells, score_on, data_dir)
    measured: dict[tuple[str, int], _Rates] = {}
    for key, cell in list(groups.items())[:_MOST_MEASURED]:
        say(f"measuring {key[0]} with {key[1]:,} neurons")
        with sealed_test_images(score_on == "validation"):
            measured[key] = _measure(cell.experiment, score_on, data_dir)
    found = tuple(_estimate(cell, _nearest(measured, cell.experiment), score_on) for cell in cells)
    return StudyEstimate(found, workers, len(measured))


def _group(experiment: Experiment) -> tuple[str, int]:
    return experiment.rule.name, experiment.n_e


def _measure(experiment: Experiment, score_on: ScoredSplit, data_dir: Path | None) -> _Rates:
    """Show a few examples in a temporary folder; the compiled program is kept for the study."""
    images = _load(experiment, score_on, data_dir)
    num = min(_SHOWN, experiment.num_examples)
    settings = experiment.evaluation
    small = {
        "assign_examples": min(_RECORDED, settings.assign_examples),
        f"{score_on}_examples": min(_RECORDED, _num_scored(settings, score_on)),
        "curve_every": 0,
    }
    changed = {"num_examples": num, **{f"evaluation.{key}": value for key, value in small.items()}}
    trained, recorded = list[TrainingProgress](), list[RecordingProgress]()
    report = dataclasses.replace(Reporter(), training=trained.append, recording=recorded.append)
    with tempfile.TemporaryDirectory(prefix="snstdp-") as folder:
        run_experiment(
            build_experiment(experiment, changed),
            Workdir(Path(folder)),
            score_on=score_on,
            datasets=images,
            workers=1,
            report=report,
        )
    return _Rates(experiment.n_e, images["train"].n_input, trained[-1].rate, recorded[-1].rate)


def _check_images(cells: Sequence[Cell], score_on: ScoredSplit, data_dir: Path | None) -> None:
    """Refuse images that are not there, or not enough, and more passes than stages are told of."""
    sets: dict[tuple[object, ...], dict[Split, Dataset]] = {}
    checked = set[str]()
    for cell in cells:
        one = cell.experiment
        if (told := f"{one.data} {one.input} {one.evaluation} {one.order} {one.num_examples}") in checked:
            continue
        checked.add(told)
        key = one.data, str(one.input)
        try:
            if key not in sets:
                sets[key] = _load(one, score_on, data_dir)
            for part in ("train", score_on):
                shown = part_of(sets[key][split_of(part)], part, one.evaluation.withheld)
                if part == "train":
                    refuse_more_passes(one, shown)
        except SnstdpError as error:
            raise type(error)(f"cell {cell.label}: {error}") from None


def _load(experiment: Experiment, score_on: ScoredSplit, data_dir: Path | None) -> dict[Split, Dataset]:
    splits: tuple[Split, ...] = ("train",) if score_on == "validation" else ("train", "test")
    return {
        split: load_dataset(experiment.data, split, data_dir, inputs=experiment.input, only_whole=True)
        for split in splits
    }


def _num_scored(settings: EvaluationSettings, score_on: ScoredSplit) -> int:
    return settings.validation_examples if score_on == "validation" else settings.test_examples


def _nearest(measured: dict[tuple[str, int], _Rates], experiment: Experiment) -> _Rates:
    """Return the rates of this network, or those of the most similar one, slower as it is larger."""
    if (exact := measured.get(_group(experiment))) is not None:
        return exact
    name, n_e = _group(experiment)
    key = min(measured, key=lambda one: (one[0] != name, abs(one[1] - n_e)))
    near = measured[key]
    share = near.n_e / n_e
    return dataclasses.replace(near, training=near.training * share, recording=near.recording * share)


def _estimate(cell: Cell, rates: _Rates, score_on: ScoredSplit) -> CellEstimate:
    experiment, settings = cell.experiment, cell.experiment.evaluation
    answered = settings.assign_examples + _num_scored(settings, score_on)
    points = experiment.num_examples // settings.curve_every if settings.curve_every else 0
    recorded = answered + points * settings.curve_examples
    seconds = experiment.num_examples / rates.training + recorded / rates.recording + _OVERHEAD_S
    snapshots = (experiment.num_examples - 1) // experiment.checkpoint_every
    weights_mb = experiment.n_e * (rates.n_input + 1) * 8 / 1e6
    responses_mb = experiment.n_e * answered * 2 / 1e6
    return CellEstimate(
        cell,
        seconds,
        estimate_memory_mb(experiment, rates.n_input),
        (1 + snapshots) * weights_mb + responses_mb,
    )
