"""The options that commands share. Those that stand for settings are made from the fields of `Experiment`.

A command says which settings it takes by `takes_settings`; type, help, default and range of each option come from the
field, so that a setting is described once. The order of options is the same in all commands.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from snstdp_cli.config import Experiment, allowed, parse_override

EXPERIMENT, RUNNING, OUTPUT = "Experiment", "Files and running", "Output"

#: The settings that have an option of their own, by the option's name, in the order in which they are shown.
FLAGS = {
    "n_e": "n_e",
    "rule": "rule.name",
    "dt": "dt",
    "num_examples": "num_examples",
    "load_name": "load_name",
    "save_name": "save_name",
    "seed": "seed",
    "noise_seed": "noise_seed",
    "data": "data",
    "engine": "engine",
    "classifier": "evaluation.classifier",
}
_TYPES: dict[str, type] = {"integer": int, "number": float}


class TiesName(StrEnum):
    """Which of several best classes is predicted."""

    lowest = "lowest"
    ancestor = "ancestor"


class SplitName(StrEnum):
    """Parts of a data set."""

    train = "train"
    test = "test"


class PartName(StrEnum):
    """What is shown of a data set."""

    train = "train"
    test = "test"
    validation = "validation"


class ScoredName(StrEnum):
    """Images whose answers are scored."""

    test = "test"
    validation = "validation"


@dataclass(frozen=True)
class GivenSettings:
    """Settings as the user gave them.

    Attributes
    ----------
    config
        YAML file of an experiment.
    flags
        Values of the options that were given, by the option's name.
    sets
        Values of `--set`.
    """

    config: Path | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()

    @property
    def overrides(self) -> dict[str, Any]:
        """The flags by the dotted keys of their settings."""
        return {FLAGS[name]: value for name, value in self.flags.items()}

    @property
    def names_rule(self) -> bool:
        """Whether an option names the rule, and not only the file."""
        return "rule" in self.flags or any(parse_override(text)[0] in ("rule", "rule.name") for text in self.sets)

    @property
    def classifier(self) -> Any:
        """The read-out that was chosen, or the default one."""
        return self.flags.get("classifier", setting_schema(FLAGS["classifier"])["default"])

    def options(self, *left_out: str) -> dict[str, Any]:
        """Return all of it as options, for the next command."""
        given = {"config": self.config, **self.flags, "sets": list(self.sets)}
        return {name: value for name, value in given.items() if value and name not in left_out}


Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file of the experiment.", rich_help_panel=EXPERIMENT)
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other setting, such as rule.eta=0.02; repeat it for more.",
        rich_help_panel=EXPERIMENT,
    ),
]
RunRules = Annotated[
    list[str] | None,
    typer.Option(
        "--run-rule",
        metavar="FILE:NAME",
        help="Let this rule run: one in a file is a program. Repeat it for more.",
        show_default=False,
        rich_help_panel=RUNNING,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder with the IDX files.", rich_help_panel=RUNNING),
]
WorkdirPath = Annotated[
    Path,
    typer.Option("--workdir", help="Folder of weights/ and activity/.", rich_help_panel=RUNNING),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=256,
        help="Processes that record side by side; the result is the same.  \\[default: all cores]",
        rich_help_panel=RUNNING,
        show_default=False,
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an interrupted run stopped.", rich_help_panel=RUNNING)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing results.", rich_help_panel=RUNNING)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.", rich_help_panel=OUTPUT)]
ScoreOn = Annotated[
    ScoredName,
    typer.Option(
        "--score",
        help="test images, or the training images kept for validation (evaluation.validation_examples).",
        rich_help_panel=EXPERIMENT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no hints, only the result.", rich_help_panel=OUTPUT)
]

Command = Callable[..., None]


def takes_settings(*flags: str, file: bool = True, defaults: Mapping[str, str] | None = None) -> Callable[..., Command]:
    """Let a command take settings: its parameter `given` becomes an option for each.

    Parameters
    ----------
    flags
        Names of `FLAGS`.
    file
        Take `--config` and `--set` too.
    defaults
        What the help says in place of the field's default.
    """

    def decorate(function: Command) -> Command:
        signature = inspect.signature(function, eval_str=True)
        options = list(_options(flags, file, defaults or {}))
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += options if parameter.name == "given" else [parameter.replace(kind=parameter.KEYWORD_ONLY)]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            flags = {name: _plain(values.pop(name)) for name in [p.name for p in options if p.name in FLAGS]}
            config, sets = values.pop("config", None), tuple(values.pop("sets", None) or ())
            given = {name: value for name, value in flags.items() if value is not None}
            function(given=GivenSettings(config, given, sets), **values)

        return shown_with(command, signature, parameters)

    return decorate


def shown_with(command: Command, signature: inspect.Signature, parameters: Sequence[inspect.Parameter]) -> Command:
    """Return a command whose arguments and options are these parameters, whatever it takes as a function."""
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _options(flags: tuple[str, ...], file: bool, defaults: Mapping[str, str]) -> Iterator[inspect.Parameter]:
    """Yield the parameters of the options, in the order of all commands."""
    if file:
        yield parameter("config", Config)
    for name, key in FLAGS.items():
        if name in flags and key.partition(".")[0] in Experiment.model_fields:
            yield parameter(name, _setting_option(name, key, defaults.get(name)))
    if file:
        yield parameter("sets", Sets)


def parameter(name: str, annotation: Any) -> inspect.Parameter:
    """Return an argument or option that may be left out."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _setting_option(name: str, key: str, default: str | None) -> Any:
    """Return the annotation of the option for a setting."""
    schema = setting_schema(key)
    kind: Any = _TYPES.get(str(schema.get("type")), str)
    if "enum" in schema:
        kind = _choices(name, schema["enum"])
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        help=setting_help(key, default),
        rich_help_panel=EXPERIMENT,
        show_default=False,
    )
    return Annotated[kind | None, option]


def _choices(name: str, choices: list[str]) -> Any:
    """Return an enumeration of these values, which Typer shows, checks and completes."""
    make: Any = StrEnum
    return make(name, {choice: choice for choice in choices})


def setting_help(key: str, default: str | None = None) -> str:
    """Return the help of a setting, as markup: its meaning, its range, its default."""
    schema = setting_schema(key)
    meaning = schema["description"]
    if meaning.partition(":")[0] not in schema.get("enum", ()):  # a choice is written as it is typed
        meaning = meaning[:1].upper() + meaning[1:]
    if str(schema.get("type")) in _TYPES:  # the kind of number is shown beside the option
        meaning += f" ({allowed(schema).removeprefix('a whole number ').removeprefix('a number ')})"
    default = schema.get("default") if default is None else default
    text = f"{default:g}" if isinstance(default, float) else default
    return escape(f"{meaning}." if default is None else f"{meaning}.  [default: {text}]")


@functools.cache
def _schema() -> dict[str, Any]:
    return Experiment.model_json_schema()


def setting_schema(key: str) -> dict[str, Any]:
    """Return what the models say of a setting, by its dotted key: meaning, default and limits."""
    schema = _schema()
    for part in key.split("."):
        reference = schema.get("$ref", "").rpartition("/")[2]
        schema = (_schema()["$defs"][reference] if reference else schema)["properties"][part]
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    return {**schema, **choices[0]} if choices else schema


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
