"""Figures of trained networks by kind: load what a figure needs, then let `snstdp_cli.plots` draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli import plots
from snstdp_cli.artefacts import TrainedWeights, Workdir, list_snapshots, load_weight_files, load_weights
from snstdp_cli.config import Experiment, differing_settings, recorded_experiment, setting_notes
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import Classifier, assign_labels, wilson_interval
from snstdp_cli.recording.tracing import trace_example
from snstdp_cli.results.scoring import Score, evaluate_activity, load_recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Neurons of `evolution` if none are chosen, and settings in a row of `comparison`.
_EVOLVING, _MAX_NOTES = 8, 3


@dataclass(frozen=True)
class FigureRequest:
    """Which network to draw, and the choices that some kinds offer."""

    workdir: Workdir
    name: str
    data_dir: Path | None = None
    classifier: Classifier = "average"
    others: tuple[str, ...] = ()
    example: int = 0
    neurons: tuple[int, ...] = ()
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> TrainedWeights:
        loaded: TrainedWeights = self.once("weights", lambda: load_weights(self.workdir, self.name))
        return loaded

    @property
    def experiment(self) -> Experiment:
        """The experiment that made the weights, or one with defaults and their size."""
        recorded = self.weights.provenance.get("experiment")
        experiment = recorded_experiment(recorded if isinstance(recorded, dict) else {}, self.name)
        return experiment.model_copy(update={"n_e": self.weights.weights.shape[1]})

    @property
    def score(self) -> Score:
        scored: Score = self.once(
            "score", lambda: evaluate_activity(self.workdir, self.name, classifier=self.classifier)
        )
        return scored

    @property
    def image_shape(self) -> tuple[int, int]:
        data = self.weights.provenance.get("data")
        if isinstance(data, dict) and len(data.get("image_shape", ())) == 2:
            return int(data["image_shape"][0]), int(data["image_shape"][1])
        side = round(float(self.weights.weights.shape[0]) ** 0.5)
        return (side, side) if side * side == self.weights.weights.shape[0] else (1, self.weights.weights.shape[0])

    def title(self, text: str) -> str:
        return f"{self.name}: {text}"

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what `make` makes; several figures of one request share it."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]


def fields(request: FigureRequest) -> Figure:
    """Receptive fields of all neurons."""
    weights = request.weights.weights
    return plots.receptive_fields(
        weights, request.image_shape, title=request.title(f"receptive fields of {weights.shape[1]:,} neurons")
    )


def classes(request: FigureRequest) -> Figure:
    """Receptive fields sorted by the class that each neuron answers to."""
    responses, _ = load_recording(request.workdir, request.name, "train")
    assigned = assign_labels(responses.counts, responses.labels, max(10, int(responses.labels.max()) + 1))
    return plots.receptive_fields(
        request.weights.weights,
        request.image_shape,
        labels=assigned.labels,
        order=np.argsort(-assigned.selectivity, kind="stable"),
        title=request.title("receptive fields by class, the most selective first"),
    )


def evolution(request: FigureRequest) -> Figure:
    """Receptive fields of a few neurons over the snapshots of a training."""
    found = list_snapshots(request.workdir, request.name)
    if not found:
        raise ArtefactError(
            f"{request.workdir.weights / 'snapshots'}: no snapshots of '{request.name}'; train with a checkpoint_every "
            "below num_examples, such as --set checkpoint_every=1000"
        )
    shots = [(examples, load_weight_files(w, theta).weights) for examples, w, theta in found]
    last = request.weights.provenance.get("figures", {}).get("examples", shots[-1][0] + 1)
    shots.append((int(last), request.weights.weights))
    neurons = list(request.neurons) or learned_neurons(request.weights.theta_mv, _EVOLVING)
    title = request.title("receptive fields during training")
    return plots.evolution(shots, request.image_shape, neurons=neurons, title=title)


def learned_neurons(theta_mv: NDArray[np.float64], most: int) -> list[int]:
    """Return some neurons that have learned, evenly chosen: at spikes weights change and thresholds rise."""
    low, high = theta_mv.min(), theta_mv.max()
    active = np.flatnonzero(theta_mv > low + 0.1 * (high - low))
    if len(active) < most:
        active = np.sort(np.argsort(-theta_mv, kind="stable")[:most])
    return [int(active[k]) for k in np.linspace(0, len(active) - 1, min(most, len(active))).round().astype(int)]


def confusion(request: FigureRequest) -> Figure:
    """Which class is taken for which."""
    result = request.score.evaluation
    title = request.title(f"{result.accuracy:.1%} of {result.num_examples:,} images correct")
    return plots.confusion_matrix(result.confusion, undecided=result.undecided_per_class, title=title)


def accuracy(request: FigureRequest) -> Figure:
    """Accuracy by class."""
    result = request.score.evaluation
    return plots.per_class_accuracy(
        [r.correct for r in result.per_class],
        [r.total for r in result.per_class],
        title=request.title("accuracy by class, with 95% intervals"),
    )


def curve(request: FigureRequest) -> Figure:
    """Accuracy on held-out training images during training."""
    points = request.weights.provenance.get("learning_curve")
    if not points:
        raise ArtefactError(
            f"the provenance of '{request.name}' has no learning curve; train with evaluation.curve_every below "
            "num_examples, such as --set evaluation.curve_every=500"
        )
    held_out = request.experiment.evaluation.curve_examples
    intervals = [wilson_interval(round(value * held_out), held_out) for _, value in points]
    return plots.learning_curve(
        [int(p[0]) for p in points],
        [float(p[1]) for p in points],
        ci=intervals,
        title=request.title(f"accuracy on {held_out:,} held-out training images, with 95% intervals"),
    )


def weights(request: FigureRequest) -> Figure:
    """Distributions of weights, L1 norms and thresholds."""
    trained = request.weights
    return plots.weight_distribution(
        trained.weights, trained.theta_mv, title=request.title("weights, norms and thresholds")
    )


def norm(request: FigureRequest) -> Figure:
    """L1 norm of the neurons' weights over training."""
    history = request.weights.provenance.get("history") or {}
    if not history.get("examples"):
        raise ArtefactError(f"the provenance of '{request.name}' has no history; expected weights trained by snstdp")
    if len(history["examples"]) < 2:
        raise ArtefactError(
            f"the norm of '{request.name}' was noted once only; it is noted every `chunk` examples: train on more, or "
            "with a smaller one, such as --set chunk=50"
        )
    return plots.l1_norm_over_training(
        [int(n) for n in history["examples"]],
        history["l1_mean"],
        history["l1_min"],
        history["l1_max"],
        target=request.weights.provenance.get("figures", {}).get("l1_target"),
        title=request.title("norm of the weights during training"),
    )


