"""The groups of settings below an experiment: input, network, presentation, evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from snstdp_cli.config.input_values import Classes, Crop, Share, Size
from snstdp_cli.fields import MAX_EXAMPLES, Facet, Number, Whole, plain_number, setting
from snstdp_cli.fields.readouts import MEANINGS, Classifier

#: What shapes the equations or the protocol, and so all that comes out of them.
ALL_BUT_SCORE: tuple[Facet, ...] = ("program", "training", "recording")
#: What a program is told when it starts (`network.numbers`).
RESULTS: tuple[Facet, ...] = ("training", "recording")
#: The settings of `input` that change the images or choose among them, in the order in which they are applied.
PREPARING = ("test_share", "classes", "max_per_class", "transpose", "scale", "invert", "crop", "size", "resample")
_OptionalStep = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(plain_number)] | None


class Checked(BaseModel):
    """Settings that nobody holds unchecked."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; changes are checked like any other values, which pydantic itself would not do."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate({**dict(self), **update})

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> NoReturn:
        """Refuse to make settings that were not checked."""
        raise TypeError("settings are always checked; make an experiment with build_experiment")


class Section(Checked):
    """A frozen group of settings that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class InputSection(Section):
    """What is done to the images once they are read, in the order of the fields; `datasets.preparation` does it.

    Two runs are told apart by the content of the images that come out, as with the setting `data`.
    """

    test_share: Share | None = setting(
        "where a data set has one split only: the share of it, of each class alike, that becomes the test images",
        ("data",),
        None,
    )
    classes: Classes | None = setting(
        "the classes to keep, by number or name, such as [3, 8]; their numbers stay", ("data",), None
    )
    max_per_class: Annotated[Whole, Field(ge=1, le=MAX_EXAMPLES)] | None = setting(
        "images of each class to keep in each split, the first ones", ("data",), None
    )
    transpose: bool = setting("whether rows and columns are exchanged", ("data",), False, strict=True)
    scale: Number = setting(
        "factor of the grey values, which end at 255, such as 15.9 for images of 0 to 16",
        ("data",),
        1.0,
        gt=0,
        le=255,
    )
    invert: bool = setting(
        "whether dark and bright are exchanged, as dark figures on paper need it", ("data",), False, strict=True
    )
    crop: Crop | None = setting(
        "pixels that are cut off: a number for all sides, or [top, right, bottom, left]", ("data",), None
    )
    size: Size | None = setting(
        "rows and columns that the images are brought to: [14, 14], or a number for both", ("data",), None
    )
    resample: Literal["area", "bilinear", "nearest"] = setting(
        "how they are brought to that size: the mean of the area that becomes a pixel; bilinear, over that area if it "
        "shrinks; or the nearest pixel",
        ("data",),
        "area",
    )

    noise: Number = setting(
        "share of the pixels of test and validation images that are made black or white (salt and pepper) when they "
        "are recorded; training and labels see clean images",
        ("recording",),
        0.0,
        ge=0,
        le=1,
    )
    occlusion: Number = setting(
        "share of the area of test and validation images that a black rectangle covers, anywhere, when they are "
        "recorded",
        ("recording",),
        0.0,
        ge=0,
        le=1,
    )
    shift: Whole = setting(
        "rows and columns by which test and validation images are moved at most, in any direction, when they are "
        "recorded",
        ("recording",),
        0,
        ge=0,
        le=10_000,
    )

    @property
    def prepares(self) -> bool:
        """Whether any of it changes the images or which of them there are."""
        return bool(self.changes)

    @property
    def changes(self) -> dict[str, Any]:
        """The settings of the facet `data` that are not at their defaults, as YAML has them, in order."""
        plain = type(self)()
        told = self.model_dump(mode="json")
        apart = {key: told[key] for key in PREPARING if getattr(self, key) != getattr(plain, key)}
        if "size" not in apart:
            apart.pop("resample", None)
        return apart

    @property
    def is_clean(self) -> bool:
        """Whether images are shown as they are."""
        return not (self.noise or self.occlusion or self.shift)

    def clean(self) -> Self:
        """Return these settings without noise, occlusion and shift."""
        return self.model_copy(update=dict.fromkeys(CORRUPTIONS, 0))


#: The settings of `input` by which test images are made harder.
CORRUPTIONS = ("noise", "occlusion", "shift")


class NetworkSettings(Section):
    """Connections, delays, thresholds and the integrator (Diehl & Cook 2015)."""

    inhibition: Literal["pooled", "dense"] = setting(
        "lateral inhibition: one pool in O(n_e), or n_e*(n_e-1) synapses as the ancestor has it",
        ALL_BUT_SCORE,
        "pooled",
    )
    inhibition_delay_ms: Number = setting(
        "dense inhibition: delays uniform between 0 and this many ms", RESULTS, 0.0, ge=0, le=50
    )
    input_delay_ms: Number = setting(
        "input synapses: delays uniform between 0 and this many ms", RESULTS, 10.0, ge=0, le=50
    )
    integration: Literal["exponential_euler", "euler"] = setting(
        "integrator of voltages and conductances; euler is unstable for strong inhibition",
        ALL_BUT_SCORE,
        "exponential_euler",
    )
    w_exc_inh: Number = setting("weight from an excitatory neuron to its partner", RESULTS, 10.4, ge=0, le=1000)
    w_inh_exc: Number = setting("weight of the lateral inhibition", RESULTS, 17.0, ge=0, le=1000)
    theta_init_mv: Number = setting("initial adaptive threshold, mV", ("training",), 20.0, ge=0, le=1000)
    theta_step_mv: _OptionalStep = setting(
        "rise of the threshold at a spike, mV; by default Diehl's value for n_e", ("training",), None
    )
    theta_tau_ms: Number = setting(
        "time constant of the threshold's decay while learning, ms", ("training",), 1e7, gt=0, le=1e15
    )
    weight_init: Number = setting(
        "scale of the random initial input weights; a rule with a target norm rescales them",
        ("training",),
        0.3,
        gt=0,
        le=1000,
    )


class PresentationSettings(Section):
    """How an image is shown."""

    stimulus_ms: Number = setting("the image is shown for this long, ms", RESULTS, 350.0, gt=0, le=100_000)
    rest_ms: Number = setting(
        "pause after every presentation, ms; at least 10 ms and all delays on the way",
        RESULTS,
        150.0,
        ge=0,
        le=100_000,
    )
    rest: Literal["simulated", "reset"] = setting(
        "simulated: every step of the pause; reset: as soon as no spike is under way, the neurons are set to rest, and "
        "thresholds and traces decay by what is left of the pause at once",
        ALL_BUT_SCORE,
        "simulated",
    )
    intensity: Number = setting("input rate of a pixel = value/8 * intensity Hz", RESULTS, 2.0, gt=0, le=1000)
    max_intensity: Number = setting(
        "highest intensity at which an image is shown again", RESULTS, 32.0, gt=0, le=10_000
    )
    min_spikes: Whole = setting(
        "with fewer excitatory spikes the image is shown again, brighter", RESULTS, 5, ge=0, le=1_000_000
    )


class Withheld(NamedTuple):
    """Which training images are for validation: how many, and whether they are the last ones or spread over the set."""

    num: int = 0
    spread: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of an experiment that withholds these images, by their dotted keys."""
        which = "spread" if self.spread else "last"
        return {"evaluation.validation_examples": self.num, "evaluation.validation_images": which}

    @property
    def options(self) -> str:
        """The options of a command that withholds these images."""
        usual = Withheld().settings
        return " ".join(f"--set {key}={value}" for key, value in self.settings.items() if value != usual[key])

    def __str__(self) -> str:
        """Return them as words."""
        which = f"{self.num:,} images spread over the training set" if self.spread else f"the last {self.num:,} images"
        return which if self.num else "none"

    def covers(self, other: Withheld) -> bool:
        """Tell whether these are, in the same data set, at least all of the other ones."""
        more_of_the_last = not (self.spread or other.spread) and self.num >= other.num
        return other.num == 0 or self == other or more_of_the_last


