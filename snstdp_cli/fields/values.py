"""Types of single values: numbers as people write them, and names that are safe as file names."""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

MAX_EXAMPLES = 1_000_000_000
NOT_A_NUMBER = "not a number"
_RESERVED_NAMES = {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))}
# A leading zero would be octal in YAML 1.1 and decimal in YAML 1.2; `float` would also read other scripts' digits.
_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9_]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def plain_number(value: Any) -> Any:
    """Turn strings like `1e-3`, as which YAML reads it, into numbers; refuse booleans in place of numbers."""
    if type(value) in (int, float):  # nearly all are, and asking for abstract numbers takes time
        return value + 0
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(NOT_A_NUMBER)
    if isinstance(value, Integral):
        return int(value)
    try:
        # NumPy's numbers become Python's, and -0.0 the zero that it is equal to: equal settings, equal fingerprints.
        return float(value) + 0.0
    except OverflowError:  # a fraction
        raise ValueError(NOT_A_NUMBER) from None


def whole_number(value: Any) -> Any:
    """Turn `2e4` and the like into whole numbers; others stay as they are, for the type's own check."""
    value = plain_number(value)
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


Number = Annotated[float, BeforeValidator(plain_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(whole_number)]
Name = Annotated[
    str,
    BeforeValidator(_text_name),
    AfterValidator(check_name),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": 100, "pattern": r"^[A-Za-z0-9_.+=-]+$"}),
]
