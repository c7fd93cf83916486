"""Checkpoints and the lock of a name."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from fuzzing import tries
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from snstdp_cli.artefacts import Workdir, checkpoints, delete_checkpoints, lock_name, read_checkpoint, write_checkpoint
from snstdp_cli.artefacts.arrays import npz_bytes
from snstdp_cli.errors import ArtefactError

KINDS = ["float64", "float32", "int32", "int64", "uint8", "bool"]
ARRAYS = {kind: np.array([[0, 1], [2, 100]]).astype(kind) for kind in KINDS}


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path)


def folder(workdir):
    return workdir.weights / ".checkpoints" / "a"


def names(workdir):
    return sorted(path.name for path in folder(workdir).iterdir())


def write(workdir, *examples):
    for count in examples:
        write_checkpoint(workdir, "a", {"w": np.full(3, count)}, {"examples": count})


def test_there_is_no_checkpoint_before_the_first(workdir):
    assert read_checkpoint(workdir, "a") is None
    delete_checkpoints(workdir, "a")


def test_arrays_of_every_type_and_shape_come_back_bit_for_bit(workdir):
    odd = np.array([np.nan, -0.0, np.inf, 5e-324, 0.1])
    shapes = {"scalar": np.array(2.5), "empty": np.zeros((0, 3)), "file": np.asfortranarray(np.eye(3)), "odd": odd}
    path = write_checkpoint(workdir, "a", {**ARRAYS, **shapes}, {"examples": 250, "loss": 0.1, "text": "ü"})
    assert path.name == "00000250.ckpt"
    found = read_checkpoint(workdir, "a")
    assert found.meta == {"examples": 250, "loss": 0.1, "text": "ü"}
    assert found.skipped == []
    assert found.path == path
    assert set(found.arrays) == set(ARRAYS) | set(shapes)
    for key, expected in {**ARRAYS, **shapes}.items():
        assert found.arrays[key].dtype == expected.dtype
        assert found.arrays[key].shape == expected.shape
        assert found.arrays[key].tobytes() == expected.tobytes()
        assert found.arrays[key].flags.writeable


def test_the_last_two_checkpoints_are_kept(workdir):
    write(workdir, 250, 500, 750, 1000)
    assert names(workdir) == ["00000750.ckpt", "00001000.ckpt"]
    assert read_checkpoint(workdir, "a").meta["examples"] == 1000


def test_more_than_eight_digits_are_still_the_newest(workdir):
    write(workdir, 99_999_999, 100_000_000)
    assert names(workdir) == ["100000000.ckpt", "99999999.ckpt"]
    assert read_checkpoint(workdir, "a").meta["examples"] == 100_000_000


@pytest.mark.parametrize(
    "damage", ["truncate", "flip the first", "flip the middle", "flip the last", "empty", "folder"]
)
def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(workdir, damage):
    write(workdir, 250, 500)
    path = folder(workdir) / "00000500.ckpt"
    data = bytearray(path.read_bytes())
    if damage.startswith("flip"):
        data[{"first": 0, "middle": len(data) // 2, "last": -1}[damage.split()[-1]]] ^= 1
    path.write_bytes({"truncate": data[:-7], "empty": b""}.get(damage, data))
    if damage == "folder":
        path.unlink()
        path.mkdir()
    found = read_checkpoint(workdir, "a")
    assert found.meta["examples"] == 250
    np.testing.assert_array_equal(found.arrays["w"], [250, 250, 250])
    assert len(found.skipped) == 1
    assert "00000500.ckpt" in found.skipped[0]


def test_a_checkpoint_under_the_name_of_another_is_damaged(workdir):
    write(workdir, 250)
    (folder(workdir) / "00000500.ckpt").write_bytes((folder(workdir) / "00000250.ckpt").read_bytes())
    found = read_checkpoint(workdir, "a")
    assert found.meta["examples"] == 250
    assert "00000500.ckpt: holds the state after 250 examples" in found.skipped[0]


def test_all_damaged_is_an_error_that_names_each(workdir):
    write(workdir, 250, 500)
    for path in folder(workdir).iterdir():
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ArtefactError, match=r"(?s)00000500.*00000250.*no checkpoint of 'a' is intact"):
        read_checkpoint(workdir, "a")


def test_the_advice_when_all_are_damaged_is_one_that_works(workdir):
    write(workdir, 250)
    (folder(workdir) / "00000250.ckpt").write_bytes(b"damaged")
    with pytest.raises(ArtefactError, match="start the training again with --force"):
        read_checkpoint(workdir, "a")
    delete_checkpoints(workdir, "a")  # what --force does
    assert read_checkpoint(workdir, "a") is None


def rewrite(workdir, content, *, magic=checkpoints._MAGIC, compress=False):
    """Replace a checkpoint by one with a right checksum and other content."""
    write(workdir, 250)
    path = folder(workdir) / "00000250.ckpt"
    body = npz_bytes(content, path, compress=compress)
    path.write_bytes(magic + hashlib.sha256(body).digest() + body)


def text(meta):
    return np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"magic": b"snstdp checkpoint 2\n"}, "another version of snstdp .format 2; this one reads 1"),
        ({"magic": b"somebody else's file\n"}, "not a checkpoint of snstdp"),
        ({"compress": True}, "'meta' is compressed"),
        (
            {"content": {"meta": text({"examples": 250}), "w": np.zeros(3)}},
            "holds 'w', which is no part of a checkpoint",
        ),
        ({"content": {"meta": text([250])}}, "expected a JSON object"),
        ({"content": {"meta": text({"examples": "x" * 999})}}, "state after 'xxxxxxxxxxxxxxx"),
        ({"content": {"array.w": np.zeros(3)}}, "not valid JSON"),
    ],
)
def test_well_formed_checkpoints_that_are_not_ours_give_a_sentence(workdir, changes, sentence):
    content = {"meta": text({"examples": 250}), "array.w": np.zeros(3)}
    rewrite(workdir, **{"content": content, **changes})
    with pytest.raises(ArtefactError, match=sentence) as told:
        read_checkpoint(workdir, "a")
    assert "start the training again with --force" in str(told.value)
    assert len(str(told.value)) < 600


def test_an_intact_checkpoint_is_kept_rather_than_a_damaged_newer_one(workdir):
    write(workdir, 250, 500)
    (folder(workdir) / "00000500.ckpt").write_bytes(b"damaged")
    write(workdir, 750)
    assert names(workdir) == ["00000250.ckpt", "00000750.ckpt"]


def test_checkpoints_of_an_abandoned_training_do_not_outlive_an_earlier_one(workdir):
    write(workdir, 5000, 5250, 250)
    assert names(workdir) == ["00000250.ckpt"]


@pytest.mark.parametrize("meta", [{}, {"examples": "5"}, {"examples": -1}, {"examples": True}, {"examples": 2.0}])
def test_meta_without_a_number_of_examples_is_refused(workdir, meta):
    with pytest.raises(ArtefactError, match="examples"):
        write_checkpoint(workdir, "a", ARRAYS, meta)


def test_objects_are_refused_so_that_nothing_is_pickled(workdir):
    with pytest.raises(ArtefactError, match="cannot store 'x' of type object"):
        write_checkpoint(workdir, "a", {"x": np.array([None])}, {"examples": 1})
    with pytest.raises(ArtefactError, match="JSON"):
        write_checkpoint(workdir, "a", ARRAYS, {"examples": 1, "x": object()})
    assert not folder(workdir).exists()


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_checkpoints_before_and_no_temporary_file(workdir, monkeypatch, call):
    write(workdir, 250, 500)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(ArtefactError, match=r"00000750.ckpt: No space left on device; nothing was overwritten"):
            write(workdir, 750)
    assert names(workdir) == ["00000250.ckpt", "00000500.ckpt"]
    assert read_checkpoint(workdir, "a").meta["examples"] == 500


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from snstdp_cli.artefacts import checkpoints
from snstdp_cli.artefacts.arrays import npz_bytes
from snstdp_cli.artefacts import Workdir, write_checkpoint
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_checkpoint(Workdir(Path(sys.argv[1])), "a", {"w": np.zeros(3)}, {"examples": 750})
"""


