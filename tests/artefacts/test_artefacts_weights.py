"""Weights, thresholds, provenance and snapshots."""

import contextlib
import errno
import fcntl
import json
import os
import warnings

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from synthetic import recording_record, training_record

from snstdp_cli import artefacts
from snstdp_cli.artefacts import Workdir, load_weights, save_weights
from snstdp_cli.errors import ArtefactError, ConfigError

WEIGHTS = np.arange(12, dtype=np.float64).reshape(4, 3) / 7
THETA_MV = np.array([20.0, 20.05, 31.4])
RECORD = training_record()


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path)


def put(workdir, name, weights, theta_volts):
    workdir.weights.mkdir(exist_ok=True)
    np.save(workdir.weights / f"XeAe{name}.npy", weights)
    np.save(workdir.weights / f"theta_A{name}.npy", theta_volts)


def files_below(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_weights_come_back_with_thresholds_in_millivolts_and_provenance(workdir):
    paths = save_weights(workdir, "a", WEIGHTS, THETA_MV, training_record(note="made up"))
    loaded = load_weights(workdir, "a", n_input=4, n_e=3)
    assert [path.name for path in paths] == ["XeAea.npy", "theta_Aa.npy", "a.json"]
    np.testing.assert_array_equal(loaded.weights, WEIGHTS)
    np.testing.assert_allclose(loaded.theta_mv, THETA_MV, rtol=1e-15)
    assert loaded.record == training_record(note="made up", files=loaded.record.files)
    assert set(loaded.record.files) == {"XeAea.npy", "theta_Aa.npy"}
    assert len(loaded.sha256) == 64


def test_files_are_flat_input_major_and_in_volts(workdir):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    np.testing.assert_array_equal(np.load(workdir.weights / "XeAea.npy"), WEIGHTS.ravel())
    np.testing.assert_allclose(np.load(workdir.weights / "theta_Aa.npy"), [0.02, 0.02005, 0.0314])


def test_weights_in_fortran_order_are_written_input_major(workdir):
    save_weights(workdir, "a", np.asfortranarray(WEIGHTS), THETA_MV, RECORD)
    np.testing.assert_array_equal(np.load(workdir.weights / "XeAea.npy"), WEIGHTS.ravel())


def test_single_precision_can_be_asked_for(workdir):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD, dtype=np.float32)
    assert np.load(workdir.weights / "XeAea.npy").dtype == np.float32
    np.testing.assert_array_equal(load_weights(workdir, "a").weights, WEIGHTS.astype(np.float32))


def test_checksum_tells_different_weights_apart_and_not_the_form_of_the_file(workdir):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    put(workdir, "b", WEIGHTS, np.load(workdir.weights / "theta_Aa.npy"))
    put(workdir, "c", WEIGHTS + 1, np.load(workdir.weights / "theta_Aa.npy"))
    sums = [load_weights(workdir, name).sha256 for name in "abc"]
    assert sums[0] == sums[1] != sums[2]


@pytest.mark.parametrize(
    "stored", [WEIGHTS, np.asfortranarray(WEIGHTS), WEIGHTS.ravel(), WEIGHTS.astype(">f8")], ids=list("mfvb")
)
def test_ancestor_weights_load_as_matrix_or_flat_without_provenance(workdir, stored):
    put(workdir, "old", stored, THETA_MV / 1000)
    loaded = load_weights(workdir, "old")
    np.testing.assert_array_equal(loaded.weights, WEIGHTS)
    assert loaded.weights.dtype == np.dtype("float64")
    assert loaded.record is None


def test_three_columns_fill_the_unlisted_pairs_with_zero(workdir):
    put(workdir, "a", np.array([[0, 1, 0.5], [2, 0, -0.25]]), np.full(2, 0.02))
    np.testing.assert_array_equal(load_weights(workdir, "a", n_input=4).weights, [[0, 0.5], [0, 0], [-0.25, 0], [0, 0]])
    assert load_weights(workdir, "a").weights.shape == (3, 2)


