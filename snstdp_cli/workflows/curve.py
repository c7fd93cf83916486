"""The learning curve: accuracy on held-out training images while a training runs, with frozen weights.

Labels come from the responses to the most recent training examples, so that the only cost is the presentation of the
held-out images: the last ones of the training set, which a single epoch reaches at its very end. The points tell
whether a network learns; the accuracy to quote is that of `snstdp evaluate`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines import choose_engine
from snstdp_cli.evaluation import evaluate
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.workflows.progress import Reporter
from snstdp_cli.workflows.recorder import Recorder

#: Responses that label the neurons: this many of the latest training examples.
MEMORY = 2_000


class LearningCurve:
    """Takes a point every `every` examples."""

    def __init__(self, experiment: Experiment, dataset: Dataset, wiring: Wiring, report: Reporter) -> None:
        self.every = experiment.evaluation.curve_every
        held_out = min(experiment.evaluation.curve_examples, len(dataset))
        self.first = len(dataset) - held_out
        self.images = dataset.images[self.first :].reshape(held_out, -1)
        self.labels = dataset.labels[self.first :]
        self.num_classes = dataset.num_classes
        self.recent = np.zeros((0, experiment.n_e), dtype=np.uint16)
        self.recent_labels = np.zeros(0, dtype=np.uint8)
        workers = min(os.cpu_count() or 1, 4) if choose_engine(experiment) == "standalone" else 1
        self.recorder = Recorder(experiment, wiring, workers, report)

    @classmethod
    def open(
        cls, experiment: Experiment, dataset: Dataset, wiring: Wiring, report: Reporter, memory: dict[str, NDArray[Any]]
    ) -> LearningCurve | None:
        """Return the curve, or None if it is turned off or no point would fall into the training."""
        every = experiment.evaluation.curve_every
        if every == 0 or every > experiment.num_examples:
            return None
        curve = cls(experiment, dataset, wiring, report)
        if memory:
            curve.recent, curve.recent_labels = memory["curve.recent"], memory["curve.labels"]
        return curve

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a checkpoint must hold, so that a resumed training draws the same curve."""
        return {"curve.recent": self.recent, "curve.labels": self.recent_labels}

    def after_chunk(
        self,
        examples: int,
        counts: NDArray[np.uint16],
        labels: NDArray[np.uint8],
        weights: NDArray[np.float64],
        theta_mv: NDArray[np.float64],
    ) -> tuple[int, float] | None:
        """Remember a chunk's responses; return a point if one is due."""
        self.recent = np.concatenate([self.recent, counts])[-MEMORY:]
        self.recent_labels = np.concatenate([self.recent_labels, labels])[-MEMORY:]
        if examples % self.every:
            return None
        answers, _, _ = self.recorder.record(TrainedWeights(weights, theta_mv), self.images, self.first)
        scored = evaluate(self.recent, self.recent_labels, answers, self.labels, num_classes=self.num_classes)
        return examples, scored.accuracy

    def close(self) -> None:
        """End the programs."""
        self.recorder.close()
