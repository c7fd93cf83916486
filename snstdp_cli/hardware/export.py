"""A network in whole numbers, as a folder for whoever writes RTL or firmware; docs/hardware.md says what is in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.artefacts.files import json_bytes, write_files
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, check_fit
from snstdp_cli.engines import Stream
from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.hardware.description import (
    describe_connections,
    describe_learning,
    describe_neurons,
    verilog_header,
)
from snstdp_cli.hardware.golden import Vectors, present_and_watch
from snstdp_cli.hardware.integers import UpdateFormat, formats_of, update_format
from snstdp_cli.hardware.tables import NUMBER_BITS, Files, NetworkFormats, network_files, table_columns, vector_files
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.recording.corruption import corrupt_images

#: Counts up when a reader of an older folder would not understand a newer one.
FORMAT = 1


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


def refuse_full_folder(folder: Path) -> None:
    """Refuse a folder that holds anything, before anything is simulated.

    Raises
    ------
    ConfigError
        If it is no folder, or not empty.
    """
    try:
        full = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--to: cannot look into {folder}: {error}; expected a new folder") from None
    if full:
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
    for dataset in (training, test):
        check_fit(dataset, len(stored.weights), f"the network '{name}'")
        if any(not 0 <= example < len(dataset) for example in examples):
            raise DataError(f"--example: expected 0 to {len(dataset) - 1}, found {', '.join(map(str, examples))}")
    numbers, reason = _formats(experiment, stored)
    files = network_files(experiment, stored, numbers)
    told, answered = [], 0
    for example in examples:
        say(f"answering image {example}")
        vectors = _present(experiment, stored, test, [example], numbers, learns=False)
        folder = PurePath("answer") / f"image_{example}"
        files |= vector_files(folder, vectors, numbers)
        told.append(_describe_vectors(folder, vectors, "answering", [example]))
        answered += len(vectors.spikes["excitatory"])
    learned = Vectors()
    if numbers.update is not None:
        say(f"learning from {len(examples)} images")
        learned = _present(experiment, stored, training, examples, numbers, learns=True)
        files |= vector_files(PurePath("learn"), learned, numbers)
        told.append(_describe_vectors(PurePath("learn"), learned, "learning", examples))
        files[PurePath("chip.vh")] = _header(experiment, numbers, numbers.update, learned).encode()
    updates = sum(map(len, learned.updates))
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


def _formats(experiment: Experiment, stored: TrainedWeights) -> tuple[NetworkFormats, str]:
    """Return sizes and formats, and why what the network learns is no whole number, or ''."""
    n_input, n_e = stored.weights.shape
    if max(n_input, n_e) >= 2**NUMBER_BITS:
        raise ConfigError(
            f"hardware export: found {n_input:,} inputs and {n_e:,} neurons, expected under {2**NUMBER_BITS:,}"
        )
    weight, state = formats_of(experiment, n_input)
    update = update_format(experiment, n_input, weight)
    if isinstance(update, str):
        return NetworkFormats(n_input, n_e, weight, state, None), update
    return NetworkFormats(n_input, n_e, weight, state, update), ""


def _header(experiment: Experiment, numbers: NetworkFormats, update: UpdateFormat, learned: Vectors) -> str:
    rounding, rows = experiment.precision.weights.rounding, sum(map(len, learned.updates))
    return verilog_header((numbers.n_input, numbers.n_e), numbers.weight, update, rounding, rows)


def _document(name: str, experiment: Experiment, numbers: NetworkFormats) -> dict[str, Any]:
    """Return what stands in `chip.json`, but for the vectors."""
    update, learning, plasticity = numbers.update, None, None
    formats = {"weight": asdict(numbers.weight), "state": {**asdict(numbers.state), "signed": True}}
    if update is not None:
        formats["target"] = asdict(update.target)
        learning = describe_learning(update, experiment.precision.weights.rounding)
        plasticity = experiment.plasticity(numbers.n_input)
    tables = table_columns(numbers)
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


def _present(
    experiment: Experiment,
    stored: TrainedWeights,
    dataset: Dataset,
    examples: Sequence[int],
    numbers: NetworkFormats,
    *,
    learns: bool,
) -> Vectors:
    pixels = dataset.images[list(examples)]
    if not learns:
        pixels = corrupt_images(pixels, experiment, Stream.TEST_RECORDING, np.asarray(examples))
    images = [(example, image.reshape(-1)) for example, image in zip(examples, pixels, strict=True)]
    return present_and_watch(experiment, stored, images, numbers.weight, numbers.update if learns else None)


def _describe_vectors(folder: PurePath, vectors: Vectors, kind: str, examples: Sequence[int]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "kind": kind,
        "examples": list(examples),
        "presentations_begin": vectors.starts,
        "steps": vectors.steps,
    }
