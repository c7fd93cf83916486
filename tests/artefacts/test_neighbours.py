"""Processes that write into one folder, or hold folders beside each other, leave each other's files alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from snstdp_cli.artefacts import temporaries, write_atomic
from snstdp_cli.artefacts.files import Workdir
from snstdp_cli.artefacts.locks import lock_name
from snstdp_cli.engines.folders import hold_file, hold_folder, remove_abandoned
from snstdp_cli.errors import ArtefactError

TEMPORARY = ".a.npy.0123456789abcdef.snstdp-tmp"
WRITERS, WRITES = 4, 400
WRITER = """
import os, sys
from pathlib import Path
from snstdp_cli.artefacts import write_atomic
os.fsync = lambda descriptor: None  # the race, not the disk
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for k in range(count):
    write_atomic(folder / f"{name}.json", b"%d" % k)
"""
HOLDER = """
import sys
from pathlib import Path
from snstdp_cli.engines.folders import hold_folder
for _ in range(int(sys.argv[2])):
    held = hold_folder(Path(sys.argv[1]), "snstdp-")
    (held.path / "file").write_text("mine")
    assert (held.path / "file").read_text() == "mine"
    held.remove()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run_beside(code: str, count: int, *arguments: str) -> list[str]:
    """Run a program several times at once; return what each said of errors."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, arguments[0], *(a.replace("#", str(k)) for a in arguments[1:])],
            stderr=subprocess.PIPE,
            text=True,
        )
        for k in range(count)
    ]
    return [process.communicate(timeout=100)[1][-500:] for process in started]


def test_writers_in_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    assert run_beside(WRITER, WRITERS, str(tmp_path), "name#", str(WRITES)) == [""] * WRITERS
    assert names(tmp_path) == [f"name{k}.json" for k in range(WRITERS)]
    assert {(tmp_path / f"name{k}.json").read_text() for k in range(WRITERS)} == {str(WRITES - 1)}


def test_a_file_that_a_neighbour_removes_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, removed = os.open, []

    def open_and_lose(path: Path, *arguments: int) -> int:
        descriptor = real(path, *arguments)
        if str(path).endswith(".snstdp-tmp") and len(removed) < 3:
            removed.append(path)
            Path(path).unlink()
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr("os.open", open_and_lose)
        write_atomic(tmp_path / "a.json", b"whole")
    assert len(removed) == 3
    assert (tmp_path / "a.json").read_bytes() == b"whole"
    assert names(tmp_path) == ["a.json"]


def test_cleaning_leaves_what_is_locked_young_foreign_or_no_file(tmp_path: Path) -> None:
    locked, young, elsewhere = tmp_path / TEMPORARY, tmp_path / TEMPORARY.replace("a", "b", 1), tmp_path / "kept"
    link, pipe = tmp_path / TEMPORARY.replace("a", "c", 1), tmp_path / TEMPORARY.replace("a", "d", 1)
    locked.write_bytes(b"x")
    young.touch()
    elsewhere.write_bytes(b"x")
    link.symlink_to(elsewhere)
    os.mkfifo(pipe)
    with locked.open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        cleaner = threading.Thread(target=temporaries.remove_stale, args=(tmp_path,), daemon=True)
        cleaner.start()
        cleaner.join(10)
        assert not cleaner.is_alive()  # a pipe under a temporary's name let every write wait for ever
    assert len(names(tmp_path)) == 5
    os.utime(young, (1, 1))
    temporaries.remove_stale(tmp_path)
    assert names(tmp_path) == sorted([link.name, pipe.name, "kept"])


def test_a_name_that_leads_elsewhere_after_the_lock_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / TEMPORARY, fcntl.flock
    path.write_bytes(b"old")

    def lock_late(descriptor: int, operation: int) -> None:
        path.unlink()
        path.write_bytes(b"of a neighbour")
        real(descriptor, operation)

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", lock_late)
        temporaries.remove_stale(tmp_path)
    assert path.read_bytes() == b"of a neighbour"


def test_a_pipe_in_the_place_of_a_lock_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "weights" / ".locks").mkdir(parents=True)
    os.mkfifo(tmp_path / "weights" / ".locks" / "a.lock")
    with pytest.raises(ArtefactError, match="not a regular file"), lock_name(Workdir(tmp_path), "a"):
        pass


def test_holders_of_folders_do_not_disturb_each_other(tmp_path: Path) -> None:
    assert run_beside(HOLDER, 3, str(tmp_path), "150") == [""] * 3
    assert names(tmp_path) == []


@pytest.mark.parametrize("lock", ["", "something else\n", None, "pipe", "link"])
def test_a_folder_without_our_mark_is_never_removed_whatever_its_name(tmp_path: Path, lock: str | None) -> None:
    folder = tmp_path / "snstdp-venv"
    folder.mkdir()
    (folder / "precious").write_text("mine")
    if lock == "pipe":
        os.mkfifo(folder / ".lock")
    elif lock == "link":
        (tmp_path / "elsewhere").touch()
        (folder / ".lock").symlink_to(tmp_path / "elsewhere")
    elif lock is not None:
        (folder / ".lock").write_text(lock)
    hold_folder(tmp_path, "snstdp-").remove()
    assert (folder / "precious").read_text() == "mine"


def test_a_folder_of_a_killed_process_is_removed_and_one_that_is_held_is_not(tmp_path: Path) -> None:
    killed = "import os; from pathlib import Path; from snstdp_cli.engines.folders import hold_folder\n"
    killed += f"hold_folder(Path({str(tmp_path)!r}), 'snstdp-'); os._exit(9)"
    subprocess.run([sys.executable, "-c", killed], check=False, timeout=60)
    (abandoned,) = tmp_path.iterdir()
    held = hold_folder(tmp_path, "snstdp-")
    assert not abandoned.exists()
    remove_abandoned(tmp_path, "snstdp-")
    assert held.path.exists()
    held.remove()


def test_a_link_to_a_marked_folder_is_not_followed(tmp_path: Path) -> None:
    elsewhere = hold_folder(tmp_path, "kept-")
    os.close(elsewhere.descriptor)
    (tmp_path / "snstdp-link").symlink_to(elsewhere.path)
    remove_abandoned(tmp_path, "snstdp-")
    assert (elsewhere.path / ".lock").exists()
    shutil.rmtree(elsewhere.path)


def test_of_two_who_want_a_lock_one_waits_and_says_so_once(tmp_path: Path) -> None:
    told: list[str] = []
    order: list[str] = []
    held, begun = threading.Event(), threading.Event()

    def first() -> None:
        with hold_file(tmp_path / "lock"):
            begun.set()
            held.wait(20)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(20)

    def waiting() -> None:
        told.append("waits")
        held.set()

    with hold_file(tmp_path / "lock", waiting):
        order.append("second")
    thread.join()
    assert (order, told) == (["first", "second"], ["waits"])


def test_the_temporary_folder_may_hold_what_it_wants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "snstdp-file").write_text("no folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hold_folder(Path(tempfile.gettempdir()), "snstdp-").remove()
    assert names(tmp_path) == ["snstdp-file"]


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_never_replaced_by_one(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    os.mkfifo(target) if kind == "pipe" else target.mkdir()
    with pytest.raises(ArtefactError, match="expected a file, but it is a"):
        write_atomic(target, b"page")
    assert not target.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
