"""The folder of compiled programs: what shapes a program is in its name, and nobody else can put one there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from reference import small_experiment

from snstdp_cli.config import build_experiment
from snstdp_cli.engines import program
from snstdp_cli.engines.cache import private_folder
from snstdp_cli.engines.keys import program_key
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import draw_wiring

HELPER_RULE = """
import importlib.util
from pathlib import Path
from snstdp_cli.rules.base import Plasticity, Rule, RuleParameters

def _build(parameters, context):
    spec = importlib.util.spec_from_file_location("helper", Path(__file__).with_name("helper.py"))
    helper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helper)
    return Plasticity(on_post={"learn": helper.LEARN}, constants={"step": 0.1}, bounds=(0, 1))

RULE = Rule("helped", "Helped", ("w += step",), "none", "", RuleParameters, _build)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNSTDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "/bin/echo")  # answers; nothing is compiled
    return tmp_path / "cache"


def key_of(**changes: object) -> str:
    experiment = small_experiment()
    plasticity, wiring = experiment.plasticity(16), draw_wiring(experiment, 16)
    return program_key(experiment, dataclasses.replace(plasticity, **changes), wiring, "/bin/echo")


def plant(cache: Path) -> Path:
    """Put a program that would run into the cache, with a manifest that matches; return its folder."""
    experiment = small_experiment()
    wiring = draw_wiring(experiment, 16)
    key = program_key(experiment, None, wiring, "/bin/echo")
    folder = private_folder("programs") / key
    folder.mkdir(mode=0o700)
    (folder / "main").write_text("#!/bin/sh\ntouch ran\n")
    (folder / "main").chmod(0o700)
    digest = hashlib.sha256((folder / "main").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(
        json.dumps({"sha256": digest, "state": [], "arrays": {}, "static": {}, "numbers": []})
    )
    (folder / "manifest.json").chmod(0o600)
    return folder


def find() -> program.Program:
    experiment = small_experiment()
    return program.find_or_build(experiment, None, draw_wiring(experiment, 16), lambda text: None)


def test_a_program_that_only_we_could_have_put_there_is_found(cache: Path) -> None:
    assert find_after_planting(cache).executable.parent.parent == cache / "programs"


def find_after_planting(cache: Path) -> program.Program:
    plant(cache)
    return find()


@pytest.mark.parametrize("what", ["", "..", "main", "manifest.json", "../.."])
@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_what_others_can_write_is_refused_with_what_to_do(cache: Path, what: str, mode: int) -> None:
    place = (plant(cache) / what).resolve()
    place.chmod(mode)
    with pytest.raises(EngineError, match=rf"{place}: other users can write.*chmod go-w.*SNSTDP_CACHE"):
        find()
    place.chmod(0o700)
    assert find().fresh is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["", "..", "main", "manifest.json", "../.."])
def test_what_belongs_to_another_user_is_refused_with_what_to_do(cache: Path, what: str) -> None:
    place = (plant(cache) / what).resolve()
    os.chown(place, 12345, 12345)
    with pytest.raises(EngineError, match=rf"{place}: belongs to another user \(number 12345\).*SNSTDP_CACHE"):
        find()


@pytest.mark.parametrize("what", ["", "..", "main", "manifest.json"])
def test_planted_links_are_refused(cache: Path, what: str) -> None:
    place = (plant(cache) / what).resolve()
    place.rename(cache.parent / "elsewhere")
    place.symlink_to(cache.parent / "elsewhere")
    with pytest.raises(EngineError, match=rf"{place}: a link.*delete it"):
        find()


def test_the_cache_may_be_a_link_of_ours_and_is_made_for_us_alone(cache: Path) -> None:
    (cache.parent / "disk").mkdir()
    cache.symlink_to(cache.parent / "disk")
    before = os.umask(0)
    try:
        folder = private_folder("programs")
    finally:
        os.umask(before)
    assert (folder.stat().st_mode & 0o777, (cache.parent / "disk").stat().st_mode & 0o022) == (0o700, 0)


