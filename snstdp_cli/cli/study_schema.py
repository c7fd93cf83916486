"""The command `study schema`."""

from __future__ import annotations

from snstdp_cli.cli.console import print_json


def schema() -> None:
    """Print the JSON Schema of study files, for editors.

    Example: snstdp study schema
    """
    from snstdp_cli.studies import study_schema

    print_json(study_schema())
