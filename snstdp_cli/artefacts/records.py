"""What is written down beside a result, as validated types: how it was made, on which images, with which versions.

What records of version 0.1 do not tell is None; `record_files` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from snstdp_cli.config import GENERATION, Experiment, Withheld, fingerprint, recorded_experiment, settings_of
from snstdp_cli.datasets import Part, sources_of
from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.fields import plain_number
from snstdp_cli.network.neurons import generation

#: Format of the records that this version writes. Version 0.1 wrote none.
FORMAT = 2


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected printable characters")
    return text


def _experiment(content: object) -> Experiment:
    if isinstance(content, Experiment):
        return content
    try:
        return recorded_experiment(content, "experiment")
    except ConfigError as error:
        raise ValueError(str(error)) from None


Text = Annotated[str, Field(strict=True, max_length=4096), AfterValidator(_printable)]
ClassName = Annotated[str, Field(strict=True, min_length=1, max_length=100), AfterValidator(_printable)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Real = Annotated[float, BeforeValidator(plain_number), Field(allow_inf_nan=False)]
Side = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
# A list of a million wrong values is refused for its first one: a finding takes a kilobyte of memory.
Counts = Annotated[tuple[Count, ...], Field(fail_fast=True)]
Reals = Annotated[tuple[Real, ...], Field(fail_fast=True)]
Curve = Annotated[tuple[CurvePoint, ...], Field(fail_fast=True)]
#: So many classes whose names differ are told; the others are counted.
_MOST_NAMES = 3


class Record(BaseModel):
    """Base of what is written down: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class DataRecord(Record):
    """Which images were shown.

    Attributes
    ----------
    name
        What they were asked for by: a data set's name or a path.
    identity
        What they are, by their content; the same as `name` where nothing is known of it.
    class_names
        What the classes are called, in the order of `classes`; empty where their numbers are their names.
    sha256
        Digest of the images and labels of this split.
    set_sha256
        Digest of the whole data set, the same for both splits; None in records of version 0.1.
    """

    name: Text
    identity: Text
    split: Part
    bundled_subset: bool = False
    num_images: Annotated[Count, Field(ge=1)]
    image_shape: tuple[Side, Side]
    classes: Counts | None = None
    class_names: Annotated[tuple[ClassName, ...], Field(fail_fast=True, max_length=256)] = ()
    sha256: Digest
    set_sha256: Digest | None = None

    @model_validator(mode="after")
    def _check_names(self) -> DataRecord:
        if self.class_names and len(self.class_names) != len(self.classes or ()):
            raise ValueError(f"expected a name for each class, found {len(self.class_names)} class_names")
        return self

    def class_name(self, label: int) -> str:
        """Return what a class is called: its name, or its number."""
        if self.class_names and self.classes is not None and label in self.classes:
            return self.class_names[self.classes.index(label)]
        return str(label)

    def names_apart(self, other: DataRecord) -> str | None:
        """Say which classes have other names in another data set; None if none has.

        A neuron's label is a number, so the same number must mean the same in both.
        """
        numbers = sorted({*(self.classes or ())} & {*(other.classes or ())})
        apart = [one for one in numbers if self.class_name(one) != other.class_name(one)]
        if not apart or self.belongs_to(other):
            return None
        told = [f"{one} is '{self.class_name(one)}' and '{other.class_name(one)}'" for one in apart[:_MOST_NAMES]]
        more = [f"{len(apart) - _MOST_NAMES} more"] if len(apart) > _MOST_NAMES else []
        return (
            f"classes have other names in {self.identity} than in {other.identity}: {', '.join([*told, *more])}; "
            "they are compared by their numbers, which says something only if these mean the same in both"
        )

    def belongs_to(self, other: DataRecord) -> bool:
        """Tell whether both are of the same data set; where one record does not tell, by what they are called."""
        if self.set_sha256 is None or other.set_sha256 is None:
            return self.identity == other.identity
        return self.set_sha256 == other.set_sha256

    @property
    def sources(self) -> frozenset[str]:
        """What the raw data sets are called that the images were taken from."""
        return sources_of(self.name, self.identity)

    def is_apart_from(self, other: DataRecord) -> bool:
        """Tell whether two data sets share no image, as far as names tell; what a record does not tell may be shared.

        Another content alone says nothing: a choice of the classes of a data set, or what it was joined to, is another
        content with the same images.
        """
        if self.set_sha256 is None or other.set_sha256 is None or self.belongs_to(other):
            return False
        return self.sources.isdisjoint(other.sources)


class SeenImages(Record):
    """Training images that a network was trained on, or that its neurons are labelled by.

    Attributes
    ----------
    validation_examples, validation_images
        How many images of the training split were withheld for validation, and which (`evaluation`).
    test_share
        The share of a single split that had become the test images (`input.test_share`).
    """

    data: DataRecord
    validation_examples: Count = 0
    validation_images: Literal["last", "spread"] = "last"
    test_share: Real | None = None

    @classmethod
    def of(cls, data: DataRecord, experiment: Experiment) -> SeenImages:
        """Return the images of a training, or of a recording of training images."""
        return cls(
            data=data,
            validation_examples=experiment.evaluation.validation_examples,
            validation_images=experiment.evaluation.validation_images,
            test_share=experiment.input.test_share,
        )

    @property
    def withheld(self) -> Withheld:
        """The training images that were for validation."""
        return Withheld(self.validation_examples, self.validation_images == "spread")

    def lacks(self, data: DataRecord, held: Withheld) -> bool:
        """Tell whether none of the validation images of a data set are among these.

        Parameters
        ----------
        data
            Images of that data set, of any part.
        held
            Which of its training images are for validation.
        """
        if self.data.belongs_to(data):
            return self.withheld.covers(held)
        return self.data.is_apart_from(data)


