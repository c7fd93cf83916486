"""Files of rows, which the user names: CSV or JSON by their ending."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snstdp_cli.errors import ConfigError

ENDINGS = (".csv", ".json")


def check_table_file(path: Path, *, force: bool, flag: str = "--out", endings: Sequence[str] = ENDINGS) -> None:
    """Refuse a file of another ending, or one that is there, before the work is done.

    Raises
    ------
    ConfigError, ArtefactError
        Saying which endings there are, or how to overwrite.
    """
    if path.suffix not in endings:
        raise ConfigError(f"{flag} {path}: expected a name that ends in {' or '.join(endings)}")

    from snstdp_cli.artefacts import refuse_overwrite, require_writable

    refuse_overwrite([path], force)
    require_writable(path.absolute().parent)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    """Write rows as CSV, or as JSON below a summary of them, completely or not at all."""
    from snstdp_cli.artefacts import write_atomic
    from snstdp_cli.results import rows_as_csv

    if path.suffix == ".csv":
        text = rows_as_csv(rows)
    else:
        text = json.dumps({**summary, "images": list(rows)}, indent=2, allow_nan=False) + "\n"
    write_atomic(path, text.encode())
