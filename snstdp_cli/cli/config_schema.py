"""The command `config schema`."""

from __future__ import annotations

from snstdp_cli.cli.console import print_json


def schema() -> None:
    """Print the JSON Schema of a configuration, for editors.

    Example: snstdp config schema > snstdp.schema.json
    """
    from snstdp_cli.config import json_schema

    print_json(json_schema())
