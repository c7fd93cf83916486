"""The beginning of a recording that is under way: `activity/.partial/<name>.<split>.<mark>.npz`, in the same form.

A response depends on its image and number alone, so a recording goes on after its last complete block, bit for bit.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from snstdp_cli.artefacts.files import Workdir, exists
from snstdp_cli.artefacts.recordings import Responses, load_responses, recording_mark, recording_path, write_responses
from snstdp_cli.artefacts.records import RecordingRecord


def save_partial(workdir: Workdir, responses: Responses) -> None:
    """Keep the responses to the first images.

    Raises
    ------
    ArtefactError
        If they cannot be written.
    """
    assert responses.record is not None
    write_responses(_path(workdir, responses.record), responses)


def load_partial(workdir: Workdir, record: RecordingRecord) -> Responses | None:
    """Return the beginning of the recording with this record, if there is one; that of another recording is none.

    Raises
    ------
    ArtefactError
        If it is damaged.
    """
    path = _path(workdir, record)
    if not exists(path):
        return None
    found = load_responses(path)
    return found if found.record is not None and found.record.identity == record.identity else None


def delete_partial(workdir: Workdir, record: RecordingRecord) -> None:
    """Remove the beginning of a recording that is complete."""
    path = _path(workdir, record)
    with contextlib.suppress(OSError):  # it would be written over, or not be used
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def _path(workdir: Workdir, record: RecordingRecord) -> Path:
    name, split, mark = record.weights.name, record.data.split, recording_mark(record)
    folder = recording_path(workdir, name, split, 0, mark).parent / ".partial"
    return folder / f"{name}.{split}.{mark}.npz"
