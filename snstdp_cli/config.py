"""Experiments: YAML files and overrides become one frozen, validated `Experiment`.

Only this module reads configuration files. The parameters of the learning rule are open here (`RuleSettings` accepts
any key) and closed by `snstdp_cli.rules.complete`, which knows the rules.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from snstdp_cli.errors import ConfigError

MAX_CONFIG_BYTES = 100_000
_MAX_DEPTH = 20
_MAX_FINDINGS = 10
_NOT_A_NUMBER = "not a number"
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "object": "keys and values",
    "array": "a list",
    "null": "null",
    "['string', 'integer']": "a name of letters, digits and . _ - + =",
}
_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
MAX_EXAMPLES = 1_000_000_000
#: Diehl & Cook's step of the adaptive threshold in mV, by number of excitatory neurons.
THETA_STEPS_MV = {100: 0.025, 400: 0.05, 1600: 0.15, 6400: 0.5}
_RESERVED_NAMES = {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))}


# A leading zero would be octal in YAML 1.1 and decimal in YAML 1.2; `float` would also read other scripts' digits.
_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9_]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def _plain_number(value: Any) -> Any:
    """Turn strings like `1e-3`, as which YAML reads it, into numbers; refuse booleans in place of numbers."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_NOT_A_NUMBER)
    return value


def _whole_number(value: Any) -> Any:
    value = _plain_number(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def check_name(value: str) -> str:
    """Accept a plain file-name stem; refuse what could leave the folder or upset a file system."""
    if not value or len(value) > 100:
        raise ValueError("expected a name of 1 to 100 characters")
    if not all(c.isascii() and (c.isalnum() or c in "_-.+=") for c in value):
        raise ValueError("expected letters, digits and . _ - + = only (a name, not a path)")
    if value.startswith(".") or value.endswith(".") or ".." in value:
        raise ValueError("expected a name that does not begin or end with a dot nor contain '..'")
    if value.split(".")[0].lower() in _RESERVED_NAMES:
        raise ValueError("expected a name that Windows does not reserve")
    return value


def _text_name(value: Any) -> Any:
    """Names may look like numbers in YAML (`save_name: 400`)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[float, BeforeValidator(_plain_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_whole_number)]
Name = Annotated[
    str,
    BeforeValidator(_text_name),
    AfterValidator(check_name),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": 100, "pattern": r"^[A-Za-z0-9_.+=-]+$"}),
]


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
    theta_step_mv: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(_plain_number)] | None = (
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
    data: Name = Field("mnist", description="data set: mnist, fashion-mnist or bundled")
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
        return int(self.presentation.max_intensity - self.presentation.intensity) + 1


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without tags, aliases, repeated keys, deep nesting, octals, clock times and dates."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            problem = "aliases (*name) and tags (!name) are not accepted; write the values out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {_shown(key.value)} is there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in pairs if tag.rpartition(":")[2] not in ("int", "timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]*)\Z"), list("-0123456789"))


def _parse_yaml(text: str, where: str) -> Any:
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        detail = place + ", ".join(filter(None, (error.context, error.problem)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        detail = str(error)
    raise ConfigError(f"{where}: not valid YAML: {_printable(' '.join(detail.split()), 200)}")


def read_file(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        If the file is missing, too large, not YAML or not a mapping.
    """
    where = _printable(str(path), 4096)
    try:
        # A device or a pipe has no size: read no more than is accepted.
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
        text = raw[:MAX_CONFIG_BYTES].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: expected UTF-8 text, found another byte at position {error.start}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{where}: cannot read the configuration: {reason}") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{where}: larger than {MAX_CONFIG_BYTES:,} bytes; expected a short YAML configuration")
    content = _parse_yaml(text, where)
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f"{where}: expected keys and values such as 'n_e: 400', found {_shown(content)}")
    return content or {}


def parse_override(text: str) -> tuple[str, Any]:
    """Split `rule.eta=0.02` into the dotted key and its YAML value."""
    key, sign, value = text.partition("=")
    where = f"--set {_printable(text)}"
    if not sign or not all(part.strip() for part in key.split(".")):
        raise ConfigError(f"{where}: expected KEY=VALUE, such as rule.eta=0.02")
    return key.strip(), _parse_yaml(value, where)


