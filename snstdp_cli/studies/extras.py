"""Libraries that only studies need."""

from __future__ import annotations

import importlib.util

from snstdp_cli.errors import ConfigError


def require_extra(module: str, extra: str) -> None:
    """Refuse with a sentence what needs a library that is not installed.

    Raises
    ------
    ConfigError
        Naming the extra that brings it.
    """
    if importlib.util.find_spec(module) is None:
        instead = "; without it, `snstdp study worker FILE` runs cells one after the other" * (extra == "study")
        raise ConfigError(
            f"this needs the package '{module}', which is not installed: pip install 'snstdp[{extra}]'{instead}"
        )
