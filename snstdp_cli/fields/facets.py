"""What a setting affects, said where the setting is: fingerprints, resume checks and comparisons follow from it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field
from pydantic.fields import FieldInfo

#: What can depend on a setting.
#:
#: program
#:     the compiled program; it has to be built again
#: training
#:     the weights and thresholds that a training ends with
#: recording
#:     the responses of a frozen network with given weights
#: score
#:     the figures made from recorded responses
#: data
#:     which images are shown; two runs are told apart by the content of the images, not by this setting
Facet = Literal["program", "training", "recording", "score", "data"]
FACETS: tuple[Facet, ...] = get_args(Facet)
#: Key of the facets in a field's JSON Schema.
AFFECTS = "affects"
#: Key of the version from which on there is a field, if results are older.
_SINCE = "since"


def setting(
    meaning: str, affects: tuple[Facet, ...], default: Any = ..., *, since: str | None = None, **limits: Any
) -> Any:
    """Declare a setting: what it means, what it affects, its default and its limits.

    Parameters
    ----------
    affects
        Facets that the setting shapes; empty for one that changes names or speed, but no result.
    since
        The version that brings it. At its default it is then as if it were not there, so that results which are older
        keep their fingerprints. Every new setting needs it.
    limits
        `ge`, `gt`, `le`, `lt`, `strict` or `default_factory`, as pydantic knows them.
    """
    declared = {} if default is ... else {"default": default}
    extra: dict[str, Any] = {AFFECTS: list(affects), **(since_version(since) if since else {})}
    return Field(**declared, description=meaning, json_schema_extra=extra, **limits)


def since_version(version: str) -> dict[str, Any]:
    """Return what a field's `json_schema_extra` says that is no `setting`: a section, or a parameter of a rule.

    Parameters
    ----------
    version
        The version that brings it, as `since` of a `setting`.
    """
    return {_SINCE: version}


def is_later(field: FieldInfo) -> bool:
    """Tell whether a field came after the first results."""
    return isinstance(field.json_schema_extra, dict) and _SINCE in field.json_schema_extra
