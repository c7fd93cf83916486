"""The events of a run: what is written, to which training it belongs, and that nothing that goes wrong ends a run."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from synthetic import small

from snstdp_cli.artefacts import Workdir
from snstdp_cli.engines.cores import CORES_VARIABLE
from snstdp_cli.errors import InterruptedRunError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.events import Event, EventLog, event_schema, events_path, read_events
from snstdp_cli.progress import Preflight, RecordingProgress, Reporter, TrainingProgress
from snstdp_cli.recording import record_activity
from snstdp_cli.training import train_network

ROOT = Path(__file__).parents[2]
ONE, OTHER = "0" * 16, "1" * 16
PROGRESS: dict[str, Any] = {
    **{"examples": 4, "total": 10, "seconds": 1.0, "rate": 4.0, "spikes_per_example": 9.5, "retries": 1, "silent": 0},
    **{"silent_neurons": 2, "never_learned": 3, "l1_mean": 18.0, "l1_min": 17.0, "l1_max": 19.0, "l1_target": None},
}


def progress(points: int = 1, **changes: Any) -> TrainingProgress:
    curve = tuple(CurvePoint(examples=4 * k, correct=k, total=4) for k in range(1, points + 1))
    return TrainingProgress(**{**PROGRESS, "theta_mv": (19.0, 20.0, 21.0), "curve": curve, **changes})


@pytest.fixture
def place(tmp_path: Path) -> Workdir:
    (tmp_path / "weights").mkdir()
    return Workdir(tmp_path)


def write(place: Workdir, training: str = ONE, *, goes_on: bool = False, text: str = "hello") -> list[str]:
    """Write a short log; return what its caller was warned of."""
    warned: list[str] = []
    log = EventLog(place, "a", Reporter(warn=warned.append))
    log.report.say("before")
    with log.opened(training, "training", "train", 0, 10, goes_on=goes_on):
        log.report.say(text)
    return warned


def kinds(place: Workdir) -> list[str]:
    return [event.event for event in read_events(place, "a")]  # type: ignore[attr-defined]


def test_every_kind_of_news_becomes_a_line_and_reaches_the_caller(place: Workdir) -> None:
    told: list[object] = []
    log = EventLog(place, "a", Reporter(*[told.append] * 5))
    log.report.warn("early\nand long")
    log.skip_curve(1)
    with log.opened(ONE, "training", "train", 4, 10, goes_on=True):
        log.report.preflight(Preflight(1.0, 2.0, 3, 4.0, 5.0, "/tmp"))
        log.report.training(progress(points=2))
        log.report.recording(RecordingProgress("test", 5, 10, 2.0))
    assert kinds(place) == ["warning", "started", "plan", "training", "curve", "recording", "ended"]
    assert len(told) == 4
    lines = [json.loads(line) for line in events_path(place, "a").read_text().splitlines()]
    assert all((line["format"], line["name"], line["training"]) == (1, "a", ONE) for line in lines)
    assert (lines[3]["l1_mean"], lines[3]["theta_max_mv"], lines[3]["l1_target"]) == (18, 21, None)
    assert (lines[4]["examples"], lines[4]["correct"], lines[4]["total"]) == (8, 2, 4)
    assert (lines[-1]["how"], lines[-1]["work"]) == ("complete", "training")
    assert {type(event) for event in read_events(place, "a")} == set(Event.__subclasses__())


@pytest.mark.parametrize(
    ("training", "goes_on", "lines"), [(ONE, True, 8), (ONE, False, 4), (OTHER, True, 4), (OTHER, False, 4)]
)
def test_the_file_belongs_to_one_training(place: Workdir, training: str, goes_on: bool, lines: int) -> None:
    write(place)
    write(place, training, goes_on=goes_on)
    found = read_events(place, "a")
    assert len(found) == lines
    assert {event.training for event in found} == {training}


def test_half_a_line_of_a_run_that_was_killed_spoils_no_other(place: Workdir) -> None:
    write(place)
    with events_path(place, "a").open("a") as file:
        file.write('{"format": 1, "time": "20')
    write(place, goes_on=True)
    assert len(read_events(place, "a")) == 8


@pytest.mark.parametrize(
    ("error", "how"),
    [(KeyboardInterrupt(), "interrupted"), (InterruptedRunError("x"), "interrupted"), (OSError("no"), "failed")],
)
def test_how_a_run_ended_is_told(place: Workdir, error: BaseException, how: str) -> None:
    log = EventLog(place, "a", Reporter())
    with pytest.raises(type(error)), log.opened(ONE, "recording", "test", 0, 5, goes_on=False):
        raise error
    last = json.loads(events_path(place, "a").read_text().splitlines()[-1])
    assert (last["event"], last["how"], last["split"]) == ("ended", how, "test")


@pytest.mark.parametrize("planted", ["link", "pipe", "folder"])
def test_what_is_no_file_of_ours_is_left_alone_and_the_run_goes_on(place: Workdir, planted: str) -> None:
    path, target = events_path(place, "a"), place.root / "target"
    target.write_text("mine")
    if planted == "link":
        path.symlink_to(target)
    elif planted == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    warned = write(place)
    assert len(warned) == 1
    assert "not written" in warned[0]
    assert target.read_text() == "mine"


def test_a_full_disk_or_a_number_without_a_value_ends_the_log_and_not_the_run(
    place: Workdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    log = EventLog(place, "a", Reporter(warn=warned.append))
    with log.opened(ONE, "training", "train", 0, 10, goes_on=False):
        log.report.training(progress(rate=float("inf")))
        log.report.training(progress())
    assert len(warned) == 1
    assert kinds(place) == ["started"]


def test_the_schema_in_the_documentation_is_that_of_the_events() -> None:
    assert json.loads((ROOT / "docs" / "events.schema.json").read_text()) == json.loads(json.dumps(event_schema()))


@pytest.mark.compiles
def test_a_training_and_its_recordings_write_one_file_that_resuming_adds_to(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CORES_VARIABLE, "1")  # with more, a point comes when it is there
    place, experiment = Workdir(tmp_path), small(save_name="a")

    def stop_at(examples: int) -> Reporter:
        def stop(now: TrainingProgress) -> None:
            if now.examples >= examples:
                raise KeyboardInterrupt

        return Reporter(training=stop)

    with pytest.raises(InterruptedRunError):
        train_network(experiment, place, data_dir=small_data, report=stop_at(8))
    train_network(experiment, place, data_dir=small_data, resume=True)
    record_activity(experiment, place, "a", "test", data_dir=small_data)
    found: list[Any] = read_events(place, "a")
    ended = [(event.work, event.how) for event in found if event.event == "ended"]
    assert ended == [("training", "interrupted"), ("training", "complete"), ("recording", "complete")]
    started = [(event.examples, event.total) for event in found if event.event == "started"]
    assert started == [(0, 10), (4, 10), (0, 10)]
    # The interrupt came after a point was told and before its checkpoint.
    assert [event.examples for event in found if event.event == "curve"] == [4, 8, 8]
    train_network(experiment, place, data_dir=small_data, force=True)
    again: list[Any] = read_events(place, "a")
    assert [event.how for event in again if event.event == "ended"] == ["complete"]
    assert all(isinstance(event, Event) for event in again)


def test_the_example_draws_what_is_there_and_waits_for_no_more(place: Workdir) -> None:
    log = EventLog(place, "a", Reporter())
    with log.opened(ONE, "training", "train", 0, 10, goes_on=False):
        log.report.training(progress(points=2))
    picture = place.root / "live.png"
    example = [str(ROOT / "examples" / "live" / "follow.py"), str(events_path(place, "a"))]
    done = subprocess.run(
        [sys.executable, *example, "--once", "--output", str(picture)], capture_output=True, text=True, check=True
    )
    assert "5 events" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_example_draws_a_picture_in_a_notebook(place: Workdir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `%matplotlib inline` a figure was shown as a line of text."""
    with EventLog(place, "a", Reporter()).opened(ONE, "training", "train", 0, 10, goes_on=False):
        pass
    shown: list[bytes] = []
    notebook = SimpleNamespace(Image=lambda data: data, clear_output=lambda wait: None, display=shown.append)
    whole = SimpleNamespace(display=notebook, version_info=(9, 0), get_ipython=lambda: None)
    monkeypatch.setitem(sys.modules, "IPython", whole)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    example = runpy.run_path(str(ROOT / "examples" / "live" / "follow.py"))
    example["follow"](events_path(place, "a"), once=True)
    assert [one[:8] for one in shown] == [b"\x89PNG\r\n\x1a\n"]
