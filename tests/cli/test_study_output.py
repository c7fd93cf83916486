"""What `study table`, `study plot` and `study report` print and write, from results that nobody computed."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from pathlib import Path

import pytest
from made_up_study import load_correct, make_cell, make_cells
from rich.console import Console

from snstdp_cli.cli import console, text_tables
from snstdp_cli.cli.study_plot import StudyFigure, study_plot
from snstdp_cli.cli.study_report import study_report
from snstdp_cli.cli.study_table import TableFormat, study_table
from snstdp_cli.errors import ArtefactError, ConfigError, DataError
from snstdp_cli.plots.studies import STUDY_KINDS
from snstdp_cli.studies.results import StudyResults, Trial

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "_force_terminal", False)


def study(tmp_path: Path = Path()) -> StudyResults:
    cells = make_cells({(("rule", rule),): [base, base + 0.02] for rule, base in (("smin", 0.9), ("triplet", 0.85))})
    cells.append(make_cell({"rule": "smax\x1b[31m"}, 0, None, state="failed", error="it ran away"))
    return StudyResults("made-up", tuple(cells), folder=tmp_path, load_correct=load_correct)


def test_the_text_is_aligned_and_as_wide_as_it_needs(capsys: Captured) -> None:
    study_table(study(), against=["rule=triplet"])
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "Accuracy (%): mean over seeds, half of its 95 % interval, standard deviation"
    assert lines[1].split() == [
        *("rule", "cells", "average", "±", "95", "%", "sd", "selective", "±", "95", "%", "sd", "chance")
    ]
    assert {len(line) for line in lines[1:4]} == {len(lines[1])}
    assert "\x1b" not in told.out
    assert any(line.startswith("Difference to rule triplet") for line in lines)
    assert "note fewer than 5 finished seeds" in told.err


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> io.StringIO:
    """What is printed to a terminal as wide as the test asks for."""
    stream = io.StringIO()
    narrow = Console(file=stream, width=request.param, force_terminal=True, color_system=None)
    monkeypatch.setattr(console, "out", narrow)
    monkeypatch.setattr(text_tables, "out", narrow)
    return stream


@pytest.mark.parametrize("terminal", [30, 80, 200], indirect=True)
def test_numbers_are_never_broken_in_a_terminal(terminal: io.StringIO) -> None:
    study_table(study(), against=["rule=triplet"])
    for number in ("91.00", "1.41", "12.71", "+5.00"):
        assert number in terminal.getvalue()


@pytest.mark.parametrize("terminal", [64], indirect=True)
def test_a_table_that_is_too_wide_is_shown_in_parts_that_name_their_rows(terminal: io.StringIO) -> None:
    study_table(study())
    lines = [line.rstrip() for line in terminal.getvalue().splitlines()]
    first = next(k for k, line in enumerate(lines) if line.startswith("rule"))
    gap = lines.index("", first)
    assert [line.split()[0] for line in lines[first:gap]] == ["rule", "smin", "triplet", "smax\\x1b[31m"]
    assert [line.split()[0] for line in lines[gap + 1 :]] == ["rule", "smin", "triplet", "smax\\x1b[31m"]
    assert "selective" not in lines[first]
    assert lines[gap + 1].split() == ["rule", "cells", "selective", "±", "95", "%", "sd", "chance"]
    assert max(map(len, lines)) <= 64


@pytest.mark.parametrize("terminal", [200], indirect=True)
def test_a_table_that_has_room_is_shown_whole(terminal: io.StringIO) -> None:
    study_table(study())
    assert terminal.getvalue().count("rule ") == 1


def test_every_format_goes_to_standard_output_and_warnings_do_not(capsys: Captured) -> None:
    for kind in TableFormat:
        study_table(study(), format=kind)
        told = capsys.readouterr()
        assert "smin" in told.out
        assert "fewer than" not in told.out or kind is TableFormat.json
        assert not any(unicodedata.category(c) == "Cc" for c in told.out.replace("\n", ""))


def test_csv_and_json_can_be_read(capsys: Captured) -> None:
    study_table(study(), long=True, format=TableFormat.csv)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["state"] for row in rows] == ["finished"] * 4 + ["failed"]
    study_table(study(), against=["rule=triplet"], format=TableFormat.json)
    content = json.loads(capsys.readouterr().out)
    assert content["study"] == "made-up"
    assert content["settings"][0]["average_mean"] == pytest.approx(0.91)
    study_table(study(), long=True, format=TableFormat.json)
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 5


def test_only_the_read_outs_that_were_asked_for(capsys: Captured) -> None:
    study_table(study(), read_outs=["selective"])
    assert "average" not in capsys.readouterr().out


def test_a_plot_is_written_into_the_folder_of_the_study(tmp_path: Path, capsys: Captured) -> None:
    files = study_plot(study(tmp_path), quiet=True)
    assert files == [tmp_path / "figures" / f"made-up.categories.{kind}" for kind in ("png", "svg")]
    told = capsys.readouterr()
    assert str(files[0]) in told.out
    assert "made-up.curves: no learning curves" in told.err


def test_a_plot_is_written_where_it_was_asked_for(tmp_path: Path, capsys: Captured) -> None:
    kind = StudyFigure.categories
    assert study_plot(study(), kind=kind, output=tmp_path / "a.png", quiet=True)[0] == tmp_path / "a.png"
    assert study_plot(study(), x="rule", output=tmp_path, quiet=True)[1] == tmp_path / "made-up.categories.svg"
    capsys.readouterr()
    study_plot(study(), kind=kind, output=tmp_path, as_json=True, quiet=True)
    assert json.loads(capsys.readouterr().out)["files"] == [
        str(tmp_path / f"made-up.categories.{suffix}") for suffix in ("png", "svg")
    ]
    with pytest.raises(ConfigError, match="expected a folder, as there may be several figures"):
        study_plot(study(), output=tmp_path / "b.png", quiet=True)


def test_a_search_without_cells_has_its_own_figures(tmp_path: Path) -> None:
    trials = tuple(Trial(k, {"rule.eta": 0.01 * (k + 1)}, 0.7 + k / 10, "finished") for k in range(2))
    files = study_plot(StudyResults("search", (), trials=trials, folder=tmp_path), quiet=True)
    assert [path.name for path in files if path.suffix == ".png"] == ["search.history.png", "search.parallel.png"]


def test_a_study_without_anything_has_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither cells nor trials"):
        study_plot(StudyResults("empty", (), folder=tmp_path), quiet=True)


def test_a_figure_that_was_asked_for_and_cannot_be_drawn_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the study has no trials"):
        study_plot(study(tmp_path), kind=StudyFigure.history, quiet=True)


def test_the_kinds_of_the_command_are_those_that_can_be_drawn() -> None:
    assert tuple(StudyFigure) == STUDY_KINDS


def test_a_report_is_replaced_in_the_study_and_nowhere_else(tmp_path: Path, capsys: Captured) -> None:
    path = study_report(study(tmp_path), quiet=True)
    assert path == tmp_path / "report.made-up.html"
    assert study_report(study(tmp_path), against=["rule=triplet"], quiet=True) == path
    assert "Each setting minus rule triplet" in path.read_text(encoding="utf-8")
    other = tmp_path / "other.html"
    other.write_text("mine")
    with pytest.raises(ArtefactError):
        study_report(study(tmp_path), output=other, quiet=True)
    assert other.read_text() == "mine"
    capsys.readouterr()
    study_report(study(tmp_path), output=other, force=True, as_json=True, quiet=True)
    assert json.loads(capsys.readouterr().out)["files"] == [str(other)]
