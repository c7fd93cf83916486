"""Read-outs by the names that were asked for."""

from __future__ import annotations

import difflib

from snstdp_cli.errors import ConfigError
from snstdp_cli.evaluation import READ_OUTS, Classifier
from snstdp_cli.fields import printable


def find_read_out(name: str) -> Classifier:
    """Return the read-out of this name.

    Raises
    ------
    ConfigError
        If there is none, with the one that was perhaps meant.

    Examples
    --------
    >>> find_read_out("average")
    'average'
    """
    found = next((one for one in READ_OUTS if one == name), None)
    if found is None:
        close = difflib.get_close_matches(name, READ_OUTS, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"--read-out: found '{printable(name)}', expected one of {', '.join(READ_OUTS)}{hint}")
    return found
