"""What a setting affects, said where the setting is: fingerprints, resume checks and comparisons follow from it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field

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


def setting(meaning: str, affects: tuple[Facet, ...], default: Any = ..., **limits: Any) -> Any:
    """Declare a setting: what it means, what it affects, its default and its limits.

    Parameters
    ----------
    affects
        Facets that the setting shapes; empty for one that changes names or speed, but no result.
    limits
        `ge`, `gt`, `le`, `lt`, `strict` or `default_factory`, as pydantic knows them.
    """
    declared = {} if default is ... else {"default": default}
    return Field(**declared, description=meaning, json_schema_extra={AFFECTS: list(affects)}, **limits)
