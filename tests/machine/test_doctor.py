"""The doctor says what would fail, before it fails: the compiler that would be taken, the folders that are written."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli import console
from snstdp_cli.cli.app import app
from snstdp_cli.engines.base import ChunkResult
from snstdp_cli.errors import EngineError
from snstdp_cli.machine import checks, doctor


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that tells its version and compiles nothing, as g++ without its cc1plus."""
    compiler = tmp_path / "bin" / "g++"
    compiler.parent.mkdir()
    compiler.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "g++ 12" && exit 0\necho "cc1plus: not found"\nexit 1\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CXX", raising=False)
    return compiler


@pytest.fixture
def without_self_test(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note in place of a self-test whether compiled engines would be tried."""
    asked: list[bool] = []
    monkeypatch.setattr(doctor, "self_test", lambda *, compiles, thorough: asked.append(compiles) or iter(()))
    return asked


def findings(workdir: Path) -> dict[str, Any]:
    return {found.check: found for found in doctor.examine(Workdir(workdir))}


def test_a_compiler_that_is_broken_is_not_healthy(broken: Path, tmp_path: Path, without_self_test: list[bool]) -> None:
    told = CliRunner().invoke(app, ["doctor", "--json", "--workdir", str(tmp_path)])
    assert told.exit_code == 1
    content = json.loads(told.stdout)
    (compiler,) = (one for one in content["findings"] if one["check"] == "compiler")
    assert content["healthy"] is False
    assert compiler["state"] == "bad"
    for part in ("--engine auto would take it", "cc1plus: not found", "CXX=none"):
        assert part in compiler["detail"]
    assert without_self_test == [False]


def test_without_a_compiler_numpy_is_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "none")
    assert checks.check_the_compiler().state == "note"
    found = list(doctor.self_test(compiles=False, thorough=True))
    assert [(one.check, one.state) for one in found] == [("engine numpy", "ok")]


def test_a_quotation_mark_without_its_partner_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "g++ '-O2")
    found = checks.check_the_compiler()
    assert found.state == "bad"
    assert "quote it as for a shell" in found.detail


def test_cores_are_those_that_a_job_may_use() -> None:
    assert "3 of the machine's 64 (affinity or the limit of a control group)" in checks.check_cores(3, 64).detail
    assert checks.check_cores(4, 4).detail.startswith("4;")


def test_a_cache_that_others_can_write_is_not_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_self_test: list[bool]
) -> None:
    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path / "cache"))
    assert findings(tmp_path)["cache"].state == "ok"
    (tmp_path / "cache" / "programs").chmod(0o777)
    found = findings(tmp_path)["cache"]
    assert found.state == "bad"
    assert "other users can write here (mode 0777)" in found.detail
    assert "chmod go-w" in found.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_a_cache_of_another_user_is_not_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "cython").mkdir(parents=True, mode=0o700)
    (tmp_path / "cache").chmod(0o700)
    os.chown(tmp_path / "cache" / "cython", 12345, 12345)
    found = checks._check_cache()
    assert found.state == "bad"
    assert "belongs to another user (number 12345)" in found.detail


def test_each_folder_that_is_written_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_self_test: list[bool]
) -> None:
    (tmp_path / "activity").write_text("a file in the way")
    found = findings(tmp_path)
    assert found["results activity"].state == "bad"
    assert "cannot be written" in found["results activity"].detail
    assert found["results weights"].state != "bad"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activity"], "nothing of a check stays"
    monkeypatch.setattr(checks.tempfile, "gettempdir", lambda: str(tmp_path / "activity"))
    assert findings(tmp_path)["temporary files"].state == "bad"


def test_a_long_finding_is_wrapped_below_itself_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=stream, width=80, force_terminal=True, color_system=None))
    detail = "the C++ compiler failed and a folder has a name without a blank: " + "/long" * 20
    console.print_columns((("bad", "red"), "compiler", detail), (4, 19))
    lines = stream.getvalue().rstrip("\n").split("\n")
    assert len(lines) > 2
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert lines[0].startswith("bad  compiler            the C++")
    assert all(line.startswith(" " * 25) and line[25] != " " for line in lines[1:])
    stream.seek(0)
    stream.truncate()
    monkeypatch.setattr(console, "out", Console(file=stream, width=80))
    console.print_columns((("bad", "red"), "compiler", detail), (4, 19))
    assert stream.getvalue() == f"bad  compiler            {detail}\n", "a log has one line for each"


def test_an_engine_that_auto_takes_and_that_fails_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise EngineError("the linker found no library")

    engines = dict.fromkeys(("numpy", "standalone", "cython"), fail)
    monkeypatch.setattr(doctor, "_engines", lambda compiles, thorough: engines)
    found = {one.check: one for one in doctor.self_test(compiles=True, thorough=True)}
    assert {check: one.state for check, one in found.items()} == {
        "engine numpy": "bad",
        "engine standalone": "bad",
        "engine cython": "note",
    }
    assert "the linker found no library" in found["engine standalone"].detail


@pytest.mark.parametrize(("apart", "state"), [(0.0, "ok"), (1e-7, "bad")])
def test_single_precision_is_compared_in_a_row_of_its_own(
    apart: float, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exercise(make: str, arithmetic: str = "double") -> tuple[ChunkResult, ...]:
        asked.append((make, arithmetic))
        moved = apart if (make, arithmetic) == ("standalone", "single") else 0.0
        values = {"input_exc.w": np.full(3, 0.5 + moved), "exc.theta": np.zeros(1)}
        return (ChunkResult(values, np.zeros((1, 1), np.uint16), np.ones(1, np.uint16), np.zeros(1, bool)),)

    asked: list[tuple[str, str]] = []
    names = ("numpy", "standalone", "cython")
    monkeypatch.setattr(doctor, "_engines", lambda compiles, thorough: {name: name for name in names})
    monkeypatch.setattr(doctor, "_exercise", exercise)
    found = {one.check: one for one in doctor.self_test(thorough=True)}
    assert found["numpy = standalone"].state == found["standalone = cython"].state == "ok"
    assert found["single precision"].state == state
    assert ("input_exc.w differs by up to" in found["single precision"].detail) == (state == "bad")
    assert asked[-2:] == [("numpy", "single"), ("standalone", "single")], "Cython is spared"
