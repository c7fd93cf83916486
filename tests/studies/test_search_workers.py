"""Several processes that work on one search: no trial is run twice, and what a dead one left is tried again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from small_studies import QUICK, write_study
from synthetic import write_idx_set
from typer.testing import CliRunner

pytest.importorskip("optuna")

from snstdp_cli.artefacts.locks import hold_lock
from snstdp_cli.cli import search_view
from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment, merge
from snstdp_cli.errors import NumericalError
from snstdp_cli.studies import Study, build_cell, load_study, running
from snstdp_cli.studies.executors import serial
from snstdp_cli.studies.records import CellProgress, write_progress
from snstdp_cli.studies.search.driver import Proposal, Search
from snstdp_cli.studies.search.sampling import quiet_optuna
from snstdp_cli.studies.search.settings import SearchSettings
from snstdp_cli.studies.search.space import read_space
from snstdp_cli.studies.search.storage import WORKER, SearchTrial, open_storage, open_trials, read_trials
from snstdp_cli.studies.search.study import plan_search, trials_name
from snstdp_cli.studies.search.workers import SearchWorker, SharingWorker

BASE = build_experiment({"rule": "smin", "n_e": 100})
SPACE: dict[str, Any] = {"rule.eta": {"from": 0.001, "to": 0.1, "scale": "log"}}


def search(folder: Path, worker: SearchWorker, **settings: Any) -> Search:
    chosen = SearchSettings.model_validate(
        {"space": SPACE, "trials": 6, "pruner": "none", "sampler": "random", **settings}
    )
    trials = open_trials(open_storage(folder, mend=False), "shared", chosen)
    return Search(trials, chosen, read_space(chosen.space, BASE, "search.space"), BASE, worker=worker)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Search, Search]]:
    """Two processes, as far as their locks tell."""
    first, second = SharingWorker(tmp_path), SharingWorker(tmp_path)
    with first.present() as alone, second.present() as also_alone:
        assert (alone, also_alone) == (True, False)
        yield search(tmp_path, first), search(tmp_path, second)


def take(one: Search) -> Proposal | None:
    return next(one._proposals(), None)


def test_two_workers_take_different_trials_and_no_more_than_were_asked_for(two: tuple[Search, Search]) -> None:
    first, second = two
    taken = [take(one) for one in (first, second) * 4]
    numbers = [one.number for one in taken if one is not None]
    assert numbers == [0, 1, 2, 3, 4, 5]
    assert len({one.settings["rule.eta"] for one in taken if one is not None}) == 6  # no two drew the same numbers


def test_all_workers_together_run_no_more_trials_than_parallel_says(tmp_path: Path) -> None:
    first, second = SharingWorker(tmp_path), SharingWorker(tmp_path)
    with first.present(), second.present():
        one, other = search(tmp_path, first, parallel=2), search(tmp_path, second, parallel=2)
        proposals, others = one._proposals(), other._proposals()
        mine = next(proposals)
        assert mine is not None
        assert next(others) is not None
        assert (next(proposals), next(others)) == (None, None)  # later: two are under way
        one._finish(mine, 0.5, ())
        later = next(others)
    assert later is not None
    assert later.number == 2


def test_a_worker_waits_with_a_word_while_others_run_as_many_trials_as_there_may_be(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_away(*args: Any, **options: Any) -> Any:
        raise NumericalError("the network ran away")

    monkeypatch.setattr(running, "run_experiment", run_away)
    study = edited_search(place, parallel=1)
    other = SharingWorker(study.folder)
    with ExitStack() as elsewhere:
        elsewhere.enter_context(other.present())
        trials = stored_trials(study)
        with quiet_optuna():
            trials.ask().set_user_attr(WORKER, other.name)
        turns: list[float] = []

        def pause(seconds: float) -> None:
            turns.append(seconds)
            if len(turns) == 3:  # the other one dies
                elsewhere.close()

        monkeypatch.setattr(serial.time, "sleep", pause)
        done = CliRunner().invoke(app, ["study", "worker", "small.yaml"])
    assert done.exit_code == 1, done.output
    assert done.stderr.count("waiting: others run as many trials as search.parallel allows") == 1
    assert "search small: 3 failed" in done.stdout


def test_a_trial_whose_process_is_gone_is_shown_as_interrupted(place: Path) -> None:
    study = load_study(place / "small.yaml", place)
    trials = stored_trials(study)
    with quiet_optuna():
        trials.ask().set_user_attr(WORKER, "0123")
    shown = CliRunner().invoke(app, ["study", "show", "small.yaml"])
    assert "search small: 1 interrupted" in shown.stdout
    with hold_lock(study.folder / "searching" / "0123"):
        shown = CliRunner().invoke(app, ["study", "show", "small.yaml"])
    assert "search small: 1 running" in shown.stdout


def edited_search(place: Path, **settings: Any) -> Study:
    """Change the settings of the search of the folder."""
    path = place / "small.yaml"
    content = yaml.safe_load(path.read_text())
    content["search"].update(settings)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return load_study(path, place)


def stored_trials(study: Study) -> Any:
    """Return Optuna's study of the search of a study."""
    plan = plan_search(study)
    return open_trials(open_storage(study.folder, mend=False), trials_name(study, plan), plan.settings)


