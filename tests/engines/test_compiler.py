"""The compiler: found by a path or a command, asked and started in a safe environment, and told when it is broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from reference import draw_images, open_run, small_experiment

from snstdp_cli.engines.compiler import check_compiler, compiler_version, find_compiler, run_compilers, safe_environment
from snstdp_cli.engines.cores import available_cores
from snstdp_cli.engines.runtime import RuntimeEngine
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import draw_wiring


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("{}/g++ -O2", "{}/g++ -O2"),
        ("{}/g++  '-DA=b c'", "{}/g++ '-DA=b c'"),
        ("{}/with blank/g++", "'{}/with blank/g++'"),
        ("'{}/with blank/g++' -O2", "'{}/with blank/g++' -O2"),
        ("  ", None),
        ("{}/none -O2", None),
        ("{}/g++; touch x", None),
    ],
)
def test_cxx_may_be_a_path_or_a_command(
    chosen: str, found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("g++", "with blank/g++"):
        script(tmp_path / name, 'echo version "$#" "$@"')
    monkeypatch.setenv("CXX", chosen.format(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert find_compiler() == (None if found is None else found.format(tmp_path))
    if found is not None:
        assert compiler_version(find_compiler() or "").startswith("version")


def test_an_open_quotation_in_cxx_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "g++ '-O2")
    with pytest.raises(EngineError, match="CXX: cannot read the command.*quote"):
        find_compiler()


def test_arguments_of_cxx_come_before_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "g++", f'echo "$@" >> {tmp_path}/said')
    monkeypatch.setenv("CXX", f"{tmp_path}/g++ -DFIRST")
    run_compilers(find_compiler() or "", [["-c", "a b.cpp"]], tmp_path)
    assert (tmp_path / "said").read_text() == "-DFIRST -c a b.cpp\n"


@pytest.mark.parametrize("places", ["", ".", ":/usr/bin", "relative"])
def test_nothing_is_looked_up_in_the_current_folder(
    places: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("g++", "relative/g++"):
        script(tmp_path / name, "touch ran")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", places)
    found = find_compiler()
    assert found is None or found.startswith("/usr/bin")
    assert all(Path(place).is_absolute() for place in safe_environment()["PATH"].split(os.pathsep) if place)
    assert safe_environment(TMPDIR="x")["TMPDIR"] == "x"
    assert safe_environment()["PYTHONSAFEPATH"] == "1"


def test_a_broken_compiler_is_told_with_what_it_said(tmp_path: Path) -> None:
    broken = script(tmp_path / "g++", "echo cannot execute cc1plus; exit 1")
    with pytest.raises(EngineError, match=r"failed \(exit code 1\): cannot execute cc1plus"):
        check_compiler(str(broken), tmp_path)


@pytest.mark.parametrize("probed", [True, False])
def test_the_python_engine_tells_of_a_broken_compiler(
    probed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = str(script(tmp_path / "broken", '[ "$1" = --version ] && exit 0; echo cannot execute cc1plus; exit 1'))
    for variable in ("CC", "CXX"):
        monkeypatch.setenv(variable, broken)
    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("brian2.codegen.cpp_prefs.has_flag", lambda compiler, flag: True)
    if not probed:  # a compiler that fails only later
        monkeypatch.setattr("snstdp_cli.engines.runtime.check_compiler", lambda compiler, folder: None)
    run = open_run(small_experiment(), "numpy")

    def show() -> None:
        rule, wiring = run.experiment.plasticity(16), draw_wiring(run.experiment, 16)
        run.engine = RuntimeEngine(run.experiment, rule, wiring, target="cython")
        run.show(draw_images(1))

    sentence = "compiler failed" if probed else "Cython's code cannot be compiled"
    with pytest.raises(EngineError, match=rf"(?s){sentence}.*CXX=none"):
        show()
    monkeypatch.setenv("CXX", "none")  # the advice
    assert RuntimeEngine(run.experiment, None, draw_wiring(run.experiment, 16)).target == "numpy"


def group(root: Path, path: str, **files: str) -> None:
    (root / path).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / path / name.replace("cpu_", "cpu.", 1)).write_text(text)


@pytest.mark.parametrize(
    ("own", "groups", "cores"),
    [
        ("0::/job\n", {"job": {"cpu_max": "250000 100000\n"}}, 3),
        ("0::/job/step\n", {"job": {"cpu_max": "100000 100000"}, "job/step": {"cpu_max": "max 100000"}}, 1),
        ("0::/../other\n", {".": {"cpu_max": "200000 100000"}}, 2),
        ("0::/job\n", {"job": {"cpu_max": "max 100000\n"}}, 8),
        ("0::/job\n", {"job": {"cpu_max": "nonsense"}}, 8),
        ("4:cpu,cpuacct:/j\n", {"cpu,cpuacct/j": {"cpu_cfs_quota_us": "150000", "cpu_cfs_period_us": "100000"}}, 2),
        ("4:cpu,cpuacct:/j\n", {"cpu/j": {"cpu_cfs_quota_us": "10000", "cpu_cfs_period_us": "100000"}}, 1),
        ("4:cpu:/j\n", {"cpu/j": {"cpu_cfs_quota_us": "-1", "cpu_cfs_period_us": "100000"}}, 8),
        ("4:memory:/j\n", {"memory/j": {"cpu_max": "100000 100000"}}, 8),
        ("nonsense\n", {}, 8),
        (None, {}, 8),
    ],
)
def test_cores_are_those_that_affinity_and_control_groups_leave(
    own: str | None, groups: dict[str, dict[str, str]], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    if own is not None:
        (tmp_path / "own").write_text(own)
    for path, files in groups.items():
        group(tmp_path / "cgroup", path, **files)
    assert available_cores(tmp_path / "cgroup", tmp_path / "own") == cores


def test_cores_of_this_process_are_at_least_one_and_at_most_those_of_its_affinity() -> None:
    assert 1 <= available_cores() <= len(os.sched_getaffinity(0)) <= (os.cpu_count() or sys.maxsize)
