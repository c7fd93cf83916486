"""Recorded responses and the ancestor's pair of files."""

import contextlib
import dataclasses
import errno
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from synthetic import recording_record, small

from snstdp_cli import artefacts
from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    list_recorded,
    list_recordings,
    load_ancestor_pair,
    load_record,
    load_responses,
    save_responses,
)
from snstdp_cli.artefacts.arrays import npy_bytes, read_npz
from snstdp_cli.errors import ArtefactError

RESPONSES = Responses(
    counts=np.array([[5, 0, 300], [0, 0, 0]], dtype=np.uint16),
    labels=np.array([7, 1], dtype=np.uint8),
    attempts=np.array([1, 31], dtype=np.uint8),
    silent=np.array([False, True]),
    record=recording_record(label="own"),
)


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path)


def with_counts(num_examples, name="a", split="test", **changes):
    return Responses(
        np.ones((num_examples, 2), np.uint16),
        np.zeros(num_examples, np.uint8),
        np.ones(num_examples, np.uint16),
        np.zeros(num_examples, np.bool_),
        recording_record(name, split, **changes),
    )


def test_responses_come_back_as_they_were(workdir):
    path = save_responses(workdir, RESPONSES)
    assert path == workdir.activity / "a.test.2.own.npz"
    loaded = load_responses(path)
    for key in ("counts", "labels", "attempts", "silent"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(RESPONSES, key))
    assert [loaded.counts.dtype, loaded.labels.dtype, loaded.silent.dtype] == [np.uint16, np.uint8, np.bool_]
    assert loaded.record == RESPONSES.record


def test_numpy_alone_can_read_the_file(workdir):
    with np.load(save_responses(workdir, RESPONSES), allow_pickle=False) as content:
        assert content["counts"].dtype == np.uint16
        assert b'"label": "own"' in content["provenance"].tobytes()


def test_recordings_are_listed_by_name_and_split_those_with_most_examples_first(workdir):
    assert list_recordings(workdir, "a", "test") == []
    for number in (9, 100, 20):
        save_responses(workdir, with_counts(number))
    save_responses(workdir, with_counts(500, split="train"))
    save_responses(workdir, with_counts(501, "a.test"))
    save_responses(workdir, with_counts(502, "ba"))
    save_responses(workdir, with_counts(503, "a.test.20"))
    (workdir.activity / "a.test.7.npz").write_bytes(b"as version 0.1 named it")
    mark = recording_record().identity[:8]
    listed = list_recordings(workdir, "a", "test")
    assert [(file.num_examples, file.mark) for file in listed] == [(100, mark), (20, mark), (9, mark), (7, None)]
    assert list_recorded(workdir) == ["a", "a.test", "a.test.20", "ba"]


def test_recordings_with_other_settings_images_weights_or_names_lie_side_by_side(workdir):
    """Version 0.1 had one name for all of them: a.test.9.npz."""
    record = recording_record()
    others = [
        {},
        {"label": "noisy"},
        {"experiment": small(dt=0.25)},
        {"experiment": small(seed=4)},
        {"data": record.data.model_copy(update={"sha256": "8" * 64})},
        {"weights": record.weights.model_copy(update={"sha256": "9" * 64})},
        {"generation": 1},
    ]
    paths = {save_responses(workdir, with_counts(9, **changes)) for changes in others}
    assert len(paths) == len(others)
    assert {load_record(path).identity for path in paths} == {recording_record(**o).identity for o in others}


def test_settings_that_no_response_depends_on_do_not_tell_recordings_apart():
    record = recording_record()
    for key, value in (("engine", "runtime"), ("chunk", 9), ("save_name", "b"), ("rule.eta", 0.3), ("data", "bundled")):
        assert recording_record(experiment=small(**{key: value})).identity == record.identity, key


def test_a_recording_is_not_overwritten_without_force(workdir):
    path = save_responses(workdir, RESPONSES)
    before = path.read_bytes()
    changed = dataclasses.replace(RESPONSES, labels=RESPONSES.labels + np.uint8(1))
    with pytest.raises(ArtefactError, match=r"a\.test\.2\.own\.npz: the file exists already.*--force"):
        save_responses(workdir, changed)
    assert path.read_bytes() == before
    save_responses(workdir, changed, force=True)
    np.testing.assert_array_equal(load_responses(path).labels, [8, 2])


