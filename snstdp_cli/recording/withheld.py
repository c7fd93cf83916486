"""Whether images are new to a network; an accuracy on validation images that it was trained on chooses nothing."""

from __future__ import annotations

from snstdp_cli.artefacts import DataRecord, SeenImages, TrainedWeights
from snstdp_cli.config import InputSection, Withheld
from snstdp_cli.errors import ConfigError

_KEY = "evaluation.validation_examples"


def refuse_trained_on(weights: TrainedWeights, name: str, data: DataRecord, held: Withheld) -> None:
    """Refuse a network that may have been trained on the validation images, by its training or by an earlier one.

    Parameters
    ----------
    data
        The images of the data set in use, of any part.
    held
        Which training images are for validation; with none nothing is refused.

    Raises
    ------
    ConfigError
        If a training of it did not withhold all of these images, or nothing is written down of one.
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
    trainings = record.seen
    if trainings is None:
        raise ConfigError(
            f"the network '{name}' began with the weights '{record.started_from}', and it is not written down what "
            f"these were trained on, so that the {held.num:,} validation images may be among it; train both again"
        )
    for seen in trainings:
        if not seen.lacks(data, held):
            training = "its training" if seen is trainings[-1] else "that of the weights that it began with"
            raise ConfigError(_trained_on(name, training, seen, data, held))


def _trained_on(name: str, training: str, seen: SeenImages, data: DataRecord, held: Withheld) -> str:
    if seen.data.belongs_to(data):
        return (
            f"the network '{name}' was trained on validation images: {training} withheld {seen.withheld}, "
            f"expected {held}; train it with {held.options}"
        )
    return (
        f"the network '{name}' may have been trained on validation images: {training} was on other images "
        f"({seen.data.identity}) than those that are in use ({data.identity}), and they may have some in common; "
        f"expected the same images, of which {held} were withheld ({held.options}), or another data set"
    )


def divided_otherwise(weights: TrainedWeights, name: str, data: DataRecord, inputs: InputSection) -> str | None:
    """Say if the test images were taken from a single split otherwise than for a training of the network.

    Each share draws other test images, so that those of one are trained on with another.

    Parameters
    ----------
    data
        The test images.
    inputs
        The settings by which they were taken.
    """
    record = weights.record
    if record is None:
        return None
    for seen in record.seen or filter(None, (record.own_images,)):
        if seen.test_share != inputs.test_share and not seen.data.sources.isdisjoint(data.sources):
            ours, theirs = ("none" if one is None else f"{one:g}" for one in (seen.test_share, inputs.test_share))
            return (
                f"the network '{name}' was trained with input.test_share {ours}, and the test images are those of "
                f"{theirs}: many of them may be among the images that it was trained on; test it with the share of its "
                "training"
            )
    return None
