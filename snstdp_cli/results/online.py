"""Learning one class, or one data set, after the other: the accuracy on what was seen, and what was forgotten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts.stages import StagesRecord, load_stages
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Classifier
from snstdp_cli.results.network import TrainedNetwork


@dataclass(frozen=True, eq=False)
class OnlineCourse:
    """What a network knew after each stage: a class, or a data set.

    Attributes
    ----------
    examples
        Training examples by the end of each stage, [num_stages].
    classes
        The classes in the order in which they came, [num_classes].
    accuracies
        On test images of all classes seen so far, after each stage, [num_stages]; NaN where none was scored.
    by_class
        Accuracy for each class after each stage, [num_stages, num_classes]; NaN before a class came, and where no image
        of it was scored.
    num_seen
        How many of the classes had come by the end of each stage, [num_stages].
    """

    examples: tuple[int, ...]
    classes: tuple[int, ...]
    accuracies: NDArray[np.float64]
    by_class: NDArray[np.float64]
    num_seen: tuple[int, ...]

    @property
    def learned(self) -> tuple[str, ...]:
        """What each stage added: its class, or the first and the last one of its data set."""
        added = [self.classes[first:last] for first, last in pairwise((0, *self.num_seen))]
        return tuple(" to ".join(dict.fromkeys((str(new[0]), str(new[-1])))) if new else "no class" for new in added)

    @property
    def online_accuracy(self) -> float:
        """Mean over the stages of the accuracy on the classes seen so far; NaN if it is known after none.

        This is the average incremental accuracy of S.-A. Rebuffi et al., "iCaRL", CVPR 2017,
        doi:10.1109/CVPR.2017.587.
        """
        known = self.accuracies[~np.isnan(self.accuracies)]
        return float(known.mean()) if len(known) else math.nan

    @property
    def forgetting(self) -> float | None:
        """Mean over all classes but those of the last stage of the best earlier accuracy minus the one at the end.

        A class takes part if both are known. None if there is none, as after one stage only.

        See A. Chaudhry et al., "Riemannian walk for incremental learning", ECCV 2018,
        doi:10.1007/978-3-030-01252-6_33.
        """
        earlier, last = self.by_class[:-1], self.by_class[-1]
        known = ~np.isnan(earlier).all(axis=0) & ~np.isnan(last)
        if not known.any():
            return None
        return float((np.nanmax(earlier[:, known], axis=0) - last[known]).mean())


def online_course(network: TrainedNetwork, classifier: Classifier = "average") -> OnlineCourse:
    """Return what a network trained `by_class` or `by_data` knew after each stage.

    Raises
    ------
    ArtefactError
        If nothing is written down of it, or of other weights.
    """
    record = load_stages(network.workdir, network.name)
    if record is None:
        raise ArtefactError(
            f"{network.workdir.activity}: nothing is written down of what '{network.name}' knew after each stage; "
            "train with order: by_class or by_data by `snstdp run`, or `snstdp run --resume` for one that is trained"
        )
    if network.has_weights and network.stored.sha256 != record.weights:
        raise ArtefactError(
            f"{network.workdir.activity}: what was written down after each stage is of other weights of the name "
            f"'{network.name}'; `snstdp run --resume` makes it again"
        )
    return course_of(record, classifier)


def course_of(record: StagesRecord, classifier: Classifier) -> OnlineCourse:
    """Return the course that a record tells, by one read-out."""
    classes = tuple(dict.fromkeys(c for stage in record.stages for c in stage.seen))
    by_class = np.full((len(record.stages), len(classes)), np.nan)
    for k, stage in enumerate(record.stages):
        if classifier not in stage.answers:
            raise ArtefactError(f"the stages were read by {', '.join(stage.answers)}, not by {classifier}")
        places = [classes.index(c) for c in stage.seen]
        by_class[k, places] = stage.answers[classifier].by_class
    return OnlineCourse(
        tuple(stage.examples for stage in record.stages),
        classes,
        np.array([stage.answers[classifier].accuracy for stage in record.stages]),
        by_class,
        tuple(len({c for stage in record.stages[: k + 1] for c in stage.seen}) for k in range(len(record.stages))),
    )
