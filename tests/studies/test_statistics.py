"""Rows over seeds: means, intervals and warnings, against numbers worked out by hand."""

from __future__ import annotations

import doctest
import math
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_study import make_cell, make_cells

from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.studies import baseline, differences, intervals, statistics, text_tables
from snstdp_cli.studies.cautions import FEW_SEEDS, warnings_of
from snstdp_cli.studies.intervals import Estimate, estimate
from snstdp_cli.studies.statistics import SettingRow, summarize

RULES = {
    (("rule", "smin"),): [0.90, 0.92, 0.94],
    (("rule", "smax"),): [0.80, 0.82, None],
    (("rule", "triplet"),): [0.85],
}


def by_rule(rows: list[SettingRow]) -> dict[Any, SettingRow]:
    return {row.settings["rule"]: row for row in rows}


def test_the_interval_of_three_values_is_that_of_a_table_of_t() -> None:
    # Mean 0.92, sd 0.02, t(0.975; 2) = 4.302653: 4.302653 * 0.02 / sqrt(3) = 0.0496828.
    found = estimate([0.90, 0.92, 0.94])
    assert found is not None
    assert found.ci95 == pytest.approx((0.92 - 0.0496828, 0.92 + 0.0496828), abs=1e-7)


def test_without_scipy_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ConfigError, match="need SciPy, which is not installed"):
        estimate([0.8, 0.9] * 50)
    assert estimate([0.8]) == Estimate(1, 0.8, None, None)


def test_a_row_for_each_setting_in_the_order_of_the_plan() -> None:
    rows = summarize(make_cells(RULES), ("average", "selective"))
    assert [row.settings["rule"] for row in rows] == ["smin", "smax", "triplet"]
    smin = rows[0].estimates["average"]
    assert smin is not None
    assert (smin.num_seeds, smin.mean, smin.sd) == (3, pytest.approx(0.92), pytest.approx(0.02))
    selective = rows[0].estimates["selective"]
    assert selective is not None
    assert selective.mean == pytest.approx(0.91)
    assert rows[0].chance == 0.125
    assert rows[0].num_examples == 200


def test_a_finished_cell_without_an_accuracy_is_named() -> None:
    cells = make_cells({(("rule", "smin"),): [0.90, 0.92, math.nan, 0.94], (("rule", "smax"),): [0.80] * 4})
    cells[5] = make_cell({"rule": "smax"}, 1, 0.8, accuracies={"selective": 0.8})
    cells[6] = make_cell({"rule": "smax"}, 2, 0.8, accuracies={"selective": 0.8})
    smin, smax = rows = summarize(cells, ("average", "selective"))
    assert (smin.finished, smin.unscored) == (4, {"average": (2,), "selective": (2,)})
    assert smin.estimates["average"] is not None
    assert smin.estimates["average"].num_seeds == 3
    assert smax.unscored == {"average": (1, 2)}
    warnings = [text for text in warnings_of(rows) if text.startswith("finished without")]
    assert warnings == [
        "finished without an accuracy by average (rule smin: seed 2; rule smax: seeds 1, 2): not in its mean",
        "finished without an accuracy by selective (rule smin: seed 2): not in its mean",
    ]
    assert text_tables.count_cells(smax) == "4, 2 without accuracy"
    none = summarize([make_cell({"rule": "smin"}, 0, math.nan)], ("average",))
    assert warnings_of(none) == ["finished without an accuracy by average (rule smin: seed 0): not in its mean"]


def test_missing_and_failed_cells_are_counted_and_leave_the_mean_alone() -> None:
    states = ("failed", "running", "interrupted", "missing")
    cells = [make_cell({"rule": "smin"}, 0, 0.9)]
    cells += [make_cell({"rule": "smin"}, seed, None, state=state) for seed, state in enumerate(states, start=1)]
    (row,) = summarize(cells, ("average",))
    assert (row.finished, row.failed, row.missing) == (1, 1, 3)
    assert row.estimates["average"] is not None
    assert row.estimates["average"].mean == 0.9


def test_a_single_seed_has_no_interval_and_it_is_said() -> None:
    rows = summarize(make_cells(RULES), ("average",))
    triplet = by_rule(rows)["triplet"].estimates["average"]
    assert triplet is not None
    assert (triplet.sd, triplet.ci95) == (None, None)
    told = warnings_of(rows)
    assert any(text.startswith("a single finished seed (rule triplet): no interval") for text in told)
    assert any(f"fewer than {FEW_SEEDS} finished seeds (rule smin; rule smax)" in text for text in told)
    assert any(text.startswith("not all seeds are finished (rule smax)") for text in told)


