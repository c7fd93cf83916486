"""Count the cost of a network, or find that it is counted already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from snstdp_cli import __version__
from snstdp_cli.artefacts import require_writable
from snstdp_cli.artefacts.provenance import describe_data, software_versions
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset
from snstdp_cli.errors import ArtefactError
from snstdp_cli.hardware.networks import cost_of_network
from snstdp_cli.hardware.records import CostRecord, conditions_of, load_cost, save_cost
from snstdp_cli.results import TrainedNetwork


def count_cost(
    network: TrainedNetwork,
    experiment: Experiment,
    training: Dataset,
    test: Dataset,
    images: int,
    *,
    again: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[CostRecord, bool]:
    """Return what a network costs and whether it was counted now; what was counted is kept beside the network.

    Parameters
    ----------
    experiment
        The network's, with its rule at hand.
    training, test
        The data whose first images are presented to learn, and to answer.
    images
        How many of each.
    again
        Count even if the same was counted before.

    Raises
    ------
    SnstdpError
        If the images do not fit, the rule is not at hand, the engine fails, or nothing can be written.
    """
    kept = None if again or experiment.rule.is_own else _kept(network)  # what a file declares may have changed
    wanted = (images, training.sha256, test.sha256, __version__)
    if kept is not None and wanted == (kept.images, kept.train.sha256, kept.test.sha256, kept.versions.get("snstdp")):
        return kept, False
    require_writable(network.workdir.activity)  # before the work, not after it
    say(f"presenting {images} images to {network.name}, twice")
    record = CostRecord(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        weights=network.sha256,
        conditions=conditions_of(experiment),
        images=images,
        train=describe_data(training),
        test=describe_data(test),
        versions=software_versions(),
        cost=cost_of_network(network, experiment, training, test, images, say),
    )
    save_cost(network.workdir, network.name, record)
    return record, True


def _kept(network: TrainedNetwork) -> CostRecord | None:
    try:
        return load_cost(network)
    except ArtefactError:  # damaged, or of another network: it is counted again
        return None
