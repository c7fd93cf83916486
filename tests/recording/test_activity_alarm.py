"""Silence is told however small the blocks are, and doubts about images before any work with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stored_networks import make_network
from synthetic import small

from snstdp_cli.artefacts import Workdir
from snstdp_cli.datasets import from_arrays
from snstdp_cli.datasets.dataset import Dataset
from snstdp_cli.engines import ChunkResult
from snstdp_cli.errors import NumericalError
from snstdp_cli.progress import Reporter
from snstdp_cli.recording import record_activity
from snstdp_cli.recording.alarms import check_activity
from snstdp_cli.training import train_network


def block(*silent: bool) -> ChunkResult:
    num = len(silent)
    return ChunkResult({}, np.zeros((num, 4), np.uint16), np.ones(num, np.uint16), np.array(silent))


def test_twenty_silent_examples_in_a_row_are_an_alarm_in_any_blocks() -> None:
    in_a_row = 0
    for first in range(0, 15, 5):
        in_a_row = check_activity(block(*[True] * 5), first, {}, in_a_row)
    assert in_a_row == 15
    with pytest.raises(NumericalError, match="none of the examples 0 to 19 was answered"):
        check_activity(block(*[True] * 5), 15, {}, in_a_row)


def test_an_answer_ends_the_row() -> None:
    assert check_activity(block(*[True] * 5, False, True, True), 15, {}, 15) == 2
    assert check_activity(block(True, False), 0, {}, 18) == 0
    assert check_activity(block(*[True] * 19), 0, {}) == 19
    with pytest.raises(NumericalError, match="none of the examples 3 to 22"):
        check_activity(block(*[True] * 18), 5, {}, 2)


class ReachedError(Exception):
    """The work would begin now."""


def dark() -> Dataset:
    images = np.zeros((40, 6, 6), dtype=np.uint8)
    images[:, 2, 2] = 1
    return from_arrays(images, np.arange(40) % 4, name="dark")


def reach(*_: object, **__: object) -> None:
    raise ReachedError


def test_doubts_about_images_are_told_before_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snstdp_cli.training.train.TrainingSession", reach)
    warned: list[str] = []
    with pytest.raises(ReachedError):
        train_network(small(), Workdir(tmp_path), dataset=dark(), report=Reporter(warn=warned.append))
    assert "dark: the images are 0 and 1; grey values go to 255: multiply by 255" in warned[0]


def test_doubts_about_images_are_told_before_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snstdp_cli.recording.record._record", reach)
    place = make_network(tmp_path, "one")
    warned: list[str] = []
    with pytest.raises(ReachedError):
        record_activity(small(n_e=9), place, "one", "train", dataset=dark(), report=Reporter(warn=warned.append))
    assert any("the images are 0 and 1" in sentence for sentence in warned)


def test_a_warning_that_comes_again_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    from snstdp_cli.cli.live import reporter

    with reporter(quiet=True) as report:
        for _ in range(3):
            report.warn("odd images")
        report.warn("another thing")
    told = capsys.readouterr()
    assert (told.err + told.out).count("odd images") == 1
    assert "another thing" in told.err + told.out
