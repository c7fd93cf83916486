"""The experiment: every setting with its default, range and meaning.

The parameters of the learning rule are open here (`RuleSettings` accepts any key) and closed by
`snstdp_cli.rules.complete`, which knows the rules.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from snstdp_cli.config.values import MAX_EXAMPLES, Name, Number, Whole, check_name, plain_number

#: Diehl & Cook's step of the adaptive threshold in mV, by number of excitatory neurons.
THETA_STEPS_MV = {100: 0.025, 400: 0.05, 1600: 0.15, 6400: 0.5}
#: The key, beside the parameters of a rule in a file, of the file's SHA-256.
FILE_DIGEST = "file_sha256"
_MAX_PATH = 1000


def is_data_path(data: str) -> bool:
    """Tell whether a value of `data` is a path to own images and not the name of a data set."""
    return "/" in data or data.endswith(".npz")


def is_rule_file(name: str) -> bool:
    """Tell whether a rule's name leads to a file: `my_rules.py:MY_RULE`, or the file alone, which is refused later."""
    return ".py:" in name or name.endswith(".py")


def _check_data(value: str) -> str:
    """Accept a name, or a path as a file system takes it."""
    if not is_data_path(value):
        try:
            return check_name(value)
        except ValueError as error:
            raise ValueError(f"{error}, or a path (with a / or ending in .npz)") from None
    if not value.isprintable() or len(value) > _MAX_PATH:
        raise ValueError(f"expected a path of at most {_MAX_PATH} printable characters")
    return value


DataSource = Annotated[
    str, AfterValidator(_check_data), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _MAX_PATH})
]


class Section(BaseModel):
    """A frozen group of settings that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class RuleSettings(BaseModel):
    """The learning rule: its name and, validated by the rule itself, its parameters.

    A rule in a file (`my_rules.py:MY_RULE`) has the file's SHA-256 beside its parameters, once it was loaded.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(
        "smin",
        description="learning rule: smax, smin or triplet (see `snstdp rules`), or one in a file of yours: "
        "my_rules.py:MY_RULE (see docs/own-rule.md)",
    )

    @property
    def parameters(self) -> dict[str, Any]:
        known = dict(self.__pydantic_extra__ or {})
        if self.is_own:
            known.pop(FILE_DIGEST, None)
        return known

    @property
    def is_own(self) -> bool:
        """Whether the rule is in a file of the user's."""
        return is_rule_file(self.name)

    @property
    def recorded_digest(self) -> Any:
        """SHA-256 of the file that the rule was loaded from, or None."""
        return (self.__pydantic_extra__ or {}).get(FILE_DIGEST) if self.is_own else None


class NetworkSettings(Section):
    """Connections, delays, thresholds and the integrator (Diehl & Cook 2015)."""

    inhibition: Literal["pooled", "dense"] = Field(
        "pooled", description="lateral inhibition: one pool in O(n_e), or n_e*(n_e-1) synapses as the ancestor has it"
    )
    inhibition_delay_ms: Number = Field(
        0.0, ge=0, le=50, description="dense inhibition: delays uniform between 0 and this many ms"
    )
    input_delay_ms: Number = Field(
        10.0, ge=0, le=50, description="input synapses: delays uniform between 0 and this many ms"
    )
    integration: Literal["exponential_euler", "euler"] = Field(
        "exponential_euler", description="integrator of the excitatory voltage; euler is unstable for strong inhibition"
    )
    w_exc_inh: Number = Field(10.4, ge=0, le=1000, description="weight from an excitatory neuron to its partner")
    w_inh_exc: Number = Field(17.0, ge=0, le=1000, description="weight of the lateral inhibition")
    theta_init_mv: Number = Field(20.0, ge=0, le=1000, description="initial adaptive threshold, mV")
    theta_step_mv: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(plain_number)] | None = (
        Field(None, description="rise of the threshold at a spike, mV; by default Diehl's value for n_e")
    )
    theta_tau_ms: Number = Field(1e7, gt=0, le=1e15, description="decay of the threshold while learning, ms")
    weight_init: Number = Field(0.3, gt=0, le=1000, description="scale of the random initial input weights")


class PresentationSettings(Section):
    """How an image is shown."""

    stimulus_ms: Number = Field(350.0, gt=0, le=100_000, description="the image is shown for this long, ms")
    rest_ms: Number = Field(150.0, ge=0, le=100_000, description="pause after every presentation, ms")
    intensity: Number = Field(2.0, gt=0, le=1000, description="input rate of a pixel = value/8 * intensity Hz")
    max_intensity: Number = Field(32.0, gt=0, le=10_000, description="an image is not shown brighter than this")
    min_spikes: Whole = Field(
        5, ge=0, le=1_000_000, description="with fewer excitatory spikes the image is shown again, brighter"
    )


