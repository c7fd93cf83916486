"""A cell runs in its folder, and what lies there is the truth: finished, failed, interrupted, running or missing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_studies import QUICK, small_study, write_study

from snstdp_cli import pipeline
from snstdp_cli.artefacts.locks import LockedError, hold_lock, is_locked
from snstdp_cli.errors import EngineError, InterruptedRunError, NumericalError
from snstdp_cli.progress import Reporter, TrainingProgress
from snstdp_cli.studies import (
    CellOutcome,
    Study,
    StudyReporter,
    cells,
    cells_to_run,
    load_correct,
    load_results,
    load_study,
    make_task,
    request_stop,
    run_cell,
    run_study,
    running,
    running_cells,
)
from snstdp_cli.studies.cell import training_key
from snstdp_cli.studies.executors import SerialExecutor
from snstdp_cli.studies.records import LOCK, CellRecord, CellScore, read_cell_record, read_progress, write_progress


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    running._dataset.cache_clear()
    return tmp_path


def states(study: Study) -> list[str]:
    return [result.state for result in load_results(study)]


def recorded(folder: Path) -> CellRecord:
    record = read_cell_record(folder)
    assert record is not None
    return record


def stand_in(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]) -> None:
    """Let a function run in place of the experiment."""
    monkeypatch.setattr(running, "run_experiment", run)


def failing(error: BaseException) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        raise error

    return run


def progress(examples: int = 4) -> TrainingProgress:
    return TrainingProgress(examples, 10, 1.0, 5.0, 3.0, 0, 0, 0, 0, 1.0, 1.0, 1.0, None, (1.0, 2.0, 3.0), ())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study of one cell that ran."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("finished")
        patch.chdir(folder)
        running._dataset.cache_clear()
        study = small_study(folder)
        assert run_study(study, SerialExecutor()).count("finished") == 1
        yield study


class TestTruth:
    def test_a_finished_cell_has_its_figures_and_can_be_scored_again(self, finished: Study) -> None:
        result = load_results(finished)[0]
        assert result.state == "finished"
        assert result.num_examples == 10
        assert result.chance is not None
        assert {"l1_mean", "retries", "never_learned", "duration_s"} <= result.figures.keys()
        for kind, accuracy in result.accuracies.items():
            assert load_correct(result, kind).mean() == accuracy  # type: ignore[arg-type]
        record = read_cell_record(result.folder)
        assert record is not None
        assert (record.state, record.attempts, record.error) == ("finished", 1, None)
        assert {"snstdp", "brian2"} <= record.versions.keys()

    def test_the_folder_of_a_cell_is_a_working_folder_without_absolute_paths(self, finished: Study) -> None:
        folder = finished.folder_of(finished.cells[0])
        assert {path.name for path in folder.iterdir()} == {LOCK, "cell.json", "weights", "activity"}
        for path in folder.rglob("*.json"):
            assert str(finished.workdir) not in path.read_text()
        for path in folder.rglob("*.npz"):
            assert str(finished.workdir).encode() not in path.read_bytes()

    def test_a_finished_cell_is_never_touched_again(self, finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        stand_in(monkeypatch, failing(AssertionError("it ran")))
        folder = finished.folder_of(finished.cells[0])
        before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.json")}
        assert run_study(finished, SerialExecutor(), retry=True).ran == ()
        outcome = run_cell(make_task(finished, finished.cells[0]))
        assert (outcome.state, outcome.seconds) == ("finished", 0.0)
        assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before

    def test_a_cell_that_was_scored_by_fewer_read_outs_is_scored_again_and_not_run(
        self, finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(finished.folder, tmp_path / "studies" / "small")
        asked = ("average", "selective", "proportion", "all_activity")
        more = load_study(write_study(tmp_path, read_outs=list(asked)), tmp_path)
        assert states(more) == ["missing"]
        for step in ("train_network", "record_activity"):
            monkeypatch.setattr(pipeline, step, failing(AssertionError(f"{step} ran")))
        assert run_study(more, SerialExecutor()).count("finished") == 1
        result = load_results(more)[0]
        assert tuple(result.accuracies) == asked
        for kind in asked:
            assert load_correct(result, kind).mean() == result.accuracies[kind]

    def test_figures_and_accuracies_are_those_of_the_images_that_were_scored(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evaluation = QUICK["evaluation"] | {"validation_examples": 2}
        study = small_study(place, base={**QUICK, "data": "./images", "evaluation": evaluation})
        on_validation = dataclasses.replace(study, file=study.file.model_copy(update={"score_on": "validation"}))

        def score(accuracy: float, num: int, silent: float) -> CellScore:
            accuracies = dict.fromkeys(study.file.read_outs, accuracy)
            return CellScore(accuracies=accuracies, chance=0.1, num_examples=num, figures={"silent_examples": silent})

        scores = {"test": score(0.8, 10, 7.0), "validation": score(0.6, 2, 1.0)}
        monkeypatch.setattr(running, "_run_experiment", lambda task, *_: task.score_on)
        monkeypatch.setattr(running, "cell_score", scores.__getitem__)
        monkeypatch.setattr(running, "cell_figures", lambda *_: {"l1_mean": 78.0})
        for module in (running, cells):
            monkeypatch.setattr(module, "weights_exist", lambda *_: True)
        for one in (study, on_validation, study):  # the second score of the test images finds that of the first
            assert run_cell(make_task(one, one.cells[0])).accuracies == scores[one.file.score_on].accuracies
        for one in (study, on_validation):
            (result,), expected = load_results(one), scores[one.file.score_on]
            assert result.accuracies == expected.accuracies
            assert result.num_examples == expected.num_examples
            assert result.figures["silent_examples"] == expected.figures["silent_examples"]
            assert result.figures["l1_mean"] == 78.0

    def test_a_copied_folder_is_the_same_study(self, finished: Study, tmp_path: Path) -> None:
        shutil.copytree(finished.folder, tmp_path / "elsewhere" / "studies" / "small")
        moved = load_study(finished.path, tmp_path / "elsewhere")
        assert states(moved) == ["finished"]
        assert load_correct(load_results(moved)[0], "average").shape == (10,)

    def test_seeds_that_are_added_only_add_cells(self, finished: Study, tmp_path: Path) -> None:
        more = load_study(write_study(tmp_path, seeds=3), finished.workdir)
        assert states(more) == ["finished", "missing", "missing"]
        assert more.cells[0].id == finished.cells[0].id

    def test_a_cell_whose_weights_are_gone_is_missing(self, finished: Study, tmp_path: Path) -> None:
        shutil.copytree(finished.folder, tmp_path / "studies" / "small")
        copied = load_study(finished.path, tmp_path)
        shutil.rmtree(copied.folder_of(copied.cells[0]) / "weights")
        assert states(copied) == ["missing"]

    def test_a_record_that_was_damaged_makes_a_failed_cell_with_a_sentence(
        self, finished: Study, tmp_path: Path
    ) -> None:
        shutil.copytree(finished.folder, tmp_path / "studies" / "small")
        copied = load_study(finished.path, tmp_path)
        path = copied.folder_of(copied.cells[0]) / "cell.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "state": "done"}))
        result = load_results(copied)[0]
        assert result.state == "failed"
        assert "state: found 'done', expected running, finished, failed or interrupted" in str(result.error)


class TestFailure:
    def test_a_failed_cell_is_written_down_and_the_others_go_on(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place, seeds=3)
        stand_in(monkeypatch, failing(NumericalError("the network ran away")))
        told: list[str] = []
        outcome = run_study(study, SerialExecutor(), report=StudyReporter(ended=lambda e: told.append(e.outcome.state)))
        assert told == ["failed"] * 3
        assert outcome.count("failed") == 3
        assert {result.error for result in load_results(study)} == {"the network ran away"}

    def test_it_is_tried_again_only_on_request(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = small_study(place)
        stand_in(monkeypatch, failing(NumericalError("the network ran away")))
        run_study(study, SerialExecutor())
        assert run_study(study, SerialExecutor()).ran == ()
        assert len(run_study(study, SerialExecutor(), retry=True).ran) == 1
        record = read_cell_record(study.folder_of(study.cells[0]))
        assert record is not None
        assert record.attempts == 2

    def test_fail_fast_ends_at_the_first(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = small_study(place, seeds=3)
        stand_in(monkeypatch, failing(NumericalError("the network ran away")))
        assert len(run_study(study, SerialExecutor(), fail_fast=True).ran) == 1
        assert states(study) == ["failed", "missing", "missing"]

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (MemoryError(), "not enough memory"),
            (
                ZeroDivisionError("float division"),
                "a fault of snstdp: ZeroDivisionError: float division; see fault.txt",
            ),
        ],
    )
    def test_what_is_no_users_error_gets_a_sentence_too(
        self, place: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
    ) -> None:
        study = small_study(place)
        stand_in(monkeypatch, failing(error))
        outcome = run_cell(make_task(study, study.cells[0]))
        assert outcome.state == "failed"
        assert sentence in str(outcome.error)
        fault = study.folder_of(study.cells[0]) / "fault.txt"
        assert fault.exists() == ("fault.txt" in sentence)

    def test_images_that_are_missing_fail_the_cell_and_a_retry_finds_them(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place)
        (place / "images").rename(place / "away")
        outcome = run_cell(make_task(study, study.cells[0]))
        assert outcome.state == "failed"
        assert "no such file or folder" in str(outcome.error)
        (place / "away").rename(place / "images")
        stand_in(monkeypatch, failing(NumericalError("it was loaded")))
        assert run_cell(make_task(study, study.cells[0], retry=True)).error == "it was loaded"

    def test_a_program_that_was_killed_is_started_again_once(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study, calls = small_study(place), list[int]()

        def killed(*args: Any, **options: Any) -> Any:
            calls.append(1)
            raise EngineError("the simulation was killed")

        stand_in(monkeypatch, killed)
        assert run_cell(make_task(study, study.cells[0])).state == "failed"
        assert len(calls) == 2

    def test_a_rule_that_ran_away_and_a_good_one(self, place: Path) -> None:
        """The real thing: one cell cannot even be begun with its images, the other one finishes."""
        study = small_study(place, cells=[{"data": "./nowhere"}, {"rule.eta": 0.02}])
        outcome = run_study(study, SerialExecutor())
        assert states(study) == ["failed", "finished"]
        assert outcome.count("failed") == 1


class TestInterruption:
    def test_ctrl_c_leaves_an_interrupted_cell_that_comes_first_next_time(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place, seeds=2)
        stand_in(monkeypatch, failing(InterruptedRunError("interrupted after 4 of 10 examples")))
        with pytest.raises(InterruptedRunError, match="everything is kept in .*run the same command"):
            run_study(study, SerialExecutor())
        assert states(study) == ["interrupted", "missing"]
        seen: list[bool] = []
        stand_in(monkeypatch, lambda *args, **options: seen.append(options["resume"]) or failing(MemoryError())())
        run_study(study, SerialExecutor())
        assert seen == [True, True]

    def test_a_cell_without_its_process_is_interrupted(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = small_study(place)
        stand_in(monkeypatch, failing(SystemExit()))  # nothing is written down of it, as when a process is killed
        with pytest.raises(SystemExit):
            run_cell(make_task(study, study.cells[0]))
        assert states(study) == ["interrupted"]
        assert running_cells(study) == []

    def test_what_a_batch_job_left_is_written_down_as_interrupted_when_its_cluster_is_ended(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place)
        folder = study.folder_of(study.cells[0])
        stand_in(monkeypatch, failing(SystemExit()))
        with pytest.raises(SystemExit):
            run_cell(make_task(study, study.cells[0]))
        assert recorded(folder).state == "running"
        with hold_lock(folder / LOCK):
            assert not running.write_interruption(folder)
        assert recorded(folder).state == "running"  # somebody else has it
        assert running.write_interruption(folder)
        assert recorded(folder).state == "interrupted"
        assert not (folder / "progress.json").exists()
        assert running.write_interruption(folder / "nowhere")

    def test_a_cell_of_another_machine_runs_as_long_as_it_says_so_and_is_then_taken_up_first(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where locks of other machines are not seen, or their holder is gone."""
        study = small_study(place, seeds=2)
        folder = study.folder_of(study.cells[1])
        with monkeypatch.context() as there:
            there.setattr(platform, "node", lambda: "node13")
            stand_in(there, failing(SystemExit()))
            with pytest.raises(SystemExit):
                run_cell(make_task(study, study.cells[1]))
        assert states(study) == ["missing", "running"]
        progress_now = read_progress(folder)
        assert progress_now is not None
        write_progress(folder, progress_now.model_copy(update={"time": progress_now.time - 200}))
        assert states(study) == ["missing", "interrupted"]
        assert running_cells(study) == []
        assert [cell.seed for cell in cells_to_run(study, load_results(study))] == [1, 0]

    def test_a_request_to_stop_is_heard_at_the_next_chunk(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = small_study(place)
        folder = study.folder_of(study.cells[0])

        def run(*args: Any, report: Reporter, **options: Any) -> Any:
            report.training(progress())
            request_stop(folder)
            report.training(progress(8))
            raise AssertionError("it went on")

        stand_in(monkeypatch, run)
        outcome = run_cell(make_task(study, study.cells[0]))
        assert (outcome.state, states(study)) == ("interrupted", ["interrupted"])
        assert not (folder / "stop").exists()

    @pytest.mark.compiles
    def test_a_request_to_stop_is_heard_while_images_are_recorded(self, place: Path) -> None:
        """A worker of Dask that met KeyboardInterrupt in its place would end with a traceback."""
        study = small_study(place)
        task, folder = make_task(study, study.cells[0]), study.folder_of(study.cells[0])
        asking = dataclasses.replace(Reporter(), recording=lambda now: request_stop(folder))
        outcome = run_cell(task, report=asking)
        assert (outcome.state, states(study)) == ("interrupted", ["interrupted"])
        assert run_cell(task).state == "finished"

    def test_a_running_cell_is_seen_with_its_progress_and_is_busy_for_others(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study, seen = small_study(place), list[Any]()

        def run(*args: Any, report: Reporter, **options: Any) -> Any:
            report.training(progress())
            seen.append((states(study), running_cells(study)))
            seen.append(run_cell(make_task(study, study.cells[0])))
            raise NumericalError("enough")

        stand_in(monkeypatch, run)
        run_cell(make_task(study, study.cells[0]))
        (state, cells), rival = seen
        assert state == ["running"]
        assert [(cell.id, now.stage, now.examples) for cell, now in cells] == [(study.cells[0].id, "training", 4)]
        assert rival == CellOutcome(study.cells[0].id, "busy")

    def test_a_cell_that_another_process_leaves_unfinished_is_taken_up_after_the_others(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place, seeds=2)
        theirs, ours = (study.folder_of(cell) for cell in study.cells)
        stand_in(monkeypatch, failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            run_cell(make_task(study, study.cells[0]))
        told, began = [], []

        def run(experiment: Any, workdir: Any, *args: Any, **options: Any) -> Any:
            began.append(workdir.root)
            other.close()  # the other process ends
            raise NumericalError("enough")

        stand_in(monkeypatch, run)
        with contextlib.ExitStack() as other:
            other.enter_context(hold_lock(theirs / LOCK))
            report = StudyReporter(ended=lambda e: told.append((e.outcome.state, e.done, e.total)))
            outcome = run_study(study, SerialExecutor(), report=report)
        assert [path.resolve() for path in began] == [ours.resolve(), theirs.resolve()]
        assert told == [("busy", 1, 2), ("failed", 2, 2), ("failed", 2, 2)]
        assert [one.state for one in outcome.ran] == ["failed", "failed"]


class TestSharedWork:
    def test_cells_that_differ_in_what_is_recorded_train_once(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = small_study(place, vary={"evaluation.test_examples": [3, 10], "rule.eta": [0.01, 0.02]})
        assert len({training_key(cell.experiment) for cell in study.cells}) == 2
        outcome = run_study(study, SerialExecutor())
        assert outcome.count("finished") == 4
        assert [result.num_examples for result in outcome.results] == [3, 3, 10, 10]
        shared = [(study.folder_of(cell) / "weights" / "network.json").read_bytes() for cell in study.cells[::2]]
        assert shared[0] == shared[1]  # its date too: it was copied

    def test_recordings_that_cells_would_make_alike_are_made_once(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = small_study(place, name="first")
        run_study(first, SerialExecutor())
        made, record = [], pipeline.record_activity

        def counting(experiment: Any, workdir: Any, name: str, split: str, **options: Any) -> Any:
            made.append((experiment.evaluation.assign_examples, experiment.input.noise, split))
            return record(experiment, workdir, name, split, **options)

        monkeypatch.setattr(pipeline, "record_activity", counting)
        second = small_study(place, name="second", vary={"evaluation.assign_examples": [4, 6], "input.noise": [0, 0.3]})
        assert run_study(second, SerialExecutor()).count("finished") == 4
        # Those of 6 clean training images and of clean test images are in the first study.
        assert made == [(4, 0, "train"), (4, 0.3, "test"), (6, 0.3, "test")]
        files = [{path.name for path in (second.folder_of(cell) / "activity").glob("*.npz")} for cell in second.cells]
        assert [len(one) for one in files] == [2] * 4  # what the cell needs, and nothing else

    def test_a_cell_of_its_own_shares_nothing(self, place: Path) -> None:
        study = small_study(place, seeds=2, vary={"n_e": [4, 8]})
        assert len({training_key(cell.experiment) for cell in study.cells}) == 4

    def test_a_study_takes_trainings_of_the_one_beside_it(self, place: Path) -> None:
        first = small_study(place, name="first", vary={"rule.eta": [0.01, 0.02]})
        run_study(first, SerialExecutor())
        second = small_study(place, name="second", vary={"rule.eta": [0.02, 0.03], "evaluation.test_examples": [3]})
        assert run_study(second, SerialExecutor()).count("finished") == 2
        records = [
            {cell.settings["rule.eta"]: study.folder_of(cell) / "weights" / "network.json" for cell in study.cells}
            for study in (first, second)
        ]
        assert records[0][0.02].read_bytes() == records[1][0.02].read_bytes()  # its date too: it was copied
        assert records[0][0.01].read_bytes() != records[1][0.03].read_bytes()

    def test_weights_of_other_images_are_not_taken(self, place: Path) -> None:
        first, second = (small_study(place, name=name) for name in ("first", "second"))
        run_study(first, SerialExecutor())
        path = first.folder_of(first.cells[0]) / "weights" / "network.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "data": {**record["data"], "sha256": "0" * 64}}))
        assert run_study(second, SerialExecutor()).count("finished") == 1
        made = json.loads((second.folder_of(second.cells[0]) / "weights" / "network.json").read_text())
        assert made["data"]["sha256"] == record["data"]["sha256"]
        assert made["date"] >= record["date"]

    def test_images_are_loaded_once(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study, loaded = small_study(place, seeds=3), list[str]()
        load = running.load_dataset

        def counting(name: str, split: Any, *rest: Any, **options: Any) -> Any:
            loaded.append(split)
            return load(name, split, *rest, **options)

        monkeypatch.setattr(running, "load_dataset", counting)
        stand_in(monkeypatch, failing(NumericalError("no")))
        run_study(study, SerialExecutor())
        assert loaded == ["train", "test"]


class TestShares:
    def test_shares_are_disjoint_and_together_all_cells(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = small_study(place, seeds=7)
        stand_in(monkeypatch, failing(NumericalError("no")))
        parts = [run_study(study, SerialExecutor(), share=(part, 3)).ran for part in (1, 2, 3)]
        assert [len(part) for part in parts] == [3, 2, 2]
        assert {outcome.cell for part in parts for outcome in part} == set(study.by_id)

    def test_read_outs_are_told_in_the_order_of_the_study(self, finished: Study) -> None:
        path = write_study(finished.workdir, read_outs=["selective"])
        assert list(load_results(load_study(path, finished.workdir))[0].accuracies) == ["selective"]
        write_study(finished.workdir)

    def test_a_task_is_small_and_plain(self, place: Path) -> None:
        study = small_study(place)
        text = json.dumps(dataclasses.asdict(make_task(study, study.cells[0])))
        assert len(text) < 4000


class TestLocks:
    def test_a_lock_is_held_once_and_seen(self, tmp_path: Path) -> None:
        path = tmp_path / "inner" / ".lock"
        assert not is_locked(path)
        with hold_lock(path):
            assert is_locked(path)
            with pytest.raises(LockedError, match=f"pid {os.getpid()}"), hold_lock(path):
                pass
        assert not is_locked(path)
