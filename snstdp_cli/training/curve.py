"""The learning curve: accuracy on withheld training images while a training runs, with frozen weights.

Labels come from the responses to the most recent training examples, so that the only cost is the presentation of the
withheld images, which are never trained on. The points tell whether a network learns; the accuracy to quote is that of
`snstdp evaluate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Checkpoint, TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.engines import ChunkResult, Stream, available_cores, choose_engine
from snstdp_cli.errors import ArtefactError, NumericalError
from snstdp_cli.evaluation import CurvePoint, evaluate
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.recorder import Recorder
from snstdp_cli.training.start import TrainingImages

#: Responses that label the neurons: this many of the latest training examples.
MEMORY = 2_000
_MOST_WORKERS = 4
_RECENT, _LABELS = "curve.recent", "curve.labels"


class LearningCurve:
    """Takes a point every `every` examples."""

    def __init__(self, experiment: Experiment, images: TrainingImages, wiring: Wiring, report: Reporter) -> None:
        self.every = experiment.evaluation.curve_every
        self.images = images
        self.recent = np.zeros((0, experiment.n_e), dtype=np.uint16)
        self.recent_labels = np.zeros(0, dtype=np.uint8)
        workers = min(available_cores(), _MOST_WORKERS) if choose_engine(experiment) == "standalone" else 1
        self.recorder = Recorder(experiment, wiring, workers, report)

    @classmethod
    def open(
        cls,
        experiment: Experiment,
        images: TrainingImages,
        wiring: Wiring,
        report: Reporter,
        checkpoint: Checkpoint | None,
    ) -> LearningCurve | None:
        """Return the curve, or None if it is turned off or no point would fall into the training."""
        every = experiment.evaluation.curve_every
        if every == 0 or every > experiment.num_examples or not len(images.withheld):
            return None
        curve = cls(experiment, images, wiring, report)
        if checkpoint is not None and _RECENT in checkpoint.arrays:
            recent, labels = checkpoint.arrays[_RECENT], checkpoint.arrays.get(_LABELS, np.zeros(0))
            if recent.ndim != 2 or recent.shape[1] != experiment.n_e or labels.shape != recent.shape[:1]:
                curve.close()
                raise ArtefactError(f"{checkpoint.path}: the learning curve's responses do not fit the network")
            curve.recent, curve.recent_labels = recent.astype(np.uint16), labels.astype(np.uint8)
        return curve

    def to_checkpoint(self) -> dict[str, NDArray[Any]]:
        """Return what a checkpoint must hold, so that a resumed training draws the same curve."""
        return {_RECENT: self.recent, _LABELS: self.recent_labels}

    def after_chunk(
        self,
        examples: int,
        result: ChunkResult,
        labels: NDArray[np.uint8],
        weights: NDArray[np.float64],
        theta_mv: NDArray[np.float64],
    ) -> CurvePoint | None:
        """Remember a chunk's responses; return a point if one is due."""
        self.recent = np.concatenate([self.recent, result.counts])[-MEMORY:]
        self.recent_labels = np.concatenate([self.recent_labels, labels])[-MEMORY:]
        if examples % self.every:
            return None
        numbers = self.images.withheld
        try:
            answers, _, _ = self.recorder.record(
                TrainedWeights(weights, theta_mv), self.images.images[numbers], stream=Stream.CURVE_RECORDING
            )
        except NumericalError as error:
            raise NumericalError(
                f"{error} (found while the withheld images were shown after {examples:,} training examples; the last "
                "good checkpoint is kept)"
            ) from None
        scored = evaluate(self.recent, self.recent_labels, answers, self.images.labels[numbers])
        return CurvePoint(examples, scored.num_correct, scored.num_examples)

    def close(self) -> None:
        """End the programs."""
        self.recorder.close()