class EvaluationSettings(Section):
    """Which recorded responses assign labels and which are scored, and the learning curve."""

    assign_examples: Whole = setting(
        "training images whose responses label the neurons", ("score",), 10_000, ge=1, le=MAX_EXAMPLES
    )
    test_examples: Whole = setting("test images to record and score", ("score",), 10_000, ge=1, le=MAX_EXAMPLES)
    validation_examples: Whole = setting(
        "training images that are neither trained on nor used for labels: settings are chosen by the accuracy on them",
        ("training", "score"),
        0,
        ge=0,
        le=MAX_EXAMPLES,
    )
    validation_images: Literal["last", "spread"] = setting(
        "which ones these are: the last ones of the set, or as many spread evenly over it, where the order of a set "
        "means something",
        ("training", "score"),
        "last",
        since="0.2",
    )
    classifier: Classifier = setting(
        f"read-out that is told first; {'; '.join(f'{name}: {meaning}' for name, meaning in MEANINGS.items())}",
        ("score",),
        "average",
    )
    curve_every: Whole = setting(
        "training examples between two points of the learning curve; 0 turns it off",
        (),
        5_000,
        ge=0,
        le=MAX_EXAMPLES,
    )
    stage_examples: Whole = setting(
        "with order: by_class or by_data, images of each split that are shown after each stage, to tell what is known "
        "of all classes seen so far",
        ("score",),
        1_000,
        since="0.2",
        ge=1,
        le=MAX_EXAMPLES,
    )
    curve_examples: Whole = setting(
        "training images, at most a fifth of them, that are withheld from training and tell the learning curve",
        ("training",),
        400,
        ge=0,
        le=MAX_EXAMPLES,
    )

    @property
    def withheld(self) -> Withheld:
        """The training images that are for validation."""
        return Withheld(self.validation_examples, self.validation_images == "spread")
