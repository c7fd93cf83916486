"""docs/files.md says of every file what the types that read and write it say: neither can drift."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from snstdp_cli.artefacts import (
    DataRecord,
    History,
    Record,
    RecordingFigures,
    RecordingRecord,
    SeenImages,
    StartRecord,
    TrainingFigures,
    TrainingRecord,
    WeightsRecord,
    Workdir,
    load_weights,
    recording_path,
)
from snstdp_cli.artefacts import recordings as recordings_room
from snstdp_cli.artefacts.ancestor import array_paths, usual_theta_mv
from snstdp_cli.artefacts.snapshots import SnapshotFiles, SnapshotList
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord
from snstdp_cli.events import Event
from snstdp_cli.hardware import CostRecord
from snstdp_cli.network.neurons import EXCITATORY
from snstdp_cli.recording.tracing import Trace
from snstdp_cli.results.per_image import answer_rows, rows_as_csv
from snstdp_cli.results.spike_files import COLUMNS, WATCHED
from snstdp_cli.training.identity import TrainingIdentity
from snstdp_cli.training.journal import JournalRecord

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
RECORDS: tuple[type[Record], ...] = (
    *(TrainingRecord, StartRecord, SeenImages, DataRecord, TrainingFigures, History, RecordingRecord, WeightsRecord),
    *(RecordingFigures, StagesRecord, Stage, StageAnswers, CostRecord, SnapshotList, JournalRecord),
)


def section(title: str) -> str:
    """Return what is below a heading, to the next one."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no heading {title!r}"
    return match[2]


def first_cells(text: str) -> list[str]:
    """Return the names in the first column of the tables of a text."""
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_has_the_fields_of_its_table(record: type[Record]) -> None:
    assert sorted(first_cells(section(record.__name__))) == sorted(record.model_fields)


def test_all_records_have_a_table() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(record.__name__ for record in RECORDS)
    told = section("SnapshotList") + section("JournalRecord")
    for name in (*SnapshotFiles.model_fields, *TrainingIdentity.model_fields):
        assert f"`{name}`" in told, name


def test_a_recording_has_the_arrays_of_its_table() -> None:
    assert first_cells(section("Recordings")) == [*recordings_room._ARRAYS, recordings_room._RECORD]


def test_a_trace_has_the_arrays_of_its_table() -> None:
    two, none = np.zeros((1, 2)), (np.zeros(0), np.zeros(0, np.int64))
    trace = Trace(
        spikes=dict.fromkeys(("input", "excitatory", "inhibitory"), none),
        sizes={},
        neurons=np.array([0]),
        times_ms=np.zeros(2),
        values={"v (mV)": two, "ge (of the leak)": two + 1, "gi (of the leak)": two + 2},
        thresholds_mv=np.zeros(1),
        stimuli_ms=((0.0, 1.0),),
        label=3,
        counts=np.zeros(1, np.uint16),
        end_ms=2.0,
    )
    arrays = trace.arrays()
    table = section("Traces")
    assert first_cells(table) == list(arrays)
    assert [float(arrays[name].max()) for name in ("v_mv", "ge", "gi")] == [0, 1, 2]
    for name in (*COLUMNS, *WATCHED):
        assert f"`{name}`" in table, name


def test_the_columns_of_answers_are_those_that_are_written() -> None:
    one = np.zeros(1, np.int64)
    kinds = {"average": one, "selective": one}
    scores = {"average": np.zeros((1, 1)), "selective": np.zeros((1, 1))}
    counts, ones = np.zeros((1, 2), np.uint16), np.ones(1, np.uint16)
    rows = answer_rows(kinds, scores, np.array([3]), counts, ones, np.zeros(1, bool), np.zeros(1, np.uint8))
    header = rows_as_csv([{"network": "a", "data": "b", **row} for row in rows]).splitlines()[0].split(",")
    told = first_cells(section("Answers to single images"))
    assert [name for name in header if name != "selective score 3"] == told


def test_the_names_of_files_are_those_that_are_written() -> None:
    place = Workdir(Path())
    paths = [*array_paths(place.weights, "<name>")]
    assert all(f"`{path}`" in PAGE for path in paths)
    made = recording_path(place, "n", "train", 7, "m")
    assert str(made) == "activity/n.train.7.m.npz"
    assert "`activity/<name>.<split>.<num_examples>.<mark>.npz`" in PAGE


def test_the_layout_and_the_units_are_as_the_page_says() -> None:
    code = re.search(r"```python\n(.*?)```", section("Weights and thresholds"), re.DOTALL)
    assert code is not None
    found: dict[str, np.ndarray] = {}
    exec(code[1].replace('"weights/', f'"{ROOT}/weights/'), found)
    stored = load_weights(Workdir(ROOT), "pretrained_smax_400")
    assert np.array_equal(found["weights"], stored.weights)
    assert np.array_equal(found["theta"], stored.theta_mv)
    assert f"above `theta - {-EXCITATORY.v_offset_mv:g} mV`" in PAGE
    assert f"`network.theta_init_mv` ({usual_theta_mv():g} mV)" in PAGE


def test_the_events_have_the_fields_of_their_table() -> None:
    told = section("Events")
    for kind in Event.__subclasses__():
        for name in kind.model_fields:
            assert f"`{name}`" in told, f"{kind.__name__}.{name}"
