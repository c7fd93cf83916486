"""What a report tells: everything that is known of the networks, and a sentence for each part that is missing."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Literal, TypeVar

from snstdp_cli.artefacts import (
    TrainedWeights,
    TrainingRecord,
    Workdir,
    list_recordings,
    list_weights,
    recording_mark,
    weights_exist,
)
from snstdp_cli.config import Experiment
from snstdp_cli.errors import ArtefactError, ConfigError, SnstdpError
from snstdp_cli.evaluation import NAMING, Classifier, Comparison, with_usual
from snstdp_cli.hardware import CostRecord, load_cost
from snstdp_cli.results import (
    Finding,
    Mistake,
    Score,
    Stages,
    TrainedNetwork,
    compare_scores,
    find_mistakes,
    findings,
    on_same_data,
    recorded_variants,
    score_network,
    training_stages,
)
from snstdp_cli.results.drawable import check_drawable

T = TypeVar("T")

#: A report of more networks could not be read.
MAX_RUNS = 12
_MAX_MISTAKES, _MAX_STAGES = 24, 6
#: Sharp enough for a page, and small enough for one that holds twelve networks' pictures.
_PICTURE_DPI = 130

Picture = Literal["raster", "traces"]


@dataclass(frozen=True, eq=False)
class Run:
    """One network, as far as it can be read.

    Attributes
    ----------
    weights
        None if they are not there, are damaged, or cannot be drawn.
    scores
        Of the recordings that belong to the weights, the usual one first; empty without recordings.
    pictures
        By kind of figure, PNG files for light and for dark paper.
    cost
        What was counted of it; None if nothing was, or of other weights.
    missing
        By part of the report, why it is left out.
    """

    network: TrainedNetwork
    weights: TrainedWeights | None
    scores: tuple[Score, ...] = ()
    findings: tuple[Finding, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    stages: Stages | None = None
    cost: CostRecord | None = None
    pictures: dict[Picture, tuple[bytes, bytes]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    @property
    def score(self) -> Score | None:
        """The score that is told first."""
        return self.scores[0] if self.scores else None

    @property
    def record(self) -> TrainingRecord | None:
        """How the weights were made, if it is written down."""
        return None if self.weights is None else self.weights.record

    @property
    def experiment(self) -> Experiment | None:
        """The recorded settings, if they are written down."""
        return None if self.record is None else self.record.experiment


@dataclass(frozen=True)
class Pair:
    """Two networks on the same test images: McNemar by read-out, or why they cannot be compared.

    Attributes
    ----------
    data
        What each answered to, if that differs: the same images may be clean for one and corrupted for the other.
    """

    a: str
    b: str
    comparisons: dict[Classifier, Comparison]
    data: str | None = None
    missing: str | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """All of a report.

    Attributes
    ----------
    workdir, data_dir
        Where the networks and their images are, as they are named in commands; None for the usual images.
    """

    runs: list[Run]
    pairs: list[Pair]
    classifier: Classifier
    created: str
    example: int | None = None
    workdir: Path = Path()
    data_dir: Path | None = None

    @property
    def read_outs(self) -> tuple[Classifier, ...]:
        """What every network was scored by; the chosen read-out first."""
        return with_usual(self.classifier, *NAMING)


def gather(
    workdir: Workdir,
    names: Sequence[str],
    *,
    classifier: Classifier = "average",
    data_dir: Path | None = None,
    example: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Content:
    """Load what is known of the networks.

    Parameters
    ----------
    classifier
        Which read-out the figures show; the accuracies of all that use labels only to name neurons are told.
    data_dir
        Folder of the images, for those that were misclassified.
    example
        Test image whose presentation is simulated and drawn; none without it.
    say
        Told what is being done.

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
        if not weights_exist(workdir, name) and not list_recordings(workdir, name, "test"):
            close = difflib.get_close_matches(name, list_weights(workdir), n=1)
            hint = f"did you mean '{close[0]}'?" if close else "check the name and --workdir"
            raise ArtefactError(f"{workdir.root}: neither weights nor recorded responses of '{name}'; {hint}")
    runs = [_gather_run(TrainedNetwork(workdir, name), classifier, data_dir, example, say) for name in names]
    pairs = [_compare(a, b) for a, b in combinations([run.score for run in runs if run.score is not None], 2)]
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Content(runs, pairs, classifier, created, example, workdir.root, data_dir)