def test_seeds_that_change_nothing_are_told() -> None:
    (row,) = summarize(make_cells({(("n_e", 10),): [0.8] * 5}), ("average",))
    assert row.estimates["average"] is not None
    assert row.estimates["average"].ci95 == (0.8, 0.8)
    (told,) = warnings_of([row])
    assert told.startswith("the same accuracy by average with every seed (n_e 10)")


def test_enough_seeds_that_are_all_there_need_no_warning() -> None:
    rows = summarize(make_cells({(("n_e", n),): [0.8, 0.81, 0.83, 0.8, 0.82] for n in (100, 400)}), ("average",))
    assert warnings_of(rows) == []


def test_a_setting_without_a_finished_cell_has_a_row_without_figures() -> None:
    rows = summarize(make_cells({(("n_e", 100),): [None, None], (("n_e", 400),): [0.8, 0.9]}), ("average",))
    assert rows[0].estimates["average"] is None
    assert (rows[0].chance, rows[0].best) == (None, frozenset())
    assert "no finished cell (n_e 100)" in warnings_of(rows)


def test_the_best_is_marked_by_each_read_out_and_ties_are_all_marked() -> None:
    cells = make_cells({(("n_e", 1),): [0.8, 0.9], (("n_e", 2),): [0.9, 0.8], (("n_e", 3),): [0.7, 0.7]})
    cells += [make_cell({"n_e": 4}, 0, 0.6, accuracies={"average": 0.6, "selective": 0.99})]
    rows = summarize(cells, ("average", "selective"))
    assert [sorted(row.best) for row in rows] == [["average"], ["average"], [], ["selective"]]


def test_nothing_is_best_where_there_is_nothing_beside_it() -> None:
    (row,) = summarize(make_cells({(): [0.8, 0.9]}), ("average",))
    assert row.best == frozenset()


def test_cells_scored_on_other_images_are_told() -> None:
    settings, seeds = [{"data": "a"}, {"data": "b"}], [{"data": "a"}, {"data": "a"}]
    for one, other in (settings, seeds):
        for changes in ({"num_examples": 100}, {"chance": 0.2}):
            cells = [make_cell(one, 0, 0.8), make_cell(other, 1, 0.8, **changes)]
            told = warnings_of(summarize(cells, ("average",)))
            assert any("not all scored on the same images" in text for text in told)


def test_the_same_setting_and_seed_counts_once() -> None:
    cells = [make_cell({"n_e": 1}, 0, None), make_cell({"n_e": 1}, 0, 0.8), make_cell({"n_e": 1}, 0, 0.8)]
    (row,) = summarize(cells, ("average",))
    assert (row.finished, row.missing) == (1, 0)


def test_an_accuracy_that_is_no_number_is_left_out() -> None:
    cells = [make_cell({}, 0, 0.8), make_cell({}, 1, math.nan)]
    (row,) = summarize(cells, ("average",))
    assert row.estimates["average"] is not None
    assert row.estimates["average"].mean == 0.8


def test_no_cell_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="at least one cell"):
        summarize([], ("average",))


ACCURACIES = st.lists(st.floats(0, 1).map(lambda v: round(v, 4)), min_size=2, max_size=6)


@given(ACCURACIES, ACCURACIES, st.randoms())
def test_the_order_of_the_cells_does_not_matter(a: list[float], b: list[float], random: Any) -> None:
    cells = make_cells({(("rule", "a"),): [*a], (("rule", "b"),): [*b]})
    shuffled = random.sample(cells, len(cells))
    assert by_rule(summarize(cells, ("average",))) == by_rule(summarize(shuffled, ("average",)))


@given(ACCURACIES, st.floats(-0.5, 0.5))
def test_a_shift_of_all_accuracies_shifts_means_and_intervals_only(values: list[float], shift: float) -> None:
    (before,) = summarize(make_cells({(): [*values]}), ("average",))
    (after,) = summarize(make_cells({(): [value + shift for value in values]}), ("average",))
    old, new = before.estimates["average"], after.estimates["average"]
    assert old is not None
    assert new is not None
    assert old.ci95 is not None
    assert new.ci95 is not None
    assert new.mean == pytest.approx(old.mean + shift, abs=1e-9)
    assert new.sd == pytest.approx(old.sd, abs=1e-9)
    assert new.ci95 == pytest.approx([limit + shift for limit in old.ci95], abs=1e-9)


@pytest.mark.parametrize("module", [baseline, differences, intervals, statistics, text_tables])
def test_the_examples_in_the_documentation_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert found.failed == 0