class StartRecord(Record):
    """What a training began with: weights drawn from a seed, or loaded ones.

    Attributes
    ----------
    seen
        What the loaded weights had been trained on, the first training first; empty for initial weights, None for drawn
        ones and where it is not known.
    """

    drawn_from_seed: Count | None = None
    name: Text | None = None
    sha256: Digest | None = None
    seen: Annotated[tuple[SeenImages, ...], Field(fail_fast=True)] | None = None


class TrainingFigures(Record):
    """How a training ended.

    Attributes
    ----------
    theta_mv
        Smallest, mean and largest adaptive threshold, mV.
    never_learned
        Neurons that did not spike while learning; None in records of version 0.1.
    """

    examples: Count
    presentations: Count
    retries: Count
    silent_examples: Count
    l1_target: Real | None
    l1_mean: Real
    l1_sd: Real
    theta_mv: tuple[Real, Real, Real]
    never_learned: Count | None = None


class History(Record):
    """How a training went: a value for each chunk, in order; `examples` shown by its end."""

    examples: Counts = ()
    spikes_per_example: Reals = ()
    retries: Counts = ()
    silent_neurons: Counts = ()
    l1_mean: Reals = ()
    l1_min: Reals = ()
    l1_max: Reals = ()
    theta_min_mv: Reals = ()
    theta_mean_mv: Reals = ()
    theta_max_mv: Reals = ()

    @model_validator(mode="after")
    def _check_lengths(self) -> History:
        lengths = {len(values) for _, values in self}
        if len(lengths) > 1:
            raise ValueError(f"expected as many values in each column, found {sorted(lengths)}")
        return self

    def with_chunk(self, values: Mapping[str, float]) -> History:
        """Return the history with one more value in each column."""
        return self.model_copy(update={key: (*column, values[key]) for key, column in self})


class RunRecord(Record):
    """What the records of trainings and recordings share."""

    format: Literal[2] = 2
    #: Version 0.1 drew other random numbers: generation 1.
    generation: Annotated[int, Field(strict=True, ge=1, le=GENERATION)] | Text = Field(default_factory=generation)
    date: Text
    duration_s: Annotated[Real, Field(ge=0)]
    engine: Text
    experiment: Annotated[Experiment, BeforeValidator(_experiment)]
    versions: dict[Text, Text]


class TrainingRecord(RunRecord):
    """The record of trained or initial weights: `weights/<name>.json`.

    Attributes
    ----------
    training
        Identity of the training but for its length; its snapshots and checkpoints carry it. None for initial weights
        and in records of version 0.1.
    never_learned
        Neurons that did not spike while learning; None where it is not known.
    files
        SHA-256 of the two arrays by file name.
    """

    kind: Literal["training", "initial weights"]
    training: Identity | None = None
    signed: bool | None = None
    start: StartRecord | None = None
    data: DataRecord | None = None
    figures: TrainingFigures | None = None
    history: History = History()
    learning_curve: Curve = ()
    never_learned: Counts | None = None
    note: Text | None = None
    files: dict[Text, Digest] = Field(default_factory=dict)

    @property
    def started_from(self) -> str | None:
        """The name of the weights that the training began with; None if they were drawn."""
        return self.experiment.load_name if self.start is None else self.start.name

    @property
    def own_images(self) -> SeenImages | None:
        """The images of this very training; None for initial weights, or if it is not written down."""
        return None if self.data is None else SeenImages.of(self.data, self.experiment)

    @property
    def seen(self) -> tuple[SeenImages, ...] | None:
        """All that the weights were trained on, the first training first; None if it is not known of each of them."""
        if self.kind == "initial weights":
            return ()
        own = self.own_images
        earlier = self._seen_before()
        if own is None or earlier is None:
            return None
        return (*(one for one in earlier if one != own), own)

    def _seen_before(self) -> tuple[SeenImages, ...] | None:
        if self.started_from is None:
            return ()
        return None if self.start is None else self.start.seen


class WeightsRecord(Record):
    """Which weights were recorded."""

    name: Text
    sha256: Digest | None


class RecordingFigures(Record):
    """What a recording comes to."""

    spikes_per_example: Real
    retries: Count
    silent_examples: Count


class RecordingRecord(RunRecord):
    """The record of a network's responses to a split of a data set.

    Attributes
    ----------
    label
        Name that the user gave these responses (`test --as`).
    """

    kind: Literal["recording"] = "recording"
    label: Text | None = None
    weights: WeightsRecord
    data: DataRecord
    figures: RecordingFigures

    @property
    def conditions(self) -> str:
        """Fingerprint of the weights and of every setting that responses depend on, but for the images."""
        return self._conditions(self.experiment)

    @property
    def labelling_conditions(self) -> str:
        """Fingerprint of the conditions of the training responses that label the neurons: their images are clean."""
        return self._conditions(self.experiment.model_copy(update={"input": self.experiment.input.clean()}))

    def _conditions(self, experiment: Experiment) -> str:
        settings = settings_of(experiment, "recording")
        return fingerprint({"settings": settings, "weights": self.weights.sha256, "generation": self.generation})

    @property
    def identity(self) -> str:
        """Fingerprint of all that shapes the responses: conditions, images and split (each has its own stream)."""
        return fingerprint({"conditions": self.conditions, "data": self.data.sha256, "split": self.data.split})
