"""The experiment: every setting with its default, range, meaning and what it affects.

An `Experiment` is complete: the parameters of its learning rule are in it, checked by the rule, and the threshold step
is resolved. It is made by `build_experiment` (from a file, flags, Python) or `recorded_experiment` (from what was
written down beside a result).
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from snstdp_cli.errors import ConfigError
from snstdp_cli.fields import MAX_EXAMPLES, Name, Number, Whole, check_name, plain_number, setting
from snstdp_cli.rules import RULES, Plasticity, Rule, RuleContext, build_plasticity, is_rule_file

#: Diehl & Cook's step of the adaptive threshold in mV, by number of excitatory neurons.
THETA_STEPS_MV = {100: 0.025, 400: 0.05, 1600: 0.15, 6400: 0.5}
_MAX_PATH = 1000


def usual_theta_step_mv(n_e: int) -> float:
    """Return Diehl & Cook's threshold step in mV for the nearest of their sizes (on a log scale)."""
    return THETA_STEPS_MV[min(THETA_STEPS_MV, key=lambda n: abs(n / n_e - n_e / n))]


def is_data_path(data: str) -> bool:
    """Tell whether a value of `data` is a path to own images and not the name of a data set."""
    return "/" in data or data.endswith(".npz")


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
_OptionalStep = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(plain_number)] | None

_OptionalSeed = Annotated[Whole, Field(ge=0, lt=2**31)] | None