def test_three_neurons_make_three_columns_a_matrix_unless_its_inputs_differ(workdir):
    put(workdir, "a", np.array([[0, 1, 2.0], [1, 0, 3.0]]), np.full(3, 0.02))
    np.testing.assert_array_equal(load_weights(workdir, "a", n_input=2).weights, [[0, 1, 2], [1, 0, 3]])
    np.testing.assert_array_equal(load_weights(workdir, "a", n_input=3).weights, [[0, 2, 0], [3, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([[0, 1, 1.0], [0, 1, 2.0]], "listed twice"),
        ([[0, 2, 1.0]], "column j.*found 2"),
        ([[4, 0, 1.0]], "column i.*found 4"),
        ([[-1, 0, 1.0]], "column i.*found -1"),
        ([[0.5, 0, 1.0]], "column i.*found 0.5"),
        ([[1e300, 0, 1.0]], "column i"),
    ],
)
def test_three_columns_with_impossible_indices_are_refused(workdir, rows, sentence):
    put(workdir, "a", np.array(rows), np.full(2, 0.02))
    with pytest.raises(ArtefactError, match=sentence):
        load_weights(workdir, "a", n_input=4)


def test_a_wild_input_index_does_not_allocate_a_wild_matrix(workdir):
    put(workdir, "a", np.array([[1e12, 0, 1.0]]), np.full(2, 0.02))
    with pytest.raises(ArtefactError, match="column i"):
        load_weights(workdir, "a")
    put(workdir, "b", np.array([[999_999, 0, 1.0]]), np.full(2000, 0.02))
    with pytest.raises(ArtefactError, match="need more than"):
        load_weights(workdir, "b")


@pytest.mark.parametrize(
    ("weights", "theta", "sentence"),
    [
        (np.array([1.0, np.nan] * 6), THETA_MV, "6 of 12 values of the weights are not finite"),
        (WEIGHTS, np.array([0.02, np.inf, 0.02]), "1 of 3 values of the thresholds are not finite"),
        (WEIGHTS, np.array([0.02, 1e307, 0.02]), "not finite"),
        (WEIGHTS.T, THETA_MV, r"found shape \(3, 4\); theta_Aa.npy has 3 neurons"),
        (WEIGHTS.ravel()[:11], THETA_MV, "theta_Aa.npy has 3 neurons"),
        (WEIGHTS[None], THETA_MV, r"found shape \(1, 4, 3\)"),
        (np.float64(1.0), THETA_MV, r"found shape \(\)"),
        (WEIGHTS, THETA_MV[None], "1 dimension"),
        (WEIGHTS, np.zeros(0), "empty"),
        (np.zeros((0, 3)), THETA_MV, "empty"),
        (WEIGHTS.astype(complex), THETA_MV, "complex128"),
        (WEIGHTS > 1, THETA_MV, "bool"),
        (WEIGHTS.astype(str), THETA_MV, "<U"),
        (WEIGHTS.astype("V8"), THETA_MV, "V8"),
        (WEIGHTS.astype("M8[s]"), THETA_MV, "datetime64"),
    ],
)
def test_arrays_that_cannot_be_weights_are_refused_naming_the_file(workdir, weights, theta, sentence):
    put(workdir, "a", weights, theta)
    with pytest.raises(ArtefactError, match=sentence) as caught:
        load_weights(workdir, "a")
    assert str(workdir.weights) in str(caught.value)


def test_object_arrays_are_refused_and_nothing_is_unpickled(workdir, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "unpickled"),))

    put(workdir, "a", WEIGHTS, THETA_MV)
    np.save(workdir.weights / "XeAea.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(ArtefactError, match="object"):
        load_weights(workdir, "a")
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a NumPy .npy file"),
        (b"0.1 0.2 0.3\n", "not a NumPy .npy file"),
        (b"\x93NUMPY\x01\x00\xff\xff{}", "header of the .npy file is damaged"),
        (b"\x93NUMPY\x03\x00\x10\x00\x00\x00" + b" " * 16, "format"),
    ],
)
def test_files_that_are_not_numpy_arrays_are_refused(workdir, data, sentence):
    put(workdir, "a", WEIGHTS, THETA_MV)
    (workdir.weights / "XeAea.npy").write_bytes(data)
    with pytest.raises(ArtefactError, match=sentence):
        load_weights(workdir, "a")


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "shape", ["(10**15,)", "(1000000000000000,)", "(9" + "9" * 50 + ",)", "(-1,)", "(0, 1" + "0" * 40 + ")"]
)
def test_a_header_that_announces_more_than_the_file_holds_allocates_nothing(workdir, shape):
    put(workdir, "a", WEIGHTS, THETA_MV)
    (workdir.weights / "XeAea.npy").write_bytes(header(shape) + bytes(96))
    with pytest.raises(ArtefactError, match=r"truncated|damaged|impossible|longer"):
        load_weights(workdir, "a")


