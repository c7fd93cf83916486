"""Figures show the values that they were given, in the right place, and say what they show."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from snstdp_cli import plots
from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import wilson_interval
from snstdp_cli.plots.style import WIDTH_IN

SHAPE = (3, 4)


def fields(n_e: int, low: float = 0.0) -> np.ndarray:
    """Return weights that differ in every synapse."""
    return np.random.default_rng(n_e).uniform(low, 1, (SHAPE[0] * SHAPE[1], n_e))


def cell(image: Any, row: int, column: int, shape: tuple[int, int] = SHAPE) -> Any:
    high, wide = shape
    return image[row * (high + 1) :, column * (wide + 1) :][:high, :wide]


def shown(figure: Figure) -> Any:
    return figure.axes[0].images[0].get_array()


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def tick_names(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


class TestReceptiveFields:
    @pytest.mark.parametrize(("n_e", "columns"), [(1, 1), (2, 2), (5, 3), (16, 4), (100, 9)])
    def test_every_neuron_is_drawn_in_its_cell(self, n_e: int, columns: int) -> None:
        weights = fields(n_e)
        image = shown(plots.receptive_fields(weights, SHAPE))
        assert image.shape[1] == columns * (SHAPE[1] + 1) - 1
        for j in range(n_e):
            np.testing.assert_array_equal(cell(image, *divmod(j, columns)), weights[:, j].reshape(SHAPE))
        assert image.count() == n_e * SHAPE[0] * SHAPE[1]

    def test_a_large_network_is_one_image(self) -> None:
        weights = np.random.default_rng(0).random((784, 6400))
        figure = plots.receptive_fields(weights)
        assert len(figure.axes) == 2  # the fields and the colour bar
        np.testing.assert_array_equal(cell(shown(figure), 79, 79, (28, 28)), weights[:, -1].reshape(28, 28))

    def test_signed_weights_have_a_scale_that_is_even_around_0(self) -> None:
        weights = fields(9, low=-0.3)
        figure = plots.receptive_fields(weights, SHAPE)
        drawn = figure.axes[0].images[0]
        assert drawn.norm.vmin == -drawn.norm.vmax < 0
        assert drawn.cmap.name == "RdBu_r"
        white = drawn.cmap(drawn.norm(0.0))
        assert min(white) > 0.95

    def test_weights_of_one_sign_have_a_scale_from_0(self) -> None:
        drawn = plots.receptive_fields(fields(9), SHAPE).axes[0].images[0]
        assert drawn.norm.vmin == 0
        assert drawn.norm.vmax == pytest.approx(1, abs=0.1)
        assert drawn.cmap.name == "Greys"

    def test_a_single_huge_weight_does_not_hide_the_others(self) -> None:
        weights = np.random.default_rng(0).random((784, 4))
        weights[0, 0] = 1000
        assert plots.receptive_fields(weights).axes[0].images[0].norm.vmax < 2

    def test_weights_that_are_all_0_can_be_drawn(self) -> None:
        figure = plots.receptive_fields(np.zeros((12, 4)), SHAPE)
        assert figure.axes[0].images[0].norm.vmax > 0
        plots.render_figure(figure, "png")

    def test_classes_start_a_row_each_and_are_named_in_the_margin(self) -> None:
        weights = fields(6)
        figure = plots.receptive_fields(
            weights, SHAPE, labels=np.array([1, 0, 1, -1, 1, 0]), class_names=["zero", "one", "two"]
        )
        image, axes = shown(figure), figure.axes[0]
        for place, j in {(0, 0): 1, (0, 1): 5, (1, 0): 0, (1, 1): 2, (1, 2): 4, (2, 0): 3}.items():
            np.testing.assert_array_equal(cell(image, *place), weights[:, j].reshape(SHAPE))
        assert cell(image, 0, 2).mask.all()
        assert tick_names(axes.yaxis) == ["zero  (2)", "one  (3)", "none  (1)"]
        np.testing.assert_array_equal(axes.get_yticks(), [1, 5, 9])  # the middle line of each row
        assert [line.get_ydata()[0] for line in axes.lines] == [3, 7]  # the gaps between the rows

    def test_order_and_choice_of_neurons(self) -> None:
        weights = fields(6)
        image = shown(plots.receptive_fields(weights, SHAPE, order=np.array([4, 2])))
        np.testing.assert_array_equal(cell(image, 0, 0), weights[:, 4].reshape(SHAPE))
        np.testing.assert_array_equal(cell(image, 0, 1), weights[:, 2].reshape(SHAPE))

    def test_the_title_counts(self) -> None:
        assert "Receptive fields (1 neuron)" in texts(plots.receptive_fields(fields(1), SHAPE))
        assert "weight" in texts(plots.receptive_fields(fields(1), SHAPE))
        assert "mine" in texts(plots.receptive_fields(fields(2), SHAPE, title="mine"))


class TestEvolution:
    def test_a_row_per_neuron_and_a_column_per_snapshot(self) -> None:
        snapshots = [(0, fields(5)), (1500, fields(5) * 2), (60_000, fields(5) * 3)]
        figure = plots.evolution(snapshots, SHAPE, neurons=[3, 1])
        for row, j in enumerate([3, 1]):
            for column, (_, weights) in enumerate(snapshots):
                np.testing.assert_array_equal(cell(shown(figure), row, column), weights[:, j].reshape(SHAPE))
        assert tick_names(figure.axes[0].xaxis) == ["0", "1,500", "60,000"]
        assert tick_names(figure.axes[0].yaxis) == ["3", "1"]

    def test_of_many_the_first_and_the_last_are_among_the_drawn(self) -> None:
        figure = plots.evolution([(k, fields(100)) for k in range(50)], SHAPE)
        examples, neurons = tick_names(figure.axes[0].xaxis), tick_names(figure.axes[0].yaxis)
        assert (len(examples), examples[0], examples[-1]) == (8, "0", "49")
        assert (len(neurons), neurons[0], neurons[-1]) == (8, "0", "99")


class TestScores:
    CONFUSION = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])

    def test_confusion_shows_shares_of_the_rows_and_counts(self) -> None:
        figure = plots.confusion_matrix(self.CONFUSION, ["a", "b", "c"])
        np.testing.assert_array_equal(shown(figure), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
        axes = figure.axes[0]
        assert {(t.get_position(), t.get_text()) for t in axes.texts} == {((0, 0), "3"), ((1, 0), "1"), ((1, 1), "2")}
        assert tick_names(axes.xaxis) == tick_names(axes.yaxis) == ["a", "b", "c"]
        assert "Confusion: 5 of 6 right (83.3%)" in texts(figure)

    def test_undecided_examples_have_a_column_and_count_as_wrong(self) -> None:
        figure = plots.confusion_matrix(self.CONFUSION, undecided=np.array([0, 2, 0]))
        np.testing.assert_array_equal(shown(figure)[1], [0, 0.5, 0, 0.5])
        assert tick_names(figure.axes[0].xaxis) == ["0", "1", "2", "none"]
        assert "Confusion: 5 of 8 right (62.5%)" in texts(figure)
        assert shown(plots.confusion_matrix(self.CONFUSION, undecided=np.zeros(3, int))).shape == (3, 3)

    def test_numbers_are_legible_on_dark_and_light_cells(self) -> None:
        colours = {t.get_text(): t.get_color() for t in plots.confusion_matrix(self.CONFUSION).axes[0].texts}
        assert colours == {"3": "white", "1": "black", "2": "white"}

    def test_learning_curve(self) -> None:
        figure = plots.learning_curve([100, 1000], [0.5, 0.8], [(0.4, 0.6), (0.75, 0.84)])
        axes = figure.axes[0]
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[100, 0.5], [1000, 0.8]])
        np.testing.assert_allclose(interval_ends(axes), [[0.4, 0.6], [0.75, 0.84]])
        assert "80.0%" in texts(figure)
        assert "Accuracy during training, with 95% intervals" in texts(figure)

    def test_per_class_accuracy_has_wilson_intervals(self) -> None:
        figure = plots.per_class_accuracy([5, 0, 10], [10, 0, 10], ["a", "b", "c"])
        axes = figure.axes[0]
        np.testing.assert_allclose(interval_ends(axes), [wilson_interval(5, 10), wilson_interval(10, 10)])
        np.testing.assert_array_equal(axes.containers[0].lines[0].get_xydata(), [[0, 0.5], [2, 1]])
        assert tick_names(axes.xaxis) == ["a", "b", "c"]
        assert "all classes: 75.0%" in texts(figure)

    def test_comparison_lists_the_runs_from_the_top(self) -> None:
        figure = plots.comparison([("smin", 0.88, (0.87, 0.89)), ("smax", 0.8, (0.79, 0.81))])
        axes = figure.axes[0]
        assert tick_names(axes.yaxis) == ["smin", "smax"]
        assert axes.yaxis_inverted()
        np.testing.assert_array_equal(axes.containers[0].lines[0].get_xydata(), [[0.88, 0], [0.8, 1]])
        assert {"88.0%", "80.0%"} <= set(texts(figure))

    def test_misclassified_names_the_truth_and_three_guesses(self) -> None:
        images = np.random.default_rng(0).integers(0, 255, (3, 5, 5))
        scores = np.array([[1, 4, 3, 2.0], [0, 0, 0, 0], [0, 0, 2, 0]])
        figure = plots.misclassified(images, np.array([0, 1, 3]), scores, ["a", "b", "c", "d"])
        np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), images[1])
        drawn = [axes for axes in figure.axes if axes.images]
        assert [axes.get_title("center") for axes in drawn] == ["a", "b", "d"]
        assert [axes.get_xlabel() for axes in drawn] == ["b, c, d", "no answer", "c"]

    def test_misclassified_draws_a_page_at_most(self) -> None:
        figure = plots.misclassified(np.zeros((100, 4, 4)), np.zeros(100, int), np.eye(10)[np.ones(100, int)])
        assert len(figure.axes) == 24


def interval_ends(axes: Any) -> np.ndarray:
    return np.array([segment[:, 1] for segment in axes.containers[0].lines[2][0].get_segments()])


class TestWeights:
    def test_every_weight_norm_and_threshold_is_counted(self) -> None:
        weights, theta = fields(7, low=-1), np.linspace(20, 30, 7)
        figure = plots.weight_distribution(weights, theta)
        assert [sum(bar.get_height() for bar in axes.patches) for axes in figure.axes] == [weights.size, 7, 7]
        assert figure.axes[2].lines[0].get_xdata()[0] == 25
        assert "adaptive threshold θ (mV)" in texts(figure)
        assert figure.axes[0].get_yscale() == "log"

    def test_norms_that_a_rule_holds_are_not_blown_up_to_rounding_errors(self) -> None:
        weights = np.full((12, 5), 6.5) + np.linspace(0, 1e-9, 5)
        low, high = plots.weight_distribution(weights, np.full(5, 20.0)).axes[1].get_xlim()
        assert high - low > 1

    def test_norm_over_training(self) -> None:
        figure = plots.l1_norm_over_training([0, 100], [78, 60], [78, 40], [78, 70], target=80)
        axes = figure.axes[0]
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[0, 78], [100, 60]])
        band = axes.collections[0].get_paths()[0].vertices
        assert {(100.0, 40.0), (100.0, 70.0)} <= set(map(tuple, band.tolist()))
        assert axes.lines[1].get_ydata()[0] == 80
        low, high = axes.get_ylim()
        assert 0 < low < 40
        assert high > 80
        held = plots.l1_norm_over_training([0, 100], [78, 78], [78, 78 - 1e-9], [78, 78], target=78).axes[0]
        assert 3 < held.get_ylim()[1] - held.get_ylim()[0] < 8  # neither all the way to 0 nor the rounding errors
        assert "target 80" in texts(figure)


class TestActivity:
    def test_raster_has_a_panel_for_each_group(self) -> None:
        spikes = {"input": (np.array([1.0, 2.5]), np.array([7, 3])), "excitatory": (np.array([]), np.array([], int))}
        figure = plots.raster(spikes, sizes={"input": 784}, end_ms=500, stimulus_ms=(0, 350))
        above, below = figure.axes
        np.testing.assert_array_equal(above.lines[0].get_xydata(), [[1, 7], [2.5, 3]])
        assert above.get_ylim()[1] > 783
        assert above.get_xlim() == below.get_xlim() == (0, 500)
        assert {"2 spikes", "0 spikes", "input\nneuron", "excitatory\nneuron", "time (ms)"} <= set(texts(figure))

    def test_many_spikes_are_a_picture_in_the_vector_file(self) -> None:
        times = np.linspace(0, 350, 20_000)
        figure = plots.raster({"input": (times, np.arange(20_000) % 784)})
        assert len(plots.render_figure(figure, "svg")) < 300_000

    def test_traces_have_a_panel_for_each_variable_and_a_line_for_each_neuron(self) -> None:
        times = np.arange(4) * 0.5
        values = {"v (mV)": np.arange(8).reshape(2, 4), "ge": np.arange(4)}
        figure = plots.traces(times, values, neurons=np.array([3, 9]))
        assert [len(axes.lines) for axes in figure.axes] == [2, 1]
        np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), [4, 5, 6, 7])
        assert {"v (mV)", "ge", "neuron 3", "neuron 9", "time (ms)"} <= set(texts(figure))


ALL: dict[str, Callable[[], Figure]] = {
    "receptive_fields": lambda: plots.receptive_fields(fields(5, -1), SHAPE, labels=np.array([0, 1, 1, 2, -1])),
    "evolution": lambda: plots.evolution([(0, fields(3)), (10, fields(3))], SHAPE),
    "confusion_matrix": lambda: plots.confusion_matrix(np.eye(10, dtype=int) * 5),
    "learning_curve": lambda: plots.learning_curve([1, 2], [0.1, 0.2], [(0, 0.2), (0.1, 0.3)]),
    "per_class_accuracy": lambda: plots.per_class_accuracy([1, 2], [2, 2]),
    "comparison": lambda: plots.comparison([("a", 0.5, (0.4, 0.6))]),
    "misclassified": lambda: plots.misclassified(np.ones((2, 4, 4)), np.array([0, 1]), np.eye(2)),
    "weight_distribution": lambda: plots.weight_distribution(fields(3), np.array([20.0, 21, 22])),
    "l1_norm_over_training": lambda: plots.l1_norm_over_training([0], [1], [1], [1]),
    "raster": lambda: plots.raster({"input": (np.array([1.0]), np.array([0]))}),
    "traces": lambda: plots.traces(np.arange(3), {"v (mV)": np.arange(3)}),
    "growth": lambda: plots.growth({"smax": [(100, 1.0, 20.0), (400, 4.0, 30.0)], "smin": [(100, 2.0, 20.0)]}),
}


class TestEveryFigure:
    def test_all_kinds_are_covered(self) -> None:
        assert set(ALL) == set(plots.__all__) - {"save_figure", "render_figure"}

    @pytest.mark.filterwarnings("error:.*(layout|Glyph):UserWarning", "error::matplotlib.MatplotlibDeprecationWarning")
    @pytest.mark.parametrize("kind", ALL)
    def test_letters_fit_a_printed_page(self, kind: str) -> None:
        figure = ALL[kind]()
        figure.draw_without_rendering()
        drawn = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in drawn) >= 8
        assert figure.get_figwidth() == WIDTH_IN
        box = figure.get_tightbbox()
        assert box.x0 > -0.05
        assert box.x1 < WIDTH_IN + 0.05
        assert box.y0 > -0.05
        assert box.y1 < figure.get_figheight() + 0.05

    def test_the_users_settings_neither_change_the_look_nor_are_changed(self) -> None:
        import matplotlib as mpl

        usual = plots.render_figure(ALL["learning_curve"](), "png")
        with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
            assert plots.render_figure(ALL["learning_curve"](), "png") == usual
            assert mpl.rcParams["font.size"] == 30

    def test_pyplot_is_not_loaded(self) -> None:
        code = "import sys, snstdp_cli.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestSaveFigure:
    def test_writes_a_picture_and_a_drawing(self, tmp_path: Path) -> None:
        png, svg = plots.save_figure(ALL["comparison"](), tmp_path / "new" / "smin-0.5")
        assert (png.name, svg.name) == ("smin-0.5.png", "smin-0.5.svg")
        assert imread(png).shape[1] == WIDTH_IN * 200
        assert ElementTree.parse(svg).getroot().tag.endswith("svg")
        assert sorted(p.name for p in png.parent.iterdir()) == ["smin-0.5.png", "smin-0.5.svg"]

    def test_a_suffix_is_not_doubled(self, tmp_path: Path) -> None:
        assert plots.save_figure(ALL["comparison"](), tmp_path / "a.svg")[0] == tmp_path / "a.png"

    @pytest.mark.parametrize("kind", ["png", "svg"])
    def test_the_same_figure_gives_the_same_bytes(self, kind: Any) -> None:
        assert plots.render_figure(ALL["comparison"](), kind) == plots.render_figure(ALL["comparison"](), kind)

    def test_a_failed_write_leaves_the_old_file_and_no_fragment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.png").write_text("old")

        def fail(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(ArtefactError, match=r"cannot write .*a\.png: No space left"):
            plots.save_figure(ALL["comparison"](), tmp_path / "a")
        assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
        assert (tmp_path / "a.png").read_text() == "old"

    def test_a_file_in_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ArtefactError, match=r"cannot write .*a\.png"):
            plots.save_figure(ALL["comparison"](), tmp_path / "file" / "a")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (
            lambda: plots.receptive_fields(fields(2), (28, 28)),
            r"expected weights of the shape \[784, n_e\] \(28 x 28\)",
        ),
        (lambda: plots.receptive_fields(fields(2) * np.nan, SHAPE), "expected finite weights"),
        (lambda: plots.receptive_fields(fields(2), SHAPE, labels=np.zeros(3, int)), "a label for each of 2 neurons"),
        (lambda: plots.receptive_fields(fields(2), SHAPE, order=np.array([], int)), "at least one neuron"),
        (lambda: plots.receptive_fields(fields(2), SHAPE, order=np.array([-1])), "neurons 0 to 1, found -1"),
        (lambda: plots.evolution([(0, fields(2))], SHAPE, neurons=[2]), "neurons 0 to 1, found 2 to 2"),
        (lambda: plots.evolution([], SHAPE), "at least one snapshot"),
        (lambda: plots.evolution([(0, fields(2)), (1, fields(3))], SHAPE), "snapshots of one network"),
        (lambda: plots.confusion_matrix(np.ones((2, 3))), "a square confusion matrix"),
        (lambda: plots.confusion_matrix(np.ones((2, 2)), ["a"]), "a name for each of 2 classes, found 1"),
        (lambda: plots.learning_curve([1], []), "an accuracy"),
        (lambda: plots.per_class_accuracy([0], [0]), "the correct and all examples"),
        (lambda: plots.comparison([]), "at least one run"),
        (lambda: plots.misclassified(np.ones((2, 4)), np.ones(2), np.eye(2)), "a label and scores for each image"),
        (lambda: plots.misclassified(np.ones((0, 4, 4)), np.ones(0), np.ones((0, 2))), "at least one example"),
        (lambda: plots.weight_distribution(fields(3), np.ones(2)), "a threshold for each neuron"),
        (lambda: plots.weight_distribution(fields(1), np.array([np.inf])), "expected finite weights and thresholds"),
        (lambda: plots.l1_norm_over_training([1], [1], [1], []), "a mean, a minimum and a maximum"),
        (lambda: plots.raster({}), "at least one group"),
        (lambda: plots.raster({"input": (np.ones(2), np.ones(3))}), "input: expected a neuron for each spike"),
        (lambda: plots.traces(np.ones(2), {}), "at least one variable"),
        (lambda: plots.traces(np.ones(2), {"ge": np.ones(3)}), "ge: expected 2 samples"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(draw: Callable[[], Figure], words: str) -> None:
    with pytest.raises(DataError, match=words):
        draw()
