"""Paired differences: the right pairs, and tests and effect sizes against numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_study import load_correct, make_cell, make_cells
from scipy import stats
from synthetic import SMALL

from snstdp_cli.config import Experiment, build_experiment, merge
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.evaluation import mcnemar
from snstdp_cli.studies.baseline import resolve_baseline
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.differences import Difference, holm, paired_differences

AGAINST = {"rule": "triplet"}


def compare(cells: list[CellResult], **against: Any) -> list[Difference]:
    return paired_differences(cells, against or AGAINST, ("average",), load_correct)


def two_rules(smin: list[float | None], triplet: list[float | None]) -> list[CellResult]:
    return make_cells({(("rule", "smin"),): smin, (("rule", "triplet"),): triplet})


# Numbers


def test_holm_corrects_known_p_values() -> None:
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm"), and the example of Wikipedia's article.
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_a_difference_over_three_seeds_is_that_of_a_table_of_t() -> None:
    # Differences 0.04, 0.05, 0.06: mean 0.05, sd 0.01, d_z 5, t = 5 sqrt(3) = 8.660, half 4.302653 * 0.01 / sqrt(3).
    (one,) = compare(two_rules([0.90, 0.92, 0.94], [0.86, 0.87, 0.88]))
    assert (one.method, one.seeds, one.left_out, one.note) == ("seeds", (0, 1, 2), (), None)
    assert one.mean == pytest.approx(0.05)
    assert one.ci95 == pytest.approx((0.05 - 0.0248414, 0.05 + 0.0248414), abs=1e-7)
    assert one.effect_size == pytest.approx(5.0)
    # With 2 degrees of freedom p has a closed form: 1 - t / sqrt(t^2 + 2) = 1 - sqrt(75 / 77).
    assert one.p_value == pytest.approx(1 - math.sqrt(75 / 77), abs=1e-12)
    assert one.p_holm == one.p_value


def test_it_agrees_with_the_paired_test_of_scipy() -> None:
    a, b = [0.91, 0.88, 0.93, 0.90], [0.90, 0.89, 0.90, 0.86]
    (one,) = compare(two_rules([*a], [*b]))
    assert one.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_a_single_seed_is_compared_image_by_image_and_says_so() -> None:
    cells = two_rules([0.90], [0.80])
    (one,) = compare(cells)
    expected = mcnemar(load_correct(cells[0], "average"), load_correct(cells[1], "average"))
    assert (one.method, one.mean, one.effect_size) == ("images", pytest.approx(0.1), None)
    assert (one.ci95, one.p_value) == (expected.ci95, expected.p_value)
    assert expected.p_value == pytest.approx(2 / 2**20)  # 20 images that only one got right, none the other way
    assert one.note is not None
    assert "says nothing of other seeds" in one.note


def test_without_the_answers_a_single_seed_has_a_difference_only() -> None:
    (one,) = paired_differences(two_rules([0.9], [0.8]), AGAINST, ("average",))
    assert (one.mean, one.ci95, one.p_value, one.p_holm) == (pytest.approx(0.1), None, None, None)
    assert one.note == "a single seed: no interval"


def test_answers_that_cannot_be_read_are_told() -> None:
    def broken(cell: CellResult, read_out: str) -> np.ndarray:
        raise ArtefactError(f"{cell.folder}: recordings are missing")

    (one,) = paired_differences(two_rules([0.9], [0.8]), AGAINST, ("average",), broken)
    assert one.note is not None
    assert "recordings are missing" in one.note
    assert one.p_value is None


def test_equal_accuracies_show_no_difference() -> None:
    (one,) = compare(two_rules([0.9, 0.8, 0.7], [0.9, 0.8, 0.7]))
    assert (one.mean, one.ci95, one.effect_size, one.p_value) == (0.0, None, None, 1.0)


def test_the_same_difference_with_every_seed_has_no_p_value() -> None:
    (one,) = compare(two_rules([0.9, 0.8, 0.7], [0.8, 0.7, 0.6]))
    assert one.mean == pytest.approx(0.1)
    assert (one.ci95, one.effect_size, one.p_value, one.p_holm) == (None, None, None, None)
    assert one.note == "the same difference with every seed: a t test is not defined"


def test_all_settings_and_read_outs_are_corrected_together() -> None:
    cells = two_rules([0.90, 0.92, 0.94], [0.86, 0.87, 0.88])
    cells += make_cells({(("rule", "smax"),): [0.87, 0.86, 0.89]})
    found = paired_differences(cells, AGAINST, ("average", "selective"), load_correct)
    assert [one.p_holm for one in found] == pytest.approx(holm([one.p_value or 1.0 for one in found]))
    smin = found[0]
    assert smin.p_value is not None
    assert smin.p_holm == pytest.approx(4 * smin.p_value)


def test_read_outs_that_cannot_be_told_apart_are_one_comparison() -> None:
    def cells_of(rule: str, *average: float) -> list[CellResult]:
        own = [
            {"average": value, "all_activity": value, "selective": value - 0.01 * k} for k, value in enumerate(average)
        ]
        return [make_cell({"rule": rule}, seed, 0.9, accuracies=values) for seed, values in enumerate(own)]

    cells = [
        *cells_of("smin", 0.90, 0.92, 0.94),
        *cells_of("smax", 0.87, 0.86, 0.89),
        *cells_of("triplet", 0.86, 0.87, 0.86),
    ]
    read_outs = ("average", "all_activity", "selective")
    found = {(one.settings["rule"], one.read_out): one for one in paired_differences(cells, AGAINST, read_outs)}
    assert len(found) == 6
    # Without the twin: average and selective of two rules. These have other accuracies, though equal differences.
    apart = paired_differences(cells, AGAINST, ("average", "selective"))
    for one in apart:
        assert found[one.settings["rule"], one.read_out].p_holm == one.p_holm
    smin = found["smin", "all_activity"]
    assert smin.p_value is not None
    assert smin == replace(found["smin", "average"], read_out="all_activity")
    assert found["smin", "average"].p_holm == pytest.approx(holm([one.p_value or 1.0 for one in apart])[0])


def test_a_test_that_is_not_defined_counts_among_the_comparisons() -> None:
    cells = two_rules([0.90, 0.92, 0.94], [0.86, 0.87, 0.88])
    cells += make_cells({(("rule", "smax"),): [0.87, 0.88, 0.89]})  # one point better with every seed
    smin, smax = compare(cells)
    assert smax.p_value is None
    assert smin.p_value is not None
    assert smin.p_holm == pytest.approx(2 * smin.p_value)


# Pairs


def test_only_complete_pairs_count() -> None:
    cells = two_rules([0.90, 0.92, None, 0.94], [0.86, 0.87, 0.88, None])
    (one,) = compare(cells)
    assert (one.seeds, one.left_out) == ((0, 1), (2, 3))
    assert one.mean == pytest.approx(0.045)


def test_without_a_complete_pair_nothing_is_told() -> None:
    (one,) = compare(two_rules([0.9, None], [None, 0.8]))
    assert (one.mean, one.method, one.p_holm, one.note) == (None, None, None, "no seed is finished for both")


def test_cells_on_other_images_are_no_pair() -> None:
    cells = [make_cell({"rule": "smin"}, 0, 0.9, num_examples=100), make_cell({"rule": "triplet"}, 0, 0.8)]
    assert compare(cells)[0].note == "not scored on the same images"


def test_as_many_images_of_another_set_are_no_pair() -> None:
    def on(**changes: Any) -> Experiment:
        return build_experiment(merge(SMALL, changes))

    def note(ours: Experiment, theirs: Experiment, score_on: str = "test") -> str | None:
        smin = make_cell({"rule": "smin"}, 0, 0.9, experiment=ours, score_on=score_on)
        triplet = make_cell({"rule": "triplet"}, 0, 0.8, experiment=theirs, score_on=score_on)
        return compare([smin, triplet])[0].note

    other = "not scored on the same images"
    for changes in ({"data": "fashion-mnist"}, {"input": {"test_share": 0.5}}, {"input": {"classes": [0, 1]}}):
        assert note(on(**changes), on()) == other
    # The same images, made noisy; and what is withheld is not among test images.
    assert note(on(input={"noise": 0.3}), on()) != other
    spread = on(evaluation={"validation_examples": 5, "validation_images": "spread"})
    last = on(evaluation={"validation_examples": 5})
    assert note(spread, last) != other
    assert note(spread, last, "validation") == other


def test_a_pair_is_equal_in_every_other_varied_key() -> None:
    cells = make_cells(
        {
            (("rule", rule), ("n_e", n_e)): [base + n_e / 10_000, base + n_e / 10_000 + 0.01]
            for rule, base in (("smin", 0.8), ("triplet", 0.7))
            for n_e in (100, 400)
        }
    )
    found = compare(cells)
    assert [one.settings for one in found] == [{"rule": "smin", "n_e": 100}, {"rule": "smin", "n_e": 400}]
    assert [one.baseline for one in found] == [{"rule": "triplet", "n_e": 100}, {"rule": "triplet", "n_e": 400}]
    assert [one.mean for one in found] == pytest.approx([0.1, 0.1])


def test_a_parameter_that_the_baseline_does_not_have_need_not_be_equal() -> None:
    cells = make_cells({(("rule", "smin"), ("rule.eta", eta)): [0.8, 0.81] for eta in (0.01, 0.1)})
    cells += make_cells({(("rule", "triplet"),): [0.7, 0.72]})
    assert [one.baseline for one in compare(cells)] == [{"rule": "triplet"}] * 2


def test_several_baselines_that_fit_are_told_and_not_chosen_from() -> None:
    cells = make_cells({(("rule", "triplet"), ("rule.nu_post", nu)): [0.8, 0.81] for nu in (0.01, 0.1)})
    cells += make_cells({(("rule", "smin"),): [0.7, 0.72]})
    (one,) = compare(cells)
    assert one.baseline is None
    assert one.note == "2 baselines fit, which differ in rule.nu_post"


def test_keys_that_move_together_are_no_reason_against_a_pair() -> None:
    cells = make_cells({(("n_e", n), ("theta_plus", 20 / n)): [0.7 + n / 1e4, 0.71] for n in (100, 400, 1600)})
    found = paired_differences(cells, {"n_e": 100}, ("average",))
    assert [one.seeds for one in found] == [(0, 1), (0, 1)]
    assert {one.note for one in found} == {"differs in theta_plus as well"}


def test_a_setting_without_a_baseline_is_told() -> None:
    cells = make_cells({(("rule", "smin"), ("n_e", 100)): [0.8], (("rule", "smin"), ("n_e", 400)): [0.8]})
    cells += make_cells({(("rule", "triplet"), ("n_e", 100)): [0.8]})
    notes = {one.settings["n_e"]: one.note for one in compare(cells)}
    assert notes[400] == "the study has no baseline that is equal in all else"


# Names


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("rule=triplet", {"rule": "triplet"}),
        ("rule.name=triplet", {"rule": "triplet"}),
        ("eta=1e-2", {"rule.eta": 0.01}),
        ("rule.eta=0.010", {"rule.eta": 0.01}),
        (" rule.eta = 0.01 ", {"rule.eta": 0.01}),
        ("delays=true", {"delays": True}),
        ("start=null", {"start": None}),
    ],
)
def test_a_baseline_is_asked_for_as_people_write_it(asked: str, expected: dict[str, Any]) -> None:
    settings = {"rule": "triplet", "rule.eta": 0.01, "delays": True, "start": None}
    assert resolve_baseline([asked], [settings]) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("rule", "--against: found 'rule', expected KEY=VALUE, such as rule=triplet"),
        ("=x", "--against: found '=x', expected KEY=VALUE"),
        ("rule=tripled", "--against rule=tripled: the study has no such cells; expected one of: smin, triplet"),
        ("rul=smin", "the study does not vary 'rul'; it varies rule, n_e; did you mean 'rule'?"),
        ("rule=\x1b[31m", r"--against rule=\x1b[31m: the study has no such cells"),
    ],
)
def test_a_baseline_that_is_none_is_refused_in_a_sentence(asked: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_baseline([asked], [{"rule": "smin", "n_e": 1}, {"rule": "triplet", "n_e": 1}])
    assert message in str(caught.value)


def test_a_study_that_varies_seeds_only_has_no_baseline() -> None:
    with pytest.raises(ConfigError, match="varies nothing but the seed"):
        resolve_baseline(["rule=smin"], [{}])


# Properties

SHARES = st.lists(st.integers(0, 200).map(lambda n: n / 200), min_size=2, max_size=6)


@given(SHARES, st.randoms())
def test_the_order_of_the_cells_does_not_matter(values: list[float], random: Any) -> None:
    cells = two_rules([*values], [*reversed(values)])
    assert compare(cells) == compare(random.sample(cells, len(cells)))


@given(SHARES, SHARES, st.integers(-20, 20))
def test_a_shift_of_all_accuracies_changes_no_difference(a: list[float], b: list[float], shift: int) -> None:
    (before,) = compare(two_rules([*a], [*b]))
    (after,) = compare(two_rules([v + shift / 200 for v in a], [v + shift / 200 for v in b]))
    assert after.mean == pytest.approx(before.mean, abs=1e-9)
    assert after.ci95 == pytest.approx(before.ci95, abs=1e-9)
    assert after.p_value == pytest.approx(before.p_value, abs=1e-6)
    assert after.note == before.note


@given(SHARES, SHARES)
def test_exchanging_the_two_changes_signs_only(a: list[float], b: list[float]) -> None:
    cells = two_rules([*a], [*b])
    (one,), (other,) = compare(cells), compare(cells, rule="smin")
    assert one.mean == pytest.approx(-(other.mean or 0.0), abs=1e-12)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_nor_changes_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[k] for k in order] == sorted(corrected)