@pytest.mark.parametrize("change", [slice(None, -1), slice(None, 100), slice(None, 5)])
def test_a_truncated_array_is_refused(workdir, change):
    put(workdir, "a", WEIGHTS, THETA_MV)
    path = workdir.weights / "XeAea.npy"
    path.write_bytes(path.read_bytes()[change])
    with pytest.raises(ArtefactError, match=r"truncated|damaged|not a NumPy"):
        load_weights(workdir, "a")


def test_bytes_behind_an_array_are_refused(workdir):
    put(workdir, "a", WEIGHTS, THETA_MV)
    with (workdir.weights / "XeAea.npy").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtefactError, match="longer than it should be"):
        load_weights(workdir, "a")


@pytest.mark.parametrize("missing", ["XeAea.npy", "theta_Aa.npy"])
def test_a_missing_file_is_named(workdir, missing):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    (workdir.weights / missing).unlink()
    with pytest.raises(ArtefactError, match=f"{missing}: the file does not exist"):
        load_weights(workdir, "a")


def test_a_folder_or_a_pipe_in_place_of_a_file_is_refused_without_waiting(workdir):
    put(workdir, "a", WEIGHTS, THETA_MV)
    path = workdir.weights / "XeAea.npy"
    path.unlink()
    path.mkdir()
    with pytest.raises(ArtefactError, match="it is a folder"):
        load_weights(workdir, "a")
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ArtefactError, match="not a regular file"):
        load_weights(workdir, "a")


def test_a_file_without_permission_gives_a_sentence(workdir, monkeypatch):
    put(workdir, "a", WEIGHTS, THETA_MV)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("os.open", refuse)
        with pytest.raises(ArtefactError, match="cannot read the file: Permission denied"):
            load_weights(workdir, "a")


@pytest.mark.parametrize(
    ("asked", "sentence"), [({"n_e": 400}, "n_e 400 is asked"), ({"n_input": 784}, "n_input 784 is")]
)
def test_weights_of_another_size_are_refused_naming_both_sizes(workdir, asked, sentence):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    put(workdir, "b", WEIGHTS.ravel(), THETA_MV)
    for name in "ab":
        with pytest.raises(ArtefactError, match="n_input 4 and n_e 3, but .*" + sentence):
            load_weights(workdir, name, **asked)


def test_a_changed_file_is_told_by_its_provenance_until_that_is_deleted(workdir):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    put(workdir, "a", WEIGHTS * 2, THETA_MV / 1000)
    with pytest.raises(ArtefactError, match=r"XeAea.npy: does not match its provenance .*delete .*a\.json"):
        load_weights(workdir, "a")
    (workdir.weights / "a.json").unlink()
    np.testing.assert_array_equal(load_weights(workdir, "a").weights, WEIGHTS * 2)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff", "[" * 100_000, '{"files": []}', '{"n": ' + "9" * 5000 + "}"])
def test_damaged_provenance_is_refused(workdir, text):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    (workdir.weights / "a.json").write_text(text, encoding="latin-1")
    with pytest.raises(ArtefactError, match=r"JSON|provenance"):
        load_weights(workdir, "a")


@pytest.mark.parametrize("existing", ["XeAea.npy", "theta_Aa.npy", "a.json"])
def test_existing_files_are_not_overwritten_without_force(workdir, existing):
    workdir.weights.mkdir()
    (workdir.weights / existing).write_text("precious")
    with pytest.raises(ArtefactError, match=rf"{existing}: the file exists already.*--force"):
        save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    assert files_below(workdir.root) == {existing: b"precious"}
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD, force=True)
    np.testing.assert_array_equal(load_weights(workdir, "a").weights, WEIGHTS)


