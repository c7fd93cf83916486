"""From a study file to its cells: axes, rules, seeds, what is left out, and a sentence for each mistake."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_studies import write_study

from snstdp_cli.config import build_experiment
from snstdp_cli.errors import ConfigError
from snstdp_cli.studies import load_study, study_schema
from snstdp_cli.studies.axes import Range, dotted, matches
from snstdp_cli.studies.cell import cell_id
from snstdp_cli.studies.template import study_template


def plan(folder: Path, **keys: Any) -> list[tuple[dict[str, Any], int]]:
    """Return the varied settings and the seed of each cell."""
    return [(cell.settings, cell.seed) for cell in load_study(write_study(folder, **keys)).cells]


def refusal(folder: Path, **keys: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        load_study(write_study(folder, **keys))
    return str(refused.value)


class TestAxes:
    def test_a_grid_is_the_product_of_its_axes_and_seeds(self, tmp_path: Path) -> None:
        found = plan(tmp_path, vary={"rule": ["smax", "smin"], "n_e": [4, 8]}, seeds=2)
        assert len(found) == 8
        assert found[:3] == [
            ({"rule": "smax", "n_e": 4}, 0),
            ({"rule": "smax", "n_e": 4}, 1),
            ({"rule": "smax", "n_e": 8}, 0),
        ]

    def test_keys_of_a_group_move_together(self, tmp_path: Path) -> None:
        size = [{"n_e": 4, "network": {"w_inh_exc": 10}}, {"n_e": 8, "network.w_inh_exc": 12}]
        assert [settings for settings, _ in plan(tmp_path, vary={"size": size})] == [
            {"n_e": 4, "network.w_inh_exc": 10.0},
            {"n_e": 8, "network.w_inh_exc": 12.0},
        ]

    def test_a_parameter_applies_where_the_rule_has_it(self, tmp_path: Path) -> None:
        found = plan(tmp_path, vary={"rule": ["smax", "smin"], "rule.positive_share": [0.3, 0.6]})
        assert [settings for settings, _ in found] == [
            {"rule": "smax"},
            {"rule": "smin", "rule.positive_share": 0.3},
            {"rule": "smin", "rule.positive_share": 0.6},
        ]

    def test_a_rule_keeps_those_parameters_of_the_base_that_it_has(self, tmp_path: Path) -> None:
        base = {"rule": {"name": "smin", "eta": 0.02, "positive_share": 0.7}}
        study = load_study(write_study(tmp_path, base=base, vary={"rule": ["smax", "smin"]}))
        assert [cell.experiment.rule.parameters["eta"] for cell in study.cells] == [0.02, 0.02]
        assert study.cells[1].experiment.rule.parameters["positive_share"] == 0.7

    def test_a_range_has_both_ends_and_equal_ratios(self) -> None:
        values = Range.model_validate({"from": 0.001, "to": 0.1, "steps": 5, "scale": "log"}).values()
        assert values == [0.001, 0.00316228, 0.01, 0.0316228, 0.1]

    def test_a_range_of_a_whole_number_is_rounded_and_without_twins(self, tmp_path: Path) -> None:
        found = plan(tmp_path, vary={"n_e": {"from": 4, "to": 6, "steps": 5}})
        assert [settings["n_e"] for settings, _ in found] == [4, 5, 6]

    @given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.integers(2, 30), st.sampled_from(["linear", "log"]))
    def test_a_range_stays_between_its_ends(self, start: float, stop: float, steps: int, scale: str) -> None:
        values = Range.model_validate({"from": start, "to": stop, "steps": steps, "scale": scale}).values()
        slack = 1e-5 * max(start, stop)
        assert len(values) == steps
        assert (values[0], values[-1]) == (start, stop)
        assert min(start, stop) - slack <= min(values) <= max(values) <= max(start, stop) + slack

    def test_skip_leaves_out_and_a_list_in_it_is_any_of_its_values(self, tmp_path: Path) -> None:
        found = plan(
            tmp_path,
            vary={"rule": ["smax", "smin"], "rule.eta": [0.01, 0.02]},
            seeds=[3, 5],
            skip=[{"rule": "smax", "rule.eta": "1e-2"}, {"seed": [5]}],
        )
        assert found == [
            ({"rule": "smax", "rule.eta": 0.02}, 3),
            ({"rule": "smin", "rule.eta": 0.01}, 3),
            ({"rule": "smin", "rule.eta": 0.02}, 3),
        ]

    def test_a_listed_cell_is_told_by_what_it_sets_itself(self, tmp_path: Path) -> None:
        study = load_study(write_study(tmp_path, cells=[{"n_e": 4}, {"rule": "smax", "rule.eta": 0.02}]))
        assert [cell.label for cell in study.cells] == ["n_e=4, seed 0", "rule=smax, rule.eta=0.02, seed 0"]

    def test_cells_in_place_of_a_grid(self, tmp_path: Path) -> None:
        found = plan(tmp_path, cells=[{"n_e": 4}, {"rule": {"name": "smax", "eta": 0.02}}])
        assert [settings for settings, _ in found] == [
            {"n_e": 4, "rule": "smin", "rule.eta": 0.01},
            {"n_e": 8, "rule": "smax", "rule.eta": 0.02},
        ]

    def test_a_listed_cell_may_begin_with_a_configuration_and_be_shown_as_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("save_name: mine\nn_e: 6\nrule: {name: smax, eta: 0.03}\n")
        cells = [
            {"config": "mine.yaml", "shown_as": {"rule": "smax", "kind": "mine"}},
            {"config": "mine.yaml", "n_e": 7, "shown_as": {"rule": "smax", "kind": "larger"}},
        ]
        study = load_study(write_study(tmp_path, seeds=2, cells=cells))
        assert [cell.settings for cell in study.cells[::2]] == [one["shown_as"] for one in cells]
        assert study.cells[1].label == "rule=smax, kind=mine, seed 1"
        found = [cell.experiment for cell in study.cells[::2]]
        assert [(one.n_e, one.rule.parameters["eta"], one.save_name) for one in found] == [
            (6, 0.03, "network"),
            (7, 0.03, "network"),
        ]
        same = load_study(write_study(tmp_path, "same", cells=[{"n_e": 6, "rule": {"name": "smax", "eta": 0.03}}]))
        assert study.cells[0].id == same.cells[0].id

    def test_a_configuration_that_loads_weights_begins_no_cell(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("load_name: other\n")
        assert "mine.yaml: load_name: found 'other'; cells are folders" in refusal(
            tmp_path, cells=[{"config": "mine.yaml"}]
        )

    def test_settings_by_dotted_key(self) -> None:
        assert dotted({"rule": {"name": "smin"}, "network": {"w_exc_inh": 3}}) == {
            "rule": "smin",
            "network.w_exc_inh": 3,
        }
        assert matches({"n_e": 4.0}, {"n_e": 4})
        assert not matches({}, {"n_e": 4})


class TestNames:
    def test_a_cell_is_named_by_what_affects_its_result(self, tmp_path: Path) -> None:
        first = load_study(write_study(tmp_path, vary={"n_e": [4, 8]}))
        other = load_study(write_study(tmp_path, name="other", vary={"n_e": [8]}, seeds=2))
        assert first.cells[1].id == other.cells[0].id
        assert len({cell.id for cell in (*first.cells, *other.cells)}) == 3

    def test_names_do_not_tell_cells_apart_but_images_do(self) -> None:
        a, b, c = (build_experiment({"save_name": n, "data": d}) for n, d in (("a", "x"), ("b", "x"), ("a", "y")))
        assert cell_id(a) == cell_id(b) != cell_id(c)

    def test_a_base_in_a_file_is_found_from_the_study(self, tmp_path: Path) -> None:
        (tmp_path / "inner").mkdir()
        (tmp_path / "base.yaml").write_text("n_e: 7")
        study = load_study(write_study(tmp_path / "inner", base="../base.yaml"))
        assert [cell.experiment.n_e for cell in study.cells] == [7]

    def test_a_cell_has_the_experiment_that_a_single_run_would_have(self, tmp_path: Path) -> None:
        base = {"n_e": 9, "network": {"w_inh_exc": 12}}
        study = load_study(write_study(tmp_path, base=base, vary={"rule": ["smax"], "rule.eta": [0.02]}, seeds=[4]))
        alone = build_experiment(base, {"rule": "smax", "rule.eta": 0.02, "seed": 4, "save_name": "network"})
        assert study.cells[0].experiment == alone


class TestMistakes:
    @pytest.mark.parametrize(
        ("keys", "sentence"),
        [
            ({"vari": {}}, "unknown key 'vari'; did you mean 'vary'?"),
            ({"vary": {"rule.etta": [1]}}, "vary.rule.etta: unknown key 'rule.etta'; did you mean 'rule.eta'?"),
            ({"vary": {"eta": [0.1]}}, "vary.eta: unknown key 'eta'; did you mean 'rule.eta'?"),
            ({"vary": {"size": [{"n_ee": 4}]}}, "vary.size: unknown key 'n_ee'; did you mean 'n_e'?"),
            ({"vary": {"n_e": 4}}, "vary.n_e: found 4, expected a list of values, or a range"),
            ({"vary": {"n_e": []}}, "vary.n_e: found [], expected a list of values"),
            ({"vary": {"seed": [1, 2]}}, "seed: seeds are an axis of their own; expected `seeds:`"),
            ({"vary": {"save_name": ["a", "b"]}}, "save_name: affects no result"),
            ({"vary": {"engine": ["runtime"]}}, "engine: affects no result"),
            ({"vary": {"n_e": {"from": 1, "to": 5}}}, "vary.n_e: steps: not given; expected a whole number"),
            ({"vary": {"rule.eta": {"from": 0, "to": 1, "steps": 3, "scale": "log"}}}, "expected ends above 0"),
            ({"vary": {"rule": ["smaxx"]}}, "unknown rule 'smaxx'"),
            ({"vary": {"n_e": [4, 0]}}, "cell n_e=0: n_e: found 0, expected a whole number from 1"),
            ({"vary": {"n_e": [4]}, "cells": [{"n_e": 4}]}, "found both `vary` and `cells`"),
            ({"cells": []}, "cells: found an empty list"),
            ({"cells": [{"config": 3}]}, "cells.0: config: found 3, expected the path of a configuration"),
            ({"cells": [{"config": "none.yaml"}]}, "none.yaml: cannot read the configuration"),
            ({"cells": [{"n_e": 4, "shown_as": "x"}]}, "cells.0: shown_as: found 'x', expected what tables show"),
            ({"cells": [{"n_e": 4, "shown_as": {"a": []}}]}, "shown_as: found a: [], expected what tables show"),
            ({"cells": [{"shown_as": {"a": "b\n"}}]}, "expected what tables show"),
            ({"cells": [{"shown_as": {"a": float("nan")}}]}, "expected what tables show"),
            ({"cells": [{"shown_as": {"seed": 3}}]}, "shown_as: found seed: 3, expected what tables show"),
            ({"cells": [{"n_e": 4}, {"n_e": 5, "shown_as": {"a": 1}}]}, "cells.0: no shown_as, which other cells have"),
            ({"cells": [{"n_e": 4, "shown_as": {"n_e": 400}}]}, "shown_as: n_e 400, but it is 4 in this cell"),
            (
                {"cells": [{"n_e": 4, "shown_as": {"a": 1}}, {"n_e": 5, "shown_as": {"a": 1}}]},
                "found what another cell is shown as",
            ),
            (
                {"cells": [{"n_e": 4, "shown_as": {"a": 1}}, {"n_e": 4, "shown_as": {"a": 2}}]},
                "has the settings of another cell, which is shown otherwise",
            ),
            ({"seeds": 0}, "seeds: found 0"),
            ({"seeds": "many"}, "seeds: found 'many'"),
            ({"seeds": [-1]}, "found the seed -1"),
            ({"skip": [{"n_e": 4}]}, "skip.0: 'n_e' does not vary; varied: seed"),
            ({"skip": [{"seed": 0}]}, "skip: leaves out every cell"),
            ({"score_on": "tests"}, "score_on: found 'tests', expected test or validation"),
            ({"score_on": "validation"}, "score_on: validation needs images to score on"),
            ({"read_outs": ["mean"]}, "read_outs"),
            ({"base": {"n_ee": 3}}, "base: unknown key 'n_ee'; did you mean 'n_e'?"),
            ({"base": "missing.yaml"}, "missing.yaml: cannot read the configuration"),
            ({"base": {"load_name": "x"}}, "begin with drawn weights"),
            ({"name": "../x"}, "name: found '../x'"),
        ],
    )
    def test_each_gets_a_sentence_that_names_the_key(self, tmp_path: Path, keys: dict[str, Any], sentence: str) -> None:
        assert sentence in refusal(tmp_path, **keys)

    def test_all_cells_that_are_wrong_are_told_at_once(self, tmp_path: Path) -> None:
        told = refusal(tmp_path, vary={"n_e": [0, 4, -1]})
        assert "cell n_e=0" in told
        assert "cell n_e=-1" in told

    def test_too_many_cells(self, tmp_path: Path) -> None:
        axis = {"from": 0.001, "to": 1, "steps": 1000}
        assert "1,000,000 cells; expected at most" in refusal(
            tmp_path, vary={"rule.eta": axis, "rule.a_tar": dict(axis)}
        )


def test_ten_thousand_cells_are_planned_in_seconds(tmp_path: Path) -> None:
    vary = {
        "rule": ["smax", "smin"],
        "rule.eta": {"from": 0.001, "to": 0.1, "steps": 100, "scale": "log"},
        "n_e": {"from": 10, "to": 500, "steps": 50},
    }
    path, began = write_study(tmp_path, vary=vary), time.process_time()
    assert len(load_study(path).cells) == 10_000
    assert time.process_time() - began < 5


def test_the_schema_and_the_template_know_every_key(tmp_path: Path) -> None:
    schema = study_schema()
    assert {"name", "base", "vary", "seeds", "skip", "cells", "score_on", "search"} <= schema["properties"].keys()
    assert "n_e" in schema["$defs"]["configuration"]["properties"]
    json.dumps(schema)
    text = study_template("mine")
    assert all(f"{key}:" in text for key in schema["properties"])
    (tmp_path / "mine.yaml").write_text(text)
    assert yaml.safe_load(text)["name"] == "mine"
    assert len(load_study(tmp_path / "mine.yaml").cells) == 12
