"""A trained network as it lies on the disk: what figures, reports, the command line and notebooks look at."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import (
    DataRecord,
    History,
    RecordingFile,
    RecordingRecord,
    Snapshot,
    TrainedWeights,
    TrainingRecord,
    Workdir,
    list_recordings,
    load_record,
    load_snapshots,
    load_weights,
    marks_of,
    weights_exist,
)
from snstdp_cli.config import Experiment, build_experiment
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import CurvePoint

#: A picture narrower than this share of its length is no picture.
_LEAST_ASPECT = 0.2


class TrainedNetwork:
    """Weights, thresholds, record, snapshots and recordings of one name, read when they are asked for.

    Parameters
    ----------
    workdir
        Folder of `weights/` and `activity/`.
    name
        Name of the weights.

    Examples
    --------
    >>> from pathlib import Path
    >>> network = TrainedNetwork(Workdir(Path()), "mine")
    >>> network.name
    'mine'
    """

    def __init__(self, workdir: Workdir, name: str) -> None:
        self.workdir, self.name = workdir, name

    def __repr__(self) -> str:
        return f"TrainedNetwork({str(self.workdir.root)!r}, {self.name!r})"

    @property
    def has_weights(self) -> bool:
        """Whether the weights are there; recordings can outlive them."""
        return weights_exist(self.workdir, self.name)

    @cached_property
    def stored(self) -> TrainedWeights:
        """What the files of the weights hold.

        Raises
        ------
        ArtefactError
            If they are missing or damaged, or do not fit their record.
        """
        stored = load_weights(self.workdir, self.name)
        if stored.record is not None and stored.record.experiment.n_e != stored.weights.shape[1]:
            raise ArtefactError(
                f"{self.workdir.weights / self.name}.json: tells of n_e {stored.record.experiment.n_e}, but the "
                f"weights are those of {stored.weights.shape[1]} neurons; bring the record back, or delete it"
            )
        return stored

    def stored_for(self, experiment: Experiment) -> TrainedWeights:
        """Return what the files hold; thresholds that are in no file are those that an experiment begins with."""
        return self.stored.with_initial_theta(experiment.network.theta_init_mv)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights, [n_input, n_e]."""
        return self.stored.weights

    @property
    def theta_mv(self) -> NDArray[np.float64]:
        """Adaptive thresholds, [n_e], mV."""
        return self.stored.theta_mv

    @property
    def sha256(self) -> str:
        """Digest of weights and thresholds: what tells two networks apart."""
        return self.stored.sha256

    @property
    def n_input(self) -> int:
        """Number of inputs."""
        return int(self.weights.shape[0])

    @property
    def n_e(self) -> int:
        """Number of excitatory neurons."""
        return int(self.weights.shape[1])

    @property
    def record(self) -> TrainingRecord | None:
        """How the weights were made; None where nothing is written down, as for the ancestor's files."""
        return self.stored.record

    @property
    def experiment(self) -> Experiment:
        """The experiment that made the weights, or the defaults with their size."""
        return build_experiment({"n_e": self.n_e}) if self.record is None else self.record.experiment

    def class_name(self, label: int) -> str:
        """Return what a class of the training images is called: its name, or its number."""
        return str(label) if self.data is None else self.data.class_name(label)

    @property
    def data(self) -> DataRecord | None:
        """The training images, if they are written down."""
        return None if self.record is None else self.record.data

    @property
    def history(self) -> History:
        """How the training went, a value for each chunk; empty if it is not written down."""
        return History() if self.record is None else self.record.history

    @property
    def learning_curve(self) -> tuple[CurvePoint, ...]:
        """Points of the learning curve; none if it was turned off or is not written down."""
        return () if self.record is None else self.record.learning_curve

    @property
    def never_learned(self) -> NDArray[np.bool_] | None:
        """Where a neuron did not spike while learning, [n_e]; None if it is not written down.

        Raises
        ------
        ArtefactError
            If the record names a neuron that is not there.
        """
        if self.record is None or self.record.never_learned is None:
            return None
        where = f"{self.workdir.weights / self.name}.json: never_learned"
        return marks_of(self.record.never_learned, self.n_e, where)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns of the images: as written down, else the most square shape of so many inputs."""
        known = [self.data, *(record.data for _, record in self.recordings)]
        for data in known:
            if data is not None and data.image_shape[0] * data.image_shape[1] == self.n_input:
                return data.image_shape
        return guess_shape(self.n_input)

    @cached_property
    def snapshots(self) -> list[Snapshot]:
        """Weights and thresholds on the way, in order; only those of this very training."""
        if self.record is not None and self.record.kind == "initial weights":
            return []
        training = None if self.record is None else self.record.training
        return load_snapshots(self.workdir, self.name, training, self.n_input, self.n_e)

    @property
    def recordings(self) -> list[tuple[RecordingFile, RecordingRecord]]:
        """All intact recordings of this name with their records, those with most examples first."""
        return self._listed[0]

    @property
    def damaged_recordings(self) -> list[str]:
        """A sentence for each recording of this name that cannot be read."""
        return self._listed[1]

    @cached_property
    def _listed(self) -> tuple[list[tuple[RecordingFile, RecordingRecord]], list[str]]:
        found, damaged = [], []
        for file in list_recordings(self.workdir, self.name):
            try:
                found.append((file, load_record(file.path)))
            except ArtefactError as error:
                damaged.append(str(error))
        return found, damaged

    def forget_recordings(self) -> None:
        """Look at the disk again when recordings are asked for the next time."""
        self.__dict__.pop("_listed", None)


def guess_shape(n_input: int) -> tuple[int, int]:
    """Return the most square rows and columns of so many pixels; one row if all shapes are narrow.

    Examples
    --------
    >>> guess_shape(784), guess_shape(2312), guess_shape(13)
    ((28, 28), (34, 68), (1, 13))
    """
    rows = next(rows for rows in range(int(n_input**0.5), 0, -1) if n_input % rows == 0)
    return (rows, n_input // rows) if rows >= _LEAST_ASPECT * n_input / rows else (1, n_input)
