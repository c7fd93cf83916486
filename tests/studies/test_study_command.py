"""`snstdp study` as a user types it: what is told, what is written, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_studies import write_study
from synthetic import write_idx_set
from typer.testing import CliRunner, Result

import snstdp_cli
from snstdp_cli.cli import study_view
from snstdp_cli.cli.app import app
from snstdp_cli.errors import ConfigError, NumericalError
from snstdp_cli.studies import CellEnded, CellExecutor, CellOutcome, load_study, running
from snstdp_cli.studies.executors import SerialExecutor
from snstdp_cli.studies.records import CellProgress

ROOT = Path(__file__).parents[2]


def snstdp(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["study", *arguments])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with images; cells run in this process."""

    @contextmanager
    def in_this_process(*_: Any) -> Iterator[CellExecutor]:
        yield SerialExecutor()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("snstdp_cli.studies.executors.opening.open_executor", in_this_process)
    running._dataset.cache_clear()
    write_idx_set(tmp_path / "images")
    return tmp_path


@pytest.fixture
def running_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_away(*args: Any, **options: Any) -> Any:
        raise NumericalError("the network ran away")

    monkeypatch.setattr(running, "run_experiment", run_away)


@pytest.mark.compiles
def test_from_nothing_to_results(place: Path) -> None:
    write_study(place, vary={"rule.eta": [0.01, 0.02]})
    shown = snstdp("show", "small.yaml")
    assert (shown.exit_code, shown.stdout.strip()) == (0, "study small: 2 missing, in studies/small")
    done = snstdp("run", "small.yaml")
    assert done.exit_code == 0, done.output
    assert "study small: 2 finished, in studies/small" in done.stdout
    assert "1 / 2  rule.eta=0.01, seed 0: finished" in done.stderr
    told = json.loads(snstdp("show", "small.yaml", "--json").stdout)
    assert told["cells"] == {"finished": 2, "running": 0, "interrupted": 0, "failed": 0, "missing": 0}
    assert [one["settings"] for one in told["results"]] == [{"rule.eta": 0.01}, {"rule.eta": 0.02}]
    again = snstdp("run", "small.yaml", "--dry-run")
    assert "nothing is left to run" in again.stdout


def test_a_dry_run_lists_and_estimates_and_leaves_nothing(place: Path) -> None:
    write_study(place, seeds=40)
    told = snstdp("run", "small.yaml", "--dry-run", "--workers", "2")
    assert told.exit_code == 0, told.output
    assert told.stdout.count("missing") == 41
    assert "40 to run: about" in told.stdout
    assert "on 2 workers" in told.stdout
    assert not (place / "studies").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"order": "by_class", "num_examples": 9}, "num_examples: found 9, expected at most 8"),
        ({"evaluation.validation_examples": 10}, "validation_examples"),
        ({"data": "./nowhere"}, "nowhere: no such file or folder"),
        ({"data": "mnist"}, "or ask for the digits that come with snstdp, `data: bundled`"),
    ],
)
def test_a_dry_run_looks_at_the_images_of_every_cell(place: Path, changes: dict[str, Any], sentence: str) -> None:
    write_study(place, cells=[{"rule.eta": 0.01}, changes])
    told = snstdp("run", "small.yaml", "--dry-run")
    assert (told.exit_code, told.stdout.count("measured")) == (2, 0)
    assert sentence in told.stderr


def test_the_bundled_digits_never_stand_for_mnist_in_a_study(place: Path) -> None:
    write_study(place, vary={"data": ["mnist", "mnist+fashion-mnist"]})
    done = snstdp("run", "small.yaml")
    assert done.exit_code == 1
    assert "study small: 2 failed" in done.stdout
    assert "mnist: not found" in done.stderr


def test_failed_cells_are_told_with_their_sentence_and_the_exit_code(place: Path, running_away: None) -> None:
    write_study(place, seeds=5)
    done = snstdp("run", "small.yaml")
    assert done.exit_code == 1
    assert "study small: 5 failed" in done.stdout
    assert done.stderr.count("the network ran away") == 2  # where the first ended, and in the list
    assert done.stderr.count(" in the same way") == 4
    told = done.stderr.partition("5 cells failed, try again with --retry: the network ran away\n")[2].splitlines()
    study = load_study(Path("small.yaml"))
    first = [f"  {cell.label}, in {study.folder / 'cells' / cell.id}" for cell in study.cells[:3]]
    assert told[:4] == [*first, "  and 2 more"]
    assert "nothing is left to run" in snstdp("run", "small.yaml", "--dry-run").stdout
    assert snstdp("run", "small.yaml").exit_code == 1
    assert snstdp("worker", "small.yaml", "--retry", "--fail-fast").exit_code == 1