class EvaluationSettings(Section):
    """Which recorded responses assign labels and which are scored."""

    assign_examples: Whole = Field(
        10_000, ge=1, le=MAX_EXAMPLES, description="training images whose responses label the neurons"
    )
    test_examples: Whole = Field(10_000, ge=1, le=MAX_EXAMPLES, description="test images to record and score")
    classifier: Literal["average", "selective"] = Field(
        "average", description="average: Diehl & Cook's highest average response; selective: weighted by selectivity"
    )
    curve_every: Whole = Field(
        5_000,
        ge=0,
        le=MAX_EXAMPLES,
        description="training examples between two points of the learning curve; 0 turns it off",
    )
    curve_examples: Whole = Field(
        400, ge=1, le=MAX_EXAMPLES, description="held-out training images for a point of the curve"
    )


class Experiment(Section):
    """One experiment, complete and validated."""

    n_e: Whole = Field(400, ge=1, le=100_000, description="number of excitatory neurons (as many inhibitory ones)")
    rule: RuleSettings = Field(default_factory=RuleSettings, description="learning rule and its parameters")  # type: ignore[arg-type]
    dt: Number = Field(0.5, ge=0.001, le=2, description="time step, ms; at most the inhibitory refractory time")
    num_examples: Whole = Field(60_000, ge=1, le=MAX_EXAMPLES, description="training examples to show")
    epochs: bool = Field(
        True, strict=True, description="num_examples beyond the training set's size starts it again from the front"
    )
    shuffle: bool = Field(
        False, strict=True, description="show the training set in a random order, drawn by the seed each epoch"
    )
    seed: Whole = Field(0, ge=0, lt=2**31, description="seed of weights, delays, spikes and shuffling")
    noise_seed: Annotated[Whole, Field(ge=0, lt=2**31)] | None = Field(
        None, description="seed of the input noise; by default the seed"
    )
    data: DataSource = Field(
        "mnist",
        description="data set: mnist, fashion-mnist or bundled, or your own: the path of an .npz file or of a folder "
        "with IDX files (see docs/own-data.md)",
    )
    load_name: Name | None = Field(None, description="weights to start from or to test")
    save_name: Name = Field("default", description="name of the weights and activity that are written")
    engine: Literal["auto", "standalone", "runtime"] = Field(
        "auto", description="standalone: C++ program; runtime: Cython or NumPy; auto: standalone if a compiler is found"
    )
    chunk: Whole = Field(500, ge=1, le=100_000, description="examples between two checkpoints")
    checkpoint_every: Whole = Field(
        10_000, ge=1, le=MAX_EXAMPLES, description="examples between two kept snapshots of weights and theta"
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings)  # type: ignore[arg-type]
    presentation: PresentationSettings = Field(default_factory=PresentationSettings)  # type: ignore[arg-type]
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _check_together(self) -> Experiment:
        shown = self.presentation
        if shown.max_intensity < shown.intensity:
            raise ValueError(
                f"presentation.max_intensity: found {shown.max_intensity:g}, "
                f"expected at least presentation.intensity ({shown.intensity:g})"
            )
        brightest = 8000 / 255 / self.dt
        if shown.max_intensity > brightest:
            raise ValueError(
                f"presentation.max_intensity: found {shown.max_intensity:g}, with which a white pixel would fire "
                f"{shown.max_intensity / brightest:.3g} times a step (rate*dt > 1); expected at most "
                f"{math.floor(brightest * 10) / 10:g} with dt {self.dt:g} ms"
            )
        if shown.stimulus_ms < self.dt:
            raise ValueError(
                f"presentation.stimulus_ms: found {shown.stimulus_ms:g}, expected at least dt ({self.dt:g} ms)"
            )
        longest = max(self.network.input_delay_ms, self.network.inhibition_delay_ms)
        if shown.rest_ms < longest + 10:
            raise ValueError(
                f"presentation.rest_ms: found {shown.rest_ms:g}, expected at least {longest + 10:g} (the longest delay "
                "and 10 ms), so that no spike is under way when the next example begins"
            )
        steps = self.chunk * self.max_attempts * self.presentation_steps
        if steps >= 2**31:
            raise ValueError(
                f"chunk: a chunk may last {steps:,} steps (examples * presentations * steps), expected fewer than "
                f"2**31: at most {2**31 // (steps // self.chunk):,} examples, found {self.chunk:,}"
            )
        if self.network.inhibition == "pooled" and self.network.inhibition_delay_ms > 0:
            raise ValueError(
                f"network.inhibition_delay_ms: found {self.network.inhibition_delay_ms:g}, expected 0 (pooled "
                "inhibition has no delays) or network.inhibition: dense"
            )
        return self

    @property
    def theta_step_mv(self) -> float:
        """Threshold step in mV: the configured one, or Diehl's for the nearest size (on a log scale)."""
        if self.network.theta_step_mv is not None:
            return self.network.theta_step_mv
        return THETA_STEPS_MV[min(THETA_STEPS_MV, key=lambda n: abs(n / self.n_e - self.n_e / n))]

    @property
    def stimulus_steps(self) -> int:
        return max(1, round(self.presentation.stimulus_ms / self.dt))

    @property
    def presentation_steps(self) -> int:
        return self.stimulus_steps + round(self.presentation.rest_ms / self.dt)

    @property
    def max_attempts(self) -> int:
        """How often an example is shown at most: once, then with intensity + 1, + 2 ... up to the cap."""
        return int(self.presentation.max_intensity - self.presentation.intensity + 1e-9) + 1
