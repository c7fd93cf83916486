"""A search from its study file to the best settings, with real cells and a data set whose test images are garbage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from synthetic import SMALL, write_idx_set
from typer.testing import CliRunner

pytest.importorskip("optuna")

from snstdp_cli.artefacts import Workdir, list_recordings
from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment, merge, read_file
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ConfigError, DataError, InterruptedRunError
from snstdp_cli.studies import load_study, make_task, run_cell
from snstdp_cli.studies.executors.serial import SerialExecutor
from snstdp_cli.studies.plan import Study
from snstdp_cli.studies.search.cells import CellRunner
from snstdp_cli.studies.search.driver import Proposal
from snstdp_cli.studies.search.study import BEST, BEST_STUDY, load_search, plan_search, run_search, trials_name
from snstdp_cli.studies.tasks import CellOutcome, CellTask

pytestmark = pytest.mark.compiles

KEY = "evaluation.validation_examples"
#: Settings that need no other program.
SPACE: dict[str, Any] = {
    "network.theta_init_mv": {"from": 3, "to": 9},
    "network.weight_init": {"from": 0.1, "to": 1, "scale": "log"},
}


@pytest.fixture(scope="module")
def training_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose test files are garbage: whoever reads them fails."""
    folder = write_idx_set(tmp_path_factory.mktemp("no test"), 20)
    for path in folder.glob("t10k-*"):
        path.write_bytes(b"not to be read")
    return folder


def study_at(folder: Path, data: Path, base: dict[str, Any] | None = None, **search: Any) -> Study:
    """Write a study file that searches, and load it."""
    settings = merge({**SMALL, "data": f"{data}/"}, {KEY: 8, "evaluation.curve_every": 0, **(base or {})})
    content = {"name": "s", "base": settings, "search": {"space": SPACE, "trials": 4, "pruner": "none", **search}}
    (folder / "search.yaml").write_text(yaml.safe_dump(content))
    return load_study(folder / "search.yaml", folder)


def only_base(study: Study) -> Proposal:
    return Proposal(0, dict(plan_search(study).values or {}))


def test_no_code_path_of_a_search_reads_test_images(tmp_path: Path, training_only: Path) -> None:
    study = study_at(tmp_path, training_only)
    result = run_search(study, SerialExecutor())
    assert [trial.state for trial in result.trials] == ["finished"] * 4
    assert (result.base_trial, result.plan.values) != (None, None)
    cells = sorted((study.folder / "cells").iterdir())
    assert len(cells) == 4
    for cell in cells:
        assert {file.split for file in list_recordings(Workdir(cell))} == {"train", "validation"}
    # The data set is one that cannot be tested on at all.
    with pytest.raises(DataError, match="t10k-images"):
        load_dataset(f"{training_only}/", "test")


