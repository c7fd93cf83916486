"""What was counted of a network, kept beside it: `activity/<name>.cost.json`.

Counting takes as long as presenting the images does; what was counted stands until the network is another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from snstdp_cli.artefacts import DataRecord, Record, Workdir, read_record_file, write_record_file
from snstdp_cli.artefacts.files import checked_name, exists
from snstdp_cli.artefacts.records import Count, Digest, Identity, Text
from snstdp_cli.config import Experiment, fingerprint, settings_of
from snstdp_cli.errors import ArtefactError
from snstdp_cli.fields.command_lines import command_line, place_words
from snstdp_cli.hardware.networks import NetworkCost
from snstdp_cli.network.neurons import generation
from snstdp_cli.results import TrainedNetwork


class CostRecord(Record):
    """What a network costs, and what it was counted from.

    Attributes
    ----------
    weights
        Digest of the weights and thresholds that it began from.
    conditions
        Fingerprint of the settings that it learned and answered with.
    images
        How many were presented to learn, and to answer.
    train, test
        The data that they are the first images of.
    """

    format: Literal[2] = 2
    date: Text
    weights: Digest
    conditions: Identity
    images: Annotated[Count, Field(ge=1)]
    train: DataRecord
    test: DataRecord
    versions: dict[Text, Text]
    cost: NetworkCost

    @model_validator(mode="after")
    def _check_cost(self) -> CostRecord:
        if {*self.cost.phases} != {"learning", "answering"}:
            raise ValueError(f"expected a cost of learning and one of answering, found {sorted(self.cost.phases)}")
        if not all(math.isfinite(value) and value >= 0 for value in _numbers(_AS_JSON.dump_python(self.cost))):
            raise ValueError("expected finite costs that are not negative")
        return self

    def fits(self, network: TrainedNetwork) -> bool:
        """Tell whether it was counted from these weights, with these settings."""
        return self.weights == network.sha256 and self.conditions == conditions_of(network.experiment)


_AS_JSON = TypeAdapter(NetworkCost)


def conditions_of(experiment: Experiment) -> str:
    """Return the fingerprint of all settings that shape learning and answering."""
    settings = {facet: settings_of(experiment, facet) for facet in ("training", "recording")}
    return fingerprint({"generation": generation(), **settings})


def cost_path(workdir: Workdir, name: str) -> Path:
    """Return where the costs of a network are kept."""
    return workdir.activity / f"{checked_name(name)}.cost.json"


def save_cost(workdir: Workdir, name: str, record: CostRecord) -> Path:
    """Keep what was counted in place of what was counted before, completely or not at all."""
    path = cost_path(workdir, name)
    write_record_file(path, record)
    return path


def load_cost(network: TrainedNetwork) -> CostRecord | None:
    """Return what was counted of a network; None if nothing was.

    Raises
    ------
    ArtefactError
        If the file is damaged, or of other weights or settings than the network has now.
    """
    path = cost_path(network.workdir, network.name)
    if not exists(path):
        return None
    record = read_record_file(CostRecord, path)
    if not record.fits(network):
        raise ArtefactError(
            f"{path}: counted from other weights or settings than '{network.name}' has now; count again: "
            + command_line("hardware", "cost", network.name, *place_words(network.workdir.root))
        )
    return record


def _numbers(content: Any) -> Iterator[float]:
    if isinstance(content, int | float):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _numbers(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _numbers(value)