@pytest.mark.parametrize(
    ("weights", "theta", "dtype"),
    [
        (WEIGHTS.ravel(), THETA_MV, np.float64),
        (WEIGHTS, THETA_MV[:2], np.float64),
        (WEIGHTS * np.nan, THETA_MV, np.float64),
        (WEIGHTS, THETA_MV * np.inf, np.float64),
        (WEIGHTS * 1e300, THETA_MV, np.float32),
        (WEIGHTS, THETA_MV, np.int64),
    ],
)
def test_arrays_that_could_not_be_loaded_are_not_saved(workdir, weights, theta, dtype):
    with pytest.raises(ArtefactError):
        save_weights(workdir, "a", weights, theta, RECORD, dtype=dtype)
    assert files_below(workdir.root) == {}


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_leaves_the_old_weights_and_no_temporary_file(workdir, monkeypatch, call, after):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    before = files_below(workdir.root)
    original, calls = getattr(os, call), []

    def fail(*arguments):
        calls.append(1)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments)

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ArtefactError, match=r"cannot write .*: No space left on device; nothing was overwritten"):
        save_weights(workdir, "a", WEIGHTS * 2, THETA_MV, RECORD, force=True)
    assert files_below(workdir.root) == before


@pytest.mark.parametrize("with_json", [True, False])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_mixture_of_old_and_new_files_is_never_loaded(workdir, monkeypatch, after, with_json):
    save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    if not with_json:
        (workdir.weights / "a.json").unlink()
    original, calls = os.replace, []

    def fail(*arguments):
        calls.append(1)
        if len(calls) > after:
            raise OSError(errno.EIO, "Input/output error")
        original(*arguments)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ArtefactError, match="nothing was overwritten" if after == 0 else "replaced before: "):
        save_weights(workdir, "a", WEIGHTS * 2, THETA_MV * 2, RECORD, force=True)
    assert not list(workdir.weights.glob(".*tmp"))
    if after == 0:
        np.testing.assert_array_equal(load_weights(workdir, "a").weights, WEIGHTS)
    else:
        with pytest.raises(ArtefactError, match="does not match its provenance"):
            load_weights(workdir, "a")


def test_a_temporary_file_of_a_killed_writer_is_removed_and_one_in_use_is_not(workdir):
    workdir.weights.mkdir()
    stale, used, foreign = (workdir.weights / f".{name}" for name in ("x.npy." + "0" * 16, "y.npy." + "1" * 16, "z"))
    stale, used, foreign = (path.with_name(path.name + ".snstdp-tmp") for path in (stale, used, foreign))
    for path in (stale, used, foreign):
        path.write_bytes(b"half")
    with used.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        artefacts.write_atomic(workdir.weights / "new", b"whole")
    assert (workdir.weights / "new").read_bytes() == b"whole"
    assert [path.exists() for path in (stale, used, foreign)] == [False, True, True]


def test_a_file_where_the_folder_should_be_gives_a_sentence(workdir):
    workdir.weights.write_text("not a folder")
    with pytest.raises(ArtefactError, match="cannot"):
        save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    with pytest.raises(ArtefactError, match="Not a directory"):
        load_weights(workdir, "a")
    assert artefacts.list_weights(workdir) == []


def test_weights_exist_only_with_both_arrays_and_are_listed_by_name(workdir):
    assert artefacts.list_weights(workdir) == []
    for name in ("b", "a.1", "half"):
        save_weights(workdir, name, WEIGHTS, THETA_MV, RECORD)
    (workdir.weights / "theta_Ahalf.npy").unlink()
    put(workdir, "", WEIGHTS, THETA_MV)
    # Those without a name are called XeAe.
    assert artefacts.list_weights(workdir) == ["XeAe", "a.1", "b"]
    assert artefacts.weights_exist(workdir, "b")
    assert not artefacts.weights_exist(workdir, "half")