def test_a_full_disk_leaves_the_old_recording(workdir, monkeypatch):
    path = save_responses(workdir, RESPONSES)
    before = path.read_bytes()

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(ArtefactError, match="No space left on device; nothing was overwritten"):
        save_responses(workdir, RESPONSES, force=True)
    assert path.read_bytes() == before
    assert list(workdir.activity.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"counts": np.array([[65_536, 0], [0, 0]])}, "found 65536"),
        ({"counts": np.array([[-1, 0], [0, 0]])}, "found -1"),
        ({"counts": np.array([[0.5, 0], [0, 0]])}, "found 0.5"),
        ({"counts": np.array([[np.nan, 0], [0, 0]])}, "found nan"),
        ({"counts": np.zeros(2)}, "expected counts"),
        ({"counts": np.zeros((2, 0))}, "expected counts"),
        ({"labels": np.array([1])}, "labels has shape"),
        ({"labels": np.array([1, 256])}, "labels, found 256"),
        ({"attempts": np.array([1, 1, 1])}, "attempts has shape"),
        ({"silent": np.array([0, 1])}, "true or false"),
    ],
)
def test_responses_that_do_not_fit_are_not_written(workdir, change, sentence):
    with pytest.raises(ArtefactError, match=sentence):
        save_responses(workdir, dataclasses.replace(RESPONSES, **change))
    assert not workdir.activity.exists()


def rewrite(path, **changes):
    with np.load(path) as content:
        arrays = {**content, **changes}
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": None}, "misses the arrays labels"),
        ({"labels": np.zeros(3, np.uint8)}, "labels has shape"),
        ({"counts": np.array([[object()]])}, "object"),
        ({"counts": np.array([["a"]])}, "<U1"),
        ({"counts": np.full((2, 3), -2)}, "found -2"),
        ({"provenance": np.zeros(3)}, "not text"),
        ({"provenance": np.zeros(3, np.uint8)}, "not valid JSON"),
    ],
)
def test_files_with_other_arrays_are_refused(workdir, change, sentence):
    path = save_responses(workdir, RESPONSES)
    rewrite(path, **change)
    with pytest.raises(ArtefactError, match=sentence):
        load_responses(path)


def test_missing_and_foreign_files_are_refused(workdir, tmp_path):
    with pytest.raises(ArtefactError, match="does not exist"):
        load_responses(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ArtefactError, match=r"not an intact \.npz archive"):
        load_responses(tmp_path / "text.npz")
    with pytest.raises(ArtefactError, match="folder"):
        load_responses(tmp_path)


def test_an_archive_that_would_fill_the_memory_is_refused_by_its_headers(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("counts.npy", b"x" * 100)
    data = path.read_bytes()
    size = (100).to_bytes(4, "little")
    huge = data.replace(size, (2**32 - 2).to_bytes(4, "little"))
    assert huge != data
    path.write_bytes(huge)
    with pytest.raises(ArtefactError):
        load_responses(path)

    with zipfile.ZipFile(path, "w") as archive:
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {"descr": "<u2", "fortran_order": False, "shape": (60_000, 10**9)})
        archive.writestr("counts.npy", buffer.getvalue())
    with pytest.raises(ArtefactError, match="truncated"):
        load_responses(path)


