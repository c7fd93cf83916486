"""One cache of compiled programs for the whole session, and a place that no data set of the machine reaches."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from synthetic import small, write_idx_set

from snstdp_cli.artefacts import Workdir
from snstdp_cli.pipeline import run_experiment

# The same examples in every run, no files, and no time limit on a busy machine.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("repeatable")

# Tests send signals to themselves and to programs that they start. To ignore them, as `nohup` and jobs in the
# background do, is inherited.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

#: Rules that fast tests compile: each sign of the weights, each scaling, with and without rescaling. The others wait
#: for `make slow`, but for NumPy, which compiles nothing.
COMPILED_RULES = ("smin-lagged", "smax-instantaneous", "triplet")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what a test parametrized by `target`, and perhaps `rule`, would compile for further rules.

    Cython takes half a minute for its first network: all of it waits.
    """
    for item in items:
        chosen = getattr(item, "callspec", None)
        rule, target = (chosen.params.get(name) if chosen else None for name in ("rule", "target"))
        for_further_rules = target == "cpp" and rule is not None and rule not in COMPILED_RULES
        if for_further_rules or target == "cython":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def program_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compile each program once a session, whichever process runs the test, in a folder that no user's cache shares."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "programs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNSTDP_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def surroundings() -> Iterator[None]:
    """Give each test the variables that the one before found: a command may set some, as `study worker` does."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder with an empty cache, whatever the machine has."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("SNSTDP_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda app: str(tmp_path / "cache" / app))
    return tmp_path


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the ten images in MNIST's format."""
    return write_idx_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Workdir:
    """A working folder with the network `a`, trained and recorded; tests do not change it."""
    workdir = Workdir(tmp_path_factory.mktemp("trained"))
    run_experiment(small(save_name="a"), workdir, data_dir=small_data, workers=1)
    return workdir


@pytest.fixture
def copied(trained: Workdir, tmp_path: Path) -> Workdir:
    """A copy of `trained` that a test may change."""
    shutil.copytree(trained.root, tmp_path / "copied")
    return Workdir(tmp_path / "copied")
