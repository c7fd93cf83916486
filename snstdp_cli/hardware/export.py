"""A network in whole numbers, as a folder for whoever writes RTL or firmware; docs/hardware.md says what is in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.artefacts.files import json_bytes, write_files
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, check_fit
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.hardware.description import (
    RANDOM_BITS,
    describe_connections,
    describe_learning,
    describe_neurons,
    verilog_header,
)
from snstdp_cli.hardware.golden import UPDATE_COLUMNS, Vectors, present_and_watch
from snstdp_cli.hardware.integers import IntegerFormat, UpdateFormat, formats_of, update_format
from snstdp_cli.hardware.words import table_files
from snstdp_cli.network.fixed_point import StateFormat
from snstdp_cli.network.rounding import round_start
from snstdp_cli.network.wiring import draw_wiring

#: Counts up when a reader of an older folder would not understand a newer one.
FORMAT = 1
_STEP_BITS, _NUMBER_BITS = 32, 16
_LARGEST = 2**_NUMBER_BITS

Files = dict[PurePath, bytes]


@dataclass(frozen=True)
class Export:
    """What an export is made of.

    Attributes
    ----------
    files
        Content by path below the folder.
    without_learning
        A sentence that says why there are no vectors of learning, or ''.
    spikes
        Excitatory spikes of the vectors of answering and of learning.
    updates
        Changes of weights in the latter.
    """

    files: Files
    without_learning: str
    spikes: tuple[int, int]
    updates: int


@dataclass(frozen=True)
class _Numbers:
    """The formats of a network, and how wide its numbers are in a table."""

    n_input: int
    n_e: int
    weight: IntegerFormat
    state: StateFormat
    update: UpdateFormat | None


def refuse_full_folder(folder: Path) -> None:
    """Refuse a folder that holds anything, before anything is simulated.

    Raises
    ------
    ConfigError
        If it is no folder, or not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"--to: found {folder}, which is there and not an empty folder; expected a new one")


def export_network(
    name: str,
    experiment: Experiment,
    stored: TrainedWeights,
    training: Dataset,
    test: Dataset,
    examples: Sequence[int],
    say: Callable[[str], None] = lambda text: None,
) -> Export:
    """Write a network down in whole numbers, with what it answers to images and what it learns from them.

    Parameters
    ----------
    name
        Of the network.
    experiment
        Its settings, with the bits of weights and state.
    stored
        Its weights and thresholds, which are rounded as a network that begins with them does.
    training, test
        Images to learn from and to answer.
    examples
        Numbers of the images, of both parts.

    Raises
    ------
    ConfigError
        If settings are not those of whole numbers.
    DataError
        If there is no such image, or images do not fit.
    """
    n_input, n_e = stored.weights.shape
    weight, state = formats_of(experiment, n_input)
    if max(n_input, n_e) >= _LARGEST:
        raise ConfigError(f"hardware export: found {n_input:,} inputs and {n_e:,} neurons, expected under {_LARGEST:,}")
    for dataset in (training, test):
        check_fit(dataset, n_input, f"the network '{name}'")
        if any(not 0 <= example < len(dataset) for example in examples):
            raise DataError(f"--example: expected 0 to {len(dataset) - 1}, found {', '.join(map(str, examples))}")
    update = update_format(experiment, n_input, weight)
    reason = update if isinstance(update, str) else ""
    numbers = _Numbers(n_input, n_e, weight, state, None if isinstance(update, str) else update)
    files = _network_files(experiment, stored, numbers)
    told, answered = [], 0
    for example in examples:
        say(f"answering image {example}")
        vectors = _present(experiment, stored, test, [example], numbers, learns=False)
        folder = PurePath("answer") / f"image_{example}"
        files |= _vector_files(folder, vectors, numbers)
        told.append(_told(folder, vectors, "answering", [example]))
        answered += len(vectors.spikes["excitatory"])
    learned = Vectors()
    if numbers.update is not None:
        say(f"learning from {len(examples)} images")
        learned = _present(experiment, stored, training, examples, numbers, learns=True)
        files |= _vector_files(PurePath("learn"), learned, numbers)
        told.append(_told(PurePath("learn"), learned, "learning", examples))
    updates = sum(map(len, learned.updates))
    if numbers.update is not None:
        rounding = experiment.precision.weights.rounding
        files[PurePath("chip.vh")] = verilog_header((n_input, n_e), weight, numbers.update, rounding, updates).encode()
    document = {**_document(name, experiment, numbers), "vectors": told}
    files[PurePath("chip.json")] = json_bytes(document, Path("chip.json"))
    return Export(files, reason, (answered, len(learned.spikes.get("excitatory", []))), updates)


