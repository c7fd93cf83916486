"""What was counted is kept as it was, belongs to its weights and settings, and is checked when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up_cost import made_up_cost
from stored_networks import make_network

from snstdp_cli.artefacts import save_weights
from snstdp_cli.errors import ArtefactError
from snstdp_cli.hardware import cost_path, load_cost, save_cost
from snstdp_cli.hardware.figures import accesses_by_kind
from snstdp_cli.plots.drawing import stacked_accesses
from snstdp_cli.results import TrainedNetwork


@pytest.fixture
def network(tmp_path: Path) -> TrainedNetwork:
    return TrainedNetwork(make_network(tmp_path, "one", record=False), "one")


def again(network: TrainedNetwork) -> TrainedNetwork:
    """Return the network as it lies on the disk now."""
    return TrainedNetwork(network.workdir, network.name)


def test_what_was_counted_is_read_as_it_was_written(network: TrainedNetwork) -> None:
    assert load_cost(network) is None
    record = made_up_cost(network)
    save_cost(network.workdir, "one", record)
    assert load_cost(network) == record


def test_costs_of_other_weights_or_settings_are_refused(network: TrainedNetwork) -> None:
    save_cost(network.workdir, "one", made_up_cost(network))
    stored = network.stored
    assert stored.record is not None
    other = stored.record.experiment.model_copy(update={"dt": 0.25})
    changed: list[tuple[Any, Any]] = [
        (stored.weights + 0.5, stored.record),
        (stored.weights, stored.record.model_copy(update={"experiment": other})),
    ]
    for weights, record in changed:
        save_weights(network.workdir, "one", weights, stored.theta_mv, record, force=True)
        with pytest.raises(ArtefactError, match="counted from other weights or settings .* snstdp hardware cost one"):
            load_cost(again(network))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"growth": {}, "answering_bytes": -1}, "finite costs that are not negative"),
        ({"learning_bytes": float("nan")}, "finite costs that are not negative"),
        ({"phases": {}}, "expected a cost of learning and one of answering"),
        ({"shape": "large"}, "cost.shape"),
    ],
)
def test_costs_that_cannot_be_are_named(network: TrainedNetwork, change: dict[str, Any], message: str) -> None:
    save_cost(network.workdir, "one", made_up_cost(network))
    path = cost_path(network.workdir, "one")
    content = json.loads(path.read_text())
    content["cost"] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(ArtefactError, match=message):
        load_cost(network)


def test_the_parts_of_a_bar_add_up_to_all_accesses(network: TrainedNetwork) -> None:
    cost = made_up_cost(network).cost.phases["learning"]
    figure = stacked_accesses({"one learns": accesses_by_kind(cost)})
    total = sum(patch.get_width() for patch in figure.axes[0].patches)
    assert total == pytest.approx(cost.operations.reads + cost.operations.writes)
