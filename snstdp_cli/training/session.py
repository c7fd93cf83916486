"""One training while it runs: network state, engine, journal and learning curve, chunk after chunk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    Checkpoint,
    TrainingFigures,
    TrainingRecord,
    Workdir,
    drop_other_snapshots,
    save_snapshot,
    write_checkpoint,
)
from snstdp_cli.artefacts.provenance import describe_data, describe_run
from snstdp_cli.config import Experiment
from snstdp_cli.config.limiting import rounding_warnings
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines import Chunk, ChunkResult, Engine, State, Stream, initial_state, open_engine
from snstdp_cli.events import EventLog
from snstdp_cli.network.fixed_point import state_warnings
from snstdp_cli.network.wiring import Wiring, draw_wiring, training_order
from snstdp_cli.progress import Reporter, TrainingProgress
from snstdp_cli.rules import Plasticity
from snstdp_cli.training.alarms import check_chunk, l1_norms
from snstdp_cli.training.curve import LearningCurve
from snstdp_cli.training.identity import identify_training
from snstdp_cli.training.journal import Journal
from snstdp_cli.training.plan import estimate_needs
from snstdp_cli.training.resuming import check_same_training, state_of
from snstdp_cli.training.start import divide_images, start_weights


class TrainingSession:
    """The parts of one training that belong together while it runs.

    Attributes
    ----------
    saved_examples
        Examples of the newest checkpoint of this training under its name; None before the first one.
    """

    saved_examples: int | None = None
    engine: Engine
    journal: Journal
    state: State
    curve: LearningCurve | None

    def __init__(self, experiment: Experiment, workdir: Workdir, dataset: Dataset, report: Reporter) -> None:
        self.experiment, self.workdir, self.dataset, self.report = experiment, workdir, dataset, report
        self.images = divide_images(experiment, dataset)
        self.plasticity: Plasticity = experiment.plasticity(dataset.n_input)
        self.wiring: Wiring = draw_wiring(experiment, dataset.n_input)

    @contextmanager
    def opened(self, checkpoint: Checkpoint | None, *, own: bool = True) -> Iterator[None]:
        """Draw the state or restore it, compile the network, and close what was opened.

        Nothing of an earlier training is touched before the network stands and the first checkpoint is written.

        Parameters
        ----------
        checkpoint
            Where to go on; None to begin.
        own
            Whether it is a checkpoint of this name, and not the state that another name's training ended with.
        """
        self._begin(checkpoint)
        if checkpoint is not None and own:
            self.saved_examples = self.journal.examples
        engine: Engine | None = None
        self.curve = None
        try:
            engine = self.engine = open_engine(self.experiment, self.plasticity, self.wiring, self.report.say)
            first = self.journal.examples
            self.curve = LearningCurve.open(self.experiment, self.images, self.wiring, self.report, first)
            if self.curve is not None and checkpoint is not None:
                self.curve.resume(checkpoint, *self.learned())
            self._report_needs()
            swallowed = rounding_warnings(self.experiment.rule, self.experiment.precision, self.plasticity)
            for sentence in swallowed + state_warnings(self.experiment):
                self.report.warn(sentence)
            if self.saved_examples is None:
                self._write_checkpoint()
            drop_other_snapshots(self.workdir, self.experiment.save_name, self.journal.identity.digest)
            yield
        finally:
            for opened in (engine, self.curve):
                if opened is not None:
                    opened.close()

    def logged(self, log: EventLog, *, goes_on: bool) -> AbstractContextManager[None]:
        """Return what writes the events of this session; those of the same training stay if it `goes_on`."""
        log.skip_curve(len(self.journal.curve))
        training, examples, total = self.journal.identity.digest, self.journal.examples, self.experiment.num_examples
        return log.opened(training, "training", "train", examples, total, goes_on=goes_on)

    def run_all(self) -> None:
        """Run the chunks that are left."""
        experiment, journal = self.experiment, self.journal
        silent = 0  # examples in a row
        began, at_start, seconds_before = time.perf_counter(), journal.examples, journal.seconds
        while journal.examples < experiment.num_examples:
            first = journal.examples
            num = self._chunk_length(first)
            order = self.images.shown[training_order(experiment, first, num, len(self.images.shown))]
            before = self.state
            result = self.engine.run(before, Chunk(first, self.images.images[order], Stream.TRAINING))
            advice = experiment.advice()
            bounds = journal.start_bounds
            silent = check_chunk(before, result, first, self.wiring, self.plasticity, bounds, advice, silent)
            self.state = result.state
            journal.examples = first + num
            journal.seconds = seconds_before + time.perf_counter() - began
            rate = (journal.examples - at_start) / (time.perf_counter() - began)
            self._note(before, result, self.images.labels[order], rate)
            # Before the checkpoint: a training that is killed between the two writes the snapshot again.
            self.keep_snapshot()
            self._write_checkpoint()
        # Of a resumed training of which no example was left.
        if self.curve is not None and (points := self.curve.collect(wait=True)):
            journal.curve += points
            self._write_checkpoint()

    def keep_snapshot(self) -> None:
        """Keep weights and thresholds if it is time for a snapshot, or a class ends; the end of a training is none."""
        experiment, journal = self.experiment, self.journal
        is_time = journal.examples % experiment.checkpoint_every == 0 or self.images.ends_stage(journal.examples)
        if 0 < journal.examples < experiment.num_examples and is_time:
            identity, never = journal.identity.digest, journal.spikes == 0
            save_snapshot(self.workdir, experiment.save_name, identity, journal.examples, *self.learned(), never)

    def learned(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights [n_input, n_e] and thresholds [n_e] in mV."""
        weights = np.asarray(self.wiring.to_matrix(self.state["input_exc.w"]), dtype=np.float64)
        return weights, np.asarray(self.state["exc.theta"], dtype=np.float64) * 1000

    def record(self) -> TrainingRecord:
        """Return what is written down beside the weights."""
        journal = self.journal
        weights, theta_mv = self.learned()
        norms = np.abs(weights).sum(axis=0)
        never = journal.never_learned
        return TrainingRecord(
            kind="training",
            **describe_run(self.experiment, self.engine.name, journal.seconds),
            training=journal.identity.digest,
            start=journal.start,
            data=describe_data(self.dataset),
            figures=TrainingFigures(
                examples=journal.examples,
                presentations=journal.presentations,
                retries=journal.presentations - journal.examples,
                silent_examples=journal.silent,
                l1_target=self.plasticity.l1_target,
                l1_mean=float(norms.mean()),
                l1_sd=float(norms.std()),
                theta_mv=(float(theta_mv.min()), float(theta_mv.mean()), float(theta_mv.max())),
                never_learned=len(never),
            ),
            history=journal.history,
            learning_curve=journal.curve,
            never_learned=tuple(int(neuron) for neuron in never),
        )

    def _begin(self, checkpoint: Checkpoint | None) -> None:
        """Set state and journal to those before the first example."""
        # A resumed training has its weights in the checkpoint; those that it began with may be gone.
        if checkpoint is not None:
            self._restore(checkpoint)
            return
        loaded, start = start_weights(self.experiment, self.workdir, self.dataset, self.plasticity)
        identity = identify_training(self.experiment, self.plasticity, self.images.digest, loaded.sha256)
        self.state = initial_state(self.experiment, self.wiring, self.plasticity, loaded.weights, loaded.theta_mv)
        weights = self.state["input_exc.w"]
        bounds = (float(weights.min()), float(weights.max()))
        self.journal = Journal(identity, start, np.zeros(self.experiment.n_e, dtype=np.int64), bounds)

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Take over a checkpoint if it is of this very training."""
        experiment, self.journal = self.experiment, Journal.from_checkpoint(checkpoint)
        images, where = self.images.digest, checkpoint.path
        check_same_training(self.journal, experiment, self.plasticity, images, self.workdir, where)
        self.state = state_of(checkpoint, experiment, self.wiring, self.plasticity)
        self.report.say(f"resuming after {self.journal.examples:,} examples ({where.name})")

    def _report_needs(self) -> None:
        images, first = self.images, self.journal.examples
        needs = estimate_needs(self.engine, self.experiment, self.wiring, images, self.state, first, self.workdir)
        if needs is not None:
            self.report.preflight(needs)

    def _chunk_length(self, first: int) -> int:
        """Return how many examples to show at once: up to the next snapshot, point of the curve, class, or the end."""
        experiment = self.experiment
        limits = [experiment.chunk, experiment.num_examples - first]
        limits.append(experiment.checkpoint_every - first % experiment.checkpoint_every)
        if (end := self.images.next_stage_end(first)) is not None:
            limits.append(end - first)
        if self.curve is not None:
            limits.append(self.curve.every - first % self.curve.every)
        return min(limits)

    def _note(self, before: State, result: ChunkResult, labels: NDArray[np.uint8], rate: float) -> None:
        """Enter a chunk into the journal and report it."""
        journal, figures = self.journal, self._figures_of(result)
        journal.add_chunk(result, figures, self._moved(before))
        if self.curve is not None:
            last = journal.examples == self.experiment.num_examples
            journal.curve += self.curve.after_chunk(journal.examples, result, labels, self.learned, last=last)
        self.report.training(
            TrainingProgress(
                examples=journal.examples,
                total=self.experiment.num_examples,
                seconds=journal.seconds,
                rate=rate,
                spikes_per_example=figures["spikes_per_example"],
                retries=journal.presentations - journal.examples,
                silent=journal.silent,
                silent_neurons=int(figures["silent_neurons"]),
                never_learned=len(journal.never_learned),
                l1_mean=figures["l1_mean"],
                l1_min=figures["l1_min"],
                l1_max=figures["l1_max"],
                l1_target=self.plasticity.l1_target,
                theta_mv=(figures["theta_min_mv"], figures["theta_mean_mv"], figures["theta_max_mv"]),
                curve=journal.curve,
            )
        )

    def _moved(self, before: State) -> NDArray[np.bool_]:
        """Tell the neurons whose weights a chunk changed, [n_e]; none for a rule that rescales all of them."""
        if self.plasticity.normalize_to is not None:
            return np.zeros(self.experiment.n_e, dtype=np.bool_)
        changed = self.state["input_exc.w"] != before["input_exc.w"]
        return np.bincount(self.wiring.post[changed], minlength=self.experiment.n_e) > 0

    def _figures_of(self, result: ChunkResult) -> dict[str, float]:
        """Return the figures of a chunk that the history keeps."""
        counts, norms, theta = result.counts, l1_norms(self.state, self.wiring), self.state["exc.theta"] * 1000
        return {
            "examples": self.journal.examples,
            "spikes_per_example": float(counts.sum(axis=1).mean()),
            "retries": int(result.attempts.sum()) - len(counts),
            "silent_neurons": int(np.count_nonzero(counts.sum(axis=0) == 0)),
            "l1_mean": float(norms.mean()),
            "l1_min": float(norms.min()),
            "l1_max": float(norms.max()),
            "theta_min_mv": float(theta.min()),
            "theta_mean_mv": float(theta.mean()),
            "theta_max_mv": float(theta.max()),
        }

    def _write_checkpoint(self) -> None:
        spikes, meta = self.journal.to_checkpoint()
        arrays: dict[str, NDArray[Any]] = {**self.state, **spikes}
        if self.curve is not None:
            arrays |= self.curve.to_checkpoint(self.journal.examples)
        write_checkpoint(self.workdir, self.experiment.save_name, arrays, meta)
        self.saved_examples = self.journal.examples
