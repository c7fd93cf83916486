"""Kills, interrupts, damaged files, rivals, compilers and clocks: the real program is disturbed, and nothing is lost.

Each trial is compared with a training that nobody disturbed: weights, thresholds, snapshots, figures and the learning
curve must be the same, bit for bit.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import Trial, own_cache, stuck_cache, wait_for, working_folder

pytestmark = [pytest.mark.compiles, pytest.mark.slow]


@pytest.fixture(scope="module")
def cache() -> Path:
    return own_cache()


@pytest.fixture(scope="module")
def undisturbed(cache: Path) -> Iterator[dict[str, Any]]:
    """What a training leaves that runs in peace, and the seconds it takes once its programs are compiled."""
    with working_folder() as folder:
        trial = Trial(folder, cache)
        trial.end(trial.train("--num-examples", "20", name="warm"))
        began = time.monotonic()
        code, said = trial.end(trial.train())
        assert code == 0, said
        assert trial.leftovers() == []
        yield {"seconds": time.monotonic() - began, "results": trial.results()}


@pytest.fixture
def trial(cache: Path, undisturbed: dict[str, Any]) -> Iterator[Trial]:
    with working_folder() as folder:
        made = Trial(folder, cache)
        yield made
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)


def resume(trial: Trial, undisturbed: dict[str, Any], **options: Any) -> str:
    """Go on; the result must be that of an undisturbed training. Return what the program said."""
    code, said = trial.end(trial.train("--resume", **options))
    assert code == 0, said
    assert trial.results() == undisturbed["results"]
    assert trial.leftovers() == []
    return said


def arrays(results: dict[str, Any]) -> dict[str, Any]:
    """Return the weights, thresholds and snapshots alone."""
    return {key: value for key, value in results.items() if key.endswith(".npy")}


def checkpoint_of(trial: Trial, examples: int) -> Path:
    return trial.folder / "weights" / ".checkpoints" / "a" / f"{examples:08d}.ckpt"


class TestKill:
    def test_a_training_killed_at_random_moments_resumes_to_the_same_bits(
        self, trial: Trial, undisturbed: dict[str, Any]
    ) -> None:
        for moment in np.random.default_rng(4).uniform(0.3, undisturbed["seconds"], 5):
            shutil.rmtree(trial.folder / "weights", ignore_errors=True)
            process = trial.train()
            time.sleep(moment)
            process.kill()
            process.wait()
            wait_for(lambda: not trial.processes(), 5)  # the simulation ends with the process that started it
            if not (trial.folder / "weights" / "a.json").exists():
                resume(trial, undisturbed)

    @pytest.mark.parametrize(
        "hook",
        [
            "fsync:1",  # the first checkpoint is in its temporary file
            "replace:7",  # between the two files of the snapshot
            "fsync:17",  # a later checkpoint
            "replace:15",  # the weights have their name, the thresholds not yet
            "fsync:29",  # everything is written, the checkpoints are still there
        ],
    )
    def test_killed_between_two_writes_it_resumes_to_the_same_bits(
        self, trial: Trial, undisturbed: dict[str, Any], hook: str
    ) -> None:
        process = trial.train(TRIAL_HOOK=f"{hook}:kill")
        assert trial.end(process)[0] == -signal.SIGKILL
        resume(trial, undisturbed)

    def test_the_simulation_ends_with_the_process_that_started_it(
        self, trial: Trial, undisturbed: dict[str, Any], tmp_path: Path
    ) -> None:
        healthy = trial.cache
        trial.cache = stuck_cache(trial.cache, tmp_path / "stuck", learning=True, after=3, itself=True)
        process = trial.train()
        wait_for(trial.hanging)
        process.kill()
        process.wait()
        wait_for(lambda: not trial.processes(), 5)
        trial.cache = healthy
        resume(trial, undisturbed)

    def test_a_point_of_the_curve_that_was_under_way_is_made_again(
        self, trial: Trial, undisturbed: dict[str, Any], tmp_path: Path
    ) -> None:
        healthy = trial.cache
        trial.cache = stuck_cache(trial.cache, tmp_path / "stuck", learning=False, after=0, itself=True)
        process = trial.train(SNSTDP_CORES="2")
        wait_for(lambda: checkpoint_of(trial, 36).exists() and trial.hanging())
        process.kill()
        process.wait()
        wait_for(lambda: not trial.processes(), 5)
        trial.cache = healthy
        resume(trial, undisturbed, SNSTDP_CORES="2")

    def test_a_killed_recording_leaves_no_process_and_no_file(self, trial: Trial, undisturbed: dict[str, Any]) -> None:
        assert trial.end(trial.train())[0] == 0
        arguments = ("test", "--load-name", "a", "--workers", "2")
        for engine in ("standalone", "runtime"):
            process = trial.start(*arguments, "--engine", engine)
            wait_for(lambda: len(trial.processes()) >= (2 if engine == "standalone" else 4))  # noqa: B023
            time.sleep(0 if engine == "standalone" else 1)
            process.kill()
            process.wait()
            wait_for(lambda: not trial.processes(), 10)
            assert not list((trial.folder / "activity").glob("*"))
        assert trial.end(trial.start(*arguments))[0] == 0
        assert trial.leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
class TestInterrupt:
    def stop(self, trial: Trial, process: Any, number: int) -> str:
        process.send_signal(number)
        code, said = trial.end(process, 20)
        assert code == 130, said
        assert "error interrupted" in said
        assert trial.leftovers() == []
        return said

    def test_while_compiling(self, trial: Trial, undisturbed: dict[str, Any], number: int, tmp_path: Path) -> None:
        trial.cache = tmp_path / "empty"
        process = trial.train()
        wait_for(lambda: trial.working_in("building-"))
        assert "before the first checkpoint" in self.stop(trial, process, number)
        assert list(trial.cache.glob("programs/*")) == []
        trial.cache = own_cache()
        resume(trial, undisturbed)

    def test_in_a_chunk(self, trial: Trial, undisturbed: dict[str, Any], number: int, tmp_path: Path) -> None:
        healthy, trial.cache = trial.cache, stuck_cache(trial.cache, tmp_path / "stuck", learning=True, after=3)
        process = trial.train()
        wait_for(trial.hanging)
        said = self.stop(trial, process, number)
        assert "interrupted after 12 of 40 examples; nothing is lost: run the same command with --resume" in said
        trial.cache = healthy
        resume(trial, undisturbed)

    @pytest.mark.parametrize("call", ["fsync:6", "replace:6"])
    def test_while_a_checkpoint_is_written(
        self, trial: Trial, undisturbed: dict[str, Any], number: int, call: str
    ) -> None:
        process = trial.train(TRIAL_HOOK=f"{call}:sleep")
        wait_for(trial.mark.exists)
        assert "--resume" in self.stop(trial, process, number)
        resume(trial, undisturbed)

    def test_while_the_curve_is_measured(
        self, trial: Trial, undisturbed: dict[str, Any], number: int, tmp_path: Path
    ) -> None:
        healthy, trial.cache = trial.cache, stuck_cache(trial.cache, tmp_path / "stuck", learning=False, after=0)
        process = trial.train(SNSTDP_CORES="1")
        wait_for(trial.hanging)
        assert "interrupted after 16 of 40 examples" in self.stop(trial, process, number)
        trial.cache = healthy
        resume(trial, undisturbed)

    def test_with_a_point_of_the_curve_under_way(
        self, trial: Trial, undisturbed: dict[str, Any], number: int, tmp_path: Path
    ) -> None:
        """The training has gone on to the end, where it waits for the point after 20 examples."""
        healthy, trial.cache = trial.cache, stuck_cache(trial.cache, tmp_path / "stuck", learning=False, after=0)
        process = trial.train(SNSTDP_CORES="2")
        wait_for(lambda: checkpoint_of(trial, 36).exists() and trial.hanging())
        time.sleep(0.5)
        assert "interrupted after 36 of 40 examples" in self.stop(trial, process, number)
        trial.cache = healthy
        resume(trial, undisturbed, SNSTDP_CORES="1")

    def test_while_recording(self, trial: Trial, undisturbed: dict[str, Any], number: int, tmp_path: Path) -> None:
        healthy, trial.cache = trial.cache, stuck_cache(trial.cache, tmp_path / "stuck", learning=False, after=4)
        run = (
            "run",
            "--config",
            "small.yaml",
            "--save-name",
            "a",
            "--workers",
            "2",
            "--set",
            "evaluation.curve_every=0",
        )
        process = trial.start(*run)
        wait_for(trial.hanging)
        said = self.stop(trial, process, number)
        # What was recorded until then is kept beside the recordings, if a block was done.
        told = r"interrupted (before any of the|after \d+ of 10) test images.*--resume.*; the training is kept"
        assert re.search(told, said), said
        [kept] = (trial.folder / "activity").glob("*.npz")
        assert re.fullmatch(r"a\.train\.10\.[0-9a-f]+\.npz", kept.name)
        trial.cache = healthy
        code, said = trial.end(trial.start(*run, "--resume"))
        assert code == 0, said
        assert trial.leftovers() == []


def test_the_python_engine_is_interrupted_at_once_and_resumed_by_the_other(
    trial: Trial, undisturbed: dict[str, Any]
) -> None:
    process = trial.train("--engine", "runtime", "--set", "evaluation.curve_every=0", CXX="/nonexistent/g++")
    wait_for(lambda: list((trial.folder / "weights" / ".checkpoints").rglob("00000004.ckpt")), 60)
    time.sleep(0.3)  # into the next chunk, of about a second
    process.send_signal(signal.SIGINT)
    code, said = trial.end(process, 10)
    assert code == 130, said
    assert "--resume" in said
    # What the curve remembers is missing in these checkpoints; the weights do not depend on it.
    assert trial.end(trial.train("--resume"))[0] == 0
    assert arrays(trial.results()) == arrays(undisturbed["results"])


class TestDamage:
    def interrupted(self, trial: Trial) -> list[Path]:
        """Return the two checkpoints of an interrupted training, the newest first."""
        trial.end(trial.train(TRIAL_HOOK="replace:8:kill"))
        found = sorted((trial.folder / "weights" / ".checkpoints" / "a").glob("*.ckpt"), reverse=True)
        assert len(found) == 2
        return found

    @pytest.mark.parametrize("damage", ["truncated", "flipped"])
    def test_a_damaged_checkpoint_costs_a_chunk_and_not_the_training(
        self, trial: Trial, undisturbed: dict[str, Any], damage: str
    ) -> None:
        newest, before = self.interrupted(trial)
        data = bytearray(newest.read_bytes())
        if damage == "truncated":
            del data[len(data) // 2 :]
        else:
            data[len(data) // 2] ^= 4
        newest.write_bytes(data)
        said = resume(trial, undisturbed)
        assert f"{newest.name}: damaged" in said
        assert f"resuming after {int(before.stem)} examples" in said

    def test_when_all_are_damaged_it_says_so_and_keeps_them(self, trial: Trial) -> None:
        found = self.interrupted(trial)
        for path in found:
            path.write_bytes(path.read_bytes()[:-1])
        code, said = trial.end(trial.train("--resume"))
        assert code == 2
        assert all(path.name in said and path.exists() for path in found)
        assert "no checkpoint of 'a' is intact; start the training again with --force" in said
        assert trial.end(trial.train("--force"))[0] == 0


def test_a_second_training_of_the_same_name_is_refused_and_the_first_unharmed(
    trial: Trial, undisturbed: dict[str, Any]
) -> None:
    first = trial.train(TRIAL_HOOK="fsync:5:sleep")
    wait_for(trial.mark.exists)
    for more in ((), ("--resume",), ("--force",)):
        code, said = trial.end(trial.train(*more))
        assert code == 2, said
        assert f"another snstdp process (pid {first.pid}) is training a" in said
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 130
    resume(trial, undisturbed)


class TestCompiler:
    def wrapper(self, folder: Path, body: str) -> str:
        path = folder / "my-g++"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def test_a_missing_one_is_named_with_what_to_do(self, trial: Trial, tmp_path: Path) -> None:
        for environment in ({"CXX": "/nonexistent"}, {"PATH": "/nonexistent", "CXX": None}):
            code, said = trial.end(trial.train("--engine", "standalone", **environment))
            assert code == 1
            assert "no C++ compiler found" in said
            assert "--engine runtime" in said

    @pytest.mark.parametrize("answers_version", [True, False])
    def test_one_that_fails_is_quoted_and_leaves_nothing(
        self, trial: Trial, tmp_path: Path, answers_version: bool
    ) -> None:
        first = '[ "$1" = --version ] && echo my-g++ 1 && exit 0\n' if answers_version else ""
        failing = self.wrapper(tmp_path, f"{first}echo internal compiler error >&2; exit 1")
        code, said = trial.end(trial.train("--engine", "standalone", CXX=failing))
        assert code == 1
        assert ("internal compiler error" if answers_version else "does not answer") in said
        assert "--engine runtime" in said
        assert trial.leftovers() == []

    def test_another_one_in_the_second_half_compiles_again_to_the_same_bits(
        self, trial: Trial, undisturbed: dict[str, Any], tmp_path: Path
    ) -> None:
        trial.end(trial.train(TRIAL_HOOK="replace:6:kill"))
        trial.cache = tmp_path / "second"
        other = self.wrapper(tmp_path, '[ "$1" = --version ] && echo my-g++ 2 && exit 0\nexec g++ "$@"')
        code, said = trial.end(trial.train("--resume", "--set", "evaluation.curve_every=0", CXX=other))
        assert code == 0, said
        assert "compiling the learning network" in said
        assert arrays(trial.results()) == arrays(undisturbed["results"])


def test_a_damaged_program_in_the_cache_is_compiled_again(
    trial: Trial, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(trial.cache, tmp_path / "copy")
    trial.cache = tmp_path / "copy"
    for program in trial.cache.glob("programs/*/main"):
        data = bytearray(program.read_bytes())
        data[len(data) // 2] ^= 1
        program.write_bytes(data)
    code, said = trial.end(trial.train("--set", "evaluation.curve_every=0"))
    assert code == 0, said
    assert "compiling the learning network" in said
    assert arrays(trial.results()) == arrays(undisturbed["results"])


def test_a_cache_that_is_deleted_meanwhile_harms_nothing(
    trial: Trial, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(trial.cache, tmp_path / "copy")
    trial.cache = tmp_path / "copy"
    process = trial.train()
    wait_for(lambda: list((trial.folder / "weights").rglob("00000004.ckpt")))
    shutil.rmtree(trial.cache)
    code, said = trial.end(process)
    assert code == 0, said
    assert trial.results() == undisturbed["results"]


def test_a_clock_that_jumps_changes_nothing(trial: Trial, undisturbed: dict[str, Any]) -> None:
    code, said = trial.end(trial.train(TRIAL_CLOCK="1"))
    assert code == 0, said
    assert trial.results() == undisturbed["results"]
