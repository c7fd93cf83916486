"""What a report tells: everything that is known of the networks, and a sentence for each part that is missing."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    TrainedWeights,
    Workdir,
    find_recordings,
    list_snapshots,
    list_weights,
    load_weight_files,
    weights_exist,
)
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ArtefactError, ConfigError, DataError, SnstdpError
from snstdp_cli.evaluation import Assignment, Classifier, Comparison, assign_labels
from snstdp_cli.plots import render_figure
from snstdp_cli.results.figures import KINDS, FigureRequest, learned_neurons
from snstdp_cli.results.scoring import Score, compare_scores, evaluate_activity

T = TypeVar("T")

CLASSIFIERS: tuple[Classifier, ...] = ("average", "selective")
#: A report of more networks could not be read.
MAX_RUNS = 12
_MAX_MISTAKES, _MAX_SNAPSHOTS, _MAX_NEURONS = 24, 5, 6


@dataclass(frozen=True, eq=False)
class Mistake:
    """A test image that was taken for another class, with the classes that most spoke for, best first."""

    number: int
    image: NDArray[np.uint8]
    label: int
    guesses: list[int]


@dataclass(frozen=True, eq=False)
class Growth:
    """Receptive fields of a few neurons: weights [n_input, num] after each number of examples, None for the end."""

    neurons: NDArray[np.int64]
    stages: list[tuple[int | None, NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class Run:
    """One network.

    Attributes
    ----------
    weights : None if they are not there.
    provenance : of the training; empty if nothing was written down.
    scores : by classifier; empty without recordings.
    pictures : PNG files by kind of figure.
    missing : by part of the report, why it is left out.
    """

    name: str
    weights: TrainedWeights | None
    provenance: dict[str, Any]
    image_shape: tuple[int, int]
    scores: dict[Classifier, Score] = field(default_factory=dict)
    assignment: Assignment | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    growth: Growth | None = None
    pictures: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def experiment(self) -> dict[str, Any]:
        """The recorded settings; empty if there are none."""
        return section(self.provenance, "experiment")


@dataclass(frozen=True)
class Pair:
    """Two networks on the same test images: McNemar by classifier, or why they cannot be compared."""

    a: str
    b: str
    comparisons: dict[Classifier, Comparison]
    missing: str | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """All of a report."""

    runs: list[Run]
    pairs: list[Pair]
    classifier: Classifier
    created: str
    example: int | None = None


def gather(
    workdir: Workdir,
    names: Sequence[str],
    *,
    classifier: Classifier = "average",
    data_dir: Path | None = None,
    example: int | None = None,
) -> Content:
    """Load what is known of the networks.

    Parameters
    ----------
    classifier : which one the figures show; the accuracies of both are told.
    data_dir : folder of the images, for those that were misclassified.
    example : test image whose presentation is simulated and drawn; none without it.

    Raises
    ------
    ConfigError
        If there is no name, one comes twice, or there are too many.
    ArtefactError
        If a network has neither weights nor recorded responses.
    """
    if not names or len(set(names)) < len(names) or len(names) > MAX_RUNS:
        raise ConfigError(f"report: expected 1 to {MAX_RUNS} different names, found: {', '.join(names) or 'none'}")
    for name in names:
        if not weights_exist(workdir, name) and not find_recordings(workdir, name, "test"):
            close = difflib.get_close_matches(name, list_weights(workdir), n=1)
            hint = f"did you mean '{close[0]}'?" if close else "check the name and --workdir"
            raise ArtefactError(f"{workdir.root}: neither weights nor recorded responses of '{name}'; {hint}")
    runs = [
        _gather_run(FigureRequest(workdir, name, data_dir, classifier, example=example or 0), example) for name in names
    ]
    pairs = [_compare(a, b) for a, b in combinations([run for run in runs if run.scores], 2)]
    return Content(runs, pairs, classifier, datetime.now(UTC).isoformat(timespec="seconds"), example)


def section(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a part of a provenance record that is a mapping; an empty one if it is missing or something else."""
    part = record.get(key)
    return part if isinstance(part, dict) else {}


