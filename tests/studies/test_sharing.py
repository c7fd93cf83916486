"""A training is copied from a cell of this study or of one beside it, and from nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from snstdp_cli.errors import ArtefactError
from snstdp_cli.studies import sharing

CELL, DONOR = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a cell; every other folder counts as trained."""
    folder = tmp_path / "studies" / "small" / "cells" / CELL
    folder.mkdir(parents=True)
    for study in ("small", "other"):
        (folder.parents[2] / study / "trainings").mkdir(parents=True)
    (folder.parents[2] / "a file").touch()
    monkeypatch.setattr(sharing, "_is_trained", lambda place: place != folder)
    return folder


def copied_from(
    cell: Path, monkeypatch: pytest.MonkeyPatch, fits: Callable[[Path], bool] = lambda _: True
) -> list[Path]:
    found: list[Path] = []
    monkeypatch.setattr(sharing, "_copy_weights", lambda donor, _: found.append(donor))
    with sharing.training_shared(cell, "key", fits):
        pass
    return found


def test_the_weights_of_the_named_cell_are_copied(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cell.parents[1] / "trainings" / "key").write_text(DONOR)
    assert copied_from(cell, monkeypatch) == [cell.parent / DONOR]


def test_a_study_beside_this_one_gives_what_this_one_has_not(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = cell.parents[2] / "other"
    (other / "trainings" / "key").write_text(DONOR)
    assert copied_from(cell, monkeypatch) == [other / "cells" / DONOR]
    assert (cell.parents[1] / "trainings" / "key").read_text() == CELL


def test_recordings_are_copied_by_name_and_no_link_is_followed(cell: Path, tmp_path: Path) -> None:
    (cell.parents[1] / "trainings" / "key").write_text(DONOR)
    activity = cell.parent / DONOR / "activity"
    activity.mkdir(parents=True)
    (activity / "a.npz").write_bytes(b"theirs")
    (activity / "b.npz").write_bytes(b"theirs")
    (tmp_path / "secret").write_bytes(b"secret")
    (activity / "link.npz").symlink_to(tmp_path / "secret")
    (cell / "activity").mkdir()
    (cell / "activity" / "b.npz").write_bytes(b"ours")
    sharing.share_recordings(cell, "key", ["a.npz", "b.npz", "link.npz", "missing.npz"])
    found = {path.name: path.read_bytes() for path in (cell / "activity").iterdir()}
    assert found == {"a.npz": b"theirs", "b.npz": b"ours"}


def test_weights_that_do_not_fit_are_passed_over(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, asked = cell.parents[2] / "other", list[Path]()
    for study in (cell.parents[1], other):
        (study / "trainings" / "key").write_text(DONOR)

    def fits(place: Path) -> bool:
        asked.append(place)
        return place.parents[1] == other

    assert copied_from(cell, monkeypatch, fits) == [other / "cells" / DONOR]
    assert asked == [cell.parent / DONOR, other / "cells" / DONOR]


@pytest.mark.parametrize(
    "text", ["", ".", "../../elsewhere", "/etc", f"{DONOR}/..", f"{DONOR}\n", "\xe9", "0" * 10_000]
)
def test_a_mark_that_names_no_cell_is_ignored(cell: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (cell.parents[1] / "trainings" / "key").write_text(text)
    assert copied_from(cell, monkeypatch) == []
    assert (cell.parents[1] / "trainings" / "key").read_text() == CELL


def test_a_cell_that_is_a_link_is_no_donor(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cell.parent / DONOR).symlink_to(cell.parents[1])
    (cell.parents[1] / "trainings" / "key").write_text(DONOR)
    assert copied_from(cell, monkeypatch) == []


def test_a_mark_that_is_a_pipe_is_not_waited_for(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(cell.parents[1] / "trainings" / "key")
    with pytest.raises(ArtefactError, match="a device, a pipe or a socket"):
        copied_from(cell, monkeypatch)
