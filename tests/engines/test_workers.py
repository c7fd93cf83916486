"""Worker processes: they import nothing from the current folder, and their death is told."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

import snstdp_cli
from snstdp_cli.engines.workers import safe_search_path, worker_deaths_told
from snstdp_cli.errors import EngineError

PACKAGE = str(Path(snstdp_cli.__file__).parent.parent)
#: Started with the current folder at the head of its search path, as `python -m` and `python -c` do.
PARENT = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from snstdp_cli.engines.workers import safe_spawn_context
sys.path.insert(0, "")
sys.path.insert(0, os.getcwd())
before = list(sys.path)
with ProcessPoolExecutor(2, mp_context=safe_spawn_context()) as pool:
    print(list(pool.map(abs, [-1, -2])))
    print(pool.submit(eval, "__import__('sys').path").result(20))
assert sys.path == before
assert "PYTHONSAFEPATH" not in os.environ
"""


def test_workers_start_where_the_folder_has_modules_of_pythons_names(tmp_path: Path) -> None:
    for name in ("multiprocessing", "pickle", "numpy", "concurrent"):
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w')")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PARENT],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, path = done.stdout.splitlines()
    assert answers == "[1, 2]"
    assert str(tmp_path) not in path
    assert "''" not in path
    assert list(tmp_path.glob("ran-*")) == []


def test_a_safe_search_path_has_no_relative_folder_and_still_finds_this_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert safe_search_path(["", ".", str(tmp_path), "lib", "/usr/lib/python"]) == ["/usr/lib/python", PACKAGE]
    assert safe_search_path([PACKAGE, "/usr/lib/python"]) == [PACKAGE, "/usr/lib/python"]
    monkeypatch.chdir(PACKAGE)  # a checkout: last, so that the standard library wins
    assert safe_search_path(["", PACKAGE, "/usr/lib/python"]) == ["/usr/lib/python", PACKAGE]


def test_the_death_of_a_worker_is_a_sentence() -> None:
    with (
        pytest.raises(EngineError, match=r"a worker process died while recording.*fewer --workers"),
        worker_deaths_told(),
    ):
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")
