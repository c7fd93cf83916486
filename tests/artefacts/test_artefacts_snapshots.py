"""Snapshots belong to a training: those of another one of the same name are never shown as its own."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small, training_record

from snstdp_cli.artefacts import Workdir, drop_other_snapshots, load_snapshots, save_snapshot, save_weights
from snstdp_cli.errors import ArtefactError
from snstdp_cli.results import TrainedNetwork

WEIGHTS = np.arange(12, dtype=np.float64).reshape(4, 3) / 7
THETA_MV = np.array([20.0, 20.05, 31.4])
FIRST, SECOND = "a" * 16, "b" * 16


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path)


def save(workdir: Workdir, training: str, *examples: int, name: str = "a") -> None:
    for count in examples:
        save_snapshot(workdir, name, training, count, WEIGHTS * count, THETA_MV)


def found(workdir: Workdir, training: str | None, name: str = "a") -> list[int]:
    return [shot.examples for shot in load_snapshots(workdir, name, training, 4, 3)]


def test_snapshots_come_back_in_order_and_may_be_written_again(workdir: Workdir) -> None:
    save(workdir, FIRST, 20_000, 10_000, 10_000)
    save(workdir, FIRST, 5, name="a.ex00010000")
    save(workdir, FIRST, 5, name="ab")
    shots = load_snapshots(workdir, "a", FIRST, 4, 3)
    assert [shot.examples for shot in shots] == [10_000, 20_000]
    np.testing.assert_array_equal(shots[0].weights, WEIGHTS * 10_000)
    np.testing.assert_allclose(shots[0].theta_mv, THETA_MV)
    names = {path.name for path in (workdir.weights / "snapshots").glob("*.ex00010000.npy")}
    assert names == {"XeAea.ex00010000.npy", "theta_Aa.ex00010000.npy"}


def test_snapshots_tell_what_had_not_learned_by_then_unless_they_are_of_an_earlier_version(workdir: Workdir) -> None:
    save(workdir, FIRST, 4)
    save_snapshot(workdir, "a", FIRST, 8, WEIGHTS, THETA_MV, np.array([False, True, True]))
    save_snapshot(workdir, "a", FIRST, 9, WEIGHTS, THETA_MV, np.array([False, False, False]))
    path = workdir.weights / "snapshots" / "a.json"
    content = json.loads(path.read_text())
    del content["snapshots"][0]["never_learned"]
    path.write_text(json.dumps(content))
    shots = load_snapshots(workdir, "a", FIRST, 4, 3)
    marks = [None if shot.never_learned is None else shot.never_learned.tolist() for shot in shots]
    assert marks == [None, [False, True, True], [False, False, False]]
    content["snapshots"][1]["never_learned"] = [3]
    path.write_text(json.dumps(content))
    with pytest.raises(ArtefactError, match=r"a\.json: never_learned: found the neuron 3, expected numbers below 3"):
        load_snapshots(workdir, "a", FIRST, 4, 3)


def test_those_of_another_training_are_not_shown_and_go_when_a_new_one_has_begun(workdir: Workdir) -> None:
    save(workdir, FIRST, 4, 8)
    assert found(workdir, SECOND) == []
    drop_other_snapshots(workdir, "a", FIRST)
    assert found(workdir, FIRST) == [4, 8]
    drop_other_snapshots(workdir, "a", SECOND)
    assert list((workdir.weights / "snapshots").iterdir()) == []
    save(workdir, FIRST, 4, 8)
    save(workdir, SECOND, 5)
    assert found(workdir, SECOND) == [5]
    assert found(workdir, FIRST) == []


def test_those_of_version_0_1_are_found_without_a_list_but_not_beside_one(workdir: Workdir) -> None:
    save(workdir, FIRST, 4, 8)
    assert found(workdir, None) == []
    (workdir.weights / "snapshots" / "a.json").unlink()
    assert found(workdir, None) == [4, 8]


def test_initial_weights_have_none_whatever_lies_there(workdir: Workdir) -> None:
    save(workdir, FIRST, 4)
    (workdir.weights / "snapshots" / "a.json").unlink()
    save_weights(workdir, "a", WEIGHTS, THETA_MV, training_record(kind="initial weights", experiment=small(n_e=3)))
    assert TrainedNetwork(workdir, "a").snapshots == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "training": 5, "snapshots": []}', '{"format": 9}'])
def test_a_damaged_list_is_told_when_looked_at_and_stops_no_training(workdir: Workdir, text: str) -> None:
    save(workdir, FIRST, 4)
    (workdir.weights / "snapshots" / "a.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"a\.json"):
        found(workdir, FIRST)
    save(workdir, FIRST, 8)
    assert found(workdir, FIRST) == [8]
    (workdir.weights / "snapshots" / "a.json").write_text(text)
    drop_other_snapshots(workdir, "a", FIRST)
    assert found(workdir, FIRST) == []


def test_a_changed_file_is_refused(workdir: Workdir) -> None:
    save(workdir, FIRST, 4)
    np.save(workdir.weights / "snapshots" / "XeAea.ex00000004.npy", WEIGHTS)
    with pytest.raises(ArtefactError, match="does not match the list of snapshots"):
        found(workdir, FIRST)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_leaves_a_list_whose_files_are_all_there(
    workdir: Workdir, monkeypatch: pytest.MonkeyPatch, call: str, after: int
) -> None:
    save(workdir, FIRST, 4)
    original, calls = getattr(os, call), []

    def fail(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(ArtefactError, match="No space left on device"):
            save(workdir, FIRST, 8)
    assert found(workdir, FIRST) == [4]
    assert not list((workdir.weights / "snapshots").glob(".*tmp"))
    save(workdir, FIRST, 8)
    assert found(workdir, FIRST) == [4, 8]
