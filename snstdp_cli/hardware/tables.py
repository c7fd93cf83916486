"""The tables of an exported network: which columns they have, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.hardware.description import RANDOM_BITS
from snstdp_cli.hardware.golden import UPDATE_COLUMNS, Vectors
from snstdp_cli.hardware.integers import IntegerFormat, UpdateFormat
from snstdp_cli.hardware.words import table_files
from snstdp_cli.network.fixed_point import StateFormat
from snstdp_cli.network.rounding import round_start
from snstdp_cli.network.wiring import draw_wiring

_STEP_BITS, NUMBER_BITS = 32, 16

Files = dict[PurePath, bytes]


@dataclass(frozen=True)
class NetworkFormats:
    """Sizes and formats of a network; `update` is None if what it learns is no whole number."""

    n_input: int
    n_e: int
    weight: IntegerFormat
    state: StateFormat
    update: UpdateFormat | None


def table_columns(numbers: NetworkFormats) -> dict[str, dict[str, int]]:
    """Return the bits of each column, by table."""
    weight, state = {"weight": numbers.weight.bits}, {"theta": numbers.state.bits}
    found = {
        "weights": weight,
        "thresholds": state,
        "delays": {"steps": NUMBER_BITS},
        "inhibition_delays": {"steps": NUMBER_BITS},
        "spikes": {"step": _STEP_BITS, "number": NUMBER_BITS},
    }
    if numbers.update is not None:
        target = numbers.update.target.bits
        widths = (_STEP_BITS, *[NUMBER_BITS] * 2, 1, NUMBER_BITS, 1, target, RANDOM_BITS, *[numbers.weight.bits] * 2)
        found["scaling"] = {"usable": 1, "s_max": target, "s_min": target}
        found["updates"] = dict(zip(UPDATE_COLUMNS, widths, strict=True))
    return found


def network_files(experiment: Experiment, stored: TrainedWeights, numbers: NetworkFormats) -> Files:
    """Return the files of weights, thresholds, delays and what the update looks up."""
    grid = experiment.weight_grid(numbers.n_input)
    assert grid is not None
    wiring, columns = draw_wiring(experiment, numbers.n_input), table_columns(numbers)
    delays = wiring.to_matrix(wiring.delay_steps)
    files = {
        **_weight_files("weights", round_start(grid, stored.weights, experiment.seed), numbers),
        **table_files("thresholds", _codes(numbers, stored.theta_mv), columns["thresholds"]),
        **table_files("delays", delays, columns["delays"]),
    }
    if wiring.inhibition_delay_steps is not None:
        files |= table_files("inhibition_delays", wiring.inhibition_delay_steps, columns["inhibition_delays"])
    if (update := numbers.update) is not None:
        table, code = update.table, update.target.code
        rows = zip(table.usable, map(code, table.s_max), map(code, table.s_min), strict=True)
        files |= table_files("scaling", np.array(list(rows), dtype=np.int64), columns["scaling"])
    return files


def _weight_files(name: str, weights: NDArray[np.float64], numbers: NetworkFormats) -> Files:
    codes = np.rint(np.ldexp(weights, numbers.weight.fraction)).astype(np.int64)
    return table_files(name, codes, table_columns(numbers)["weights"])


def _codes(numbers: NetworkFormats, theta_mv: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.array([numbers.state.code(value) for value in theta_mv.tolist()], dtype=np.int64)


def vector_files(folder: PurePath, vectors: Vectors, numbers: NetworkFormats) -> Files:
    """Return the files of golden vectors."""
    columns = table_columns(numbers)
    files: Files = {}
    for name, spikes in vectors.spikes.items():
        rows = np.array(spikes, dtype=np.int64).reshape(-1, 2)
        files |= table_files(str(folder / f"{name}_spikes"), rows, columns["spikes"])
    if vectors.updates:
        files |= table_files(str(folder / "updates"), np.concatenate(vectors.updates), columns["updates"])
        files |= _weight_files(str(folder / "weights_after"), vectors.weights, numbers)
        after = _codes(numbers, vectors.theta * 1000)
        files |= table_files(str(folder / "thresholds_after"), after, columns["thresholds"])
    return files
