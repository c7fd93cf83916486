"""Types of the values that say how images are prepared: sizes, margins, classes (see `sections.InputSection`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from snstdp_cli.fields import plain_number, whole_number

#: Images have at most 256 x 256 pixels (see `datasets.limits`).
_LONGEST_SIDE = 65_536
_MOST_PIXELS = 65_536
_MOST_CLASSES = 255
_LONGEST_NAME = 100


def _whole_numbers(value: Any, repeated: int) -> Any:
    """Turn one number into `repeated` equal ones, and `2e1` and the like in a list into whole numbers."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(whole_number(one) for one in value)
    if value is None:
        return None
    return (whole_number(value),) * repeated


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    if size[0] * size[1] > _MOST_PIXELS:
        raise ValueError(f"expected at most {_MOST_PIXELS:,} pixels (256 x 256)")
    return size


def _class_names(value: Any) -> Any:
    """Take classes by their numbers or names: YAML reads `[3, cat]` as a number and a word."""
    if value is None or isinstance(value, str) or not isinstance(value, Sequence):
        return value
    if odd := [one for one in value if isinstance(one, bool) or not isinstance(one, int | str)]:
        raise ValueError(f"expected numbers or names, found {str(odd[0])[:40]!r}")
    return tuple(str(one) for one in value)


def _check_classes(classes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(classes)) < len(classes):
        raise ValueError("expected each class once")
    return classes


_Side = Annotated[int, Field(ge=1, le=_LONGEST_SIDE)]
_Cut = Annotated[int, Field(ge=0, le=_LONGEST_SIDE)]
Size = Annotated[
    tuple[_Side, _Side],
    BeforeValidator(lambda value: _whole_numbers(value, 2)),
    AfterValidator(_check_size),
    WithJsonSchema(
        {"type": ["array", "integer"], "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}
    ),
]
Crop = Annotated[
    tuple[_Cut, _Cut, _Cut, _Cut],
    BeforeValidator(lambda value: _whole_numbers(value, 4)),
    WithJsonSchema(
        {"type": ["array", "integer"], "items": {"type": "integer", "minimum": 0}, "minItems": 4, "maxItems": 4}
    ),
]
Classes = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)], ...],
    Field(min_length=1, max_length=_MOST_CLASSES),
    BeforeValidator(_class_names),
    AfterValidator(_check_classes),
    WithJsonSchema({"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1}),
]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False), BeforeValidator(plain_number)]
