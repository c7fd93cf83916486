"""Is this machine fit for an experiment? Compiler, targets, disk, memory, data, cache, and a short self-test.

The self-test trains a small network on a few bundled images with every engine that works here and compares spikes,
weights and thresholds bit for bit.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.provenance import software_versions
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.datasets import NAMES, find_dataset, load_dataset
from snstdp_cli.engines import (
    Chunk,
    ChunkResult,
    Engine,
    Stream,
    cache_folder,
    find_compiler,
    initial_state,
)
from snstdp_cli.errors import SnstdpError
from snstdp_cli.network.wiring import draw_weights, draw_wiring

#: Less than this is a warning: a training of 400 neurons needs about 50 MB on the disk and 100 MB of memory.
DISK_MB, MEMORY_MB = 500, 500
_IMAGES = 3


@dataclass(frozen=True)
class Finding:
    """One check: `ok`, `note` (works, but ...) or `bad`."""

    check: str
    state: str
    detail: str


def examine(workdir: Workdir, data_dir: Path | None = None, *, thorough: bool = False) -> Iterator[Finding]:
    """Yield the findings, the self-test last."""
    versions = software_versions()
    yield Finding("versions", "ok", ", ".join(f"{k} {versions[k]}" for k in ("snstdp", "python", "brian2", "numpy")))
    compiler = find_compiler()
    if compiler is None:
        yield Finding(
            "compiler", "note", "none found: --engine runtime with NumPy only; install g++ for the fast engine"
        )
    else:
        yield Finding("compiler", "ok", f"{compiler}: {versions['compiler']}")
    yield from (_check_folder(workdir.root, "results"), _check_folder(cache_folder(), "cache"), _check_memory())
    for name in NAMES:
        folder = find_dataset(name, data_dir)
        if name == "bundled":
            yield Finding("data bundled", "ok", "comes with snstdp")
        elif folder is None:
            yield Finding(f"data {name}", "note", f"not found: snstdp data fetch {name}, or --data-dir")
        else:
            yield _check_dataset(name, data_dir)
    yield from self_test(thorough=thorough)


def self_test(*, thorough: bool = False) -> Iterator[Finding]:
    """Train and record with each engine; yield how each went and whether they agree.

    Parameters
    ----------
    thorough : test Cython as well, which may compile for minutes the first time.
    """
    results: dict[str, tuple[ChunkResult, ChunkResult]] = {}
    for name, make in _engines(thorough).items():
        began = time.perf_counter()
        try:
            results[name] = _exercise(make)
        except (SnstdpError, OSError, RuntimeError, ImportError) as error:
            detail = " ".join(str(error).split())[:300]
            yield Finding(f"engine {name}", "note" if name != "numpy" else "bad", f"does not work: {detail}")
        else:
            yield Finding(f"engine {name}", "ok", f"{_IMAGES} images in {time.perf_counter() - began:.1f} s")
    names = list(results)
    for a, b in itertools.pairwise(names):
        differences = _differences(results[a], results[b])
        state = "bad" if differences else "ok"
        yield Finding(f"{a} = {b}", state, ", ".join(differences) or "spikes, weights and thresholds equal bit for bit")


def _engines(thorough: bool) -> dict[str, Callable[[Experiment, Any, Any], Engine]]:
    from snstdp_cli.engines.runtime import RuntimeEngine
    from snstdp_cli.engines.standalone import StandaloneEngine

    found: dict[str, Callable[[Experiment, Any, Any], Engine]] = {
        "numpy": lambda experiment, plasticity, wiring: RuntimeEngine(experiment, plasticity, wiring, target="numpy")
    }
    if find_compiler():
        found["standalone"] = StandaloneEngine
    if thorough and find_compiler():
        found["cython"] = lambda experiment, plasticity, wiring: RuntimeEngine(
            experiment, plasticity, wiring, target="cython"
        )
    return found


def _exercise(make: Callable[[Experiment, Any, Any], Engine]) -> tuple[ChunkResult, ChunkResult]:
    """Show a few images to a learning and to a frozen network."""
    experiment = build_experiment(
        {
            "n_e": 20,
            "chunk": _IMAGES,
            "data": "bundled",
            "presentation": {"stimulus_ms": 100, "rest_ms": 25, "max_intensity": 4},
        }
    )
    images = load_dataset("bundled", "train").images[:_IMAGES].reshape(_IMAGES, -1)
    plasticity, wiring = experiment.plasticity(images.shape[1]), draw_wiring(experiment, images.shape[1])
    weights = draw_weights(experiment, images.shape[1], plasticity.l1_target)
    outcomes = []
    for rule, stream in ((plasticity, Stream.TRAINING), (None, Stream.TEST_RECORDING)):
        engine = make(experiment, rule, wiring)
        try:
            state = initial_state(experiment, wiring, rule, weights)
            outcomes.append(engine.run(state, Chunk(0, images, stream)))
        finally:
            engine.close()
    return outcomes[0], outcomes[1]


def _differences(a: tuple[ChunkResult, ChunkResult], b: tuple[ChunkResult, ChunkResult]) -> list[str]:
    found = []
    for kind, x, y in zip(("learning", "frozen"), a, b, strict=True):
        if not np.array_equal(x.counts, y.counts):
            found.append(f"{kind}: {np.count_nonzero(x.counts != y.counts)} spike counts differ")
        for name in ("input_exc.w", "exc.theta"):
            apart = float(np.abs(x.state[name].astype(float) - y.state[name].astype(float)).max())
            if apart > 0:
                found.append(f"{kind}: {name} differs by up to {apart:.3g}")
    return found


def _check_folder(folder: Path, what: str) -> Finding:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free / 1e6
    except OSError as error:
        return Finding(what, "bad", f"{folder}: cannot be written: {error.strerror}; choose another folder")
    text = f"{folder.resolve()}: {free:,.0f} MB free"
    return Finding(
        what, "ok" if free > DISK_MB else "note", text if free > DISK_MB else f"{text}; {DISK_MB} are advised"
    )


def _check_memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) / 1000
    except (OSError, StopIteration, ValueError):
        return Finding("memory", "note", "unknown on this system")
    text = f"{free:,.0f} MB free, {os.cpu_count()} processors"
    return Finding("memory", "ok" if free > MEMORY_MB else "note", text)


def _check_dataset(name: str, data_dir: Path | None) -> Finding:
    try:
        train, test = (load_dataset(name, "train", data_dir), load_dataset(name, "test", data_dir))
    except SnstdpError as error:
        return Finding(f"data {name}", "bad", str(error))
    return Finding(f"data {name}", "ok", f"{len(train):,} and {len(test):,} images in {train.source}")
