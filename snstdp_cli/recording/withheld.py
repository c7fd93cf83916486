"""Whether validation images are new to a network; an accuracy on images that it was trained on chooses nothing."""

from __future__ import annotations

from snstdp_cli.artefacts import DataRecord, TrainedWeights
from snstdp_cli.config import Withheld
from snstdp_cli.errors import ConfigError

_KEY = "evaluation.validation_examples"


def refuse_trained_on(weights: TrainedWeights, name: str, data: DataRecord, held: Withheld) -> None:
    """Refuse a network that may have been trained on the validation images.

    Parameters
    ----------
    data
        The images of the data set in use, of any part.
    held
        Which training images are for validation; with none nothing is refused.

    Raises
    ------
    ConfigError
        If its training did not withhold all of these images, or nothing is written down of it.
    """
    record = weights.record
    if held.num == 0 or (record is not None and record.kind == "initial weights"):
        return
    if record is None or record.data is None:
        raise ConfigError(
            f"the network '{name}': nothing is written down of its training, so that the {held.num:,} "
            "validation images may be among those that it was trained on; use a network of snstdp that was trained "
            f"with {_KEY}"
        )
    withheld = record.experiment.evaluation.withheld
    if withheld.covers(held) or _are_apart(record.data, data):
        return
    raise ConfigError(
        f"the network '{name}' was trained on validation images: its training withheld {withheld}, "
        f"expected {held}; train it with {held.options}"
    )


def _are_apart(ours: DataRecord, theirs: DataRecord) -> bool:
    """Tell whether two data sets are certainly different; where a record does not tell, they may be the same."""
    return None not in (ours.set_sha256, theirs.set_sha256) and ours.set_sha256 != theirs.set_sha256
