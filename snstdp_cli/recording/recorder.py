"""Engines that present images to frozen networks, several side by side.

A response depends on its image and its number alone, so the examples can be divided among any number of workers.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.engines import (
    Chunk,
    ChunkResult,
    Engine,
    State,
    Stream,
    choose_engine,
    initial_state,
    open_engine,
)
from snstdp_cli.engines.workers import safe_spawn_context, worker_deaths_told
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.progress import RecordingProgress, Reporter
from snstdp_cli.recording.alarms import check_activity
from snstdp_cli.rules import Symptom

#: Most examples that a worker takes at a time, so that progress is seen and the workers end together.
BLOCK = 250

_ADVICE: dict[Symptom, str] = {
    "runaway": "look at the weights and thresholds (snstdp plot weights): are they in the right unit?",
    "silent": "brighter images: a larger presentation.intensity",
}

_Result = TypeVar("_Result")
Answers = tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]


class Recorder:
    """A frozen network, compiled once, that records responses for any weights.

    The C++ engine's workers are programs, each with a folder of its own, called from threads; the Python engine's are
    processes, because Brian 2 runs one network at a time.
    """

    def __init__(self, experiment: Experiment, wiring: Wiring, workers: int, report: Reporter) -> None:
        self.experiment, self.wiring, self.workers = experiment, wiring, workers
        self.block = min(experiment.chunk, BLOCK)
        self._engines: list[Engine] = []
        self._free: SimpleQueue[Engine] = SimpleQueue()
        self._pool: Executor | None = None
        self._in_processes = workers > 1 and choose_engine(experiment) != "standalone"
        if self._in_processes:
            report.say(f"starting {workers} processes")
            self._pool = ProcessPoolExecutor(
                workers,
                mp_context=safe_spawn_context(),
                initializer=_start_process,
                initargs=(experiment, wiring),
            )
            return
        try:
            for _ in range(workers):
                self._engines.append(open_engine(experiment, None, wiring, report.say))
                self._free.put(self._engines[-1])
        except BaseException:
            self.close()
            raise
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def record(
        self,
        weights: TrainedWeights,
        images: NDArray[np.uint8],
        *,
        stream: Stream,
        split: str = "",
        progress: Callable[[RecordingProgress], None] = lambda _: None,
        done: Answers | None = None,
        keep: Callable[[int, Answers], None] = lambda _, __: None,
    ) -> Answers:
        """Present images [num, n_input]; return counts [num, n_e], attempts [num] and silent [num].

        Image k is example k of `stream`.

        Parameters
        ----------
        done
            Answers to the first images, which are not shown again.
        keep
            Called after each block with the number of images that are done and the answers.

        Raises
        ------
        EngineError
            If an engine fails or a worker ends.
        NumericalError
            If the network runs away or does not answer.
        """
        num = len(images)
        state = initial_state(self.experiment, self.wiring, None, weights.weights, weights.theta_mv)
        counts = np.zeros((num, self.experiment.n_e), dtype=np.uint16)
        attempts, silent = np.zeros(num, dtype=np.uint16), np.zeros(num, dtype=np.bool_)
        answers, first = (counts, attempts, silent), 0
        if done is not None:
            first = len(done[0])
            for whole, part in zip(answers, done, strict=True):
                whole[:first] = part
        size = min(self.block, max(1, -(-(num - first) // self.workers)))
        chunks = [Chunk(k, images[k : k + size], stream) for k in range(first, num, size)]
        silent_in_a_row = 0
        began = time.perf_counter()
        with worker_deaths_told(), contextlib.closing(self._run_all(state, chunks)) as results:
            for chunk, result in results:
                silent_in_a_row = check_activity(result, chunk.first, _ADVICE, silent_in_a_row)
                rows = slice(chunk.first, chunk.first + len(chunk.images))
                counts[rows], attempts[rows], silent[rows] = result.counts, result.attempts, result.silent
                keep(rows.stop, answers)
                rate = (rows.stop - first) / (time.perf_counter() - began)
                progress(RecordingProgress(split, rows.stop, num, rate))
        return answers

    def _run_all(self, state: State, chunks: list[Chunk]) -> Generator[tuple[Chunk, ChunkResult], None, None]:
        """Yield the chunks in order with their results; whatever ends this ends the engines."""
        pending: list[Future[ChunkResult]] = []
        try:
            if self._pool is not None:
                pending = [self._submit(state, chunk) for chunk in chunks]
            for k, chunk in enumerate(chunks):
                yield chunk, result_of(pending[k]) if pending else self._engines[0].run(state, chunk)
        except BaseException:
            self._stop(pending)
            raise

    def _stop(self, pending: list[Future[ChunkResult]]) -> None:
        for future in pending:
            future.cancel()
        self.stop()
        if self._in_processes and self._pool is not None:
            # They would finish their chunks first; the executor has no public way to end them.
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                process.terminate()

    def stop(self) -> None:
        """End the engines of this process; what another thread records then raises `EngineError` there."""
        for engine in self._engines:
            engine.stop()

    def close(self) -> None:
        """End the workers and remove their folders."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for engine in self._engines:
            engine.close()

    def _submit(self, state: State, chunk: Chunk) -> Future[ChunkResult]:
        assert self._pool is not None
        if self._in_processes:
            return self._pool.submit(_run_in_process, state, chunk)
        return self._pool.submit(self._run_in_free_engine, state, chunk)

    def _run_in_free_engine(self, state: State, chunk: Chunk) -> ChunkResult:
        engine = self._free.get()
        try:
            return engine.run(state, chunk)
        finally:
            self._free.put(engine)


def result_of(future: Future[_Result]) -> _Result:
    """Wait for what another thread or process makes."""
    # In short steps: a Ctrl-C that arrives just before a long wait, or in another thread, would be noticed at its end.
    while not wait([future], timeout=0.5).done:
        pass
    return future.result()


_process_engine: list[Engine] = []


def _start_process(experiment: Experiment, wiring: Wiring) -> None:
    # Ctrl-C is for the main process, which then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _process_engine.append(open_engine(experiment, None, wiring))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Brian 2 sets its own when it is imported


def _end_with_parent() -> None:
    """End this process when the main one is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_in_process(state: State, chunk: Chunk) -> ChunkResult:
    return _process_engine[0].run(state, chunk)
