"""The study file: its keys, their checks, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema

from snstdp_cli.config import Name, json_schema, read_file
from snstdp_cli.config.sections import Section
from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import CLASSIFIERS, READ_OUTS, Classifier
from snstdp_cli.fields import describe, setting, shown, whole_number
from snstdp_cli.studies.search.settings import SearchSettings

ScoredSplit = Literal["test", "validation"]
MAX_SEEDS = 1000
_MAX_SEED = 2**31 - 1


def _seeds(value: Any) -> Any:
    """Turn a number of seeds into the seeds from 0 on."""
    if isinstance(value, list | tuple):
        seeds = [whole_number(one) for one in value]
    else:
        number = whole_number(value)
        if not isinstance(number, int) or not 1 <= number <= MAX_SEEDS:
            raise ValueError(f"expected a number of seeds from 1 to {MAX_SEEDS:,}, or a list of seeds")
        seeds = list(range(number))
    if not seeds or len(seeds) > MAX_SEEDS:
        raise ValueError(f"expected 1 to {MAX_SEEDS:,} seeds")
    if odd := [one for one in seeds if not isinstance(one, int) or not 0 <= one <= _MAX_SEED]:
        raise ValueError(f"found the seed {shown(odd[0])}; expected whole numbers from 0 to {_MAX_SEED:,}")
    return tuple(dict.fromkeys(seeds))


Seeds = Annotated[
    tuple[int, ...],
    BeforeValidator(_seeds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_SEEDS},
                {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": _MAX_SEED}, "minItems": 1},
            ]
        }
    ),
]


class StudyFile(Section):
    """A study as its file has it."""

    name: Name = setting("name of the study; its results are in studies/<name>/", ())
    about: str = setting("the question that the study asks, for the report", (), "", max_length=10_000)
    base: str | dict[str, Any] = setting(
        "configuration that the cells share: a YAML file, from the study file's folder, or its content",
        (),
        default_factory=dict,
    )
    vary: dict[str, Any] = setting(
        "axes of a grid: a dotted key or `rule` with a list of values or a range {from, to, steps, scale: linear or "
        "log}; or any other name with a list of mappings, whose keys move together",
        (),
        default_factory=dict,
    )
    seeds: Seeds = setting("number of seeds (from 0 on), or a list of them", (), (0,))
    skip: tuple[dict[str, Any], ...] = setting(
        "combinations to leave out: mappings of dotted keys; a list in one stands for any of its values", (), ()
    )
    cells: tuple[dict[str, Any], ...] | None = setting(
        "an explicit list of settings in place of the grid of `vary`; `config` in one is a configuration that it "
        "begins with, from the study file's folder, and `shown_as` what tables show in place of its settings",
        (),
        None,
    )
    score_on: ScoredSplit = setting(
        "images that the cells are scored on: those of the test, or training images withheld by "
        "evaluation.validation_examples",
        (),
        "test",
    )
    read_outs: Annotated[tuple[Classifier, ...], Field(min_length=1)] = setting(
        f"read-outs to score by, of {', '.join(READ_OUTS)}; the first is told first; linear is trained by labels, the "
        "others use them only to name neurons",
        (),
        CLASSIFIERS,
    )
    search: SearchSettings | None = setting(
        "search for the best settings by the accuracy on validation images; in place of `vary`, or after its cells",
        (),
        None,
    )


def read_study_file(path: Path) -> StudyFile:
    """Read and check a study file.

    Raises
    ------
    ConfigError
        If it cannot be read, or for each key or value that cannot be used.
    """
    return check_study(read_file(path), str(path))


def check_study(content: Mapping[str, Any], where: str) -> StudyFile:
    """Check the content of a study file.

    Raises
    ------
    ConfigError
        For each key or value that cannot be used.
    """
    given = {key: value for key, value in content.items() if value is not None}
    try:
        study = StudyFile.model_validate(given)
    except ValidationError as error:
        raise ConfigError(describe(error, where, StudyFile)) from None
    if study.cells is not None and study.vary:
        raise ConfigError(f"{where}: found both `vary` and `cells`; expected a grid or an explicit list of cells")
    if study.cells is not None and not study.cells:
        raise ConfigError(f"{where}: cells: found an empty list; expected settings, such as [{{n_e: 100}}]")
    return study


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a study file, for editors."""
    schema, base = StudyFile.model_json_schema(), json_schema()
    dialect, definitions = base.pop("$schema"), base.pop("$defs")
    schema["$defs"] = {**schema.get("$defs", {}), **definitions, "configuration": base}
    described = schema["properties"]["base"]["description"]
    schema["properties"]["base"] = {
        "description": described,
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/configuration"}],
    }
    return {"$schema": dialect, **schema, "title": "snstdp study"}
