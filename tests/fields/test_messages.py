"""What pydantic finds, in sentences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

import snstdp_cli
from snstdp_cli.fields import allowed, describe


class _Unusual(BaseModel):
    steps: list[int] = []
    width: int = Field(3, multiple_of=3)
    even: int = 2
    low: float = 0
    high: float = 1

    @field_validator("even")
    @classmethod
    def _check_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("expected an even number")
        return value

    @model_validator(mode="after")
    def _check_order(self) -> _Unusual:
        if self.low > self.high:
            raise ValueError("low: expected at most high")
        return self


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 3}, "x: rule.steps: found 3, expected a list"),
        ({"steps": [1, "a"]}, "x: rule.steps.1: found 'a'; input should be a valid integer"),
        ({"even": 3}, "x: rule.even: found 3; expected an even number"),
        ({"low": 2}, "x: rule: low: expected at most high"),
    ],
)
def test_findings_of_other_models_are_put_into_sentences(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Unusual.model_validate(values)
    assert describe(caught.value, "x", _Unusual, prefix="rule.").startswith(message)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "a whole number at least 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "a number above 0 and at most 1"),
        ({"type": "number"}, "a number"),
        ({"type": "array", "minItems": 1}, "a list of 1 or more"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, "a list of 2"),
        ({"const": "a"}, "a"),
        ({"enum": ["a", "b", "c"]}, "a, b or c"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true or false or null"),
        ({}, ""),
    ],
)
def test_allowed_values_in_words(schema: dict[str, Any], words: str) -> None:
    assert allowed(schema) == words


def test_percentages_are_written_in_one_place_and_one_way() -> None:
    """As "63 %": neither by Python's own format nor with the sign at the number."""
    package = Path(snstdp_cli.__file__).parent
    texts = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    glued = [
        (name, found) for name, text in texts.items() for found in re.findall(r".*(?:%\}|[0-9}]%[\s\"',;.)]).*", text)
    ]
    assert glued == []
    assert [name for name, text in texts.items() if "} %" in text] == ["fields/messages.py"]
