"""Learning one class, or one data set, after the other: the accuracy on what was seen, and what was forgotten."""

from __future__ import annotations

from dataclasses import dataclass

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
        On test images of all classes seen so far, after each stage, [num_stages].
    by_class
        Accuracy for each class after each stage, [num_stages, num_classes]; NaN before a class came.
    """

    examples: tuple[int, ...]
    classes: tuple[int, ...]
    accuracies: NDArray[np.float64]
    by_class: NDArray[np.float64]

    @property
    def learned(self) -> tuple[str, ...]:
        """What each stage added: its class, or the first and the last one of its data set."""
        seen = ~np.isnan(self.by_class)
        added = [np.flatnonzero(row) for row in np.diff(seen, axis=0, prepend=False)]
        ends = [(self.classes[int(new[0])], self.classes[int(new[-1])]) for new in added]
        return tuple(str(first) if first == last else f"{first} to {last}" for first, last in ends)

    @property
    def online_accuracy(self) -> float:
        """Mean over the stages of the accuracy on the classes seen so far.

        This is the average incremental accuracy of S.-A. Rebuffi et al., "iCaRL", CVPR 2017,
        doi:10.1109/CVPR.2017.587.
        """
        return float(self.accuracies.mean())

    @property
    def forgetting(self) -> float | None:
        """Mean over all classes but those of the last stage of the best earlier accuracy minus the one at the end.

        None if there is one stage only.

        See A. Chaudhry et al., "Riemannian walk for incremental learning", ECCV 2018,
        doi:10.1007/978-3-030-01252-6_33.
        """
        if len(self.by_class) < 2:
            return None
        earlier, last = self.by_class[:-1], self.by_class[-1]
        known = ~np.isnan(earlier).all(axis=0)
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
    )