def mistakes(request: FigureRequest) -> Figure:
    """Misclassified images with the network's three best guesses."""
    score = request.score
    dataset = load_dataset(request.experiment.data, "test", request.data_dir)
    if score.test.provenance.get("data", {}).get("sha256") != dataset.sha256:
        raise DataError(
            f"{dataset.source}: other images than those that were recorded; name their folder by --data-dir"
        )
    wrong = np.flatnonzero(~score.evaluation.correct)
    return plots.misclassified(
        dataset.images[wrong],
        score.test.labels[wrong],
        score.evaluation.scores[wrong],
        title=request.title("true class above, the network's guesses below"),
    )


def raster(request: FigureRequest) -> Figure:
    """Spikes of all neurons while one test image is shown."""
    trace = _trace(request)
    return plots.raster(
        trace.spikes,
        sizes=trace.sizes,
        end_ms=trace.end_ms,
        stimulus_ms=(0, request.experiment.presentation.stimulus_ms),
        title=request.title(f"test image {request.example}, a {trace.label}"),
    )


def traces(request: FigureRequest) -> Figure:
    """Voltage and conductances of chosen neurons while one test image is shown."""
    trace = _trace(request)
    title = request.title(f"test image {request.example}, a {trace.label}")
    stimulus = (0, request.experiment.presentation.stimulus_ms)
    return plots.traces(trace.times_ms, trace.values, neurons=trace.neurons, stimulus_ms=stimulus, title=title)


def comparison(request: FigureRequest) -> Figure:
    """Accuracies of several networks, with the settings in which they differ."""
    names = [request.name, *request.others]
    scores = [evaluate_activity(request.workdir, name, classifier=request.classifier) for name in names]
    different = differing_settings(
        [recorded_experiment(score.experiment, score.name) if score.experiment else None for score in scores]
    )
    numbers = {score.evaluation.num_examples for score in scores}
    runs = []
    for score, settings in zip(scores, different, strict=True):
        notes = setting_notes(settings)
        notes += [f"{score.evaluation.num_examples:,} images"] if len(numbers) > 1 else []
        result = score.evaluation
        runs.append(("\n".join([score.name, *notes[:_MAX_NOTES]]), result.accuracy, result.ci95))
    images = f" on {numbers.pop():,} test images" if len(numbers) == 1 else ""
    return plots.comparison(
        runs, chance=1 / max(s.num_classes for s in scores), title=f"Accuracy{images}, with 95% intervals"
    )


#: What `snstdp plot` can draw.
KINDS: dict[str, Callable[[FigureRequest], Figure]] = {
    f.__name__: f
    for f in (
        fields,
        classes,
        evolution,
        confusion,
        accuracy,
        curve,
        weights,
        norm,
        mistakes,
        raster,
        traces,
        comparison,
    )
}


def _trace(request: FigureRequest) -> Any:
    def make() -> Any:
        dataset = load_dataset(request.experiment.data, "test", request.data_dir)
        neurons = list(request.neurons) or None
        return trace_example(request.experiment, request.weights, dataset, request.example, neurons)

    return request.once("trace", make)
