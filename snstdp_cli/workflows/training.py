"""Train a network: chunk after chunk, with a checkpoint at each boundary, until all examples were shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    Checkpoint,
    TrainedWeights,
    Workdir,
    delete_checkpoints,
    load_weights,
    lock_name,
    read_checkpoint,
    save_snapshot,
    save_weights,
    weights_exist,
    write_checkpoint,
)
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, load_dataset
from snstdp_cli.engines import Chunk, ChunkResult, Engine, State, Stream, initial_state, open_engine
from snstdp_cli.errors import ArtefactError, ConfigError, InterruptedRunError
from snstdp_cli.network.wiring import Wiring, draw_weights, draw_wiring, training_order
from snstdp_cli.rules import Plasticity, plasticity_of
from snstdp_cli.workflows.curve import LearningCurve
from snstdp_cli.workflows.health import check_chunk, l1_norms
from snstdp_cli.workflows.journal import Journal, fingerprint
from snstdp_cli.workflows.progress import Preflight, Reporter, TrainingProgress
from snstdp_cli.workflows.provenance import describe_data, describe_run
from snstdp_cli.workflows.recording import check_fit

#: Examples presented to estimate the time of a training, and the shortest training for which that is done.
_PROBE, _PROBE_FROM = 40, 1_000


@dataclass(frozen=True)
class TrainingResult:
    """A finished training."""

    experiment: Experiment
    weights: NDArray[np.float64]
    theta_mv: NDArray[np.float64]
    provenance: dict[str, Any]
    files: list[Path]


def start_weights(
    experiment: Experiment, workdir: Workdir, n_input: int, l1_target: float | None
) -> tuple[TrainedWeights, dict[str, Any]]:
    """Load or draw the weights to begin with; return them and where they come from."""
    if experiment.load_name is not None:
        loaded = load_weights(workdir, experiment.load_name, n_input=n_input, n_e=experiment.n_e)
        return loaded, {"name": experiment.load_name, "sha256": loaded.sha256}
    weights = draw_weights(experiment, n_input, l1_target)
    theta = np.full(experiment.n_e, experiment.network.theta_init_mv)
    return TrainedWeights(weights, theta), {"drawn_from_seed": experiment.seed}


def train_network(
    experiment: Experiment,
    workdir: Workdir,
    *,
    data_dir: Path | None = None,
    resume: bool = False,
    force: bool = False,
    report: Reporter | None = None,
) -> TrainingResult:
    """Train and save weights, thresholds and provenance under `experiment.save_name`.

    A checkpoint is written before the first and after every chunk; `resume` continues from the newest intact one, and
    the result equals that of an uninterrupted training bit for bit.

    Raises
    ------
    SnstdpError
        For anything that a user can cause or meet; `InterruptedRunError` after Ctrl-C or SIGTERM.
    """
    report = report or Reporter()
    dataset = load_dataset(experiment.data, "train", data_dir)
    _check_length(experiment, dataset)
    name = experiment.save_name
    with lock_name(workdir, name):
        checkpoint = read_checkpoint(workdir, name) if resume or not force else None
        _check_start(workdir, name, checkpoint, resume=resume, force=force)
        for sentence in checkpoint.skipped if checkpoint and resume else ():
            report.warn(sentence)
        training = _Training(experiment, workdir, dataset, report)
        try:
            with training.opened(checkpoint if resume else None):
                training.run_all()
                result = training.save(force=force or resume)
            delete_checkpoints(workdir, name)
        except KeyboardInterrupt:
            raise InterruptedRunError(training.where_it_stopped()) from None
    return result


class _Training:
    """The parts of one training that belong together while it runs."""

    def __init__(self, experiment: Experiment, workdir: Workdir, dataset: Dataset, report: Reporter) -> None:
        self.experiment, self.workdir, self.dataset, self.report = experiment, workdir, dataset, report
        self.images = dataset.images.reshape(len(dataset), -1)
        self.plasticity: Plasticity = plasticity_of(experiment, dataset.n_input)
        self.wiring: Wiring = draw_wiring(experiment, dataset.n_input)
        self.journal = Journal()
        self.state: State = {}
        self.origin: dict[str, Any] = {}
        self.engine: Engine | None = None
        self.curve: LearningCurve | None = None
        self.curve_memory: dict[str, NDArray[Any]] = {}

    @contextmanager
    def opened(self, checkpoint: Checkpoint | None) -> Iterator[None]:
        """Restore or draw the state, compile the network, and close what was opened."""
        if checkpoint is not None:
            self._restore(checkpoint)
        else:
            loaded, self.origin = start_weights(
                self.experiment, self.workdir, self.dataset.n_input, self.plasticity.l1_target
            )
            check_fit(self.dataset, loaded.weights.shape[0], f"the network '{self.experiment.load_name}'")
            if self.plasticity.normalize_to is not None and loaded.weights.min() < 0:
                raise ConfigError(
                    f"load_name: the weights '{self.experiment.load_name}' are of both signs, and the rule "
                    f"'{self.experiment.rule.name}' rescales sums of non-negative ones; load other weights"
                )
            self.state = initial_state(self.experiment, self.wiring, self.plasticity, loaded.weights, loaded.theta_mv)
            weights = self.state["input_exc.w"]
            self.journal.start_bounds = (float(weights.min()), float(weights.max()))
        try:
            self.engine = open_engine(self.experiment, self.plasticity, self.wiring, self.report.say)
            self.curve = LearningCurve.open(self.experiment, self.dataset, self.wiring, self.report, self.curve_memory)
            self._plan()
            if checkpoint is None:
                self._write_checkpoint()
            yield
        finally:
            for opened in (self.engine, self.curve):
                if opened is not None:
                    opened.close()

    def _plan(self) -> None:
        """Measure a few examples and report what the rest will need."""
        assert self.engine is not None
        experiment, left = self.experiment, self.experiment.num_examples - self.journal.examples
        num = min(_PROBE, left, experiment.chunk)
        if left < _PROBE_FROM:
            return
        began = time.perf_counter()
        self.engine.run(self.state, Chunk(self.journal.examples, self.images[:num], Stream.TRAINING))
        seconds = (time.perf_counter() - began) * left / num
        synapses = len(self.wiring.pre)
        snapshots = experiment.num_examples // experiment.checkpoint_every
        self.report.preflight(
            Preflight(
                seconds=seconds,
                rate=left / seconds,
                measured=num,
                memory_mb=self.engine.peak_memory_mb(),
                # A weight takes 8 bytes; up to three checkpoints hold it with the arrival time of its last spike.
                disk_mb=synapses * (8 * (1 + snapshots) + 3 * 12) / 1e6,
                folder=str(self.workdir.weights),
            )
        )

    def where_it_stopped(self) -> str:
        """Tell what an interrupt left: the examples of the last checkpoint."""
        checkpoint = read_checkpoint(self.workdir, self.experiment.save_name)
        examples = checkpoint.meta["examples"] if checkpoint else 0
        if not examples:
            return "interrupted before the first checkpoint; run the same command again"
        return (
            f"interrupted after {examples:,} of {self.experiment.num_examples:,} examples; nothing is lost: run the "
            "same command with --resume to go on"
        )

    def run_all(self) -> None:
        """Run the chunks that are left."""
        assert self.engine is not None
        experiment, journal = self.experiment, self.journal
        began, at_start, seconds_before = time.perf_counter(), journal.examples, journal.seconds
        while journal.examples < experiment.num_examples:
            first = journal.examples
            num = self._chunk_length(first)
            order = training_order(experiment, first, num, len(self.dataset))
            before = self.state
            result = self.engine.run(before, Chunk(first, self.images[order], Stream.TRAINING))
            check_chunk(before, result, first, self.wiring, self.plasticity, journal.start_bounds)
            self.state = result.state
            journal.examples = first + num
            journal.seconds = seconds_before + time.perf_counter() - began
            rate = (journal.examples - at_start) / (time.perf_counter() - began)
            self._note(result, order, rate)
            # Before the checkpoint: a training that is killed between the two writes the snapshot again.
            if journal.examples % experiment.checkpoint_every == 0 and journal.examples < experiment.num_examples:
                save_snapshot(self.workdir, experiment.save_name, journal.examples, *self._learned())
            self._write_checkpoint()

    def save(self, *, force: bool) -> TrainingResult:
        """Write weights, thresholds and provenance."""
        experiment, journal = self.experiment, self.journal
        assert self.engine is not None
        weights, theta_mv = self._learned()
        norms = np.abs(weights).sum(axis=0)
        provenance = {
            **describe_run("training", experiment, self.engine.name, journal.seconds),
            "start": self.origin,
            "data": describe_data(self.dataset),
            "figures": {
                "examples": journal.examples,
                "presentations": journal.presentations,
                "retries": journal.presentations - journal.examples,
                "silent_examples": journal.silent,
                "l1_target": self.plasticity.l1_target,
                "l1_mean": float(norms.mean()),
                "l1_sd": float(norms.std()),
                "theta_mv": [float(theta_mv.min()), float(theta_mv.mean()), float(theta_mv.max())],
            },
            "history": journal.history,
            "learning_curve": [list(point) for point in journal.curve],
        }
        files = save_weights(self.workdir, experiment.save_name, weights, theta_mv, provenance, force=force)
        return TrainingResult(experiment, weights, theta_mv, provenance, files)

    def _chunk_length(self, first: int) -> int:
        """Return how many examples to show at once: up to the next snapshot, point of the curve, or the end."""
        experiment = self.experiment
        limits = [experiment.chunk, experiment.num_examples - first]
        limits.append(experiment.checkpoint_every - first % experiment.checkpoint_every)
        if self.curve is not None:
            limits.append(self.curve.every - first % self.curve.every)
        return min(limits)

    def _note(self, result: ChunkResult, order: NDArray[np.int64], rate: float) -> None:
        """Enter a chunk into the journal and report it."""
        journal, counts = self.journal, result.counts
        journal.presentations += int(result.attempts.sum())
        journal.silent += int(result.silent.sum())
        if self.curve is not None:
            point = self.curve.after_chunk(journal.examples, counts, self.dataset.labels[order], *self._learned())
            journal.curve += [] if point is None else [point]
        norms, theta = l1_norms(self.state, self.wiring), self.state["exc.theta"] * 1000
        figures = {
            "examples": journal.examples,
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
        for key, value in figures.items():
            journal.history.setdefault(key, []).append(value)
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
                l1_mean=figures["l1_mean"],
                l1_min=figures["l1_min"],
                l1_max=figures["l1_max"],
                l1_target=self.plasticity.l1_target,
                theta_mv=(figures["theta_min_mv"], figures["theta_mean_mv"], figures["theta_max_mv"]),
                curve=tuple(journal.curve),
            )
        )

    def _learned(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights [n_input, n_e] and thresholds in mV."""
        weights = np.asarray(self.wiring.to_matrix(self.state["input_exc.w"]), dtype=np.float64)
        return weights, np.asarray(self.state["exc.theta"], dtype=np.float64) * 1000

    def _write_checkpoint(self) -> None:
        arrays: dict[str, NDArray[Any]] = dict(self.state)
        if self.curve is not None:
            arrays |= self.curve.arrays()
        meta = {
            **self.journal.to_meta(),
            "fingerprint": fingerprint(self.experiment),
            "data_sha256": self.dataset.sha256,
            "origin": self.origin,
        }
        write_checkpoint(self.workdir, self.experiment.save_name, arrays, meta)

    def _restore(self, checkpoint: Checkpoint) -> None:
        meta, where = checkpoint.meta, checkpoint.path
        ours, theirs = fingerprint(self.experiment), meta.get("fingerprint")
        if theirs != ours:
            other = theirs if isinstance(theirs, dict) else {}
            keys = sorted(key for key in ours.keys() | other.keys() if ours.get(key) != other.get(key))
            raise ConfigError(
                f"{where}: this training was begun with another configuration (different: {', '.join(keys)}); resume "
                "with the same one, choose another --save-name, or start again with --force"
            )
        if meta.get("data_sha256") != self.dataset.sha256:
            raise ConfigError(
                f"{where}: this training was begun with other images than those in {self.dataset.source}; use the same "
                "data, choose another --save-name, or start again with --force"
            )
        self.journal = Journal.from_meta(meta)
        if self.journal.examples > self.experiment.num_examples:
            raise ConfigError(
                f"{where}: {self.journal.examples:,} examples were shown already; expected at most num_examples "
                f"({self.experiment.num_examples:,})"
            )
        self.origin = meta.get("origin", {})
        self.state = {key: value for key, value in checkpoint.arrays.items() if not key.startswith("curve.")}
        self.curve_memory = {k: v for k, v in checkpoint.arrays.items() if k.startswith("curve.")}
        self.report.say(f"resuming after {self.journal.examples:,} examples ({where.name})")