def peak_of(call):
    """Return the most memory that a call takes, bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def add(path, name, array, *, after=b""):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", npy_bytes(array, path) + after)


def test_an_array_that_nobody_asked_for_takes_no_memory(workdir):
    path = save_responses(workdir, RESPONSES)
    add(path, "extra", np.zeros(40_000_000, dtype=np.uint8))
    assert path.stat().st_size < 100_000
    assert peak_of(lambda: load_responses(path)) < 5_000_000


def test_headers_are_checked_before_any_array_is_unpacked(workdir, tmp_path):
    path = tmp_path / "a.npz"
    add(path, "counts", np.zeros(40_000_000, dtype=np.uint8))
    add(path, "labels", np.zeros(3), after=b"more")

    def load():
        with pytest.raises(ArtefactError, match="'labels'.*longer than it should be"):
            read_npz(path, ["counts", "labels"])

    assert peak_of(load) < 5_000_000


def test_an_array_is_unpacked_without_taking_its_memory_twice(tmp_path):
    path = tmp_path / "a.npz"
    add(path, "counts", np.zeros(20_000_000, dtype=np.uint8))
    assert peak_of(lambda: read_npz(path)) < 30_000_000


def test_what_is_not_asked_for_is_not_judged(tmp_path):
    path = tmp_path / "a.npz"
    add(path, "counts", np.arange(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("note.txt", "no array")
    assert read_npz(path, ["counts", "absent"])["counts"].tolist() == [0, 1, 2]


def test_an_archive_larger_than_the_limit_is_refused_before_unpacking(workdir, monkeypatch):
    path = save_responses(workdir, RESPONSES)
    monkeypatch.setattr("snstdp_cli.artefacts.recordings.MAX_RECORDING_BYTES", 500)
    with pytest.raises(ArtefactError, match="would unpack to"):
        load_responses(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_an_array_twice_is_refused(workdir):
    path = save_responses(workdir, RESPONSES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.npy", archive.read("labels.npy"))
    with pytest.raises(ArtefactError, match="twice"):
        load_responses(path)


@tries(1000, HealthCheck.function_scoped_fixture)
@given(
    edits=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4),
    cut=st.one_of(st.none(), st.integers(0, 1500)),
)
def test_damaged_archives_give_responses_or_a_sentence_and_nothing_else(workdir, edits, cut):
    path = save_responses(workdir, RESPONSES, force=True)
    data = bytearray(path.read_bytes())
    for position, value in edits:
        data[position % len(data)] = value
    path.write_bytes(bytes(data)[:cut])
    with contextlib.suppress(ArtefactError):
        np.testing.assert_array_equal(load_responses(path).counts, RESPONSES.counts)


def test_the_ancestor_pair_comes_back_with_silence_told_by_the_counts(workdir):
    result_path, labels_path = artefacts.save_ancestor_pair(workdir, RESPONSES)
    assert result_path.name == "resultPopVecs2.npy"
    assert np.load(result_path).dtype == np.dtype("float64")
    assert np.load(labels_path).dtype == np.dtype("int64")
    loaded = load_ancestor_pair(result_path)
    np.testing.assert_array_equal(loaded.counts, RESPONSES.counts)
    np.testing.assert_array_equal(loaded.labels, RESPONSES.labels)
    np.testing.assert_array_equal(loaded.attempts, [1, 1])
    np.testing.assert_array_equal(loaded.silent, [False, True])


@pytest.mark.parametrize("existing", ["resultPopVecs2.npy", "inputNumbers2.npy"])
def test_the_ancestor_pair_is_not_overwritten_without_force(workdir, existing):
    workdir.activity.mkdir()
    (workdir.activity / existing).write_text("precious")
    with pytest.raises(ArtefactError, match=rf"{existing}: the file exists already"):
        artefacts.save_ancestor_pair(workdir, RESPONSES)
    assert [path.name for path in workdir.activity.iterdir()] == [existing]
    artefacts.save_ancestor_pair(workdir, RESPONSES, force=True)


@pytest.mark.parametrize(
    ("counts", "labels", "sentence"),
    [
        (np.ones((2, 3)), np.array([1.0]), "labels has shape"),
        (np.ones((2, 3)), np.array([1, -1]), r"inputNumbers2\.npy.*found -1"),
        (np.full((2, 3), 0.5), np.array([1, 1]), "found 0.5"),
        (np.full((2, 3), np.inf, np.float16), np.array([1, 1]), "found inf"),
        (np.ones(2), np.array([1, 1]), "expected counts"),
        (np.float64(3), np.float64(3), "expected counts"),
    ],
)
def test_an_ancestor_pair_that_does_not_fit_is_refused(tmp_path, counts, labels, sentence):
    np.save(tmp_path / "resultPopVecs2.npy", counts)
    np.save(tmp_path / "inputNumbers2.npy", labels)
    with pytest.raises(ArtefactError, match=sentence):
        load_ancestor_pair(tmp_path / "resultPopVecs2.npy")


def test_an_ancestor_pair_needs_its_names_and_both_files(tmp_path):
    with pytest.raises(ArtefactError, match="expected a file called resultPopVecs<N>"):
        load_ancestor_pair(tmp_path / "other.npy")
    np.save(tmp_path / "resultPopVecs2.npy", np.ones((2, 3)))
    with pytest.raises(ArtefactError, match=r"inputNumbers2\.npy: the file does not exist"):
        load_ancestor_pair(tmp_path / "resultPopVecs2.npy")
