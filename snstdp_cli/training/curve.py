"""The learning curve: accuracy on withheld training images while a training runs, with frozen weights.

Labels come from the responses to the most recent training examples, so that the only cost is the presentation of the
withheld images, which are never trained on. Where a second core is free, they are shown beside the training, to the
network as it was when the point fell due; what is then under way is part of a checkpoint. The points tell whether a
network learns; the accuracy to quote is that of `snstdp evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Checkpoint, TrainedWeights
from snstdp_cli.artefacts.checkpoints import AGAIN
from snstdp_cli.config import Experiment
from snstdp_cli.engines import ChunkResult, Stream, available_cores, choose_engine
from snstdp_cli.errors import ArtefactError, NumericalError
from snstdp_cli.evaluation import CurvePoint, evaluate
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.progress import Reporter
from snstdp_cli.recording.recorder import Recorder, result_of
from snstdp_cli.training.start import TrainingImages

#: Responses that label the neurons: this many of the latest training examples.
MEMORY = 2_000
_MOST_WORKERS = 4
_RECENT, _LABELS = "curve.recent", "curve.labels"
#: The point that is under way; its arrays are left out where they are those of the checkpoint itself.
_EXAMPLES = "curve.point.examples"
_WEIGHTS, _THETA = "curve.point.weights", "curve.point.theta_mv"
_POINT_RECENT, _POINT_LABELS = "curve.point.recent", "curve.point.labels"
_NOTHING: NDArray[Any] = np.zeros(0)


@dataclass(frozen=True, eq=False)
class _Moment:
    """What a point is made of: the network and its latest responses after `examples` examples.

    Attributes
    ----------
    weights
        [n_input, n_e]
    theta_mv
        [n_e], mV
    recent, labels
        Responses [num, n_e] to the latest training examples, and these examples' labels [num].
    """

    examples: int
    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    recent: NDArray[np.uint16]
    labels: NDArray[np.uint8]


class LearningCurve:
    """Takes a point every `every` examples; at most one is under way.

    Attributes
    ----------
    recorder
        Shows the withheld images; None where no point falls into the training. What labels the neurons is remembered
        all the same: the training may be continued, and its next point is that of one that was longer from the first.
    """

    recorder: Recorder | None = None

    def __init__(self, experiment: Experiment, images: TrainingImages, wiring: Wiring, report: Reporter) -> None:
        self.experiment, self.images, self.wiring, self.report = experiment, images, wiring, report
        self.every = experiment.evaluation.curve_every
        self.recent = np.zeros((0, experiment.n_e), dtype=np.uint16)
        self.recent_labels = np.zeros(0, dtype=np.uint8)
        # Brian 2 runs one network at a time.
        self._cores = available_cores() if choose_engine(experiment) == "standalone" else 1
        self._thread = ThreadPoolExecutor(1) if self._cores > 1 else None
        self._moment: _Moment | None = None
        self._point: Future[CurvePoint] | None = None

    @classmethod
    def open(
        cls, experiment: Experiment, images: TrainingImages, wiring: Wiring, report: Reporter, first: int = 0
    ) -> LearningCurve | None:
        """Return the curve, or None if it is turned off or no images are withheld.

        The frozen network is compiled only if a point falls due.

        Parameters
        ----------
        first
            Training examples that were shown before.
        """
        every = experiment.evaluation.curve_every
        if every == 0 or not len(images.withheld):
            return None
        curve = cls(experiment, images, wiring, report)
        if experiment.num_examples // every > first // every:
            curve._open_recorder()
        return curve

    def resume(self, checkpoint: Checkpoint, weights: NDArray[np.float64], theta_mv: NDArray[np.float64]) -> None:
        """Take over what a checkpoint remembers, and begin the point anew that was under way.

        Parameters
        ----------
        weights, theta_mv
            Of the network in the checkpoint, [n_input, n_e] and [n_e], mV.

        Raises
        ------
        ArtefactError
            If what it remembers does not fit the network.
        """
        arrays = checkpoint.arrays
        if _RECENT not in arrays:
            return
        now = _Moment(checkpoint.meta["examples"], weights, theta_mv, arrays[_RECENT], arrays.get(_LABELS, _NOTHING))
        _refuse_misfit(now, weights.shape, checkpoint)
        self.recent, self.recent_labels = now.recent.astype(np.uint16), now.labels.astype(np.uint8)
        if (taken := arrays.get(_EXAMPLES)) is None:
            return
        moment = now
        if taken.tolist() != [now.examples]:
            kept = [arrays.get(name, _NOTHING) for name in (_WEIGHTS, _THETA, _POINT_RECENT, _POINT_LABELS)]
            moment = _Moment(int(taken[0]) if taken.shape == (1,) and taken.dtype.kind in "iu" else -1, *kept)
            _refuse_misfit(moment, weights.shape, checkpoint)
        self._open_recorder()
        self._begin(moment)

    def to_checkpoint(self, examples: int) -> dict[str, NDArray[Any]]:
        """Return what a checkpoint after `examples` must hold, so that a resumed training draws the same curve."""
        arrays: dict[str, NDArray[Any]] = {_RECENT: self.recent, _LABELS: self.recent_labels}
        if (moment := self._moment) is None:
            return arrays
        arrays[_EXAMPLES] = np.array([moment.examples])
        if moment.examples != examples:
            arrays |= {_WEIGHTS: moment.weights, _THETA: moment.theta_mv}
            arrays |= {_POINT_RECENT: moment.recent, _POINT_LABELS: moment.labels}
        return arrays

    def after_chunk(
        self,
        examples: int,
        result: ChunkResult,
        labels: NDArray[np.uint8],
        learned: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]],
        *,
        last: bool,
    ) -> tuple[CurvePoint, ...]:
        """Remember a chunk's responses, begin a point if one is due, and return those that are there, in order.

        Parameters
        ----------
        examples
            Training examples that were shown, with this chunk.
        learned
            Returns weights [n_input, n_e] and thresholds [n_e] in mV.
        last
            Wait for the point that is under way: nothing is left to do meanwhile.
        """
        self.recent = np.concatenate([self.recent, result.counts])[-MEMORY:]
        self.recent_labels = np.concatenate([self.recent_labels, labels])[-MEMORY:]
        is_due = examples % self.every == 0
        points = self.collect(wait=is_due or last)
        if is_due:
            self._begin(_Moment(examples, *learned(), self.recent, self.recent_labels))
            points += self.collect(wait=last)
        return points

    def collect(self, *, wait: bool) -> tuple[CurvePoint, ...]:
        """Return the point under way, if there is one that is done or waited for, or that nobody makes meanwhile.

        Raises
        ------
        EngineError, NumericalError
            If an engine failed, or the network ran away or did not answer.
        """
        if self._moment is None or (self._point is not None and not wait and not self._point.done()):
            return ()
        point = self._make(self._moment) if self._point is None else result_of(self._point)
        self._moment = self._point = None
        return (point,)

    def close(self) -> None:
        """End the programs; a point that is under way is given up."""
        if self._thread is not None:
            if self._point is not None and self.recorder is not None:
                self.recorder.stop()
            self._thread.shutdown()
        if self.recorder is not None:
            self.recorder.close()

    def _open_recorder(self) -> None:
        """Compile the frozen network, now rather than hours later, where a compiler that fails would end a training."""
        if self.recorder is None:
            self.recorder = Recorder(self.experiment, self.wiring, min(self._cores, _MOST_WORKERS), self.report)

    def _begin(self, moment: _Moment) -> None:
        self._moment = moment
        self._point = None if self._thread is None else self._thread.submit(self._make, moment)

    def _make(self, moment: _Moment) -> CurvePoint:
        """Show the withheld images to the frozen network of a moment, and score its answers."""
        numbers = self.images.withheld
        assert self.recorder is not None
        try:
            answers, _, _ = self.recorder.record(
                TrainedWeights(moment.weights, moment.theta_mv),
                self.images.images[numbers],
                stream=Stream.CURVE_RECORDING,
            )
        except NumericalError as error:
            raise NumericalError(
                f"{error} (found while the withheld images were shown after {moment.examples:,} training examples; the "
                "last good checkpoint is kept)"
            ) from None
        scored = evaluate(moment.recent, moment.labels, answers, self.images.labels[numbers])
        return CurvePoint(moment.examples, scored.num_correct, scored.num_examples)


def _refuse_misfit(moment: _Moment, shape: tuple[int, ...], checkpoint: Checkpoint) -> None:
    recent, labels = moment.recent, moment.labels
    network_fits = moment.weights.shape == shape and moment.theta_mv.shape == shape[1:]
    responses_fit = recent.ndim == 2 and recent.shape[1:] == shape[1:] and labels.shape == recent.shape[:1]
    if not (network_fits and responses_fit and 0 <= moment.examples <= checkpoint.meta["examples"]):
        raise ArtefactError(
            f"{checkpoint.path}: what the learning curve remembers does not fit the network; resume without it "
            f"(--set evaluation.curve_every=0), or {AGAIN}"
        )
