"""Tables in every format: the same figures, nothing hidden, nothing that a program would take for a command."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import pytest
from made_up_study import load_correct, make_cell, make_cells

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.formats import Shown, TextTable, to_csv, to_latex, to_markdown
from snstdp_cli.studies.tables import StudyTable, long_records, make_table
from snstdp_cli.studies.text_tables import long_text_table, text_tables

HOSTILE = '=cmd|"/C calc"!A0 & 50% of_$x^2 #{a}~\\ <b>\n[x](y)\x1b[31m'


def cells() -> list[CellResult]:
    found = make_cells({(("rule", "smin"), ("rule.eta", 0.01)): [0.90, 0.92, 0.94]})
    found += make_cells({(("rule", "triplet"),): [0.86, 0.87, 0.88]})
    found.append(make_cell({"rule": "triplet"}, 3, None, state="failed", error="it ran away, =1+1"))
    return found


def table(**options: Any) -> StudyTable:
    return make_table(cells(), load_correct=load_correct, **options)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_record_holds_settings_and_figures() -> None:
    smin, triplet = table().records()
    assert (smin["rule"], smin["rule.eta"], triplet["rule.eta"]) == ("smin", 0.01, None)
    assert (triplet["finished"], triplet["failed"], triplet["missing"]) == (3, 1, 0)
    assert smin["average_mean"] == pytest.approx(0.92)
    assert smin["average_low"] == pytest.approx(0.92 - 0.0496828, abs=1e-7)
    assert (smin["average_best"], triplet["average_best"]) == (True, False)
    assert (smin["chance"], smin["num_examples"]) == (0.125, 200)
    assert not any("difference" in key for key in smin)


def test_the_difference_stands_beside_the_accuracy() -> None:
    smin, triplet = table(against=["rule=triplet"]).records()
    assert smin["average_difference"] == pytest.approx(0.05)
    assert smin["average_difference_d_z"] == pytest.approx(5.0)
    assert smin["average_difference_pairs"] == 3
    assert triplet["average_difference"] is None
    assert smin.keys() == triplet.keys()


def test_csv_holds_every_digit_and_reads_back() -> None:
    whole = table(against=["rule=triplet"])
    rows = read_csv(to_csv(whole.records()))
    assert [row["rule"] for row in rows] == ["smin", "triplet"]
    for row, record in zip(rows, whole.records(), strict=True):
        assert {key: float(row[key]) for key in record if key.endswith("_mean")} == {
            key: value for key, value in record.items() if key.endswith("_mean")
        }
        assert row["rule.eta"] == ("" if record["rule.eta"] is None else "0.01")
    assert rows[0]["average_best"] == "1"


def test_long_form_has_a_row_a_cell_and_a_column_for_every_setting_and_figure() -> None:
    records = long_records(cells())
    assert len(records) == 7
    expected = ["cell", "rule", "rule.eta", "seed", "state", "accuracy_average", "accuracy_selective", "chance"]
    assert list(records[0]) == [*expected, "num_examples", "duration_s", "l1_mean", "error"]
    assert all(record.keys() == records[0].keys() for record in records)
    assert records[-1]["accuracy_average"] is None
    assert records[-1]["error"] == "it ran away, =1+1"
    assert records[0]["duration_s"] == 10.0
    assert len(read_csv(to_csv(records))) == 7


def test_the_long_form_ends_with_the_settings_that_all_cells_have_in_common() -> None:
    experiment = build_experiment({"n_e": 100, "rule": {"name": "triplet"}}, {}, "test")
    one, other = (make_cell({"n_e": 100}, seed, 0.9, experiment=experiment) for seed in (3, 4))
    for record in long_records([one, other]):
        assert (record["n_e"], record["rule"], record["rule.nu_post"]) == (100, "triplet", experiment.rule.nu_post)
        assert record["presentation.rest"] == "simulated"
        assert (record["num_examples"], record["setting.num_examples"]) == (200, experiment.num_examples)
        assert list(record).index("error") < list(record).index("presentation.rest")
        assert not {"save_name", "rule.name"} & record.keys()
    assert [record["seed"] for record in long_records([one, other])] == [3, 4]
    assert "presentation.rest" not in long_text_table([one, other]).columns


def test_no_column_hides_another() -> None:
    one = make_cell({"state": "a", "chance": 1, "l1_mean": 2}, 7, 0.9)
    (record,) = long_records([one])
    assert (record["state"], record["study.state"]) == ("a", "finished")
    assert (record["l1_mean"], record["figure.l1_mean"]) == (2, 78.4)
    (row,) = make_table([one]).records()
    assert (row["chance"], row["study.chance"]) == (1, 0.125)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "＝", "\t="])
def test_a_spreadsheet_takes_no_text_for_a_formula(start: str) -> None:
    (row,) = read_csv(to_csv([{"a": f"{start}1+1", "b": -0.5, "c": -3}]))
    assert not row["a"].lstrip(" ").startswith(("=", "+", "-", "@", "＝"))
    assert (row["b"], row["c"]) == ("-0.5", "-3")


def test_text_that_others_wrote_stays_in_its_cell() -> None:
    one = make_cell({"rule": HOSTILE}, 0, 0.9)
    assert len(to_csv([{"a": HOSTILE}]).splitlines()) == 2
    markdown = to_markdown(text_tables(make_table([one])))
    row = markdown.splitlines()[4]
    assert row.replace("\\|", "").count("|") == len(text_tables(make_table([one]))[0].columns) + 1
    assert "\x1b" not in markdown
    assert "<b>" not in markdown.replace("\\<b\\>", "")
    assert "](y)" not in markdown.replace("\\]", "")


def test_latex_escapes_what_it_would_obey() -> None:
    shown = TextTable("t", ("a_b",), ((Shown("50% ± & $x^2 #{a}~\\ <b> −1 – _"),), (Shown("[1cm]"),)))
    text = to_latex([shown])
    assert r"a\_b \\" in text
    expected = (
        r"50\% $\pm$ \& \$x\textasciicircum{}2 \#\{a\}\textasciitilde{}\textbackslash{} \textless{}b\textgreater{}"
    )
    assert expected + r" $-$1 -- \_ \\" in text
    assert "{}[1cm]" in text


def test_latex_is_a_table_of_booktabs_with_the_best_in_bold() -> None:
    lines = to_latex(text_tables(table(against=["rule=triplet"]))).splitlines()
    assert lines[0].startswith("% needs \\usepackage{booktabs}")
    assert [line for line in lines if "rule" in line and line.startswith("\\")] == [
        rule for _ in range(2) for rule in ("\\toprule", "\\midrule", "\\bottomrule")
    ]
    assert lines.count("\\end{tabular}") == 2
    smin = next(line for line in lines if line.startswith("smin & 0.01"))
    assert "\\textbf{92.00} & 4.97 & 2.00" in smin


def test_every_row_of_every_table_has_all_columns() -> None:
    whole = table(against=["rule=triplet"])
    for one in [*text_tables(whole), long_text_table(cells())]:
        assert {len(row) for row in one.rows} == {len(one.columns)}
    body = [line for line in to_latex(text_tables(whole)).splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in body[:3]} == {len(text_tables(whole)[0].columns) - 1}


def test_text_tells_what_is_missing() -> None:
    rows, differences = text_tables(table(against=["rule=triplet"]))
    texts = [[cell.text for cell in row] for row in rows.rows]
    assert texts[0] == ["smin", "0.01", "3", "92.00", "4.97", "2.00", "91.00", "4.97", "2.00", "12.50"]
    assert texts[1][:3] == ["triplet", "–", "3 of 4, 1 failed"]
    assert [cell.text for cell in differences.rows[0]] == [
        *("smin", "0.01", "average", "+5.00", "+2.52 to +7.48", "5.00", "0.013", "0.026")
    ]
    assert differences.title == "Difference to rule triplet, points of percent, 3 seeds"


def test_json_holds_all_of_it() -> None:
    content = json.loads(json.dumps(table(against=["rule=triplet"]).as_dict(), allow_nan=False))
    assert content["settings"][0]["settings"] == {"rule": "smin", "rule.eta": 0.01}
    assert content["settings"][0]["average_mean"] == pytest.approx(0.92)
    assert content["against"] == {"rule": "triplet"}
    assert {one["read_out"] for one in content["differences"]} == {"average", "selective"}
    assert content["differences"][0]["baseline"] == {"rule": "triplet"}
    assert any("fewer than" in text for text in content["warnings"])


def test_a_study_of_seeds_alone_has_one_row() -> None:
    (one,) = text_tables(make_table(make_cells({(): [0.8, 0.9]})))
    assert one.columns[:3] == ("setting", "cells", "average")
    assert [cell.text for cell in one.rows[0]][:3] == ["all", "2", "85.00"]


def test_a_table_of_nothing_finished_is_still_a_table() -> None:
    whole = make_table(make_cells({(("n_e", 1),): [None], (("n_e", 2),): [None]}), against=["n_e=1"])
    assert [cell.text for cell in text_tables(whole)[0].rows[0]][1] == "0 of 1, 1 missing"
    assert "no seed is finished for both" in to_markdown(text_tables(whole))
    assert to_csv(whole.records()).count("\n") == 3


def test_an_unknown_read_out_is_refused() -> None:
    with pytest.raises(ConfigError, match="found 'averge', expected one of average, .*; did you mean 'average'"):
        make_table(cells(), read_outs=["averge"])  # type: ignore[list-item]


def test_a_frame_has_the_columns_of_the_records() -> None:
    pytest.importorskip("pandas")
    whole = table()
    assert list(whole.frame().columns) == list(whole.records()[0])
    long = whole.frame(long=True)
    assert len(long) == 7
    assert long.groupby("rule")["accuracy_average"].mean()["smin"] == pytest.approx(0.92)


def test_without_pandas_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="a frame needs pandas, which is not installed"):
        table().frame()