def _gather_run(request: FigureRequest, example: int | None) -> Run:
    workdir, name = request.workdir, request.name
    missing: dict[str, str] = {}
    attempt = _Attempts(missing)
    weights = attempt("weights", lambda: request.weights)
    provenance = weights.provenance if weights is not None else {}
    if weights is not None and not provenance:
        missing["provenance"] = (
            f"Nothing is written down beside these weights ({workdir.weights / name}.json is missing), as with weights "
            "of the ancestor's script: configuration, versions and course of the training are not known."
        )
    scores = attempt("scores", lambda: {c: evaluate_activity(workdir, name, classifier=c) for c in CLASSIFIERS}) or {}
    score = scores.get(request.classifier)
    if score is not None:
        request.cache["score"] = score
    run = Run(
        name,
        weights,
        provenance,
        _image_shape(request, score) if weights is not None else (1, 1),
        scores,
        assign_labels(score.assign.counts, score.assign.labels, score.num_classes) if score is not None else None,
        (attempt("mistakes", lambda: _mistakes(request)) or []) if score is not None else [],
        attempt("evolution", lambda: _growth(request)) if weights is not None else None,
        missing=missing,
    )
    if example is not None and weights is not None:
        for kind in ("raster", "traces"):
            picture = attempt(kind, lambda kind=kind: render_figure(KINDS[kind](request), "png"))  # type: ignore[misc]
            run.pictures.update({} if picture is None else {kind: picture})
    return run


class _Attempts:
    """Make parts of a report; the reason why one cannot be made is kept as a sentence."""

    def __init__(self, missing: dict[str, str]) -> None:
        self.missing = missing

    def __call__(self, part: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except SnstdpError as error:
            self.missing[part] = str(error)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            self.missing[part] = f"The records beside the weights cannot be read ({error})."
        return None


def _image_shape(request: FigureRequest, score: Score | None) -> tuple[int, int]:
    """Return height and width of the images, if they are written down and fit; else a square, or a line."""
    n_input = request.weights.weights.shape[0]
    for provenance in (request.weights.provenance, score.test.provenance if score else {}):
        shape = section(provenance, "data").get("image_shape")
        if isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape):
            height, width = shape
            if height > 0 and height * width == n_input:
                return height, width
    side = round(float(n_input**0.5))
    return (side, side) if side * side == n_input else (1, n_input)


def _compare(a: Run, b: Run) -> Pair:
    try:
        return Pair(a.name, b.name, {c: compare_scores(a.scores[c], b.scores[c]) for c in CLASSIFIERS})
    except ArtefactError as error:
        return Pair(a.name, b.name, {}, str(error))


def _mistakes(request: FigureRequest) -> list[Mistake]:
    """Return misclassified test images, evenly chosen."""
    score = request.score
    recorded = section(score.test.provenance, "data")
    if not isinstance(recorded.get("name"), str):
        raise DataError("which images were recorded is not written down")
    dataset = load_dataset(recorded["name"], "test", request.data_dir)
    if recorded.get("sha256") != dataset.sha256:
        raise DataError(
            f"{dataset.source}: other images than those that were recorded; name their folder by --data-dir"
        )
    wrong = np.flatnonzero(~score.evaluation.correct)
    chosen = wrong[np.unique(np.linspace(0, len(wrong) - 1, min(_MAX_MISTAKES, len(wrong))).round().astype(int))]
    return [
        Mistake(int(k), dataset.images[k], int(score.test.labels[k]), _guesses(score.evaluation.scores[k]))
        for k in chosen
    ]


def _guesses(scores: NDArray[np.float64]) -> list[int]:
    """Return the three best classes; a class with the lowest score is no guess."""
    return [int(c) for c in np.argsort(-scores, kind="stable")[:3] if scores[c] > scores.min()]


def _growth(request: FigureRequest) -> Growth:
    found = list_snapshots(request.workdir, request.name)
    if not found:
        raise ArtefactError(
            "No snapshots were kept during the training; a checkpoint_every below num_examples keeps some, such as "
            "--set checkpoint_every=1000."
        )
    final = request.weights.weights
    chosen = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, _MAX_SNAPSHOTS).round().astype(int))]
    neurons = np.array(learned_neurons(request.weights.theta_mv, _MAX_NEURONS))
    stages: list[tuple[int | None, NDArray[np.float64]]] = [
        (examples, load_weight_files(w, theta, n_input=final.shape[0], n_e=final.shape[1]).weights[:, neurons])
        for examples, w, theta in chosen
    ]
    last = section(request.weights.provenance, "figures").get("examples")
    stages.append((last if isinstance(last, int) else None, final[:, neurons]))
    return Growth(neurons, stages)
