"""What a training begins with: drawn or loaded weights, and the images that it may see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    Checkpoint,
    StartRecord,
    TrainedWeights,
    Workdir,
    digest_of_weights,
    load_weights,
    weight_paths,
    weights_exist,
)
from snstdp_cli.artefacts.files import exists
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.config import Experiment, is_order_file
from snstdp_cli.datasets import (
    Dataset,
    check_fit,
    digest_of_order,
    order_images,
    places_in_training,
    read_order,
    stage_ends,
    stages_of,
    withhold,
)
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.network.wiring import draw_weights
from snstdp_cli.recording.plausibility import check_plausible
from snstdp_cli.recording.withheld import refuse_trained_on
from snstdp_cli.rules import Plasticity


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """Training images that are shown, and those that are withheld for the learning curve; none is for validation.

    Attributes
    ----------
    images
        Grey values, [num, n_input].
    labels
        [num]
    shown, withheld
        Numbers of the images among these, in the order of one pass.
    digest
        Tells apart what is shown: of the data set, and of the images that a file of the user's names.
    stage_ends
        After how many examples of a pass a stage ends (a class or a data set); empty unless they come one after the
        other.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    shown: NDArray[np.int64]
    withheld: NDArray[np.int64]
    digest: str
    stage_ends: NDArray[np.int64]

    def next_stage_end(self, first: int) -> int | None:
        """Return after how many examples the stage of example `first` ends; None if that is no matter."""
        if not len(self.stage_ends):
            return None
        passes, here = divmod(first, len(self.shown))
        return int(passes * len(self.shown) + self.stage_ends[np.searchsorted(self.stage_ends, here, "right")])

    def ends_stage(self, examples: int) -> bool:
        """Tell whether a stage ends after so many examples."""
        return examples > 0 and self.next_stage_end(examples - 1) == examples


def divide_images(experiment: Experiment, dataset: Dataset) -> TrainingImages:
    """Withhold the images of the learning curve (stratified, drawn by the seed, never trained on); order the others.

    Raises
    ------
    ConfigError
        If the images that are left are fewer than `num_examples` and may not be shown again.
    DataError
        If the order is a file that cannot be used, or needs several data sets.
    """
    withheld = withhold(dataset.labels, experiment.evaluation.curve_examples, experiment.seed)
    shown = np.setdiff1d(np.arange(len(dataset)), withheld)
    if not experiment.epochs and experiment.num_examples > len(shown):
        raise ConfigError(
            f"num_examples: the training set has {len(dataset):,} images, of which {len(withheld):,} are withheld for "
            f"the learning curve, and epochs is false; expected at most {len(shown):,} examples, found "
            f"{experiment.num_examples:,}"
        )
    listed, digest = None, dataset.sha256
    if is_order_file(experiment.order):
        # The file numbers the images of the whole split, which the validation images are part of.
        num_images = len(dataset) + dataset.withheld.num
        numbers = read_order(Path(experiment.order).expanduser(), num_images)
        listed = places_in_training(numbers, num_images, dataset.withheld)
        digest = digest_of_order(digest, listed)
    stages = stages_of(dataset.labels, experiment.order, dataset.joined)
    shown = order_images(shown, stages, listed=listed, order=experiment.order)
    ends = np.zeros(0, np.int64) if stages is None else stage_ends(stages[shown])
    return TrainingImages(dataset.images.reshape(len(dataset), -1), dataset.labels, shown, withheld, digest, ends)


def start_weights(
    experiment: Experiment, workdir: Workdir, dataset: Dataset, plasticity: Plasticity
) -> tuple[TrainedWeights, StartRecord]:
    """Load or draw the weights to begin with; return them and where they come from.

    Raises
    ------
    SnstdpError
        If the weights to load are missing, damaged, of another size, not for this rule, or were trained on validation
        images.
    """
    name = experiment.load_name
    if name is None:
        weights = draw_weights(experiment, dataset.n_input, plasticity.l1_target)
        theta_mv = np.full(experiment.n_e, experiment.network.theta_init_mv)
        digest = digest_of_weights(weights, theta_mv)
        return TrainedWeights(weights, theta_mv, None, digest), StartRecord(drawn_from_seed=experiment.seed)
    loaded = load_weights(workdir, name, n_e=experiment.n_e, theta_init_mv=experiment.network.theta_init_mv)
    check_plausible(loaded, name)
    check_fit(dataset, loaded.weights.shape[0], f"the network '{name}'")
    refuse_trained_on(loaded, name, describe_data(dataset), dataset.withheld)
    if plasticity.normalize_to is not None and loaded.weights.min() < 0:
        raise ConfigError(
            f"load_name: the weights '{name}' are of both signs, and the rule '{experiment.rule.name}' rescales sums "
            "of non-negative ones; load other weights"
        )
    seen = None if loaded.record is None else loaded.record.seen
    return loaded, StartRecord(name=name, sha256=loaded.sha256, seen=seen)


def refuse_to_overwrite(
    workdir: Workdir, name: str, checkpoint: Checkpoint | None, *, resume: bool, force: bool
) -> None:
    """Refuse to overwrite weights or to forget an interrupted training.

    Raises
    ------
    ArtefactError
        If there is something of this name that neither `resume` nor `force` speaks of.
    """
    if force and not resume:
        return
    if resume:
        if checkpoint is None and weights_exist(workdir, name) and not force:
            raise ArtefactError(
                f"the training '{name}' is complete (its weights are in {workdir.weights}) and there is nothing to "
                "resume; choose another --save-name, or train again with --force"
            )
        return
    # Also a part of them, such as a record that was left: hours later it would be in the way.
    trained = [path for path in weight_paths(workdir, name) if exists(path)]
    if trained:
        raise ArtefactError(
            f"{workdir.weights}: there are weights named '{name}' already ({trained[0].name}) and nothing was "
            "overwritten; choose another --save-name, or overwrite them with --force"
        )
    if checkpoint is not None and checkpoint.meta["examples"] > 0:
        raise ArtefactError(
            f"a training named '{name}' was interrupted after {checkpoint.meta['examples']:,} examples; go on with "
            "--resume, choose another --save-name, or start again with --force"
        )
