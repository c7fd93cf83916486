"""One cache of compiled programs for the whole session, and a place that no data set of the machine reaches."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session", autouse=True)
def _program_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile each program once a session, in a folder that no user's cache shares."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNSTDP_CACHE", str(tmp_path_factory.mktemp("programs")))
        yield


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
