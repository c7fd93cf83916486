"""How a single setting is said: its type, meaning and range, what it affects, and the sentence when it is wrong."""

from snstdp_cli.fields.facets import AFFECTS, FACETS, Facet, is_later, setting, since_version
from snstdp_cli.fields.messages import allowed, describe, percent, printable, shown
from snstdp_cli.fields.values import MAX_EXAMPLES, Name, Number, Whole, check_name, plain_number, whole_number

__all__ = [
    "AFFECTS",
    "FACETS",
    "MAX_EXAMPLES",
    "Facet",
    "Name",
    "Number",
    "Whole",
    "allowed",
    "check_name",
    "describe",
    "is_later",
    "percent",
    "plain_number",
    "printable",
    "setting",
    "shown",
    "since_version",
    "whole_number",
]