def test_a_cache_made_for_downloads_with_a_generous_umask_is_closed_before_programs_come(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    private_folder("programs")
    assert cache.stat().st_mode & 0o777 == 0o755
    cache.chmod(0o777)  # now somebody may have put a program there
    with pytest.raises(EngineError, match="other users can write"):
        private_folder("programs")


def test_a_cache_that_cannot_be_made_gives_a_sentence(cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(EngineError, match="SNSTDP_CACHE"):
        private_folder("programs")


def test_the_key_knows_what_the_built_rule_says_and_not_its_numbers() -> None:
    assert key_of(constants={"eta": 0.1}) == key_of(constants={"eta": 0.2})
    assert key_of(normalize_to=1.0) == key_of(normalize_to=2.0)
    assert key_of(neuron_variables={"a": 0.0}) == key_of(neuron_variables={"a": 1.0})
    keys = {
        key_of(),
        key_of(on_pre="w = w"),
        key_of(on_post={"learn": "w = 0"}),
        key_of(reset="v = v"),
        key_of(constants={"eta": 0.1}),
        key_of(constants={"eta": 1}),  # an integer is divided otherwise
        key_of(constants={"eta": np.float64(0.1)}),  # written into the program
        key_of(constants={"eta": np.float64(0.2)}),
        key_of(neuron_variables={"a": 0.0}),
        key_of(traces={"a": 5.0}),
        key_of(normalize_to=1.0),
        key_of(on_post={"a": "w = 0", "b": "w = 1"}),
        key_of(on_post={"b": "w = 1", "a": "w = 0"}),
    }
    assert len(keys) == 13


def test_a_rule_that_imports_a_helper_is_another_program_when_the_helper_changes(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text(HELPER_RULE)

    def key(learn: str) -> str:
        (tmp_path / "helper.py").write_text(f"LEARN = {learn!r}")
        experiment = build_experiment({"n_e": 4, "rule": {"name": f"{tmp_path}/rule.py:RULE"}})
        wiring = draw_wiring(experiment, 16)
        return program_key(experiment, experiment.plasticity(16), wiring, "/bin/echo")

    assert key("w = clip(w + step, 0, 1)") != key("w = clip(w - step, 0, 1)")


@pytest.mark.parametrize("variable", [("SNSTDP_PORTABLE", "1"), ("CXX", "/bin/echo -O1")])
def test_the_key_knows_flags_and_compiler(variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from snstdp_cli.engines.compiler import find_compiler

    experiment = small_experiment()
    wiring = draw_wiring(experiment, 16)

    def key() -> str:
        return program_key(experiment, None, wiring, find_compiler() or "")

    monkeypatch.setenv("CXX", "/bin/echo")
    before = key()
    monkeypatch.setenv(*variable)
    assert key() != before


def test_of_two_that_want_one_program_one_compiles_and_the_other_waits_and_finds_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Event, Thread

    compiling, waiting, built, said = Event(), Event(), [], []

    def build(folder: Path, *_: object) -> None:
        compiling.set()
        assert waiting.wait(20)
        built.append(folder.name)
        plant(cache)

    def say(text: str) -> None:
        said.append(text)
        if "waiting" in text:
            waiting.set()

    monkeypatch.setattr(program, "_build_in", build)
    experiment = small_experiment()
    wiring = draw_wiring(experiment, 16)
    found: list[program.Program] = []

    def want() -> None:
        found.append(program.find_or_build(experiment, None, wiring, say))

    first, second = Thread(target=want), Thread(target=want)
    first.start()
    assert compiling.wait(20)
    second.start()
    for thread in (first, second):
        thread.join(20)
    assert len(built) == 1
    assert sorted(p.fresh for p in found) == [False, True]
    assert [text.split()[0] for text in said] == ["compiling", "waiting"]
