"""The experiment: every setting with its default, range, meaning and what it affects.

An `Experiment` is complete: the parameters of its learning rule are in it, checked by the rule, and the threshold step
is resolved. It is made by `build_experiment` (from a file, flags, Python) or `recorded_experiment` (from what was
written down beside a result).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from snstdp_cli.config.limiting import build_limited, grid_for_answering, table_of_update
from snstdp_cli.config.precision import PrecisionSettings
from snstdp_cli.config.rule import RuleSettings
from snstdp_cli.config.sections import (
    ALL_BUT_SCORE,
    EvaluationSettings,
    InputSection,
    NetworkSettings,
    PresentationSettings,
    Section,
)
from snstdp_cli.fields import MAX_EXAMPLES, Name, Number, Whole, check_name, setting, shown, since_version, whole_number
from snstdp_cli.rules import Plasticity, Symptom, UpdateTable, WeightGrid

#: Diehl & Cook's step of the adaptive threshold in mV, by number of excitatory neurons.
THETA_STEPS_MV = {100: 0.025, 400: 0.05, 1600: 0.15, 6400: 0.5}
_MAX_PATH = 1000
#: How much longer the rest is than all delays on a path, one after the other.
_SPARE_REST_MS = 10


def usual_theta_step_mv(n_e: int) -> float:
    """Return Diehl & Cook's threshold step in mV for the nearest of their sizes (on a log scale)."""
    return THETA_STEPS_MV[min(THETA_STEPS_MV, key=lambda n: abs(n / n_e - n_e / n))]


def is_data_path(data: str) -> bool:
    """Tell whether a value of `data` is a path to own images and not the name of a data set.

    A path has a `/` or an ending, of whatever format: `.npz`, or the `-ubyte` of IDX files.
    """
    return "/" in data or PurePosixPath(data).suffix != "" or data.lower().endswith("-ubyte")


def _check_data(value: str) -> str:
    """Accept a name, or a path as a file system takes it."""
    if not is_data_path(value):
        try:
            return check_name(value)
        except ValueError as error:
            raise ValueError(f"{error}, or a path (with a / or an ending such as .npz)") from None
    if not value.isprintable() or len(value) > _MAX_PATH:
        raise ValueError(f"expected a path of at most {_MAX_PATH} printable characters")
    return value


DataSource = Annotated[
    str, AfterValidator(_check_data), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _MAX_PATH})
]
#: The orders that are no file.
ORDERS = ("as_is", "shuffled", "by_class", "by_data")
#: Those that show one class or data set after the other, so that it can be told what is left of the first ones.
STAGED_ORDERS = ("by_class", "by_data")


def is_order_file(order: str) -> bool:
    """Tell whether a value of `order` is the path of a file."""
    return "/" in order or order.endswith(".txt")


def _check_order(value: str) -> str:
    """Accept a known order, or a path as a file system takes it."""
    if value in ORDERS:
        return value
    if not is_order_file(value) or not value.isprintable() or len(value) > _MAX_PATH:
        raise ValueError(f"expected {', '.join(ORDERS)}, or the path of a text file (with a / or ending in .txt)")
    return value


Order = Annotated[
    str, AfterValidator(_check_order), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _MAX_PATH})
]
_OptionalSeed = Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(whole_number)] | None