def merge(content: Mapping[str, Any], overrides: Mapping[str, Any], where: str = "overrides") -> dict[str, Any]:
    """Return `content` with dotted keys of `overrides` set; neither argument is changed.

    Sections without keys (`network:` and nothing below it) become empty, and `rule: smax` the rule's name.

    Raises
    ------
    ConfigError
        If an argument is not a mapping, a key not a string, or a dotted key is below what is not a section.
    """
    for argument in (content, overrides):
        if not isinstance(argument, Mapping):
            raise ConfigError(f"{where}: found {_shown(argument)}, expected keys and values")
        if odd := [key for key in argument if not isinstance(key, str)]:
            raise ConfigError(f"{where}: unknown key {_shown(odd[0])}; known: {', '.join(Experiment.model_fields)}")
    merged = {key: _section(key, value) for key, value in content.items()}
    for key, value in overrides.items():
        section, dot, field = key.partition(".")
        if section == "rule" and isinstance(value, str) and not dot:
            field = "name"
        elif not dot:
            merged[key] = _section(key, value)
            continue
        inner = merged.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: {_printable(key)}: '{_printable(section)}' has no keys of its own")
        inner[field] = value
    return merged


def _section(key: str, value: Any) -> Any:
    """Return a section's settings in their full form, in a new dictionary; any other value as it is."""
    if key == "rule" and isinstance(value, str):
        return {"name": value}
    if value is None and key in ("rule", "network", "presentation", "evaluation"):
        return {}
    return dict(value) if isinstance(value, Mapping) else value


def validate(content: Mapping[str, Any], where: str) -> Experiment:
    """Build the experiment.

    Raises
    ------
    ConfigError
        Naming `where` (a file or the flags), each key, what was found and what is allowed.
    """
    merged = merge(content, {}, where)
    try:
        return Experiment.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(describe(error, where, Experiment)) from None


def describe(error: ValidationError, where: str, model: type[BaseModel], prefix: str = "") -> str:
    """Put pydantic's findings into sentences, one a line: where, key, what was found, what is allowed."""
    schema = model.model_json_schema()
    findings = error.errors(include_url=False)
    lines = [f"{where}: {_finding(item, schema, prefix)}" for item in findings[:_MAX_FINDINGS]]
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"{where}: and {len(findings) - _MAX_FINDINGS:,} findings more")
    return "\n".join(lines)


def _finding(item: Mapping[str, Any], schema: dict[str, Any], prefix: str) -> str:
    location, found = item["loc"], _shown(item.get("input"))
    key = _printable(prefix + ".".join(str(part) for part in location))
    message = item["msg"].removeprefix("Value error, ")
    if not location:
        return f"{prefix.rstrip('.')}: {message}" if prefix else message
    if item["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_did_you_mean(location, schema, prefix)}"
    if item["type"] == "invalid_key":
        return f"{key}: found the key {found}, expected a word"
    expected = allowed(_schema_of(location, schema))
    if expected and (item["type"] != "value_error" or message == _NOT_A_NUMBER):
        return f"{key}: found {found}, expected {expected}"
    return f"{key}: found {found}; {message[:1].lower()}{message[1:]}"


def allowed(schema: Mapping[str, Any]) -> str:
    """Say in words which values the JSON schema of one key admits ('' if it does not tell)."""
    if "anyOf" in schema:
        return " or ".join(filter(None, (allowed(choice) for choice in schema["anyOf"])))
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " or ".join(filter(None, (", ".join(map(str, choices[:-1])), str(choices[-1]))))
    kind = _KINDS.get(str(schema.get("type", "")), "")
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']:,.12g} to {schema['maximum']:,.12g}"
    limits = [f"{word} {schema[bound]:,.12g}" for bound, word in _BOUNDS.items() if bound in schema]
    return f"{kind} {' and '.join(limits)}".strip()


def _schema_of(location: tuple[Any, ...], schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.get("$defs", {})
    for part in location:
        schema = schema.get("properties", {}).get(part, {})
        reference = schema.get("$ref") or schema.get("allOf", [{}])[0].get("$ref", "")
        schema = definitions.get(reference.rpartition("/")[2], schema)
    return schema


def _did_you_mean(location: tuple[Any, ...], schema: dict[str, Any], prefix: str) -> str:
    section, name = prefix + "".join(f"{part}." for part in location[:-1]), str(location[-1])[:100]
    known = list(_schema_of(location[:-1], schema).get("properties", {}))
    if close := difflib.get_close_matches(name, known, n=1):
        return f"; did you mean '{section}{close[0]}'?"
    for elsewhere in schema.get("properties", {}):
        if name in _schema_of((elsewhere,), schema).get("properties", {}):
            return f"; did you mean '{elsewhere}.{name}'?"
    return f"; known: {', '.join(known)}"


def _printable(text: str, most: int = 60) -> str:
    """Escape what a terminal would not show as it is, and cut long text."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= most else text[: most - 3] + "..."


def _shown(value: Any) -> str:
    """Return a value as a user would write it in YAML."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    try:
        return _printable(repr(value))
    except ValueError:  # Python refuses to write an integer of more than 4300 digits.
        return f"a very long {type(value).__name__}"
