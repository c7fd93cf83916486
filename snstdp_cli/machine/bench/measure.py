"""Measure the cases: CPU and wall time of a presentation, compile time apart, peak memory."""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.provenance import software_versions
from snstdp_cli.datasets import load_dataset
from snstdp_cli.engines import Chunk, Engine, State, Stream, initial_state
from snstdp_cli.engines.workers import safe_spawn_context
from snstdp_cli.errors import DataError, EngineError
from snstdp_cli.machine.bench.cases import BASELINE, CHUNK, Case, list_cases
from snstdp_cli.machine.bench.peers import COMPARED, PeerMeasurement, Spread, measure_bindsnet
from snstdp_cli.network.wiring import draw_weights, draw_wiring

#: Options that name something of this machine, and what a reader of the page is told in their place.
_PATHS = {"--yardstick": "PATH", "--bindsnet": "PYTHON", "--data-dir": "FOLDER"}


@dataclass(frozen=True)
class Measurement:
    """One row: milliseconds of a presentation; what a chunk costs besides is spread over its examples."""

    name: str
    case: Case
    cpu_ms: Spread
    wall_ms: Spread
    start_ms: float
    compile_s: float
    memory_mb: float
    spikes: float


@dataclass(frozen=True)
class BenchmarkResult:
    """All rows, the bound, their ratios, and where they were made."""

    command: str
    date: str
    machine: dict[str, str]
    rows: list[Measurement]
    yardstick: dict[str, Spread] = field(default_factory=dict)
    peers: list[PeerMeasurement] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)