class Experiment(Section):
    """One experiment, complete and validated."""

    n_e: Whole = setting("number of excitatory neurons (as many inhibitory ones)", ALL_BUT_SCORE, 400, ge=1, le=100_000)
    rule: RuleSettings = setting("learning rule and its parameters", ("training",))
    dt: Number = setting("time step, ms; at most the inhibitory refractory time", ALL_BUT_SCORE, 0.5, ge=0.001, le=2)
    arithmetic: Literal["double", "single"] = setting(
        "precision of the neurons' state and of the weights: double (64 bits) or single (32 bits), which takes less "
        "time; thresholds are double in both",
        ALL_BUT_SCORE,
        "double",
        since="0.2",
    )
    num_examples: Whole = setting("training examples to show", ("training",), 60_000, ge=1, le=MAX_EXAMPLES)
    epochs: bool = setting(
        "whether num_examples may exceed the training set, which then starts again from the front",
        (),
        True,
        strict=True,
    )
    order: Order = setting(
        "order of the training images: as_is; shuffled (drawn by the seed for each epoch); by_class (all of the lowest "
        "class, then of the next); by_data (all of the first of joined data sets, then of the next); or the path of a "
        "text file (with a / or ending in .txt) with the numbers of the images to show, from 0 on",
        ("training",),
        "as_is",
        since="0.2",
    )
    seed: Whole = setting(
        "seed of weights, delays, input noise and shuffling", ("training", "recording"), 0, ge=0, lt=2**31
    )
    noise_seed: _OptionalSeed = setting(
        "seed of the input noise; by default that of everything", ("training", "recording"), None
    )
    data: DataSource = setting(
        "data set: mnist, fashion-mnist or bundled; several, joined by +, such as mnist+fashion-mnist; or your own: "
        "the path of a file (such as .npz, .csv or IDX) or of a folder with IDX files or with a folder of pictures for "
        "each class (see docs/data.md)",
        ("data",),
        "mnist",
    )
    load_name: Name | None = setting("weights to start from or to test; their content counts, not this name", (), None)
    save_name: Name = setting("name of the weights and activity that are written", (), "default")
    engine: Literal["auto", "standalone", "runtime"] = setting(
        "standalone: C++ program; runtime: Cython or NumPy; auto: standalone if a compiler is found", (), "auto"
    )
    chunk: Whole = setting("examples between two checkpoints", ("program",), 500, ge=1, le=100_000)
    checkpoint_every: Whole = setting(
        "examples between two kept snapshots of weights and theta", (), 10_000, ge=1, le=MAX_EXAMPLES
    )
    input: InputSection = Field(
        default_factory=InputSection,
        description="what is done to the images before they are shown (see docs/data.md)",
        json_schema_extra=since_version("0.2"),
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    presentation: PresentationSettings = Field(default_factory=PresentationSettings)
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)
    precision: PrecisionSettings = Field(default_factory=PrecisionSettings, json_schema_extra=since_version("0.2"))

    @model_validator(mode="before")
    @classmethod
    def _read_shuffle(cls, content: Any) -> Any:
        """Read `shuffle`, as `order` was called up to version 0.2."""
        if not isinstance(content, Mapping) or "shuffle" not in content:
            return content
        given = dict(content)
        shuffle, order = given.pop("shuffle"), given.get("order", "as_is")
        if not isinstance(shuffle, bool):
            raise ValueError(f"shuffle: found {shown(shuffle)}, expected true or false; it is called `order` now")
        if shuffle and order not in ("as_is", "shuffled"):
            raise ValueError(f"shuffle: found true beside order: {shown(order)}; expected one of both: order: shuffled")
        return {**given, "order": "shuffled"} if shuffle else given

    @model_validator(mode="after")
    def _resolve_threshold_step(self) -> Experiment:
        if self.network.theta_step_mv is None:
            step = usual_theta_step_mv(self.n_e)
            # The one assignment to a frozen value: it is not in anybody's hands yet.
            self.__dict__["network"] = self.network.model_copy(update={"theta_step_mv": step})
        return self

    @model_validator(mode="after")
    def _check_intensity(self) -> Experiment:
        shown = self.presentation
        if shown.max_intensity < shown.intensity:
            raise ValueError(
                f"presentation.max_intensity: found {shown.max_intensity:g}, "
                f"expected at least presentation.intensity ({shown.intensity:g})"
            )
        brightest = 1 / (255 * self.chance_per_grey)
        if shown.max_intensity > brightest:
            raise ValueError(
                f"presentation.max_intensity: found {shown.max_intensity:g}, with which a white pixel would fire "
                f"{shown.max_intensity / brightest:.3g} times a step (rate*dt > 1); expected at most "
                f"{math.floor(brightest * 10) / 10:g} with dt {self.dt:g} ms"
            )
        return self

    @model_validator(mode="after")
    def _check_durations(self) -> Experiment:
        shown, network = self.presentation, self.network
        if shown.stimulus_ms < self.dt:
            raise ValueError(
                f"presentation.stimulus_ms: found {shown.stimulus_ms:g}, expected at least dt ({self.dt:g} ms)"
            )
        if network.inhibition == "pooled" and network.inhibition_delay_ms > 0:
            raise ValueError(
                f"network.inhibition_delay_ms: found {network.inhibition_delay_ms:g}, expected 0 (pooled "
                "inhibition has no delays) or network.inhibition: dense"
            )
        if shown.rest_ms < self.least_rest_ms:
            raise ValueError(
                f"presentation.rest_ms: found {shown.rest_ms:g}, expected at least {self.least_rest_ms:g} (the delays "
                f"from an input to inhibition, one after the other, and {_SPARE_REST_MS} ms), so that no spike is "
                "under way when the next example begins"
            )
        return self

    @model_validator(mode="after")
    def _check_arithmetic(self) -> Experiment:
        if self.arithmetic == "single" and (limited := self.precision.limited):
            raise ValueError(
                f"arithmetic: found single beside {limited[0]}; expected arithmetic: double, in which the numbers of a "
                "chip are exact"
            )
        return self

    @model_validator(mode="after")
    def _check_chunk(self) -> Experiment:
        steps = self.chunk * self.max_attempts * self.presentation_steps
        if steps >= 2**31:
            raise ValueError(
                f"chunk: a chunk may last {steps:,} steps (examples * presentations * steps), expected fewer than "
                f"2**31: at most {2**31 // (steps // self.chunk):,} examples, found {self.chunk:,}"
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
        return build_limited(self.rule, self.precision, self.dt, n_input)

    def advice(self) -> dict[Symptom, str]:
        """Return what to change by symptom, as the rule says it; a coarse table of L_tar / L_0 comes before the rate.

        Raises
        ------
        ConfigError
            If the rule is the user's own and was not named for this run.
        """
        advice = dict(self.rule.rule.advice)
        if self.precision.scaling.divide == "table" and "norm too high" in advice:
            advice["norm too high"] = f"more precision.scaling.table_bits, or {advice['norm too high']}"
        return advice

    def weight_grid(self, n_input: int) -> WeightGrid | None:
        """Return the input weights that can be stored, or None for full precision.

        Raises
        ------
        ConfigError
            If the rule must tell the range and is not at hand.
        """
        return grid_for_answering(self.rule, self.precision, self.dt, n_input)

    def update_table(self, n_input: int) -> UpdateTable | None:
        """Return what an implementation of the rule's update can look up, or None if it is no rule of that kind."""
        return table_of_update(self.rule, self.precision, self.dt, n_input)

    @property
    def chance_per_grey(self) -> float:
        """Chance of an input spike in a step, by grey value and intensity: their product / 8 Hz (Diehl & Cook 2015)."""
        return self.dt / 1000 / 8

    @property
    def stimulus_steps(self) -> int:
        """Time steps for which an image is shown."""
        return max(1, round(self.presentation.stimulus_ms / self.dt))

    @property
    def presentation_steps(self) -> int:
        """Time steps of a presentation: the image and the rest."""
        return self.stimulus_steps + round(self.presentation.rest_ms / self.dt)

    @property
    def least_rest_ms(self) -> float:
        """The shortest rest after which no spike is under way, ms."""
        return self.network.input_delay_ms + self.network.inhibition_delay_ms + _SPARE_REST_MS

    @property
    def skipped_steps(self) -> int:
        """Time steps at the end of the rest that are not simulated (`presentation.rest: reset`).

        What is simulated is the last step of the stimulus and the longest input delay after it. Delayed inhibition
        takes part in the rest as in the check of `rest_ms`: `least_rest_ms`.
        """
        if self.presentation.rest == "simulated":
            return 0
        network = self.network
        path_ms = self.least_rest_ms if network.inhibition_delay_ms else network.input_delay_ms
        under_way = math.ceil(path_ms / self.dt) + 1
        return max(0, self.presentation_steps - self.stimulus_steps - under_way)

    @property
    def max_attempts(self) -> int:
        """How often an example is shown at most: once, then with intensity + 1, + 2 ... up to the cap."""
        return int(self.presentation.max_intensity - self.presentation.intensity + 1e-9) + 1
