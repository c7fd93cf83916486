"""Experiments: YAML files and overrides become one frozen, validated `Experiment`.

Only this module reads configuration files. The parameters of the learning rule are open here (`RuleSettings` accepts
any key) and closed by `snstdp_cli.rules.complete`, which knows the rules.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from snstdp_cli.errors import ConfigError

MAX_CONFIG_BYTES = 1_000_000
#: Diehl & Cook's step of the adaptive threshold in mV, by number of excitatory neurons.
THETA_STEPS_MV = {100: 0.025, 400: 0.05, 1600: 0.15, 6400: 0.5}
_RESERVED_NAMES = {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))}


def _plain_number(value: Any) -> Any:
    """Turn YAML's strings like `1e-3` into numbers and refuse booleans in place of numbers."""
    if isinstance(value, bool):
        raise ValueError("expected a number, found true or false")
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ValueError("expected a number") from None
    return value


def _whole_number(value: Any) -> Any:
    value = _plain_number(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def check_name(value: str) -> str:
    """Accept a plain file-name stem; refuse what could leave the folder or upset a file system."""
    if not value or len(value) > 100:
        raise ValueError("expected a name of 1 to 100 characters")
    if not all(c.isascii() and (c.isalnum() or c in "_-.+=") for c in value):
        raise ValueError("expected letters, digits and . _ - + = only (a name, not a path)")
    if value.startswith(".") or value.endswith(".") or ".." in value:
        raise ValueError("a name cannot begin or end with a dot, nor contain '..'")
    if value.split(".")[0].lower() in _RESERVED_NAMES:
        raise ValueError("this name is reserved on some systems")
    return value


def _text_name(value: Any) -> Any:
    """Names may look like numbers in YAML (`save_name: 400`)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[float, BeforeValidator(_plain_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_whole_number)]
Name = Annotated[str, BeforeValidator(_text_name)]


class Section(BaseModel):
    """A frozen group of settings that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class RuleSettings(BaseModel):
    """The learning rule: its name and, validated by the rule itself, its parameters."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field("smin", description="learning rule: smax, smin or triplet (see `snstdp rules`)")

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


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
    theta_step_mv: Number | None = Field(
        None, ge=0, le=100, description="rise of the threshold at a spike, mV; by default Diehl's value for n_e"
    )
    theta_tau_ms: Number = Field(1e7, gt=0, description="decay of the threshold while learning, ms")
    weight_init: Number = Field(0.3, gt=0, le=1000, description="scale of the random initial input weights")


class PresentationSettings(Section):
    """How an image is shown."""

    stimulus_ms: Number = Field(350.0, gt=0, le=100_000, description="the image is shown for this long, ms")
    rest_ms: Number = Field(150.0, ge=0, le=100_000, description="pause after every presentation, ms")
    intensity: Number = Field(2.0, gt=0, le=1000, description="input rate of a pixel = value/8 * intensity Hz")
    max_intensity: Number = Field(32.0, gt=0, le=10_000, description="an image is not shown brighter than this")
    min_spikes: Whole = Field(5, ge=0, description="with fewer excitatory spikes the image is shown again, brighter")


class EvaluationSettings(Section):
    """Which recorded responses assign labels and which are scored."""

    assign_examples: Whole = Field(10_000, ge=1, description="training images whose responses label the neurons")
    test_examples: Whole = Field(10_000, ge=1, description="test images to record and score")
    classifier: Literal["average", "selective"] = Field(
        "average", description="average: Diehl & Cook's highest average response; selective: weighted by selectivity"
    )
    curve_every: Whole = Field(
        5_000, ge=0, description="training examples between two points of the learning curve; 0 turns it off"
    )
    curve_examples: Whole = Field(400, ge=1, description="held-out training images for a point of the curve")


class Experiment(Section):
    """One experiment, complete and validated."""

    n_e: Whole = Field(400, ge=1, le=100_000, description="number of excitatory neurons (as many inhibitory ones)")
    rule: RuleSettings = Field(default_factory=RuleSettings, description="learning rule and its parameters")  # type: ignore[arg-type]
    dt: Number = Field(0.5, gt=0, le=2, description="time step, ms")
    num_examples: Whole = Field(60_000, ge=1, description="training examples to show")
    epochs: bool = Field(True, description="num_examples beyond the training set's size starts it again from the front")
    shuffle: bool = Field(False, description="show the training set in a random order, drawn by the seed each epoch")
    seed: Whole = Field(0, ge=0, lt=2**31, description="seed of weights, delays, spikes and shuffling")
    data: Name = Field("mnist", description="data set: mnist, fashion-mnist or bundled")
    load_name: Name | None = Field(None, description="weights to start from or to test")
    save_name: Name = Field("default", description="name of the weights and activity that are written")
    engine: Literal["auto", "standalone", "runtime"] = Field(
        "auto", description="standalone: C++ program; runtime: Cython or NumPy; auto: standalone if a compiler is found"
    )
    chunk: Whole = Field(500, ge=1, le=100_000, description="examples between two checkpoints")
    checkpoint_every: Whole = Field(
        10_000, ge=1, description="examples between two kept snapshots of weights and theta"
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings)  # type: ignore[arg-type]
    presentation: PresentationSettings = Field(default_factory=PresentationSettings)  # type: ignore[arg-type]
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _check_together(self) -> Experiment:
        for field in ("load_name", "save_name", "data"):
            value = getattr(self, field)
            if value is not None:
                try:
                    check_name(value)
                except ValueError as error:
                    raise ValueError(f"{field}: {error}; found {value!r}") from None
        shown = self.presentation
        if shown.max_intensity < shown.intensity:
            raise ValueError(
                f"presentation.max_intensity: expected at least presentation.intensity ({shown.intensity:g}), "
                f"found {shown.max_intensity:g}"
            )
        chance = 255 / 8 * shown.max_intensity * self.dt / 1000
        if chance > 1:
            raise ValueError(
                f"presentation.max_intensity: a white pixel would fire {chance:.2f} times a step (rate*dt > 1); "
                f"expected at most {8000 / 255 / self.dt:.1f} with dt {self.dt:g} ms, found {shown.max_intensity:g}"
            )
        if shown.stimulus_ms < self.dt:
            raise ValueError(f"presentation.stimulus_ms: expected at least dt ({self.dt:g} ms)")
        longest = max(self.network.input_delay_ms, self.network.inhibition_delay_ms)
        if shown.rest_ms < longest + 10:
            raise ValueError(
                f"presentation.rest_ms: expected at least {longest + 10:g} ms (the longest delay and 10 ms), so that "
                f"no spike is under way when the next example begins; found {shown.rest_ms:g}"
            )
        if self.network.inhibition == "pooled" and self.network.inhibition_delay_ms > 0:
            raise ValueError(
                "network.inhibition_delay_ms: pooled inhibition has no delays; expected 0 or network.inhibition: dense"
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
        return int(self.presentation.max_intensity - self.presentation.intensity) + 1


def read_file(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        If the file is missing, too large, not YAML or not a mapping.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes; expected a short YAML configuration")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a UTF-8 text file"
        raise ConfigError(f"{path}: cannot read the configuration: {reason}") from None
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ConfigError(f"{path}: YAML aliases (*name) are not accepted; write the values out")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        detail = " ".join(str(error).split()) or "nested too deeply"
        raise ConfigError(f"{path}: not valid YAML: {detail}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values such as 'n_e: 400', found {type(content).__name__}")
    return content


def parse_override(text: str) -> tuple[str, Any]:
    """Split `rule.eta=0.02` into the dotted key and its YAML value."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise ConfigError(f"--set {text}: expected KEY=VALUE, such as rule.eta=0.02")
    try:
        return key.strip(), yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"--set {text}: the value is not YAML: {' '.join(str(error).split())}") from None


