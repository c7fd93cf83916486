"""Brian 2 is imported without anybody's files, works with our preferences, and leaves the user's as they were."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import mixed_images, open_fresh, open_run, shown, small_experiment

from snstdp_cli.engines import brian, cython_cache
from snstdp_cli.engines.brian import brian_session, describe_preferences, prepare_brian
from snstdp_cli.engines.folders import hold_folder
from snstdp_cli.engines.runtime import _collected_quickly

brian2: Any = prepare_brian()
PACKAGE = Path(__file__).parents[2]
#: What was tried: a value that is code, a precision that poisons programs, threads that break linking, and garbage.
HOSTILE = """
codegen.target = __import__('pathlib').Path({mark!r}).touch() or 'numpy'
core.default_float_dtype = float32
devices.cpp_standalone.openmp_threads = 3
[
"""
#: Runs in a fresh process: Brian 2 is imported by us, and what it found is told.
IMPORT = """
import signal, sys, warnings
{before}
hook, show, handler = sys.excepthook, warnings.showwarning, signal.getsignal(signal.SIGINT)
from snstdp_cli.brian_import import prepare_brian, ms
from snstdp_cli.engines.brian import brian_session
with brian_session("numpy") as brian2:
    print(brian2.prefs.core.default_float_dtype.__name__, brian2.prefs.devices.cpp_standalone.openmp_threads)
print(brian2.prefs.core.default_float_dtype.__name__, brian2.prefs.logging.file_log)
print(sys.excepthook is hook, warnings.showwarning is show, signal.getsignal(signal.SIGINT) is handler)
{after}
"""


def run_fresh(folder: Path, code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_preference_files_in_the_folder_and_at_home_are_never_evaluated(tmp_path: Path) -> None:
    work, home, temporary = (tmp_path / name for name in ("work", "home", "tmp"))
    for place, name in ((work, "brian_preferences"), (home / ".brian", "user_preferences")):
        place.mkdir(parents=True)
        (place / name).write_text(HOSTILE.format(mark=str(tmp_path / "ran")))
    temporary.mkdir()
    (work / "matplotlibrc").write_text("font.size: 77\n")
    after = "import os; print(os.listdir(os.environ['TMPDIR']))"
    after += "; import matplotlib; print(matplotlib.rcParams['font.size'], os.path.exists('matplotlibrc'))"
    told = run_fresh(
        work,
        IMPORT.format(before="", after=after),
        HOME=str(home),
        TMPDIR=str(temporary),
    )
    assert not (tmp_path / "ran").exists()
    # float64, with its own default for log files; handlers and hooks as before; nothing in the temporary folder.
    assert told == ["float64 0", "float64 True", "True True True", "[]", "10.0 True"]


def test_brian_can_be_imported_where_ctrl_c_is_ignored_and_in_another_thread(tmp_path: Path) -> None:
    before = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    after = "signal.raise_signal(signal.SIGINT); print('alive')"
    in_thread = f"""
import threading
def work():
    exec({IMPORT.format(before="", after="")!r})
thread = threading.Thread(target=work); thread.start(); thread.join()
"""
    assert run_fresh(tmp_path, IMPORT.format(before=before, after=after))[-2:] == ["True True True", "alive"]
    assert run_fresh(tmp_path, in_thread)[-1:] == ["True True True"]


def test_a_session_gives_every_preference_its_default_or_ours_and_the_users_back() -> None:
    before = {name: brian2.prefs[name] for name in brian2.prefs}
    try:
        brian2.prefs.core.default_float_dtype = np.float32
        brian2.prefs.core.network.default_schedule = ["start", "groups", "end"]
        brian2.prefs.devices.cpp_standalone.openmp_threads = 2
        brian2.prefs.codegen.cpp.define_macros = [("EVIL", "1")]
        theirs = {name: brian2.prefs[name] for name in brian2.prefs}
        with brian_session("cython", standalone=True):
            assert brian2.prefs.core.default_float_dtype is np.float64
            assert "synapses" in brian2.prefs.core.network.default_schedule
            assert brian2.prefs.devices.cpp_standalone.openmp_threads == 0
            assert brian2.prefs.codegen.cpp.define_macros == []
            assert brian2.prefs.codegen.target == "cython"
        assert {name: brian2.prefs[name] for name in brian2.prefs} == theirs
        with pytest.raises(KeyError), brian_session():
            raise KeyError("x")
        assert {name: brian2.prefs[name] for name in brian2.prefs} == theirs
    finally:
        for name, value in before.items():
            brian2.prefs[name] = value


def test_all_that_we_set_is_a_preference_of_the_installed_brian_and_part_of_the_key() -> None:
    assert set(brian.PINNED) <= set(brian2.prefs)
    assert set(brian.PINNED) <= set(describe_preferences())
    assert prepare_brian() is brian2


def test_our_network_runs_as_ever_beside_the_users_own_brian_code() -> None:
    run, expected, spikes = shown("smin-lagged", "numpy")
    before, dt = brian2.prefs.core.default_float_dtype, brian2.defaultclock.dt
    handler = signal.getsignal(signal.SIGINT)
    try:
        brian2.prefs.core.default_float_dtype = np.float32
        brian2.defaultclock.dt = 0.25 * brian2.ms
        mine = brian2.NeuronGroup(2, "dv/dt = -v / (10*ms) : 1", name="mine", method="exact")
        mine.v = 1
        network = brian2.Network(mine)
        network.run(1 * brian2.ms)
        engine = open_fresh(run.experiment, "numpy")
        fresh = open_run(run.experiment, "numpy")
        fresh.engine = engine
        result = fresh.show(mixed_images())
        network.run(1 * brian2.ms)
        assert brian2.prefs.core.default_float_dtype is np.float32
        assert brian2.defaultclock.dt == 0.25 * brian2.ms
        assert mine.variables["v"].dtype == np.float32
        np.testing.assert_allclose(mine.v[:], np.exp(-0.2), rtol=1e-5)
    finally:
        brian2.prefs.core.default_float_dtype, brian2.defaultclock.dt = before, dt
    assert fresh.spikes() == spikes
    for name, values in expected.state.items():
        np.testing.assert_array_equal(result.state[name], values, err_msg=name)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.compiles
def test_writing_sources_leaves_a_standalone_project_of_the_user_as_it_was(tmp_path: Path) -> None:
    from snstdp_cli.engines import program
    from snstdp_cli.network.wiring import draw_wiring

    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        theirs = brian2.get_device()
        mine = brian2.NeuronGroup(3, "v : 1", name="mine_in_cpp")
        arrays, queue = dict(theirs.arrays), list(theirs.main_queue)
        experiment = small_experiment()
        wiring = draw_wiring(experiment, 16)
        with pytest.MonkeyPatch.context() as patch:
            sources: list[Path] = []

            def keep(folder: Path, *_: object) -> Path:
                sources.append(folder)
                raise KeyboardInterrupt

            patch.setattr(program, "compile_sources", keep)
            with pytest.raises(KeyboardInterrupt):
                program._build(experiment, experiment.plasticity(16), wiring, tmp_path / "program", "", False)
        assert (sources[0] / "main.cpp").exists()
        assert brian2.get_device() is theirs
        assert (theirs.arrays, theirs.main_queue, theirs.build_on_run) == (arrays, queue, False)
        assert len(mine) == 3
    finally:
        brian2.get_device().reinit()
        brian2.set_device("runtime")


def test_ctrl_c_that_was_ignored_when_the_user_imported_brian_stays_ignored_in_a_session() -> None:
    ours = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, brian2._InterruptHandler(signal.SIG_IGN))
    try:
        with brian_session():
            signal.raise_signal(signal.SIGINT)  # TypeError: 'Handlers' object is not callable
        assert type(signal.getsignal(signal.SIGINT)) is brian2._InterruptHandler
    finally:
        signal.signal(signal.SIGINT, ours)


def test_the_clock_of_a_long_run_does_not_wrap_arrival_times() -> None:
    run, expected, spikes = shown("smin-lagged", "numpy")
    # As after six days of simulated time: the step at which a spike arrives is a 32-bit number.
    run.engine.built.network.t_ = (2**31 - 100) * run.experiment.dt / 1000
    again = run.show(mixed_images())
    run.begin = 0
    assert run.spikes() == spikes
    for name, values in expected.state.items():
        np.testing.assert_array_equal(again.state[name], values, err_msg=name)


def test_what_others_froze_stays_frozen_and_nothing_else_does() -> None:
    """Brian 2 collects garbage before each run, which need not search what is there."""
    with _collected_quickly():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        with _collected_quickly():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_temporary_files_of_brian_are_in_a_folder_that_is_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cython_cache, "_held", [])
    at_exit: list[tuple[Any, ...]] = []
    monkeypatch.setattr("atexit.register", lambda *call: at_exit.append(call))
    made: list[str] = []
    monkeypatch.setattr("brian2.codegen.cpp_prefs._compiler_flag_compatibility", {})
    monkeypatch.setattr(
        "brian2.codegen.cpp_prefs._determine_flag_compatibility",
        lambda compiler, flag: made.append(tempfile.mkdtemp()) or True,
    )
    with brian_session("cython"):
        pass
    assert made
    assert {Path(place).parent for place in made} == {cython_cache.temporary_folder()}
    assert tempfile.tempdir == str(tmp_path)
    ((remove, *arguments),) = at_exit
    remove(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_sessions_within_a_session_give_back_what_they_found() -> None:
    with brian_session("cython"):
        outer = brian2.get_device()
        with brian_session("numpy", standalone=True):
            assert brian2.prefs.codegen.target == "numpy"
            assert brian2.get_device() is not outer
        assert brian2.prefs.codegen.target == "cython"
        assert brian2.get_device() is outer


KILLED = """
import os, signal
from snstdp_cli.engines.brian import brian_session
with brian_session("cython"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, env=environment, check=False, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    left = list(tmp_path.iterdir())
    assert [path.name.split("-")[0] for path in left] == ["snstdp"]  # no brian_debug, brian_script, brian_stdout
    assert any(path.name.startswith("brian_stdout") for path in left[0].iterdir())
    hold_folder(tmp_path, "snstdp-").remove()
    assert list(tmp_path.iterdir()) == []
