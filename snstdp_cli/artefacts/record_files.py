"""Records in files: JSON that anybody may have edited. Whatever does not fit gives a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from snstdp_cli.artefacts.files import MAX_JSON_BYTES, json_bytes, parse_json, read_file, write_atomic
from snstdp_cli.artefacts.old_records import from_version_1
from snstdp_cli.artefacts.records import FORMAT, Record
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.fields import describe, shown

_R = TypeVar("_R", bound=Record)
#: More keys in one place than any record has.
_MOST_KEYS = 1_000
_DEEPEST = 20
_MOST_BITS = 64


def write_record_file(path: Path, record: Record) -> None:
    """Write a record in place of what was there, completely or not at all."""
    write_atomic(path, json_bytes(record.model_dump(mode="json"), path))


def read_record_file(model: type[_R], path: Path) -> _R:
    """Read a record of a file.

    Raises
    ------
    ArtefactError
        If the file cannot be read or is damaged, or its record does not fit (`read_record`).
    """
    return read_record(model, parse_json(read_file(path, MAX_JSON_BYTES), path), path)


def read_record(model: type[_R], content: Mapping[str, Any], where: Path) -> _R:
    """Check a record.

    Raises
    ------
    ArtefactError
        If it is of another version, misses something, or holds what cannot be.
    """
    _refuse_masses(content, where)
    found = content.get("format", 1)
    if type(found) is int and found == 1:
        content = {**from_version_1(content), "format": FORMAT}
    elif found != FORMAT:
        raise ArtefactError(
            f"{where}: format: found {shown(found)}, expected {FORMAT}; the file is of another version of snstdp, or "
            "was changed by hand; use that version, or make it again"
        )
    try:
        return model.model_validate(content)
    except DataError as error:
        raise ArtefactError(f"{where}: {error}") from None
    except ValidationError as error:
        raise ArtefactError(
            f"{describe(error, str(where), model)}\nThe record was changed by hand or is of another version of snstdp; "
            "bring it back, or make it again"
        ) from None


def _refuse_masses(content: Any, where: Path, depth: int = 0) -> None:
    """Refuse what no record has and checks would choke on: thousands of keys in one place, depths, endless numbers."""
    inner = content.values() if isinstance(content, Mapping) else content if isinstance(content, list | tuple) else ()
    if depth > _DEEPEST or (isinstance(content, Mapping) and len(content) > _MOST_KEYS):
        found = f"{len(inner):,} keys" if depth <= _DEEPEST else f"more than {_DEEPEST} levels"
        raise ArtefactError(
            f"{where}: found {found} in one place, which no record has; bring it back, or make it again"
        )
    for value in inner:
        if type(value) is int and value.bit_length() > _MOST_BITS:
            raise ArtefactError(f"{where}: found a whole number of {value.bit_length():,} bits; make the record again")
        if isinstance(value, Mapping | list | tuple):
            _refuse_masses(value, where, depth + 1)
