"""What a training will need, measured on a few examples that are presented and thrown away."""

from __future__ import annotations

import time

from snstdp_cli.artefacts import Workdir
from snstdp_cli.config import Experiment
from snstdp_cli.engines import Chunk, Engine, State, Stream
from snstdp_cli.network.wiring import Wiring
from snstdp_cli.progress import Preflight
from snstdp_cli.training.start import TrainingImages

#: Examples presented to estimate the time of a training, and the shortest training for which that is done.
_PROBE, _PROBE_FROM = 40, 1_000


def estimate_needs(
    engine: Engine,
    experiment: Experiment,
    wiring: Wiring,
    images: TrainingImages,
    state: State,
    first: int,
    workdir: Workdir,
) -> Preflight | None:
    """Measure a few examples from `first` on; None if what is left is over before one would have read an estimate."""
    left = experiment.num_examples - first
    if left < _PROBE_FROM:
        return None
    num = min(_PROBE, left, experiment.chunk, len(images.shown))
    began = time.perf_counter()
    engine.run(state, Chunk(first, images.images[images.shown[:num]], Stream.TRAINING))
    seconds = (time.perf_counter() - began) * left / num
    weight_bytes = state["input_exc.w"].dtype.itemsize
    snapshots = experiment.num_examples // experiment.checkpoint_every
    # What a checkpoint holds beside the state while a point of the curve is under way: the weights of that moment.
    point = 8 if 0 < experiment.evaluation.curve_every <= experiment.num_examples else 0
    return Preflight(
        seconds=seconds,
        rate=left / seconds,
        measured=num,
        memory_mb=engine.peak_memory_mb(),
        # A weight takes 8 bytes; two checkpoints, the one being written and the kept state hold it as the network does,
        # with the arrival time of its last spike.
        disk_mb=len(wiring.pre) * (8 * (1 + snapshots) + 4 * (weight_bytes + 4) + 3 * point) / 1e6,
        folder=str(workdir.weights),
    )
