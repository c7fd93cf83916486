"""Cython's modules: made beside the cache, moved in whole, and made again when they do not load."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snstdp_cli.engines import cython_cache
from snstdp_cli.errors import EngineError


def pretend(content: Callable[[Path], Any]) -> Callable[..., Any]:
    """Return a stand-in for what makes and loads a module: loading an empty file is an ImportError."""

    def load(module_path: str, *, lib_dir: str, **_: Any) -> str:
        path = Path(module_path)
        if not path.is_file():
            assert path.parent == Path(lib_dir)
            content(path)
        if path.stat().st_size == 0:
            raise ImportError("file too short")
        return path.read_text()

    return load


def load(folder: Path, content: Callable[[Path], Any]) -> Any:
    return cython_cache._load(pretend(content), str(folder / "module.so"), lib_dir=str(folder), module_name="module")


def write(text: str) -> Callable[[Path], Any]:
    return lambda path: path.write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cython").mkdir(mode=0o700)
    return tmp_path / "cython"


def test_a_module_is_made_once_in_a_folder_of_its_own_and_found_again(folder: Path) -> None:
    assert load(folder, write("code")) == "code"
    assert names(folder) == ["module.so"]
    assert (folder / "module.so").stat().st_mode & 0o777 == 0o700
    assert load(folder, write("other")) == "code"


def test_a_module_that_does_not_load_is_removed_and_made_again(folder: Path) -> None:
    (folder / "module.so").touch()  # what Ctrl-C left while the linker wrote
    assert load(folder, write("code")) == "code"
    assert (folder / "module.so").read_text() == "code"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ImportError, OSError])
def test_a_failure_while_a_module_is_made_leaves_nothing(folder: Path, failure: type[BaseException]) -> None:
    def fail(path: Path) -> None:
        path.touch()
        raise failure

    with pytest.raises(failure):
        load(folder, fail)
    assert names(folder) == []


def test_a_process_killed_while_it_makes_a_module_leaves_nothing_that_is_loaded(folder: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from snstdp_cli.engines import cython_cache
def load(module_path, **_):
    Path(module_path).touch()
    os.kill(os.getpid(), signal.SIGKILL)
cython_cache._load(load, {str(folder / "module.so")!r}, lib_dir="")
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert "module.so" not in names(folder)
    assert load(folder, write("code")) == "code"
    assert names(folder) == ["module.so"]


@pytest.mark.parametrize("planted", ["writable", "link"])
def test_a_module_that_others_could_have_planted_is_not_loaded(folder: Path, planted: str) -> None:
    path = folder / "module.so"
    if planted == "writable":
        path.write_text("planted")
        path.chmod(0o777)
    else:
        (folder.parent / "elsewhere").write_text("planted")
        path.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(EngineError, match="other users can write" if planted == "writable" else "a link"):
        load(folder, write("code"))


@pytest.mark.parametrize(
    ("variable", "value"), [("CFLAGS", "-O1"), ("CC", "/bin/other"), ("SNSTDP_PORTABLE", "1"), ("CXX", "/bin/echo -g")]
)
def test_the_cache_is_one_for_each_compiler_and_its_flags(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/bin/echo")
    before = cython_cache.cython_key()
    assert cython_cache.cython_key() == before
    monkeypatch.setenv(variable, value)
    assert cython_cache.cython_key() != before


@pytest.mark.compiles
def test_brian_finds_our_cache_and_mends_a_broken_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from snstdp_cli.engines.brian import brian_session

    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path / "cache"))
    code = "def main(): return 42"

    def make() -> Any:
        cython_cache._manager.cache_clear()
        with brian_session("cython"):
            runtime = importlib.import_module("brian2.codegen.runtime.cython_rt.cython_rt")
            return runtime.cython_extension_manager.create_extension(code, extra_compile_args=["-O0"])

    assert make().main() == 42
    (made,) = (tmp_path / "cache").rglob("*.so")
    made.unlink()  # this process has it in memory
    made.touch(0o700)
    sys.modules.pop(made.name.split(".")[0], None)
    assert make().main() == 42
    assert made.stat().st_size > 0
    assert not list((tmp_path / "cache").rglob("building-*"))
    assert (tmp_path / "cache" / "cython").stat().st_mode & 0o777 == 0o700
