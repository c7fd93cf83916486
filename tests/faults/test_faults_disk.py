"""A disk that is full or cannot be written: a sentence, an exit code, and everything before is intact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import SMALL
from trials import LONGER, Trial, can_mount, own_cache, small_disk, working_folder

from snstdp_cli.artefacts import Workdir, read_checkpoint
from snstdp_cli.config import build_experiment, merge
from snstdp_cli.engines import Chunk, Stream, initial_state
from snstdp_cli.engines.standalone import StandaloneEngine, _write_array
from snstdp_cli.errors import EngineError
from snstdp_cli.network.wiring import draw_weights, draw_wiring

pytestmark = [pytest.mark.compiles, pytest.mark.slow]

#: Without the curve only one program is compiled.
NO_CURVE = ("--set", "evaluation.curve_every=0")


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[dict[str, Any]]:
    with working_folder() as folder:
        trial = Trial(folder, own_cache())
        code, said = trial.end(trial.train(*NO_CURVE))
        assert code == 0, said
        yield trial.results()


@pytest.fixture
def trial(undisturbed: dict[str, Any]) -> Iterator[Trial]:
    with working_folder() as folder:
        yield Trial(folder, own_cache())


@pytest.fixture
def disk(trial: Trial) -> Path:
    """A folder on which a small disk can be mounted."""
    place = trial.folder / "disk"
    if not can_mount(place):
        pytest.skip("a small disk cannot be mounted here (this needs root)")
    return place


def temporary_files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.snstdp-tmp"))


@pytest.mark.parametrize("size_kb", [12, 24, 40, 48])
def test_a_full_disk_stops_the_training_and_its_checkpoints_stay(
    trial: Trial, disk: Path, undisturbed: dict[str, Any], size_kb: int
) -> None:
    arguments = (*NO_CURVE, "--workdir", str(disk))
    with small_disk(disk, size_kb) as remount:
        code, said = trial.end(trial.train(*arguments))
        assert code == 1, said
        assert "No space left on device" in said
        assert "free some space" in said
        assert trial.leftovers() == []
        if list((disk / "weights" / ".checkpoints").rglob("*.ckpt")):
            kept = read_checkpoint(Workdir(disk), "a")
            assert kept is not None
            assert kept.skipped == []
        remount("size=2m")
        code, said = trial.end(trial.train(*arguments, "--resume"))
        assert code == 0, said
        assert trial.results(folder=disk) == undisturbed
        assert temporary_files(disk) == []


@pytest.mark.parametrize("size_kb", [16, 80, 128, 220])
def test_a_full_temporary_folder_never_becomes_a_wrong_result(
    trial: Trial, disk: Path, undisturbed: dict[str, Any], size_kb: int
) -> None:
    """The program's input and output go there; Brian 2's programs do not notice that a disk is full."""
    with small_disk(disk, size_kb):
        code, said = trial.end(trial.train(*NO_CURVE, TMPDIR=str(disk)))
        if code == 0:
            assert trial.results() == undisturbed
            return
        assert code == 1, said
        assert str(disk) in said
        assert "ree some space" in said
        assert list(disk.iterdir()) == []
    code, said = trial.end(trial.train(*NO_CURVE, "--resume"))
    assert code == 0, said
    assert trial.results() == undisturbed


CUT = ["exc.theta", "input_exc.w", "exc_spikes.t", "exc_spikes.i", "shown.t", "shown.example", "shown.attempt"]


@pytest.mark.parametrize("name", CUT)
def test_a_result_that_the_program_could_not_write_in_full_is_noticed(name: str, tmp_path: Path) -> None:
    """Brian 2's programs end well on a full disk; a cut file may hold a whole number of spikes."""
    settings = build_experiment(merge(SMALL, LONGER))
    wiring, plasticity = draw_wiring(settings, 36), settings.plasticity(36)
    state = initial_state(settings, wiring, plasticity, draw_weights(settings, 36, plasticity.l1_target))
    images = np.full((4, 36), 200, dtype=np.uint8)
    engine = StandaloneEngine(settings, plasticity, wiring)
    cut = tmp_path / "cut"
    file = f"results/{engine.program.arrays[name]['file']}"
    program = f'{engine.program.executable} "$@"'
    after = f'while read answer; do truncate -s -8 {file}; echo "$answer"; done'
    cut.write_text(f"#!/bin/sh\nunset SNSTDP_PARENT\n{program} | {after}\n")
    cut.chmod(0o755)
    engine.program = replace(engine.program, executable=cut)
    try:
        with pytest.raises(EngineError, match="is the disk full"):
            engine.run(state, Chunk(0, images, Stream.TRAINING))
    finally:
        engine.close()


def test_an_input_that_does_not_fit_is_noticed_to_the_last_byte() -> None:
    with pytest.raises(OSError, match="No space left"):
        _write_array(Path("/dev/full"), np.arange(8.0))


@pytest.mark.parametrize("limit", [1_000, 5_000, 8_000])
def test_a_quota_for_files_is_told_like_a_full_disk(trial: Trial, undisturbed: dict[str, Any], limit: int) -> None:
    """No root needed: the system refuses files that are larger than the limit, what the program says among them."""
    code, said = trial.end(trial.train(*NO_CURVE, limit=limit))
    assert code == 1, said
    assert "File too large" in said or "the simulation program failed" in said
    assert trial.leftovers() == []
    code, said = trial.end(trial.train(*NO_CURVE, "--resume"))
    assert code == 0, said
    assert trial.results() == undisturbed


def test_a_full_cache_is_told_and_keeps_no_half_program(trial: Trial, disk: Path) -> None:
    with small_disk(disk, 500):
        code, said = trial.end(trial.train(*NO_CURVE, SNSTDP_CACHE=str(disk)))
        assert code == 1, said
        assert "SNSTDP_CACHE" in said or "free disk space" in said
        assert list(disk.glob("programs/*")) == []


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_simulated(trial: Trial, disk: Path) -> None:
    with small_disk(disk, 500) as remount:
        remount("ro")
        code, said = trial.end(trial.train(*NO_CURVE, "--workdir", str(disk)))
        assert code == 2, said
        assert f"{disk}/weights" in said
        assert "Read-only file system" in said


def test_a_file_in_the_place_of_the_folder_is_told(trial: Trial) -> None:
    (trial.folder / "weights").write_text("not a folder")
    code, said = trial.end(trial.train(*NO_CURVE))
    assert code == 2, said
    assert "weights" in said
    assert (trial.folder / "weights").read_text() == "not a folder"


def test_a_full_disk_while_recording_leaves_no_half_recording(trial: Trial, disk: Path) -> None:
    assert trial.end(trial.train(*NO_CURVE))[0] == 0
    with small_disk(disk, 24) as remount:
        (disk / "weights").symlink_to(trial.folder / "weights")
        (disk / "activity").mkdir()
        (disk / "ballast").write_bytes(b"\0" * 4096 * 6)
        arguments = ("test", "--load-name", "a", "--workers", "1", "--workdir", str(disk))
        code, said = trial.end(trial.start(*arguments))
        assert code == 1, said
        assert "No space left on device" in said
        assert list((disk / "activity").iterdir()) == []
        remount("size=1m")
        assert trial.end(trial.start(*arguments))[0] == 0