def _gather_run(
    network: TrainedNetwork,
    classifier: Classifier,
    data_dir: Path | None,
    example: int | None,
    say: Callable[[str], None],
) -> Run:
    name, missing = network.name, dict[str, str]()
    attempt = _Attempts(missing)
    say(f"{name}: weights and recordings")
    weights = attempt("weights", lambda: _drawable_weights(network))
    if weights is not None and weights.record is None:
        missing["provenance"] = (
            f"Nothing is written down beside these weights ({network.workdir.weights / name}.json is missing), as with "
            "weights of the ancestor's script: configuration, versions and course of the training are not known."
        )
    scores = attempt("scores", lambda: _score_all(network, classifier)) or ()
    mistakes = None
    if scores:
        say(f"{name}: misclassified images")
        mistakes = attempt("mistakes", lambda: find_mistakes(scores[0], data_dir, most=_MAX_MISTAKES))
    run = Run(
        network,
        weights,
        scores,
        tuple(attempt("findings", lambda: findings(network, scores[0] if scores else None)) or ()),
        tuple(mistakes or ()),
        attempt("evolution", lambda: training_stages(network, most=_MAX_STAGES)) if weights is not None else None,
        attempt("cost", lambda: load_cost(network)) if weights is not None else None,
        missing=missing,
    )
    if example is not None and weights is not None:
        say(f"{name}: simulating test image {example}")
        run.pictures.update(attempt("presentation", lambda: _pictures(network, example, data_dir)) or {})
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
            return None


def _drawable_weights(network: TrainedNetwork) -> TrainedWeights:
    check_drawable(network.weights, "weights")
    check_drawable(network.theta_mv, "thresholds")
    check_drawable([value for _, column in network.history for value in column], "values in the training's history")
    _ = network.never_learned, network.image_shape  # so that what does not fit is told here
    return network.stored


def _score_all(network: TrainedNetwork, classifier: Classifier) -> tuple[Score, ...]:
    """Score every recording that belongs to the weights; the first must be there."""
    variants = recorded_variants(network)
    if not variants:
        return (score_network(network, classifier=classifier, read_outs=NAMING),)
    scored, problems = list[Score](), list[SnstdpError]()
    for _, record in variants:
        try:
            mark = recording_mark(record)
            scored.append(score_network(network, classifier=classifier, mark=mark, read_outs=NAMING))
        except SnstdpError as error:
            problems.append(error)
    if not scored:
        raise problems[0]
    return tuple(scored)


def _compare(a: Score, b: Score) -> Pair:
    data = None if on_same_data([a, b]) else f"{a.data}; {b.data}"
    try:
        return Pair(a.name, b.name, dict(compare_scores(a, b)), data)
    except ArtefactError as error:
        return Pair(a.name, b.name, {}, data, str(error))


def _pictures(network: TrainedNetwork, example: int, data_dir: Path | None) -> dict[Picture, tuple[bytes, bytes]]:
    """Simulate a presentation once; draw it on light and on dark paper."""
    from snstdp_cli.plots import render_figure
    from snstdp_cli.plots.drawing.style import DARK, LIGHT, use_theme
    from snstdp_cli.plots.presentations import draw_raster, draw_traces
    from snstdp_cli.results.presentation import present_again

    trace = present_again(network, example, data_dir=data_dir)
    pictures: dict[Picture, list[bytes]] = {"raster": [], "traces": []}
    for theme in (LIGHT, DARK):
        with use_theme(theme):
            pictures["raster"].append(render_figure(draw_raster(network, example, trace), "png", dpi=_PICTURE_DPI))
            pictures["traces"].append(render_figure(draw_traces(network, example, trace), "png", dpi=_PICTURE_DPI))
    return {kind: (light, dark) for kind, (light, dark) in pictures.items()}