def write_export(folder: Path, export: Export) -> None:
    """Write the files of an export.

    Raises
    ------
    StorageError
        If one of them cannot be written.
    """
    write_files({folder / path: content for path, content in export.files.items()})


def _document(name: str, experiment: Experiment, numbers: _Numbers) -> dict[str, Any]:
    """Return what stands in `chip.json`, but for the vectors."""
    update, learning, plasticity = numbers.update, None, None
    formats = {"weight": asdict(numbers.weight), "state": {**asdict(numbers.state), "signed": True}}
    if update is not None:
        formats["target"] = asdict(update.target)
        learning = describe_learning(update, experiment.precision.weights.rounding)
        plasticity = experiment.plasticity(numbers.n_input)
    tables = _columns(numbers)
    if draw_wiring(experiment, numbers.n_input).inhibition_delay_steps is None:
        del tables["inhibition_delays"]
    return {
        "format": FORMAT,
        "name": name,
        "rule": experiment.rule.name,
        "inputs": numbers.n_input,
        "neurons": numbers.n_e,
        "dt_ms": experiment.dt,
        "formats": formats,
        "neuron_constants": describe_neurons(experiment, numbers.state, plasticity),
        "connections": describe_connections(experiment, numbers.state),
        "learning": learning,
        "tables": tables,
    }


def _columns(numbers: _Numbers) -> dict[str, dict[str, int]]:
    """Return the bits of each column, by table."""
    weight, state = {"weight": numbers.weight.bits}, {"theta": numbers.state.bits}
    found = {
        "weights": weight,
        "thresholds": state,
        "delays": {"steps": _NUMBER_BITS},
        "inhibition_delays": {"steps": _NUMBER_BITS},
        "spikes": {"step": _STEP_BITS, "number": _NUMBER_BITS},
    }
    if numbers.update is not None:
        target = numbers.update.target.bits
        widths = (_STEP_BITS, *[_NUMBER_BITS] * 2, 1, _NUMBER_BITS, 1, target, RANDOM_BITS, *[numbers.weight.bits] * 2)
        found["scaling"] = {"usable": 1, "s_max": target, "s_min": target}
        found["updates"] = dict(zip(UPDATE_COLUMNS, widths, strict=True))
    return found


def _network_files(experiment: Experiment, stored: TrainedWeights, numbers: _Numbers) -> Files:
    grid = experiment.weight_grid(numbers.n_input)
    assert grid is not None
    wiring, columns = draw_wiring(experiment, numbers.n_input), _columns(numbers)
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


def _weight_files(name: str, weights: NDArray[np.float64], numbers: _Numbers) -> Files:
    codes = np.rint(np.ldexp(weights, numbers.weight.fraction)).astype(np.int64)
    return table_files(name, codes, _columns(numbers)["weights"])


def _codes(numbers: _Numbers, theta_mv: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.array([numbers.state.code(value) for value in theta_mv.tolist()], dtype=np.int64)


def _present(
    experiment: Experiment,
    stored: TrainedWeights,
    dataset: Dataset,
    examples: Sequence[int],
    numbers: _Numbers,
    *,
    learns: bool,
) -> Vectors:
    images = [(example, dataset.images[example].reshape(-1)) for example in examples]
    return present_and_watch(experiment, stored, images, numbers.weight, numbers.update if learns else None)


def _vector_files(folder: PurePath, vectors: Vectors, numbers: _Numbers) -> Files:
    columns = _columns(numbers)
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


def _told(folder: PurePath, vectors: Vectors, kind: str, examples: Sequence[int]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "kind": kind,
        "examples": list(examples),
        "presentations_begin": vectors.starts,
        "steps": vectors.steps,
    }