def test_the_trial_of_a_living_worker_is_left_alone_and_that_of_a_dead_one_is_tried_again(tmp_path: Path) -> None:
    dead, living, third = (SharingWorker(tmp_path) for _ in range(3))
    with living.present():
        with dead.present():
            lost = take(search(tmp_path, dead))
            kept = take(search(tmp_path, living))
        with third.present():
            again = take(search(tmp_path, third))
    assert lost is not None
    assert kept is not None
    assert again is not None
    assert again.settings == lost.settings != kept.settings
    assert {one.number for one in read_trials(search(tmp_path, third).trials)} == {kept.number, again.number}


def test_marks_of_killed_workers_are_cleared_away(tmp_path: Path) -> None:
    mark = tmp_path / "searching" / "0123"
    mark.parent.mkdir()
    mark.touch()
    with SharingWorker(tmp_path).present() as is_alone:
        assert is_alone
        assert not mark.exists()
    with hold_lock(mark), SharingWorker(tmp_path).present() as is_alone:
        assert not is_alone


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a search of quick networks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    running._dataset.cache_clear()
    write_idx_set(tmp_path / "images", 20)
    base = merge(QUICK, {"data": "./images", "evaluation.validation_examples": 8})
    space = {"network.theta_init_mv": {"from": 3, "to": 9}}
    write_study(tmp_path, base=base, search={"trials": 3, "space": space, "pruner": "none"})
    return tmp_path


DATABASE = pytest.param(("--storage", "sqlite:///trials.db"), marks=pytest.mark.slow)


@pytest.mark.parametrize("storage", [(), DATABASE], ids=["file", "database"])
def test_a_worker_without_dask_runs_the_trials_and_tells_each(place: Path, storage: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["study", "worker", "small.yaml", *storage])
    assert done.exit_code == 0, done.output
    for number in range(3):
        assert f"trial {number}: network.theta_init_mv=" in done.stderr
    assert "of 3: finished, " in done.stderr
    assert "(best so far)" in done.stderr
    assert "search small: 3 finished" in done.stdout
    assert (place / "studies" / "small" / "best-study.yaml").exists()
    assert (place / "studies" / "small" / "search.journal").exists() != bool(storage)
    shown = CliRunner().invoke(app, ["study", "show", "small.yaml", "--json", *storage])
    assert [trial["state"] for trial in json.loads(shown.stdout)["search"]["trials"]] == ["finished"] * 3
    again = CliRunner().invoke(app, ["study", "worker", "small.yaml", *storage])
    assert (again.exit_code, "trial 3" in again.stderr) == (0, False)


def test_the_panel_shows_trials_their_progress_and_the_best(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(search_view, "err", Console(file=stream, width=200, force_terminal=True, color_system=None))
    drive(place)
    text = stream.getvalue()
    assert "trial 0: rule.eta=0.01, of 3: finished, 71.0 % (best so far)" in text
    assert "search small" in text
    assert "1 / 3 trials, 1 running, best 71.0 %" in text
    assert "trial 1: rule.eta=0.02  training 500 / 1,000, 80 examples/s, 50.0 % on withheld images" in text


def test_a_search_that_goes_on_counts_the_trials_of_earlier_sessions(place: Path) -> None:
    view = search_view._Trials(load_study(place / "small.yaml", place), 5)
    view.goes_on([SearchTrial(0, {}, 0.7, "finished"), SearchTrial(1, {}, 0.3, "pruned")])
    assert view.parts([]) == ["2 / 5 trials", "0 running", "1 pruned", "best 70.0 %"]
    assert "best" not in view.take(SearchTrial(2, {}, 0.6, "finished"))
    assert (view.pace.done, view.pace.total) == (1, 3)  # those before took none of this session's time
    assert "finished, 80.0 % (best so far)" in view.take(SearchTrial(3, {}, 0.8, "finished"))


def drive(place: Path) -> None:
    """Let a trial end while another one runs."""
    study = load_study(place / "small.yaml", place)
    cell = build_cell(study.base, {"rule.eta": 0.02}, 0, ["rule.eta"])
    folder = study.folder_of(cell)
    folder.mkdir(parents=True)
    write_progress(folder, CellProgress(stage="training", examples=500, total=1000, rate=80, accuracy=0.5, time=0))
    with search_view.search_reporter(study, 3, False) as report:
        report.began(1, cell)
        report.ended(SearchTrial(0, {"rule.eta": 0.01}, 0.71, "finished"))
        report.tick()
