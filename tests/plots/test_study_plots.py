"""Figures of a study show its figures: the right kind, the right places, intervals, seeds and what is missing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_study import make_cell, make_cells
from matplotlib.figure import Figure
from matplotlib.text import Text

from snstdp_cli.errors import ConfigError, DataError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.plots import render_figure
from snstdp_cli.plots.drawing.style import GREY
from snstdp_cli.plots.studies import choose_kind, draw_study
from snstdp_cli.plots.studies.axes import is_log
from snstdp_cli.studies.cells import CellResult
from snstdp_cli.studies.results import StudyResults, Trial, curve_of

ETAS = (0.001, 0.01, 0.1)


def study(cells: list[CellResult], **fields: Any) -> StudyResults:
    return StudyResults("made-up", tuple(cells), **fields)


def eta_study() -> StudyResults:
    cells = make_cells({(("rule", "smin"), ("rule.eta", eta)): [0.7, 0.72, 0.74] for eta in ETAS})
    return study(cells + make_cells({(("rule", "triplet"),): [0.6, 0.62]}), log_keys=frozenset({"rule.eta"}))


def grid_study() -> StudyResults:
    values = {(("rule.eta", e), ("n_e", n)): [0.5 + k / 20 + j / 100] for k, e in enumerate(ETAS) for j, n in SIZES}
    return study(make_cells({key: [*value] for key, value in values.items()}))


SIZES = list(enumerate((100, 200, 300)))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def line_of(figure: Figure, label: str) -> Any:
    return next(line for line in figure.axes[0].lines if line.get_label() == label)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({(("rule", rule),): [0.8] for rule in ("smin", "triplet")}, "categories"),
        ({(("n_e", n),): [0.8] for n in (100, 400)}, "lines"),
        ({(("rule", rule), ("n_e", n)): [0.8] for rule in ("smin", "smax") for n in (1, 2)}, "lines"),
        ({(("eta", e), ("n_e", n)): [0.8] for e in (1, 2, 3) for n in (1, 2, 3)}, "heatmap"),
        ({(("eta", e), ("n_e", 10 * e)): [0.8] for e in (1, 2, 3)}, "lines"),  # they move together
        ({(("delays", delays),): [0.8] for delays in (True, False)}, "categories"),
        ({(): [0.8, 0.9]}, "categories"),
    ],
)
def test_the_kind_fits_what_is_varied(cells: Any, kind: str) -> None:
    assert choose_kind(study(make_cells(cells))) == kind


def test_a_named_axis_decides_the_kind() -> None:
    made = eta_study()
    assert choose_kind(made, "eta") == "lines"
    assert choose_kind(made, "rule") == "categories"
    with pytest.raises(ConfigError, match="--x: the study does not vary 'etta'"):
        choose_kind(made, "etta")


def test_an_axis_is_logarithmic_where_its_range_was_or_its_values_are_spaced_by_their_ratio() -> None:
    def over(values: tuple[float, ...], *keys: str) -> bool:
        made = study(make_cells({(("a", value),): [0.8] for value in values}), log_keys=frozenset(keys))
        return is_log(made, "a")

    assert over((1, 2, 3), "a")
    assert over((100, 400, 1600))
    assert over((250, 500, 1000, 2500, 5000, 10000, 60000))
    assert over((1000, 10000, 60000))
    assert not over((0.1, 0.2, 0.3, 0.4, 0.5))
    assert not over((1, 2, 3.5))
    assert not over((1, 2, 3))
    assert not over((1, 10))
    assert not over((0, 1, 10), "a")


def test_a_numeric_axis_shows_means_bands_and_single_seeds() -> None:
    figure = draw_study(eta_study(), "lines", x="eta")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    line = line_of(figure, "rule smin")
    np.testing.assert_allclose(line.get_xdata(), ETAS)
    np.testing.assert_allclose(line.get_ydata(), [0.72] * 3)
    half = 4.302653 * 0.02 / math.sqrt(3)
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.72 - half, abs=1e-6)
    assert band[:, 1].max() == pytest.approx(0.72 + half, abs=1e-6)
    seeds = [one for one in axes.lines if len(one.get_xdata()) == 3 and len(set(one.get_xdata())) == 1]
    np.testing.assert_allclose(sorted(seeds[0].get_ydata()), [0.70, 0.72, 0.74])
    assert any("chance: 12.5 %" in text for text in texts(figure))


def test_one_change_at_a_time_is_a_line_without_the_other_changes() -> None:
    changes = [{"noise": v} for v in (0, 0.1, 0.2)] + [{"shift": v} for v in (1, 2, 4)] + [{"occlusion": 0.5}]
    settings = [
        (("rule", rule), *({"noise": 0, "shift": 0, "occlusion": 0} | change).items())
        for rule in ("smin", "smax")
        for change in changes
    ]
    made = study(make_cells({one: [0.8, 0.81] for one in settings}))
    for axis, xs, others in (("noise", [0, 0.1, 0.2], 8), ("shift", [0, 1, 2, 4], 6)):
        figure = draw_study(made, "lines", x=axis)
        assert [list(line_of(figure, f"rule {rule}").get_xdata()) for rule in ("smin", "smax")] == [xs, xs]
        title = figure.axes[0].get_title("left")
        assert title.endswith(f"{others} settings beside {axis} left out")


def test_a_legend_of_long_settings_stays_within_the_figure() -> None:
    settings = [
        (("eta", eta), ("network.theta_step_mv", 0.00804874), ("rule.positive_share", 0.305758 + k))
        for k in range(2)
        for eta in (0.01, 0.02)
    ]
    figure = draw_study(study(make_cells({one: [0.8, 0.81] for one in settings})), "lines", x="eta")
    render_figure(figure, "png")
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_a_setting_without_the_axis_is_a_level() -> None:
    level = line_of(draw_study(eta_study(), "lines"), "rule triplet")
    np.testing.assert_allclose(level.get_ydata(), [0.61, 0.61])


def test_null_beside_numbers_is_a_level_in_the_colour_of_what_it_turns_off() -> None:
    key = "precision.weights.bits"
    values = {((key, bits), ("rule", rule)): [0.8, 0.82] for bits in (4, None, 2) for rule in ("smin", "smax")}
    made = study(make_cells({items: [*accuracies] for items, accuracies in values.items()}))
    assert choose_kind(made) == "lines"
    figure = draw_study(made, "lines")
    assert list(line_of(figure, "rule smax").get_xdata()) == [2, 4]
    level = line_of(figure, "bits null, rule smax")
    assert level.get_color() == line_of(figure, "rule smax").get_color()
    assert level.get_ydata()[0] == pytest.approx(0.81)
    assert figure.axes[0].get_xlabel().startswith(key)


def test_single_seeds_have_no_band() -> None:
    figure = draw_study(study(make_cells({(("n_e", n),): [0.8] for n in (100, 400)})), "lines")
    assert not figure.axes[0].collections


def test_what_is_missing_leaves_a_gap() -> None:
    cells = make_cells({(("n_e", 100),): [0.8, 0.9], (("n_e", 200),): [None], (("n_e", 300),): [0.7, 0.8]})
    line = line_of(draw_study(study(cells), "lines"), "all")
    np.testing.assert_allclose(line.get_xdata(), [100, 300])


def test_a_band_stays_within_0_and_1() -> None:
    figure = draw_study(study(make_cells({(("n_e", n),): [0.6, 1.0] for n in (1, 2)})), "lines")
    heights = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 1.0)


def test_categories_show_both_read_outs_and_intervals() -> None:
    made = study(make_cells({(("rule", "smin"),): [0.7, 0.72, 0.74], (("rule", "smax"),): [0.9]}))
    found = texts(draw_study(made, "categories"))
    assert {"72.0 %", "71.0 %", "90.0 %", "smin", "smax", "average", "selective"} <= set(found)
    assert any("accuracy for each rule" in text for text in found)


def test_a_heat_map_puts_each_mean_in_its_field() -> None:
    figure = draw_study(grid_study(), "heatmap", x="rule.eta")
    image = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(image, [[0.5 + k / 20 + j / 100 for k in range(3)] for j in range(3)])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0.001", "0.01", "0.1"]
    assert "62.0" in texts(figure)


def test_a_heat_map_for_each_other_setting() -> None:
    made = grid_study()
    cells = [make_cell({**c.settings, "rule": r}, 0, 0.8) for c in made.cells for r in ("smin", "smax")]
    assert {"rule smin", "rule smax"} <= set(texts(draw_study(study(cells), "heatmap")))


def test_a_heat_map_says_how_many_settings_have_no_field_in_it() -> None:
    cells = [*grid_study().cells, make_cell({"rule": "triplet", "n_e": 100}, 0, 0.8)]
    figure = draw_study(study(cells), "heatmap", x="rule.eta")
    assert "1 setting without rule.eta or n_e left out" in str(figure.get_suptitle())


def test_learning_curves_are_means_over_seeds_where_all_have_a_point() -> None:
    def curve(cell: CellResult) -> list[CurvePoint]:
        return [CurvePoint(100, 50 + cell.seed * 10, 100), CurvePoint(200, 80, 100)][: 2 - cell.seed]

    made = study(make_cells({(("n_e", 100),): [0.8, 0.8]}), load_curve=curve)
    line = line_of(draw_study(made, "curves"), "n_e 100")
    np.testing.assert_allclose(line.get_xdata(), [100])
    np.testing.assert_allclose(line.get_ydata(), [0.55])


def test_a_folder_without_weights_has_no_curve(tmp_path: Path) -> None:
    assert curve_of(make_cell({}, 0, 0.8, folder=tmp_path)) == ()


TRIALS = (
    Trial(0, {"eta": 0.01, "rule": "smin"}, 0.7, "finished"),
    Trial(1, {"eta": 0.1, "rule": "smax", "share": 0.5}, 0.9, "pruned"),
    Trial(2, {"eta": 0.02, "rule": "smin"}, None, "failed"),
    Trial(3, {"eta": 0.03, "rule": "smin"}, 0.8, "finished"),
)


def test_a_search_shows_its_values_and_the_best_of_the_finished() -> None:
    figure = draw_study(study([], trials=TRIALS), "history")
    np.testing.assert_allclose(line_of(figure, "best: 80.0 %").get_ydata(), [0.7, 0.8])
    np.testing.assert_allclose(line_of(figure, "finished (2)").get_xdata(), [0, 3])
    np.testing.assert_allclose(line_of(figure, "pruned (1), at its learning curve's end").get_ydata(), [0.9])
    assert line_of(figure, "failed (1)").get_xdata() == [2]


def test_parallel_coordinates_run_through_every_setting() -> None:
    made = study([], trials=TRIALS, log_keys=frozenset({"eta"}))
    figure = draw_study(made, "parallel")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 4]
    assert len(lines) == 4
    best = lines[-1].get_ydata()  # the highest accuracy is drawn last: trial 3
    np.testing.assert_allclose([best[0], best[3]], [np.log10(3), 1.0])
    # What ended early is told by another measure, and drawn as what has none.
    assert sum(line.get_color() == GREY for line in lines) == 2
    assert {"smin", "smax", "none"} <= set(texts(figure))


def test_importance_is_drawn_in_order() -> None:
    figure = draw_study(study([], trials=TRIALS, importances={"rule": 0.2, "eta": 0.8}), "importance")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["eta", "rule"]


@pytest.mark.parametrize(
    ("kind", "made", "message"),
    [
        ("lines", study(make_cells({(("rule", "a"),): [0.8]})), "this study varies none"),
        ("heatmap", eta_study(), "needs two keys with several numbers"),
        ("categories", study(make_cells({(("n_e", 1),): [None]})), "no cell of 'made-up' is finished"),
        ("lines", study(make_cells({(("n_e", n),): [None] for n in (1, 2)})), "found none"),
        ("curves", study(make_cells({(): [None]})), "no learning curves"),
        ("history", eta_study(), "the study has no trials"),
        ("importance", study([], trials=TRIALS), "importance of at least one setting"),
        ("history", study([], trials=TRIALS[2:3]), "at least one trial with a value"),
        ("parallel", study([], trials=TRIALS[2:3]), "at least one trial with an accuracy"),
        (
            "lines",
            study(make_cells({(("n_e", n), ("rule", f"r{k}")): [0.8] for n in (1, 2) for k in range(15)})),
            "15 lines could not be told apart",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(kind: Any, made: StudyResults, message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw_study(made, kind)


def test_names_of_others_are_drawn_as_text() -> None:
    made = study(make_cells({(("n_e", n), ("rule", "$x_{\x1b[31m")): [0.8, 0.9] for n in (1, 2)}))
    assert b"\x1b" not in render_figure(draw_study(made, "lines"), "svg")