BAD_NAMES = [
    "",
    "../x",
    "/etc/x",
    "a/b",
    "a\\b",
    "a\0b",
    "x" * 300,
    "con",
    "LPT1.b",
    ".hidden",
    "a..b",
    "a\n",
    "é",
    "~",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_not_plain_are_refused_everywhere_and_write_nothing(tmp_path, name):
    workdir = Workdir(tmp_path / "project")

    def responses(name="a", label=None):
        arrays = np.ones((1, 2), np.uint16), np.zeros(1, np.uint8), np.ones(1, np.uint16), np.zeros(1, np.bool_)
        weights = artefacts.WeightsRecord.model_construct(name=name, sha256="0" * 64)
        record = recording_record().model_copy(update={"weights": weights, "label": label})
        return artefacts.Responses(*arrays, record)

    calls = [
        lambda: save_weights(workdir, name, WEIGHTS, THETA_MV, RECORD, force=True),
        lambda: load_weights(workdir, name),
        lambda: artefacts.weights_exist(workdir, name),
        lambda: artefacts.save_snapshot(workdir, name, "0" * 16, 1, WEIGHTS, THETA_MV),
        lambda: artefacts.load_snapshots(workdir, name, None, 4, 3),
        lambda: artefacts.save_responses(workdir, responses(name)),
        lambda: artefacts.save_responses(workdir, responses(label=name or ".")),
        lambda: artefacts.save_partial(workdir, responses(name)),
        lambda: artefacts.read_state(workdir, name),
        lambda: artefacts.write_checkpoint(workdir, name, {}, {"examples": 1}),
        lambda: artefacts.read_checkpoint(workdir, name),
        lambda: artefacts.delete_checkpoints(workdir, name),
        lambda: artefacts.lock_name(workdir, name).__enter__(),
    ]
    for call in calls:
        with pytest.raises(ConfigError):
            call()
    assert list(tmp_path.iterdir()) == []


FORMS = [WEIGHTS, WEIGHTS.ravel(), np.array([[0, 1, 0.5], [2, 0, -0.25]]), WEIGHTS.astype(np.float16), np.arange(12)]


@tries(2500, HealthCheck.function_scoped_fixture)
@given(
    form=st.sampled_from(FORMS),
    theta_too=st.booleans(),
    edits=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=4),
    cut=st.one_of(st.none(), st.integers(0, 250)),
    extra=st.binary(max_size=8),
)
def test_damaged_bytes_give_finite_weights_or_a_sentence_and_nothing_else(workdir, form, theta_too, edits, cut, extra):
    put(workdir, "a", form, THETA_MV[: 2 if form.shape == (2, 3) else 3] / 1000)
    for path in [workdir.weights / "XeAea.npy"] + [workdir.weights / "theta_Aa.npy"] * theta_too:
        data = bytearray(path.read_bytes())
        for position, value in edits:
            data[position % len(data)] = value
        path.write_bytes(bytes(data)[:cut] + extra)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = None
        with contextlib.suppress(ArtefactError):
            loaded = load_weights(workdir, "a")
        if loaded is not None:
            assert np.isfinite(loaded.weights).all()
            assert np.isfinite(loaded.theta_mv).all()
            assert loaded.weights.shape[1:] == loaded.theta_mv.shape


HEADER_TEXT = st.text(alphabet="{}()[]'\",: <>f8idescrfortran_ordershapeTrueFalse0123456789-L\\\n", max_size=80)


@tries(500, HealthCheck.function_scoped_fixture)  # two files each
@given(text=HEADER_TEXT, descr=st.sampled_from(["<f8", "|O", "<U0", "|V0", "f8,f8", "", "<M8[s]", "3f8", ",", "<f3"]))
def test_a_header_of_any_text_gives_a_sentence(workdir, text, descr):
    put(workdir, "a", WEIGHTS, THETA_MV)
    written = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (12,), }}\n"
    for content in (text, written):
        encoded = content.encode()
        head = b"\x93NUMPY\x01\x00" + len(encoded).to_bytes(2, "little") + encoded
        (workdir.weights / "XeAea.npy").write_bytes(head + bytes(96))
        with contextlib.suppress(ArtefactError):
            assert load_weights(workdir, "a").weights.shape == (4, 3)


def test_the_record_is_readable_json_with_a_checksum_for_each_file(workdir):
    paths = save_weights(workdir, "a", WEIGHTS, THETA_MV, RECORD)
    content = json.loads(paths[2].read_text())
    assert list(content)[:3] == ["format", "generation", "date"]
    assert set(content["files"]) == {"XeAea.npy", "theta_Aa.npy"}
    assert paths[2].read_text().count("\n") > 4