def _check_length(experiment: Experiment, dataset: Dataset) -> None:
    if not experiment.epochs and experiment.num_examples > len(dataset):
        raise ConfigError(
            f"num_examples: the training set has {len(dataset):,} images and epochs is false; expected at most as many "
            f"examples, found {experiment.num_examples:,}"
        )


def _check_start(workdir: Workdir, name: str, checkpoint: Checkpoint | None, *, resume: bool, force: bool) -> None:
    """Refuse to overwrite weights or to forget an interrupted training."""
    if resume:
        if checkpoint is None and weights_exist(workdir, name) and not force:
            raise ArtefactError(
                f"the training '{name}' is complete (its weights are in {workdir.weights}) and there is nothing to "
                "resume; choose another --save-name, or train again with --force"
            )
        return
    if force:
        delete_checkpoints(workdir, name)
        return
    if weights_exist(workdir, name):
        raise ArtefactError(
            f"{workdir.weights}: there are weights named '{name}' already and nothing was overwritten; choose another "
            "--save-name, or overwrite them with --force"
        )
    if checkpoint is not None and checkpoint.meta["examples"] > 0:
        raise ArtefactError(
            f"a training named '{name}' was interrupted after {checkpoint.meta['examples']:,} examples; go on with "
            "--resume, choose another --save-name, or start again with --force"
        )