def test_what_a_killed_writer_leaves_does_not_disturb_and_goes_with_the_next_write(workdir):
    write(workdir, 250, 500)
    killed = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(workdir.root)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(names(workdir)) == 3
    assert read_checkpoint(workdir, "a").meta["examples"] == 500
    write(workdir, 750)
    assert names(workdir) == ["00000500.ckpt", "00000750.ckpt"]


def test_deleting_removes_the_checkpoints_of_one_name_only(workdir):
    write(workdir, 250, 500)
    write_checkpoint(workdir, "b", ARRAYS, {"examples": 1})
    delete_checkpoints(workdir, "a")
    assert read_checkpoint(workdir, "a") is None
    assert not folder(workdir).exists()
    assert read_checkpoint(workdir, "b") is not None


def test_deleting_leaves_files_that_are_no_checkpoints(workdir):
    write(workdir, 250)
    (folder(workdir) / "notes.txt").write_text("mine")
    delete_checkpoints(workdir, "a")
    assert names(workdir) == ["notes.txt"]


@tries(500, HealthCheck.function_scoped_fixture)
@given(position=st.integers(0, 10_000), change=st.integers(1, 255), cut=st.integers(0, 100))
def test_no_damage_goes_unnoticed(workdir, position, change, cut):
    path = write_checkpoint(workdir, "a", ARRAYS, {"examples": 250})
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= change
    path.write_bytes(data[: len(data) - cut])
    with pytest.raises(ArtefactError, match="no checkpoint of 'a' is intact"):
        read_checkpoint(workdir, "a")


HOLDER = """
import sys, time
from pathlib import Path
from snstdp_cli.artefacts import checkpoints
from snstdp_cli.artefacts.arrays import npz_bytes
from snstdp_cli.artefacts import Workdir, lock_name
with lock_name(Workdir(Path(sys.argv[1])), "a"):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_with_the_pid_until_the_first_is_killed(workdir):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(workdir.root)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"locked\n"
            with (
                pytest.raises(ArtefactError, match=rf"another snstdp process \(pid {holder.pid}\) is training a in"),
                lock_name(workdir, "a"),
            ):
                pass
            with lock_name(workdir, "b"):
                pass
        finally:
            holder.kill()
    with lock_name(workdir, "a"):
        assert (workdir.weights / ".locks" / "a.lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_is_released_when_its_body_fails(workdir):
    with pytest.raises(KeyError), lock_name(workdir, "a"):
        raise KeyError("x")
    with lock_name(workdir, "a"), pytest.raises(ArtefactError, match=f"pid {os.getpid()}"), lock_name(workdir, "a"):
        pass


def test_a_lock_that_cannot_be_made_gives_a_sentence(workdir):
    workdir.weights.write_text("not a folder")
    with pytest.raises(ArtefactError, match="cannot lock"), lock_name(workdir, "a"):
        pass
