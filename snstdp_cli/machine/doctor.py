"""Is this machine fit for an experiment? Compiler, targets, disk, memory, data, cache, and a short self-test.

The self-test trains a small network on a few bundled images with every engine that works here and compares spikes,
weights and thresholds bit for bit; in single precision it trains with the two engines that `auto` takes.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from snstdp_cli.artefacts import Workdir
from snstdp_cli.artefacts.provenance import software_versions
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.datasets import load_dataset
from snstdp_cli.engines import Chunk, ChunkResult, Engine, Stream, initial_state
from snstdp_cli.errors import SnstdpError
from snstdp_cli.machine.checks import (
    Finding,
    check_cores,
    check_data,
    check_memory,
    check_places,
    check_the_compiler,
)
from snstdp_cli.network.wiring import Wiring, draw_weights, draw_wiring
from snstdp_cli.rules import Plasticity

_IMAGES = 3
_EQUAL = "spikes, weights and thresholds equal bit for bit"

Arithmetic = Literal["double", "single"]
_MakeEngine = Callable[[Experiment, Plasticity | None, Wiring], Engine]
#: Of a learning network, then of a frozen one.
_Outcomes = tuple[ChunkResult, ...]


def examine(workdir: Workdir, data_dir: Path | None = None, *, thorough: bool = False) -> Iterator[Finding]:
    """Yield the findings, the self-test last.

    Parameters
    ----------
    thorough
        Test Cython as well, which may compile for minutes the first time.
    """
    versions = software_versions()
    yield Finding("versions", "ok", ", ".join(f"{k} {versions[k]}" for k in ("snstdp", "python", "brian2", "numpy")))
    compiler = check_the_compiler()
    yield compiler
    yield check_cores()
    yield from check_places(workdir)
    yield check_memory()
    yield from check_data(data_dir)
    yield from self_test(compiles=compiler.state == "ok", thorough=thorough)


def self_test(*, compiles: bool = True, thorough: bool = False) -> Iterator[Finding]:
    """Train and record with each engine; yield how each went and whether they agree.

    Parameters
    ----------
    compiles
        Whether there is a compiler that works; without one only NumPy is tried.
    thorough
        Test Cython as well.
    """
    results: dict[str, _Outcomes] = {}
    engines = _engines(compiles, thorough)
    for name, make in engines.items():
        began = time.perf_counter()
        try:
            results[name] = _exercise(make)
        except (SnstdpError, OSError, RuntimeError, ImportError) as error:
            detail = " ".join(str(error).split())[:300]
            # Cython is taken only if it is asked for; the others are what `auto` takes.
            yield Finding(f"engine {name}", "note" if name == "cython" else "bad", f"does not work: {detail}")
        else:
            yield Finding(f"engine {name}", "ok", f"{_IMAGES} images in {time.perf_counter() - began:.1f} s")
    for a, b in itertools.pairwise(results):
        differences = _differences(results[a], results[b])
        yield Finding(f"{a} = {b}", "bad" if differences else "ok", ", ".join(differences) or _EQUAL)
    if {"numpy", "standalone"} <= results.keys():
        yield _compare_in_single_precision(engines)


def _compare_in_single_precision(engines: Mapping[str, _MakeEngine]) -> Finding:
    """Train in single precision with NumPy and the C++ engine; not more, as each program takes seconds to compile."""
    check = "single precision"
    try:
        a, b = (_exercise(engines[name], "single") for name in ("numpy", "standalone"))
    except (SnstdpError, OSError, RuntimeError, ImportError) as error:
        return Finding(check, "bad", f"does not work: {' '.join(str(error).split())[:300]}")
    differences = _differences(a, b)
    return Finding(check, "bad" if differences else "ok", f"numpy = standalone: {', '.join(differences) or _EQUAL}")


def _engines(compiles: bool, thorough: bool) -> dict[str, _MakeEngine]:
    from snstdp_cli.engines.runtime import RuntimeEngine
    from snstdp_cli.engines.standalone import StandaloneEngine

    found: dict[str, _MakeEngine] = {
        "numpy": lambda experiment, plasticity, wiring: RuntimeEngine(experiment, plasticity, wiring, target="numpy")
    }
    if compiles:
        found["standalone"] = StandaloneEngine
    if compiles and thorough:
        found["cython"] = lambda experiment, plasticity, wiring: RuntimeEngine(
            experiment, plasticity, wiring, target="cython"
        )
    return found


def _exercise(make: _MakeEngine, arithmetic: Arithmetic = "double") -> _Outcomes:
    """Show a few images to a learning and, in double precision, to a frozen network."""
    experiment = build_experiment(
        {
            "n_e": 20,
            "chunk": _IMAGES,
            "arithmetic": arithmetic,
            "data": "bundled",
            "presentation": {"stimulus_ms": 100, "rest_ms": 25, "max_intensity": 4},
        }
    )
    images = load_dataset("bundled", "train").images[:_IMAGES].reshape(_IMAGES, -1)
    plasticity, wiring = experiment.plasticity(images.shape[1]), draw_wiring(experiment, images.shape[1])
    weights = draw_weights(experiment, images.shape[1], plasticity.l1_target)
    outcomes = []
    networks = ((plasticity, Stream.TRAINING), (None, Stream.TEST_RECORDING))
    for rule, stream in networks if arithmetic == "double" else networks[:1]:
        engine = make(experiment, rule, wiring)
        try:
            state = initial_state(experiment, wiring, rule, weights)
            outcomes.append(engine.run(state, Chunk(0, images, stream)))
        finally:
            engine.close()
    return tuple(outcomes)


def _differences(a: _Outcomes, b: _Outcomes) -> list[str]:
    found = []
    for kind, x, y in zip(("learning", "frozen")[: len(a)], a, b, strict=True):
        if not np.array_equal(x.counts, y.counts):
            found.append(f"{kind}: {np.count_nonzero(x.counts != y.counts)} spike counts differ")
        for name in ("input_exc.w", "exc.theta"):
            apart = float(np.abs(x.state[name].astype(float) - y.state[name].astype(float)).max())
            if apart > 0:
                found.append(f"{kind}: {name} differs by up to {apart:.3g}")
    return found