def run_benchmark(
    *,
    quick: bool = False,
    repeats: int = 5,
    yardstick: Path | None = None,
    bindsnet: Path | None = None,
    data_dir: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> BenchmarkResult:
    """Measure all cases one after another; the machine should do nothing else.

    Parameters
    ----------
    yardstick
        The hand-written bound, or its folder.
    bindsnet
        A Python interpreter that has BindsNET, to measure it too.
    """
    digits = load_dataset("mnist", "train", data_dir).images
    pixels = digits.reshape(len(digits), -1)
    # First: whoever names an interpreter that cannot do it learns so at once.
    peers = [] if bindsnet is None else measure_bindsnet(bindsnet, digits, say)
    for peer in peers:
        say(f"{peer.name:<40} {peer.cpu_ms[0]:9.2f} ms CPU")
    rows: list[Measurement] = []
    bounds: dict[str, Spread] = {}
    with tempfile.TemporaryDirectory(prefix="snstdp-bench-") as folder, _cache(Path(folder)):
        for case in list_cases(quick):
            if yardstick is not None and (name := _bound_name(case)) is not None and name not in bounds:
                bounds[name] = _run_yardstick(yardstick, case)
                say(f"{name:<40} {bounds[name][0]:9.2f} ms CPU")
            images = pixels[: 4 + repeats * case.presentations]
            if case.engine == "standalone":
                rows.append(_measure(case, images, repeats))
            else:
                rows.append(_measure_apart(case, images, repeats))
            say(
                f"{case.name:<40} {rows[-1].cpu_ms[0]:9.2f} ms CPU, compiled in {rows[-1].compile_s:.1f} s, "
                f"{rows[-1].memory_mb:.0f} MB"
            )
    return BenchmarkResult(
        command=told_command(sys.argv[1:]),
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        machine={"processor": _processor(), "cores": str(os.cpu_count()), **software_versions()},
        rows=rows,
        yardstick=bounds,
        peers=peers,
        ratios=_ratios(rows, bounds, peers),
    )


def told_command(arguments: Sequence[str]) -> str:
    """Return the command line as others can repeat it: without paths of this machine."""
    words = ["snstdp", *arguments]
    for option, name in _PATHS.items():
        words = [name if before == option else word for before, word in zip(["", *words], words, strict=False)]
        words = [f"{option}={name}" if word.startswith(f"{option}=") else word for word in words]
    return shlex.join(words)


@contextmanager
def _cache(folder: Path) -> Iterator[None]:
    """Compile everything anew, in a cache of its own."""
    before = os.environ.get("SNSTDP_CACHE")
    os.environ["SNSTDP_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SNSTDP_CACHE"]
        else:
            os.environ["SNSTDP_CACHE"] = before


def _measure_apart(case: Case, pixels: NDArray[np.uint8], repeats: int) -> Measurement:
    """Measure in a process of its own: what Brian 2 keeps in memory and has compiled belongs to this case."""
    with ProcessPoolExecutor(1, mp_context=safe_spawn_context()) as pool:
        return pool.submit(_measure, case, pixels, repeats).result()


def _measure(case: Case, pixels: NDArray[np.uint8], repeats: int) -> Measurement:
    experiment = case.experiment()
    rule = experiment.plasticity(pixels.shape[1])
    plasticity = rule if case.learning else None
    wiring = draw_wiring(experiment, pixels.shape[1])
    began = time.perf_counter()
    engine = _open(case, experiment, plasticity, wiring)
    compile_s = time.perf_counter() - began
    try:
        state = initial_state(experiment, wiring, plasticity, draw_weights(experiment, pixels.shape[1], rule.l1_target))
        num = case.presentations
        first, state, spikes = _time(engine, state, pixels[:1], 0)  # warms up, and compiles Cython's code
        start = [_time(engine, state, pixels[k : k + 1], k)[0] for k in range(1, 4)]
        if case.engine != "standalone":
            compile_s += first.wall - statistics.median(s.wall for s in start)
        costs = []
        for k in range(repeats):
            at = 4 + k * num
            cost, state, spikes = _time(engine, state, pixels[at : at + num], at)
            costs.append(cost)
        memory = engine.peak_memory_mb()
    finally:
        engine.close()
    one_cpu, one_wall = (statistics.median(getattr(s, kind) / s.shown for s in start) for kind in ("cpu", "wall"))
    cpu = [_marginal(c.cpu, c.shown, one_cpu) for c in costs]
    wall = [_marginal(c.wall, c.shown, one_wall) for c in costs]
    start_ms = max(0.0, 1000 * (one_wall - statistics.median(wall)))
    share = start_ms / CHUNK
    return Measurement(
        case.name,
        case,
        _spread([1000 * c + share for c in cpu]),
        _spread([1000 * w + share for w in wall]),
        start_ms,
        compile_s,
        memory,
        spikes,
    )


@dataclass(frozen=True)
class _Cost:
    cpu: float
    wall: float
    shown: int


def _time(engine: Engine, state: State, pixels: NDArray[np.uint8], first: int) -> tuple[_Cost, State, float]:
    """Run one chunk; return its cost, the state after it and the spikes of an example."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = engine.run(state, Chunk(first, pixels, Stream.TRAINING))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    cost = _Cost(getattr(engine, "cpu_seconds", 0.0) + cpu, wall, int(result.attempts.sum()))
    return cost, result.state, float(result.counts.sum(axis=1).mean())


def _marginal(total: float, shown: int, one: float) -> float:
    """Return the cost of a presentation without that of starting the program."""
    return max(0.0, (total - one) / (shown - 1)) if shown > 1 else total


def _open(case: Case, experiment: Any, plasticity: Any, wiring: Any) -> Engine:
    if case.engine == "standalone":
        from snstdp_cli.engines.standalone import StandaloneEngine

        return StandaloneEngine(experiment, plasticity, wiring)
    from snstdp_cli.engines.runtime import RuntimeEngine

    return RuntimeEngine(experiment, plasticity, wiring)


def _bound_name(case: Case) -> str | None:
    if case.engine != "standalone" or (case.dt < 0.5 and case.n_e > 1600):  # minutes each
        return None
    return case.bound.name.replace("standalone", "yardstick")


def _run_yardstick(path: Path, case: Case) -> Spread:
    """Time the hand-written C kernel of the same protocol."""
    script = path / "yardstick.py" if path.is_dir() else path
    if not script.is_file():
        raise DataError(f"--yardstick {path}: expected yardstick.py or its folder")
    arguments = ["--time", "--rule", case.rule if case.learning else "frozen", "--n-e", str(case.n_e)]
    arguments += ["--dt", str(case.dt), "--max-delay", "10" if case.delays else "0"]
    answer = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise EngineError(f"{script} failed: {answer.stderr.strip()[-500:]}")
    cost = json.loads(answer.stdout)["cpu_ms_per_presentation"]
    return cost["median"], cost["min"], cost["max"]


def _ratios(rows: list[Measurement], bounds: dict[str, Spread], peers: list[PeerMeasurement]) -> dict[str, float]:
    """Return how many times slower a row is than the bound, and the baseline and peers than a row."""
    by_name = {row.name: row for row in rows}
    ratios = {
        f"{row.name}_vs_yardstick": row.cpu_ms[0] / bounds[bound][0]
        for row in rows
        if (bound := _bound_name(row.case)) in bounds
    }
    baseline = by_name.get(BASELINE.name)
    if baseline is not None:
        ratios |= {
            f"ancestor_400_vs_{name}": baseline.cpu_ms[0] / row.cpu_ms[0]
            for name, row in by_name.items()
            if row.case.n_e == 400 and row is not baseline
        }
    if COMPARED in by_name:
        ratios |= {f"{peer.name}_vs_{COMPARED}": peer.cpu_ms[0] / by_name[COMPARED].cpu_ms[0] for peer in peers}
    return {key: round(value, 2) for key, value in ratios.items()}


def _spread(values: list[float]) -> Spread:
    return statistics.median(values), min(values), max(values)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