class Section(BaseModel):
    """A frozen group of settings that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class RuleSettings(BaseModel):
    """The learning rule: its name and all its parameters, checked by the rule.

    A rule outside the package (in a file or a Python value) is at hand only if the user named it for this very run.
    Settings that were read from a record have its parameters as they were written down, and no rule.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    _rule: Rule | None = PrivateAttr(None)

    name: str = setting(
        "learning rule: smax, smin or triplet (see `snstdp rules`), or one in a file of yours: my_rules.py:MY_RULE "
        "(see docs/own-rule.md)",
        ("training",),
        "smin",
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The rule's parameters by name."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def is_own(self) -> bool:
        """Whether the rule is in a file of the user's."""
        return is_rule_file(self.name)

    @model_validator(mode="after")
    def _check_complete(self) -> RuleSettings:
        known = RULES.get(self.name)
        if known is not None and self.parameters.keys() != known.parameters.model_fields.keys():
            raise ValueError(f"expected all parameters of {self.name}; make experiments with build_experiment")
        return self

    @property
    def rule(self) -> Rule:
        """The rule itself.

        Raises
        ------
        ConfigError
            If these settings come from a record: a rule of the user's is a program, and runs only if it is named.
        """
        if self._rule is None and self.name in RULES:
            return RULES[self.name]
        if self._rule is None:
            raise ConfigError(
                f"rule.name: {self.name}: the settings come from a record, and a rule of your own is a program that "
                f"runs only if you name it: --rule {self.name}"
            )
        return self._rule

    def with_rule(self, rule: Rule) -> RuleSettings:
        """Return these settings with their rule at hand."""
        settings = self.model_copy()
        settings._rule = rule
        return settings


_PROGRAM_AND_RESULTS: tuple[Any, ...] = ("program", "training", "recording")


class NetworkSettings(Section):
    """Connections, delays, thresholds and the integrator (Diehl & Cook 2015)."""

    inhibition: Literal["pooled", "dense"] = setting(
        "lateral inhibition: one pool in O(n_e), or n_e*(n_e-1) synapses as the ancestor has it",
        _PROGRAM_AND_RESULTS,
        "pooled",
    )
    inhibition_delay_ms: Number = setting(
        "dense inhibition: delays uniform between 0 and this many ms", _PROGRAM_AND_RESULTS, 0.0, ge=0, le=50
    )
    input_delay_ms: Number = setting(
        "input synapses: delays uniform between 0 and this many ms", ("training", "recording"), 10.0, ge=0, le=50
    )
    integration: Literal["exponential_euler", "euler"] = setting(
        "integrator of the excitatory voltage; euler is unstable for strong inhibition",
        _PROGRAM_AND_RESULTS,
        "exponential_euler",
    )
    w_exc_inh: Number = setting(
        "weight from an excitatory neuron to its partner", _PROGRAM_AND_RESULTS, 10.4, ge=0, le=1000
    )
    w_inh_exc: Number = setting("weight of the lateral inhibition", _PROGRAM_AND_RESULTS, 17.0, ge=0, le=1000)
    theta_init_mv: Number = setting("initial adaptive threshold, mV", ("training",), 20.0, ge=0, le=1000)
    theta_step_mv: _OptionalStep = setting(
        "rise of the threshold at a spike, mV; by default Diehl's value for n_e", ("program", "training"), None
    )
    theta_tau_ms: Number = setting(
        "decay of the threshold while learning, ms", ("program", "training"), 1e7, gt=0, le=1e15
    )
    weight_init: Number = setting("scale of the random initial input weights", ("training",), 0.3, gt=0, le=1000)


class PresentationSettings(Section):
    """How an image is shown."""

    stimulus_ms: Number = setting("the image is shown for this long, ms", _PROGRAM_AND_RESULTS, 350.0, gt=0, le=100_000)
    rest_ms: Number = setting("pause after every presentation, ms", _PROGRAM_AND_RESULTS, 150.0, ge=0, le=100_000)
    intensity: Number = setting(
        "input rate of a pixel = value/8 * intensity Hz", _PROGRAM_AND_RESULTS, 2.0, gt=0, le=1000
    )
    max_intensity: Number = setting(
        "an image is not shown brighter than this", _PROGRAM_AND_RESULTS, 32.0, gt=0, le=10_000
    )
    min_spikes: Whole = setting(
        "with fewer excitatory spikes the image is shown again, brighter", _PROGRAM_AND_RESULTS, 5, ge=0, le=1_000_000
    )


class EvaluationSettings(Section):
    """Which recorded responses assign labels and which are scored, and the learning curve."""

    assign_examples: Whole = setting(
        "training images whose responses label the neurons", ("score",), 10_000, ge=1, le=MAX_EXAMPLES
    )
    test_examples: Whole = setting("test images to record and score", ("score",), 10_000, ge=1, le=MAX_EXAMPLES)
    classifier: Literal["average", "selective"] = setting(
        "read-out that is told first; average: Diehl & Cook's highest average response; selective: weighted by "
        "selectivity",
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
    curve_examples: Whole = setting(
        "training images, at most a fifth of them, that are withheld from training and tell the learning curve",
        ("training",),
        400,
        ge=0,
        le=MAX_EXAMPLES,
    )


class Experiment(Section):
    """One experiment, complete and validated."""

    n_e: Whole = setting(
        "number of excitatory neurons (as many inhibitory ones)", _PROGRAM_AND_RESULTS, 400, ge=1, le=100_000
    )
    rule: RuleSettings = setting("learning rule and its parameters", ("training",))
    dt: Number = setting(
        "time step, ms; at most the inhibitory refractory time", _PROGRAM_AND_RESULTS, 0.5, ge=0.001, le=2
    )
    num_examples: Whole = setting("training examples to show", ("training",), 60_000, ge=1, le=MAX_EXAMPLES)
    epochs: bool = setting(
        "num_examples beyond the training set's size starts it again from the front", (), True, strict=True
    )
    shuffle: bool = setting(
        "show the training set in a random order, drawn by the seed each epoch", ("training",), False, strict=True
    )
    seed: Whole = setting("seed of weights, delays, spikes and shuffling", ("training", "recording"), 0, ge=0, lt=2**31)
    noise_seed: _OptionalSeed = setting(
        "seed of the input noise; by default that of everything", ("training", "recording"), None
    )
    data: DataSource = setting(
        "data set: mnist, fashion-mnist or bundled, or your own: the path of an .npz file or of a folder with IDX "
        "files (see docs/own-data.md)",
        ("data",),
        "mnist",
    )
    load_name: Name | None = setting("weights to start from or to test", (), None)
    save_name: Name = setting("name of the weights and activity that are written", (), "default")
    engine: Literal["auto", "standalone", "runtime"] = setting(
        "standalone: C++ program; runtime: Cython or NumPy; auto: standalone if a compiler is found", (), "auto"
    )
    chunk: Whole = setting("examples between two checkpoints", ("program",), 500, ge=1, le=100_000)
    checkpoint_every: Whole = setting(
        "examples between two kept snapshots of weights and theta", (), 10_000, ge=1, le=MAX_EXAMPLES
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    presentation: PresentationSettings = Field(default_factory=PresentationSettings)
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)

    @model_validator(mode="after")
    def _resolve_threshold_step(self) -> Experiment:
        if self.network.theta_step_mv is None:
            step = usual_theta_step_mv(self.n_e)
            # The one assignment to a frozen value: it is not in anybody's hands yet.
            self.__dict__["network"] = self.network.model_copy(update={"theta_step_mv": step})
        return self

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
        path = self.network.input_delay_ms + self.network.inhibition_delay_ms
        if shown.rest_ms < path + 10:
            raise ValueError(
                f"presentation.rest_ms: found {shown.rest_ms:g}, expected at least {path + 10:g} (the delays from an "
                "input to inhibition, one after the other, and 10 ms), so that no spike is under way when the next "
                "example begins"
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
        """Rise of the threshold at a spike, mV."""
        assert self.network.theta_step_mv is not None
        return self.network.theta_step_mv

    def plasticity(self, n_input: int) -> Plasticity:
        """Build the learning rule for neurons with `n_input` synapses.

        Raises
        ------
        ConfigError
            If the rule is the user's own and was not named for this run, or what it says cannot be used.
        """
        return build_plasticity(self.rule.rule, self.rule.parameters, RuleContext(self.dt, n_input))

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