def merge(content: Mapping[str, Any], overrides: Mapping[str, Any], where: str = "overrides") -> dict[str, Any]:
    """Return `content` with dotted keys of `overrides` set; neither argument is changed."""
    merged = {k: dict(v) if isinstance(v, dict) else v for k, v in content.items()}
    if isinstance(merged.get("rule"), str):
        merged["rule"] = {"name": merged["rule"]}
    for key, value in overrides.items():
        section, dot, field = key.partition(".")
        if not dot and section == "rule" and isinstance(value, str):
            section, field = "rule", "name"
        elif not dot:
            merged[section] = value
            continue
        inner = merged.setdefault(section, {})
        if inner is None:
            inner = merged[section] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: {key}: '{section}' has no keys of its own")
        inner[field] = value
    return merged


def validate(content: Mapping[str, Any], where: str) -> Experiment:
    """Build the experiment.

    Raises
    ------
    ConfigError
        Naming `where` (a file or the flags), each key, what was found and what is allowed.
    """
    try:
        return Experiment.model_validate(merge(content, {}, where))
    except ValidationError as error:
        raise ConfigError(describe(error, where, Experiment)) from None


def describe(error: ValidationError, where: str, model: type[BaseModel], prefix: str = "") -> str:
    """Put pydantic's findings into sentences, one a line."""
    lines = []
    for item in error.errors():
        key = prefix + ".".join(str(part) for part in item["loc"])
        found = repr(item.get("input"))
        found = found if len(found) <= 60 else found[:57] + "..."
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown key '{key}'{_did_you_mean(item['loc'], model)}")
        elif not item["loc"]:
            lines.append(f"{where}: {message}")
        else:
            lines.append(f"{where}: {key}: {message[:1].lower()}{message[1:]}; found {found}")
    return "\n".join(lines)


def _did_you_mean(location: tuple[Any, ...], model: type[BaseModel]) -> str:
    for part in location[:-1]:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        model = annotation
    close = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(model.model_fields)}"
