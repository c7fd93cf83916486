"""What pydantic finds, in sentences: the key, what was found, what is allowed, and what was perhaps meant."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, PydanticUserError, ValidationError

from snstdp_cli.fields.values import NOT_A_NUMBER

_MAX_FINDINGS = 10
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "object": "keys and values",
    "array": "a list",
    "null": "null",
    "['array', 'integer']": "a whole number or a list of whole numbers",
    "['string', 'integer']": "a name of letters, digits and . _ - + =",
}
_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def describe(error: ValidationError, where: str, model: type[BaseModel], prefix: str = "") -> str:
    """Put pydantic's findings into sentences, one a line: where, key, what was found, what is allowed."""
    schema = _schema(model)
    findings = error.errors(include_url=False)
    lines = [f"{where}: {_finding(item, schema, prefix)}" for item in findings[:_MAX_FINDINGS]]
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"{where}: and {len(findings) - _MAX_FINDINGS:,} findings more")
    return "\n".join(lines)


@functools.cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticUserError:  # a rule of the user's may have types that JSON Schema does not know
        return {}


def _finding(item: Mapping[str, Any], schema: dict[str, Any], prefix: str) -> str:
    location, found = item["loc"], shown(item.get("input"))
    key = printable(prefix + ".".join(str(part) for part in location))
    message = item["msg"].removeprefix("Value error, ")
    if not location:
        return f"{prefix.rstrip('.')}: {message}" if prefix else message
    if item["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_did_you_mean(location, schema, prefix)}"
    if item["type"] == "invalid_key":
        return f"{key}: found the key {found}, expected a word"
    expected = allowed(_schema_of(location, schema))
    if item["type"] == "missing":  # pydantic found what lies around the key
        return f"{key}: not given" + f"; expected {expected}" * bool(expected)
    if expected and (item["type"] != "value_error" or message == NOT_A_NUMBER):
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
    if schema.get("type") == "array" and (fewest := schema.get("minItems")):
        return f"{kind} of {fewest:,}" if fewest == schema.get("maxItems") else f"{kind} of {fewest:,} or more"
    limits = [f"{word} {schema[bound]:,.12g}" for bound, word in _BOUNDS.items() if bound in schema]
    return f"{kind} {' and '.join(limits)}".strip()


def _schema_of(location: tuple[Any, ...], schema: dict[str, Any]) -> dict[str, Any]:
    definitions = schema.get("$defs", {})
    for part in location:
        schema = schema.get("properties", {}).get(part, {})
        choices = [schema, *schema.get("allOf", []), *schema.get("anyOf", [])]
        reference = next((choice["$ref"] for choice in choices if "$ref" in choice), "")
        schema = definitions.get(reference.rpartition("/")[2], schema)
    return schema


def _did_you_mean(location: tuple[Any, ...], schema: dict[str, Any], prefix: str) -> str:
    """Return the nearest key, or the section that has one of this name, or all keys that there are."""
    section, name = prefix + "".join(f"{part}." for part in location[:-1]), str(location[-1])[:100]
    known = list(_schema_of(location[:-1], schema).get("properties", {}))
    if close := difflib.get_close_matches(name, known, n=1):
        return f"; did you mean '{section}{close[0]}'?"
    for elsewhere in schema.get("properties", {}):
        if name in _schema_of((elsewhere,), schema).get("properties", {}):
            return f"; did you mean '{elsewhere}.{name}'?"
    return f"; known: {', '.join(section + key for key in known)}"


def printable(text: str, most: int = 60) -> str:
    """Escape what a terminal would not show as it is, and cut long text."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= most else text[: most - 3] + "..."


def percent(share: float, digits: int | None = 1) -> str:
    """Return a share as every sentence and figure says it.

    Parameters
    ----------
    digits
        Decimals; None for those that it needs, as at an axis.

    Examples
    --------
    >>> percent(0.63, 0), percent(0.8957), percent(0.5, None)
    ('63 %', '89.6 %', '50 %')
    """
    return f"{100 * share:{'.4g' if digits is None else f'.{digits}f'}} %"


def shown(value: Any) -> str:
    """Return a value as a user would write it in YAML."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    try:
        return printable(repr(value))
    except ValueError:  # Python refuses to write an integer of more than 4300 digits.
        return f"a very long {type(value).__name__}"