class TestsAsWell(SerialExecutor):
    """Loads the test images, as a faulty executor might."""

    __test__ = False

    def run(self, tasks: Iterable[CellTask], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        load_dataset("bundled", "test")
        yield from super().run(tasks, tick)


def test_the_process_that_searches_keeps_the_test_images_closed(tmp_path: Path, training_only: Path) -> None:
    with pytest.raises(DataError, match="the test images stay closed while settings are chosen"):
        run_search(study_at(tmp_path, training_only), TestsAsWell())


def test_a_cell_of_a_search_is_a_task_on_validation_images_whatever_the_study_says(
    tmp_path: Path, training_only: Path
) -> None:
    study = study_at(tmp_path, training_only)
    assert study.file.score_on == "test"
    (task,) = CellRunner(study, SerialExecutor(), "average")._tasks([only_base(study)])
    assert task.score_on == "validation"


def test_an_accuracy_on_test_images_that_a_cell_has_as_well_is_not_taken(tmp_path: Path) -> None:
    """The cell of the base was scored on the test, as one of a study beside the search might be."""
    study = study_at(tmp_path, write_idx_set(tmp_path / "data", 20), trials=1)
    cell = CellRunner(study, SerialExecutor(), "average").cell_of(only_base(study))
    assert run_cell(make_task(study, cell)).state == "finished"
    before = (study.folder_of(cell) / "cell.json").read_text()
    result = run_search(study, SerialExecutor())
    assert '"validation": {' not in before
    assert '"validation": {' in (study.folder_of(cell) / "cell.json").read_text()
    assert [trial.state for trial in result.trials] == ["finished"]
    assert round((result.trials[0].value or 0) * 8, 9) % 1 == 0  # a share of eight images


def test_the_best_settings_are_an_experiment_and_a_study_on_test_images(tmp_path: Path, training_only: Path) -> None:
    study = study_at(tmp_path, training_only)
    result = run_search(study, SerialExecutor())
    assert result.best is not None
    assert result.best.value == max(trial.value or 0 for trial in result.trials)
    found = build_experiment(read_file(study.folder / BEST))
    assert found.network.theta_init_mv == result.best.settings["network.theta_init_mv"]
    assert (found.save_name, found.n_e) == ("s_best", SMALL["n_e"])
    tested = load_study(study.folder / BEST_STUDY, tmp_path)
    assert (tested.file.score_on, len(tested.cells), tested.file.search) == ("test", 5, None)
    assert {cell.seed for cell in tested.cells} == {1, 2, 3, 4, 5}
    assert result.files == (study.folder / BEST, study.folder / BEST_STUDY)


def test_the_command_line_shows_how_a_search_stands(tmp_path: Path, training_only: Path) -> None:
    study = study_at(tmp_path, training_only)
    file, where = str(tmp_path / "search.yaml"), ["--workdir", str(tmp_path)]
    planned = CliRunner().invoke(app, ["study", "run", file, "--dry-run", *where])
    assert "4 trials by tpe, 0 of them done, over network.theta_init_mv, network.weight_init" in flat(planned.output)
    assert "4 trials to run: about " in flat(planned.output)  # without a look at the test images, which are garbage
    assert "nothing is left" not in planned.output
    result = run_search(study, SerialExecutor())
    plan = json.loads(CliRunner().invoke(app, ["study", "run", file, "--dry-run", "--json", *where]).stdout)
    assert (plan["left"], plan["search"]["left"], plan["search"]["seconds"]) == (0, 0, 0.0)
    assert result.best is not None
    shown = CliRunner().invoke(app, ["study", "show", file, *where])
    assert shown.exit_code == 0
    assert "search s: 4 finished" in flat(shown.output)
    assert f"trial {result.best.number}: network.theta_init_mv=" in flat(shown.output)
    assert "the base: network.theta_init_mv=5, network.weight_init=0.3" in flat(shown.output)
    found = json.loads(CliRunner().invoke(app, ["study", "show", file, "--json", *where]).stdout)["search"]
    assert (found["scored_on"], len(found["trials"])) == ("validation", 4)
    assert found["best"]["accuracy"] == result.best.value


def test_a_base_that_the_space_leaves_out_is_told(tmp_path: Path, training_only: Path) -> None:
    space = {**SPACE, "network.theta_init_mv": {"from": 6, "to": 8}}
    study_at(tmp_path, training_only, space=space)
    where = [str(tmp_path / "search.yaml"), "--workdir", str(tmp_path)]
    planned = CliRunner().invoke(app, ["study", "run", *where, "--dry-run"])
    assert "the space leaves out network.theta_init_mv=5: what the search gained is not told" in flat(planned.output)
    study_at(tmp_path, training_only, space=space, try_base=False)
    planned = CliRunner().invoke(app, ["study", "run", *where, "--dry-run"])
    assert "leaves out" not in planned.output


def flat(text: str) -> str:
    return " ".join(text.split())


class Interrupting(SerialExecutor):
    """Is interrupted after two cells."""

    def run(self, tasks: Iterable[CellTask], tick: Callable[[], None] = lambda: None) -> Iterator[CellOutcome]:
        for number, outcome in enumerate(super().run(tasks, tick)):
            yield outcome
            if number == 1:
                raise KeyboardInterrupt


def test_the_same_command_goes_on_also_in_a_folder_that_was_moved(tmp_path: Path, training_only: Path) -> None:
    (tmp_path / "there").mkdir()
    study = study_at(tmp_path / "there", training_only, trials=5)
    with pytest.raises(InterruptedRunError, match="everything is kept in"):
        run_search(study, Interrupting())
    shutil.move(tmp_path / "there", tmp_path / "here")
    moved = load_study(tmp_path / "here" / "search.yaml", tmp_path / "here")
    before = {path: path.stat().st_mtime_ns for path in moved.folder.rglob("XeAe*")}
    assert len(load_search(moved).trials) == 2
    result = run_search(moved, SerialExecutor())
    assert len(result.trials) == 5
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert load_search(moved) == result or load_search(moved).trials == result.trials


def test_another_base_begins_other_trials_beside_the_old_ones(tmp_path: Path, training_only: Path) -> None:
    first = study_at(tmp_path, training_only, trials=2)
    run_search(first, SerialExecutor())
    other = study_at(tmp_path, training_only, {"num_examples": 8}, trials=2)
    assert trials_name(first, plan_search(first)) != trials_name(other, plan_search(other))
    assert load_search(other).trials == ()
    assert len(load_search(first).trials) == 2
    longer = study_at(tmp_path, training_only, trials=9)
    assert len(load_search(longer).trials) == 2


def test_settings_that_do_not_go_together_fail_as_a_trial(tmp_path: Path, training_only: Path) -> None:
    base = {"presentation.stimulus_ms": 40.0, "presentation.max_intensity": 4.0, "num_examples": 4}
    base |= {KEY: 4, "evaluation.assign_examples": 4}
    space = {"presentation.rest_ms": {"from": 5, "to": 20}}
    result = run_search(study_at(tmp_path, training_only, base, space=space, trials=5), SerialExecutor())
    failed = [trial for trial in result.trials if trial.state == "failed"]
    assert failed
    assert all("presentation.rest_ms" in (trial.error or "") for trial in failed)
    assert len(result.trials) == 5


def test_a_search_without_validation_images_is_refused_before_anything_runs(
    tmp_path: Path, training_only: Path
) -> None:
    study = study_at(tmp_path, training_only, {KEY: 0})
    with pytest.raises(ConfigError, match=r"search.yaml: search: .*evaluation.validation_examples in the base"):
        run_search(study, SerialExecutor())
    assert not study.folder.exists()
    with pytest.raises(ConfigError, match=r"search\.trails'; did you mean 'search\.trials'"):
        study_at(tmp_path, training_only, trails=3)