def test_a_worker_takes_its_share(place: Path, running_away: None) -> None:
    write_study(place, seeds=4)
    assert snstdp("worker", "small.yaml", "--share", "2/4").exit_code == 1
    told = json.loads(snstdp("show", "small.yaml", "--json").stdout)
    assert [one["state"] for one in told["results"]] == ["missing", "failed", "missing", "missing"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: cannot read the configuration"),
        (["worker", "small.yaml", "--share", "5/4"], "--share: found '5/4', expected I/N"),
        (["worker", "small.yaml", "--share", "half"], "--share: found 'half', expected I/N"),
        (["run", "wrong.yaml"], "unknown key 'rule.etta'; did you mean 'rule.eta'?"),
    ],
)
def test_mistakes_are_sentences_with_exit_code_2(place: Path, arguments: list[str], sentence: str) -> None:
    write_study(place)
    write_study(place, name="wrong", vary={"rule.etta": [1]})
    done = snstdp(*arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert not (place / "studies").exists()


def test_python_takes_a_batch_system_as_the_command_line_does(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    @contextmanager
    def remember(*arguments: Any) -> Iterator[CellExecutor]:
        asked.append(arguments[:3])
        yield SerialExecutor()

    monkeypatch.setattr("snstdp_cli.studies.executors.opening.open_executor", remember)
    study = snstdp_cli.study(write_study(place))
    monkeypatch.setattr("snstdp_cli.studies.run.cells_to_run", lambda *_, **__: [])
    study.run(workers=3, cluster="c.yaml")
    study.run(workers=3, scheduler="tcp://x:1")
    assert asked == [(3, None, Path("c.yaml")), (3, "tcp://x:1", None)]
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="expected one of them"):
        study.run(scheduler="tcp://x:1", cluster=place / "c.yaml")


def test_both_kinds_of_cluster_are_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(place)
    write_study(place)
    done = snstdp("run", "small.yaml", "--scheduler", "tcp://x:1", "--cluster", "c.yaml")
    assert done.exit_code == 2
    assert "found both --scheduler and --cluster" in done.stderr


def test_init_writes_a_study_that_can_be_planned(place: Path) -> None:
    done = snstdp("init", "mine.yaml")
    assert done.exit_code == 0, done.output
    assert "study run mine.yaml --dry-run" in done.stderr
    assert len(load_study(place / "mine.yaml").cells) == 12
    assert snstdp("init", "mine.yaml").exit_code == 2
    assert json.loads(snstdp("schema").stdout)["title"] == "snstdp study"


def test_script_prints_what_sbatch_takes(place: Path) -> None:
    write_study(place, seeds=3)
    told = snstdp("script", "small.yaml", "--jobs", "50").stdout
    assert told.startswith("#!/bin/bash\n#SBATCH --job-name=small\n#SBATCH --array=1-3\n")


def test_the_live_view_draws_running_cells(place: Path) -> None:
    study = load_study(write_study(place, vary={"n_e": [4]}))
    cell = study.cells[0]
    event = CellEnded(cell, CellOutcome(cell.id, "finished", None, 75.0, {"average": 0.871}), 3, 18)
    assert study_view.EndedLines().line(event) == "3 / 18  n_e=4, seed 0: finished, 87.1 % (75 s)"
    now = CellProgress(stage="training", examples=500, total=1000, rate=80.0, accuracy=0.5, time=0.0)
    assert study_view.progress_text(now) == "training 500 / 1,000, 80 examples/s, 50.0 % on withheld images"


def test_the_live_view_counts_what_is_done_runs_failed_and_is_missing(place: Path) -> None:
    study = load_study(write_study(place, seeds=9))
    view, now = study_view._Cells(study), CellProgress(stage="starting", examples=0, total=9, rate=0.0, time=0.0)
    view.begun(7)  # two were finished before
    assert view.parts([now]) == ["0 / 7 cells", "1 running", "6 missing"]
    view.take(CellEnded(study.cells[2], CellOutcome(study.cells[2].id, "failed", "ran away"), 1, 7))
    assert view.parts([now, now])[:4] == ["1 / 7 cells", "2 running", "1 failed", "4 missing"]


@pytest.mark.parametrize(("name", "cells"), [("rules", 18), ("eta", 21)])
def test_the_studies_to_begin_with_are_valid(name: str, cells: int) -> None:
    path = ROOT / "configs" / "studies" / f"{name}.yaml"
    study = load_study(path)
    assert (study.name, len(study.cells)) == (name, cells)
    assert path.read_text().startswith("# ")
