"""Executors: Dask's local cluster, memory, batch systems by what they would submit, and missing libraries."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from small_studies import QUICK, small_study

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ConfigError, EngineError, InterruptedRunError
from snstdp_cli.progress import RecordingProgress
from snstdp_cli.studies import Study, StudyReporter, extras, load_results, make_task, run_study, running
from snstdp_cli.studies.estimate import CellEstimate, StudyEstimate
from snstdp_cli.studies.executors.script import slurm_script
from snstdp_cli.studies.memory import estimate_memory_mb, machine_memory_mb

ROOT = Path(__file__).parents[2]


def test_a_missing_library_is_a_sentence_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'snstdp\[study\]'; without it, `snstdp study worker FILE`"):
        extras.require_extra("distributed", "study")


def test_memory_grows_with_the_network(tmp_path: Path) -> None:
    study = small_study(tmp_path, vary={"n_e": [100, 6400]})
    small, large = (estimate_memory_mb(cell.experiment) for cell in study.cells)
    assert small < 600 < 1000 < large < 3000
    assert machine_memory_mb() > 100


def test_a_study_lasts_as_long_as_its_busiest_worker(tmp_path: Path) -> None:
    cell = small_study(tmp_path).cells[0]
    cells = tuple(CellEstimate(cell, seconds, memory, 1.0) for seconds, memory in ((5, 1), (3, 9), (1, 4), (4, 2)))
    plan = StudyEstimate(cells, 2, 1)
    assert (plan.seconds, plan.memory_mb, plan.disk_mb) == (8, 13, 4)


def test_the_script_of_an_array_of_workers(tmp_path: Path) -> None:
    study = small_study(tmp_path, seeds=30)
    text = slurm_script(study, jobs=8, walltime="02:00:00", folder=Path("/a b"), data_dir=Path("/data"))
    assert "#SBATCH --array=1-8\n" in text
    assert "#SBATCH --time=02:00:00\n" in text
    assert "\ncd '/a b'\n" in text
    assert f"exec snstdp study worker {study.path} --data-dir /data --workdir {tmp_path}\n" in text


def test_what_an_event_loop_says_while_a_cluster_closes_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    from snstdp_cli.studies.executors.clusters import LOUD, quiet

    with quiet():
        for name in LOUD:
            logging.getLogger(name).error("Exception in callback", exc_info=RuntimeError("heartbeat"))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("tornado.application").level == logging.NOTSET


def test_the_script_of_a_search_has_a_job_for_each_trial_at_most(tmp_path: Path) -> None:
    base = {**QUICK, "data": "./images", "n_e": 400}
    base["evaluation"] = {**base["evaluation"], "validation_examples": 2}
    space = {"rule.eta": {"from": 0.01, "to": 0.1}}
    for search, jobs in (({"trials": 30}, 20), ({"trials": 5}, 5), ({"trials": 30, "parallel": 4}, 4)):
        study = small_study(tmp_path, base=base, search={**search, "space": space})
        text = slurm_script(study, jobs=20, walltime="02:00:00", folder=Path("/a"))
        assert f"#SBATCH --array=1-{jobs}\n" in text
        assert f"# {search['trials']} trials. Each job" in text
        assert f"--mem={round(estimate_memory_mb(build_experiment(base)) + 500)}M" in text


class TestDask:
    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        pytest.importorskip("distributed")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SNSTDP_CORES", "1")  # which workers that are threads of this process would set for it
        return tmp_path

    @pytest.fixture
    def in_process(self, place: Path) -> Iterator[Any]:
        """A client whose workers are threads of this process, so that stand-ins work."""
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            yield client

    def test_workers_of_their_own_run_cells(self, place: Path) -> None:
        """The one test that starts processes."""
        from snstdp_cli.studies.executors.clusters import local_cluster

        study = small_study(place)
        with local_cluster(1) as executor:
            outcome = run_study(study, executor)
        assert outcome.count("finished") == 1
        assert all(result.accuracies for result in load_results(study))

    def test_failures_come_back_as_records(self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from snstdp_cli.studies.executors.dask import DaskExecutor

        study = small_study(place, seeds=3)
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        outcome = run_study(study, DaskExecutor(in_process, lambda: 2))
        assert [one.state for one in outcome.ran] == ["failed"] * 3

    def test_a_cell_takes_one_core_of_a_worker_that_was_started_by_others(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.engines import available_cores
        from snstdp_cli.studies.executors.dask import DaskExecutor

        monkeypatch.delenv("SNSTDP_CORES")
        cores: list[int] = []

        def look(*args: Any, **options: Any) -> Any:
            cores.append(available_cores())
            _no_memory()

        monkeypatch.setattr(running, "run_experiment", look)
        run_study(small_study(place), DaskExecutor(in_process))
        assert cores == [1]

    def test_a_cell_larger_than_the_machine_is_told_and_the_rest_runs(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors.dask import DaskExecutor

        study = small_study(place, vary={"n_e": [20_000, 4]})
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        outcome = run_study(study, DaskExecutor(in_process, lambda: 2, memory_mb=1000))
        assert "MB of memory, and this machine has 1,000 MB" in str(outcome.results[0].error)
        assert "not enough memory" in str(outcome.results[1].error)

    def test_tasks_are_taken_when_there_is_room(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A search asks for its next trial when an outcome is known."""
        from snstdp_cli.studies.executors.dask import DaskExecutor

        study, taken, ended = small_study(place, seeds=5), list[int](), list[int]()
        monkeypatch.setattr(running, "run_experiment", _no_memory)

        def tasks() -> Iterator[Any]:
            for k, cell in enumerate(study.cells):
                taken.append(k - len(ended))
                yield make_task(study, cell)

        for _ in DaskExecutor(in_process, lambda: 2).run(tasks()):
            ended.append(1)
        assert len(ended) == 5
        assert max(taken) <= 2

    def test_a_scheduler_without_workers_is_told_once_and_waited_for(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from distributed import LocalCluster

        from snstdp_cli.studies.executors.clusters import running_cluster

        said: list[str] = []
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        with LocalCluster(n_workers=0, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
            ticks: list[int] = []

            def start_a_worker() -> None:
                ticks.append(1)
                if len(ticks) == 3:  # said by then, and once
                    assert len(said) == 1
                    cluster.scale(1)

            with running_cluster(cluster.scheduler_address, said.append) as executor:
                outcome = run_study(small_study(place), executor, report=StudyReporter(tick=start_a_worker))
        assert [one.state for one in outcome.ran] == ["failed"]  # it was run
        assert f"`dask worker {cluster.scheduler_address} --nthreads 1`" in said[0]
        assert said[1:] == ["1 worker there: going on"]

    @pytest.mark.parametrize("known", [1000.0, None])
    def test_a_cell_larger_than_every_worker_is_told_and_the_rest_runs(
        self, place: Path, monkeypatch: pytest.MonkeyPatch, known: float | None
    ) -> None:
        """Dask would wait for a larger worker without a word; a batch system never starts one."""
        from distributed import Client, LocalCluster

        from snstdp_cli.studies.executors.dask import DaskExecutor

        study = small_study(place, vary={"n_e": [20_000, 4]})
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        options = {"processes": False, "dashboard_address": ":0", "resources": {"MB": 1000}}
        with LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster, Client(cluster) as client:
            outcome = run_study(study, DaskExecutor(client, lambda: 2, worker_mb=known))
        assert "MB of memory, and the largest worker has 1,000 MB" in str(outcome.results[0].error)
        assert "not enough memory" in str(outcome.results[1].error)

    def test_none_among_tasks_is_a_pause_and_not_the_end(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors import dask, serial

        study = small_study(place)
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        monkeypatch.setattr(dask, "_TICK_S", 0.01)
        monkeypatch.setattr(serial, "_PAUSE_S", 0.01)
        # Dask's second pause may be over while its cell runs; one cell after the other, each of the three is a tick.
        for executor, least in ((dask.DaskExecutor(in_process), 2), (serial.SerialExecutor(), 3)):
            ticks: list[int] = []
            ended = executor.run([None, make_task(study, study.cells[0]), None], partial(ticks.append, 1))
            assert [one.state for one in ended] == ["failed"]
            assert len(ticks) >= least

    def test_a_worker_that_cannot_run_cells_ends_the_study_with_a_sentence(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors import dask

        monkeypatch.setattr(dask, "run_cell", _no_module)
        with pytest.raises(EngineError, match="a Dask worker cannot run cells: ModuleNotFoundError: nowhere"):
            run_study(small_study(place), dask.DaskExecutor(in_process, lambda: 2))

    def test_what_a_cell_costs_beside_its_own_work_is_small(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors.dask import DaskExecutor

        study = small_study(place, seeds=50)
        monkeypatch.setattr(running, "run_experiment", _no_memory)
        began = time.process_time()  # of all threads: scheduler, workers and this one
        assert len(run_study(study, DaskExecutor(in_process, lambda: 2)).ran) == 50
        assert (time.process_time() - began) / 50 < 0.3

    def test_no_scheduler_is_a_sentence(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from snstdp_cli.studies.executors import clusters

        monkeypatch.setattr(clusters, "_CONNECT_S", 0.2)
        with (
            pytest.raises(EngineError, match="no Dask scheduler answers at tcp://127.0.0.1:9"),
            clusters.running_cluster("tcp://127.0.0.1:9"),
        ):
            pass

    def test_an_interrupt_asks_running_cells_to_stop(
        self, place: Path, in_process: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors.dask import DaskExecutor

        study = small_study(place)
        monkeypatch.setattr(running, "run_experiment", _endless)
        ticks: list[int] = []

        def press_ctrl_c() -> None:
            ticks.append(1)
            if len(ticks) == 2:
                raise KeyboardInterrupt

        with pytest.raises(InterruptedRunError):
            run_study(study, DaskExecutor(in_process, lambda: 2), report=StudyReporter(tick=press_ctrl_c))
        _wait_until_interrupted(study)


def _no_memory(*args: Any, **options: Any) -> Any:
    raise MemoryError


def _no_module(*args: Any, **options: Any) -> Any:
    raise ModuleNotFoundError("nowhere")


def _endless(*args: Any, report: Any, **options: Any) -> Any:
    for _ in range(400):
        report.recording(RecordingProgress("train", 1, 10, 1.0))
        time.sleep(0.05)


def _wait_until_interrupted(study: Study) -> None:
    for _ in range(100):
        if load_results(study)[0].state == "interrupted":
            return
        time.sleep(0.05)
    raise AssertionError(load_results(study)[0])


def write_program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def require_batch_systems() -> None:
    """Skip where dask-jobqueue is missing, without importing it: it takes Ctrl-C from whoever imports it."""
    if importlib.util.find_spec("dask_jobqueue") is None:
        pytest.skip("dask-jobqueue is not installed")


class TestBatchSystems:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Any:
        require_batch_systems()
        from snstdp_cli.studies.executors.cluster_file import read_cluster_file

        def read(kind: str) -> Any:
            path = tmp_path / f"{kind}.yaml"
            path.write_text(
                f"kind: {kind}\nmemory: 3GB\nwalltime: '02:00:00'\nqueue: long\naccount: lab\n"
                "prologue: [module load gcc]"
            )
            return read_cluster_file(path)

        return read

    @pytest.mark.parametrize(
        ("kind", "lines"),
        [
            ("slurm", ["#SBATCH -p long", "#SBATCH -A lab", "#SBATCH --mem=3G", "#SBATCH -t 02:00:00"]),
            ("pbs", ["#PBS -q long", "#PBS -A lab", "#PBS -l walltime=02:00:00"]),
            ("sge", ["#$ -q long", "#$ -P lab", "#$ -l h_rt=02:00:00"]),
            ("lsf", ["#BSUB -q long", '#BSUB -P "lab"']),
        ],
    )
    def test_what_is_submitted_ends_before_the_queue_ends_it(self, settings: Any, kind: str, lines: list[str]) -> None:
        from snstdp_cli.studies.executors.queue import open_batch_system

        with open_batch_system(settings(kind)) as cluster:
            script = cluster.job_script()
        for line in [*lines, "module load gcc", "export SNSTDP_CORES=1"]:
            assert line in script
        assert "--lifetime 6480s --lifetime-stagger 360s --resources MB=3000" in script

    @pytest.mark.slow
    def test_jobs_of_this_machine_run_cells(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From end to end with the stand-in of dask-jobqueue, whose jobs are processes."""
        require_batch_systems()
        from snstdp_cli.studies.executors.cluster_file import ClusterFile
        from snstdp_cli.studies.executors.queue import batch_cluster

        monkeypatch.chdir(tmp_path)
        with batch_cluster(ClusterFile(kind="local", jobs=1)) as executor:
            outcome = run_study(small_study(tmp_path), executor)
        assert outcome.count("finished") == 1

    def test_ctrl_c_stays_ours(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A module of dask-jobqueue takes the signal when it is imported, and exits with code 0."""
        from snstdp_cli.studies.executors.queue import open_batch_system

        def ours(number: int, frame: object) -> None: ...

        for name in [name for name in sys.modules if name.startswith("dask_jobqueue")]:
            monkeypatch.delitem(sys.modules, name)
        before = signal.signal(signal.SIGINT, ours)
        try:
            with open_batch_system(settings("slurm")):
                assert signal.getsignal(signal.SIGINT) is ours
        finally:
            signal.signal(signal.SIGINT, before)

    def test_a_machine_without_a_batch_system_is_told(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from snstdp_cli.studies.executors.queue import batch_cluster

        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(EngineError, match="`sbatch`, .* is not on this machine"), batch_cluster(settings("slurm")):
            pass

    @pytest.mark.parametrize(("jobs", "submitted"), [(2, 2), (10, 3)])
    def test_a_job_is_submitted_for_each_cell_that_is_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, submitted: int
    ) -> None:
        require_batch_systems()
        from snstdp_cli.studies.executors.cluster_file import ClusterFile
        from snstdp_cli.studies.executors.queue import batch_cluster

        calls = tmp_path / "calls"
        write_program(tmp_path / "bin" / "sbatch", f"echo x >> {calls}\necho Submitted batch job 1")
        write_program(tmp_path / "bin" / "scancel", "")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        monkeypatch.chdir(tmp_path)
        ticks: list[int] = []

        def count() -> None:
            ticks.append(1)
            if len(ticks) > 6:
                raise KeyboardInterrupt

        study = small_study(tmp_path, seeds=3)
        with pytest.raises(InterruptedRunError), batch_cluster(ClusterFile(kind="slurm", jobs=jobs)) as executor:
            run_study(study, executor, report=StudyReporter(tick=count))
        assert calls.read_text().split() == ["x"] * submitted

    def test_a_job_that_a_batch_system_does_not_take_is_submitted_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where a user may have only so many jobs: the others are taken later."""
        require_batch_systems()
        from snstdp_cli.studies.executors import queue, submissions
        from snstdp_cli.studies.executors.cluster_file import ClusterFile

        calls = tmp_path / "calls"
        # Dask submits the two side by side: a folder that is made tells which came first, and is refused only then.
        script = f"echo x >> {calls}\nmkdir first 2> /dev/null || "
        script += "{ mkdir second 2> /dev/null && echo too many jobs >&2 && exit 1; }\n"
        write_program(tmp_path / "bin" / "sbatch", f"{script}echo Submitted batch job 1")
        write_program(tmp_path / "bin" / "scancel", "")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        monkeypatch.setattr(submissions, "_AGAIN_S", 0.1)
        monkeypatch.chdir(tmp_path)
        ticks: list[int] = []

        def count() -> None:
            ticks.append(1)
            if (calls.exists() and len(calls.read_text().split()) == 3) or len(ticks) > 60:
                raise KeyboardInterrupt

        study = small_study(tmp_path, seeds=2)
        with pytest.raises(InterruptedRunError), queue.batch_cluster(ClusterFile(kind="slurm")) as executor:
            run_study(study, executor, report=StudyReporter(tick=count))
        assert calls.read_text().split() == ["x"] * 3

    def test_a_job_that_is_taken_while_the_others_end_is_ended_too(self) -> None:
        """Dask only asserts that there is none, and leaves it in the batch system."""
        from distributed.core import Status

        from snstdp_cli.studies.executors.clusters import ending

        class Job:
            status = Status.running

            async def close(self) -> None:
                self.status = Status.closed

        class Cluster:
            def __init__(self) -> None:
                self.status, self._created = Status.running, {Job(), Job()}

            def sync(self, work: Any) -> None:
                asyncio.run(work())

            def close(self, timeout: float) -> None:
                assert self.status == Status.running or self.status == Status.failed
                self.status = Status.closing
                assert all(job.status == Status.closed for job in self._created)
                self.status = Status.closed

        cluster = Cluster()
        with ending(cluster, 1.0):
            pass
        assert cluster.status == Status.closed
        assert {job.status for job in cluster._created} == {Status.closed}

    def test_a_refusal_is_no_end_while_another_submission_is_under_way(self) -> None:
        from snstdp_cli.studies.executors.submissions import Submissions

        class Job:
            name = "job"

            def __init__(self, *, is_taken: bool) -> None:
                self.is_taken, self.answer = is_taken, asyncio.Event()

            async def start(self) -> None:
                await self.answer.wait()
                if not self.is_taken:
                    raise RuntimeError("stderr: too many jobs")

        async def submit(*, is_taken: bool) -> tuple[str, str]:
            submissions = Submissions("slurm")
            first, second = (submissions.job_class(Job)(is_taken=taken) for taken in (is_taken, False))
            starts = [asyncio.ensure_future(job.start()) for job in (first, second)]
            second.answer.set()
            await asyncio.wait([starts[1]])
            before = submissions.waiting()
            first.answer.set()
            await asyncio.wait(starts)
            return before, submissions.waiting()

        for told in asyncio.run(submit(is_taken=True)):
            assert "others it did not take: too many jobs" in told
        with pytest.raises(EngineError, match="takes no job: too many jobs"):
            asyncio.run(submit(is_taken=False))

    def test_a_batch_system_that_takes_no_job_ends_the_study_with_its_words(
        self, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from snstdp_cli.studies.executors.queue import batch_cluster

        said: list[str] = []
        write_program(tmp_path / "bin" / "sbatch", "echo sbatch: error: invalid account >&2\nexit 1")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        monkeypatch.chdir(tmp_path)

        refused = r"the batch system \(slurm\) takes no job: sbatch: error: invalid account; correct"
        with pytest.raises(EngineError, match=refused), batch_cluster(settings("slurm"), said.append) as executor:
            run_study(small_study(tmp_path), executor)
        assert said == ["no job runs yet: waiting for the batch system (slurm) to start one"]

    def test_mistakes_get_a_sentence(self, tmp_path: Path) -> None:
        from snstdp_cli.studies.executors.cluster_file import read_cluster_file

        path = tmp_path / "c.yaml"
        path.write_text("kind: slrum\nmemory: much\nwalltime: 120\nquee: x")
        with pytest.raises(ConfigError) as refused:
            read_cluster_file(path)
        for part in ("slurm, pbs, sge, lsf or local", "a size such as 4GB", "walltime", "did you mean 'queue'?"):
            assert part in str(refused.value)
