"""Drawings show the values that they were given, in the right place, and say what they show."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from snstdp_cli.errors import ArtefactError, DataError
from snstdp_cli.evaluation import wilson_interval
from snstdp_cli.plots import drawing
from snstdp_cli.plots.drawing.style import DARK, WIDTH_IN, use_theme

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
        image = shown(drawing.receptive_fields(weights, SHAPE))
        assert image.shape[1] == columns * (SHAPE[1] + 1) - 1
        for j in range(n_e):
            np.testing.assert_array_equal(cell(image, *divmod(j, columns)), weights[:, j].reshape(SHAPE))
        assert image.count() == n_e * SHAPE[0] * SHAPE[1]

    def test_a_large_network_is_one_image(self) -> None:
        weights = np.random.default_rng(0).random((784, 6400))
        figure = drawing.receptive_fields(weights)
        assert len(figure.axes) == 2  # the fields and the colour bar
        np.testing.assert_array_equal(cell(shown(figure), 79, 79, (28, 28)), weights[:, -1].reshape(28, 28))

    def test_signed_weights_have_a_scale_that_is_even_around_0(self) -> None:
        weights = fields(9, low=-0.3)
        figure = drawing.receptive_fields(weights, SHAPE)
        drawn = figure.axes[0].images[0]
        assert drawn.norm.vmin == -drawn.norm.vmax < 0
        assert drawn.cmap.name == "RdBu_r"
        white = drawn.cmap(drawn.norm(0.0))
        assert min(white) > 0.95

    def test_weights_of_one_sign_have_a_scale_from_0(self) -> None:
        drawn = drawing.receptive_fields(fields(9), SHAPE).axes[0].images[0]
        assert drawn.norm.vmin == 0
        assert drawn.norm.vmax == pytest.approx(1, abs=0.1)
        assert drawn.cmap.name == "Greys"

    def test_a_single_huge_weight_does_not_hide_the_others(self) -> None:
        weights = np.random.default_rng(0).random((784, 4))
        weights[0, 0] = 1000
        assert drawing.receptive_fields(weights).axes[0].images[0].norm.vmax < 2

    def test_weights_that_are_all_0_can_be_drawn(self) -> None:
        figure = drawing.receptive_fields(np.zeros((12, 4)), SHAPE)
        assert figure.axes[0].images[0].norm.vmax > 0
        drawing.render_figure(figure, "png")

    def test_classes_start_a_row_each_and_are_named_in_the_margin(self) -> None:
        weights = fields(6)
        figure = drawing.receptive_fields(
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
        image = shown(drawing.receptive_fields(weights, SHAPE, order=np.array([4, 2])))
        np.testing.assert_array_equal(cell(image, 0, 0), weights[:, 4].reshape(SHAPE))
        np.testing.assert_array_equal(cell(image, 0, 1), weights[:, 2].reshape(SHAPE))

    def test_on_a_scale_of_its_own_every_neuron_reaches_the_darkest_colour(self) -> None:
        weights = fields(3) * [0.01, 1, 100]
        figure = drawing.receptive_fields(weights, SHAPE, scale="neuron")
        for j in range(3):
            assert cell(shown(figure), *divmod(j, 2)).max() == 1
        assert figure.axes[0].images[0].norm.vmax == 1

    def test_neurons_that_never_learned_are_crossed_out(self) -> None:
        figure = drawing.receptive_fields(fields(4), SHAPE, crossed=np.array([False, False, True, False]))
        (line,) = figure.axes[0].lines
        np.testing.assert_array_equal(line.get_xydata(), [[-0.5, 6.5], [3.5, 3.5]])  # the first of the second row

    def test_the_title_counts(self) -> None:
        assert "Receptive fields (1 neuron)" in texts(drawing.receptive_fields(fields(1), SHAPE))
        assert "weight" in texts(drawing.receptive_fields(fields(1), SHAPE))
        assert "mine" in texts(drawing.receptive_fields(fields(2), SHAPE, title="mine"))


class TestEvolution:
    def test_a_row_per_neuron_and_a_column_per_snapshot(self) -> None:
        snapshots = [("0", fields(2)), ("1,500", fields(2) * 2), ("60,000", fields(2) * 3)]
        figure = drawing.evolution(snapshots, SHAPE, neurons=[3, 1])
        for row in range(2):
            for column, (_, weights) in enumerate(snapshots):
                np.testing.assert_array_equal(cell(shown(figure), row, column), weights[:, row].reshape(SHAPE))
        assert tick_names(figure.axes[0].xaxis) == ["0", "1,500", "60,000"]
        assert tick_names(figure.axes[0].yaxis) == ["3", "1"]

    def test_of_many_the_first_and_the_last_are_among_the_drawn(self) -> None:
        figure = drawing.evolution([(str(k), fields(100)) for k in range(50)], SHAPE)
        examples, neurons = tick_names(figure.axes[0].xaxis), tick_names(figure.axes[0].yaxis)
        assert (len(examples), examples[0], examples[-1]) == (8, "0", "49")
        assert (len(neurons), neurons[0], neurons[-1]) == (8, "0", "99")

    def test_a_missing_snapshot_leaves_its_place_empty(self) -> None:
        figure = drawing.evolution([("1", fields(2)), ("2\nmissing", None), ("3", fields(2))], SHAPE)
        assert cell(shown(figure), 0, 1).mask.all()
        np.testing.assert_array_equal(cell(shown(figure), 0, 2), fields(2)[:, 0].reshape(SHAPE))


class TestScores:
    CONFUSION = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])

    def test_confusion_shows_shares_of_the_rows_and_counts(self) -> None:
        figure = drawing.confusion_matrix(self.CONFUSION, ["a", "b", "c"])
        np.testing.assert_array_equal(shown(figure), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
        axes = figure.axes[0]
        assert {(t.get_position(), t.get_text()) for t in axes.texts} == {((0, 0), "3"), ((1, 0), "1"), ((1, 1), "2")}
        assert tick_names(axes.xaxis) == tick_names(axes.yaxis) == ["a", "b", "c"]
        assert "Confusion: 5 of 6 right (83.3 %)" in texts(figure)

    def test_undecided_examples_have_a_column_and_count_as_wrong(self) -> None:
        figure = drawing.confusion_matrix(self.CONFUSION, undecided=np.array([0, 2, 0]))
        np.testing.assert_array_equal(shown(figure)[1], [0, 0.5, 0, 0.5])
        assert tick_names(figure.axes[0].xaxis) == ["0", "1", "2", "none"]
        assert "Confusion: 5 of 8 right (62.5 %)" in texts(figure)
        assert shown(drawing.confusion_matrix(self.CONFUSION, undecided=np.zeros(3, int))).shape == (3, 3)

    def test_numbers_are_legible_on_dark_and_light_cells(self) -> None:
        colours = {t.get_text(): t.get_color() for t in drawing.confusion_matrix(self.CONFUSION).axes[0].texts}
        assert colours == {"3": "white", "1": "black", "2": "white"}

    def test_learning_curve(self) -> None:
        figure = drawing.learning_curve([100, 1000], [0.5, 0.8], [(0.4, 0.6), (0.75, 0.84)])
        axes = figure.axes[0]
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[100, 0.5], [1000, 0.8]])
        np.testing.assert_allclose(interval_ends(axes), [[0.4, 0.6], [0.75, 0.84]])
        assert "80.0 %" in texts(figure)
        assert "Accuracy during training, with 95 % intervals" in texts(figure)
        assert axes.get_xlim()[0] == axes.get_ylim()[0] == 0

    def test_class_accuracy_has_wilson_intervals_of_both_readouts(self) -> None:
        series = [
            drawing.Series("average", [5, 0, 10], [10, 0, 10]),
            drawing.Series("selective", [6, 0, 9], [10, 0, 10]),
        ]
        figure = drawing.class_accuracy(["3", "5", "8"], series, chance=0.5)
        axes = figure.axes[0]
        np.testing.assert_allclose(interval_ends(axes), [wilson_interval(5, 10), wilson_interval(10, 10)])
        np.testing.assert_allclose(axes.containers[1].lines[0].get_xydata(), [[0.11, 0.6], [2.11, 0.9]])
        assert tick_names(axes.xaxis) == ["3", "5", "8"]
        assert {"average: 75.0 % of all", "selective: 75.0 % of all", "chance: 50.0 %"} <= set(texts(figure))

    def test_accuracies_are_listed_from_the_top_with_a_mark_for_each_readout(self) -> None:
        rows = [
            ("smin", [drawing.Bar(0.88, (0.87, 0.89)), drawing.Bar(0.9, (0.89, 0.91))]),
            ("smax", [drawing.Bar(0.8, (0.7, 0.9), (0.75, 0.85)), drawing.Bar(0.7, (0.69, 0.71))]),
        ]
        figure = drawing.accuracy_bars(rows, ["average", "selective"], chances=[0.5, 0.6])
        axes = figure.axes[0]
        assert tick_names(axes.yaxis) == ["smin", "smax"]
        assert axes.yaxis_inverted()
        np.testing.assert_allclose(axes.containers[0].lines[0].get_xydata(), [[0.88, -0.12], [0.8, 0.88]])
        assert {"88.0 %", "80.0 %", "average", "selective", "chance"} <= set(texts(figure))
        assert [0.75, 0.85] in [list(line.get_xdata()) for line in axes.lines]
        assert [0.6, 0.6] in [list(line.get_xdata()) for line in axes.lines]

    def test_far_chance_is_told_and_does_not_squeeze_accuracies_together(self) -> None:
        rows = [(str(k), [drawing.Bar(0.93 + k / 100, (0.92, 0.95))]) for k in range(2)]
        axes = drawing.accuracy_bars(rows, ["average"], chances=[0.1, 0.2]).axes[0]
        assert axes.get_xlabel() == "accuracy    (chance: 10.0 % to 20.0 %)"
        assert axes.get_xlim()[0] > 0.9

    def test_every_readout_has_a_mark_of_its_own(self) -> None:
        names = [f"read-out {k}" for k in range(7)]
        bars = [drawing.Bar(0.5 + k / 20, (0.5 + k / 20, 0.5 + k / 20)) for k in range(7)]
        axes = drawing.accuracy_bars([("a", bars), ("b", bars)], names).axes[0]
        places = [one.lines[0].get_xydata() for one in axes.containers]
        np.testing.assert_allclose([one[:, 0] for one in places], [[0.5 + k / 20] * 2 for k in range(7)])
        heights = np.array([one[:, 1] for one in places])
        assert np.all(np.diff(heights, axis=0) > 0.1)
        assert heights[-1, 0] < 0.5 < heights[0, 1]  # a row's marks are nearer to it than to the next one
        looks = {(one.lines[0].get_color(), one.lines[0].get_marker()) for one in axes.containers}
        assert len(looks) == 7
        with pytest.raises(DataError, match="8 read-outs could not be told apart"):
            drawing.accuracy_bars([("a", [*bars, bars[0]])], [*names, "one more"])

    def test_misclassified_names_truth_number_and_guesses(self) -> None:
        images = np.random.default_rng(0).integers(0, 255, (3, 5, 5))
        figure = drawing.misclassified(images, ["a", "b", "d"], [["b", "c", "d"], [], ["c"]], [7, 12, 999])
        np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), images[1])
        drawn = [axes for axes in figure.axes if axes.images]
        assert [axes.get_title("left") for axes in drawn] == ["a", "b", "d"]
        assert [axes.get_title("right") for axes in drawn] == ["#7", "#12", "#999"]
        assert [axes.get_xlabel() for axes in drawn] == ["b, c, d", "no answer", "c"]

    def test_misclassified_draws_a_page_at_most(self) -> None:
        figure = drawing.misclassified(np.zeros((100, 4, 4)), ["0"] * 100, [["1"]] * 100, range(100))
        assert len(figure.axes) == 24


def interval_ends(axes: Any) -> np.ndarray:
    return np.array([segment[:, 1] for segment in axes.containers[0].lines[2][0].get_segments()])


class TestWeights:
    def test_every_weight_norm_and_threshold_is_counted(self) -> None:
        weights, theta = fields(7, low=-1), np.linspace(20, 30, 7)
        figure = drawing.weight_distribution(weights, theta)
        assert [sum(bar.get_height() for bar in axes.patches) for axes in figure.axes] == [weights.size, 7, 7]
        assert figure.axes[2].lines[0].get_xdata()[0] == 25
        assert "adaptive threshold θ (mV)" in texts(figure)
        assert figure.axes[0].get_yscale() == "log"
        assert not [text for text in texts(figure) if "$" in text]
        for axes in figure.axes[1:]:
            assert all(float(place).is_integer() for place in axes.get_yticks())

    def test_norms_that_a_rule_holds_are_not_blown_up_to_rounding_errors(self) -> None:
        weights = np.full((12, 5), 6.5) + np.linspace(0, 1e-9, 5)
        low, high = drawing.weight_distribution(weights, np.full(5, 20.0)).axes[1].get_xlim()
        assert high - low > 1

    def test_norm_over_training(self) -> None:
        figure = drawing.l1_norm_over_training([0, 100], [78, 60], [78, 40], [78, 70], target=80)
        axes = figure.axes[0]
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[0, 78], [100, 60]])
        band = axes.collections[0].get_paths()[0].vertices
        assert {(100.0, 40.0), (100.0, 70.0)} <= set(map(tuple, band.tolist()))
        assert axes.lines[1].get_ydata()[0] == 80
        assert axes.get_xlim()[0] == axes.get_ylim()[0] == 0
        assert axes.get_ylim()[1] > 80
        assert "target 80" in texts(figure)


class TestActivity:
    def test_raster_has_a_panel_for_each_group(self) -> None:
        spikes = {"input": (np.array([1.0, 2.5]), np.array([7, 3])), "excitatory": (np.array([]), np.array([], int))}
        figure = drawing.raster(spikes, sizes={"input": 784}, end_ms=500, stimulus_ms=[(0, 350)])
        above, below = figure.axes
        np.testing.assert_array_equal(above.lines[0].get_xydata(), [[1, 7], [2.5, 3]])
        assert above.get_ylim()[1] > 783
        assert above.get_xlim() == below.get_xlim() == (0, 500)
        assert {"2 spikes", "0 spikes", "input\nneuron", "excitatory\nneuron", "time (ms)"} <= set(texts(figure))

    def test_many_spikes_are_a_picture_in_the_vector_file(self) -> None:
        times = np.linspace(0, 350, 20_000)
        figure = drawing.raster({"input": (times, np.arange(20_000) % 784)})
        assert len(drawing.render_figure(figure, "svg")) < 300_000

    def test_traces_have_a_panel_for_each_variable_and_a_line_for_each_neuron(self) -> None:
        times = np.arange(4) * 0.5
        values = {"v (mV)": np.arange(8).reshape(2, 4), "ge": np.arange(4)}
        levels = {"v (mV)": ("threshold", np.array([-52, -50]))}
        figure = drawing.traces(times, values, neurons=np.array([3, 9]), levels=levels)
        assert [len(axes.lines) for axes in figure.axes] == [4, 1]
        assert [line.get_ydata()[0] for line in figure.axes[0].lines[2:]] == [-52, -50]
        assert "dashed: threshold" in texts(figure)
        np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), [4, 5, 6, 7])
        assert {"v (mV)", "ge", "neuron 3", "neuron 9", "time (ms)"} <= set(texts(figure))

    def test_on_dark_paper_letters_and_spikes_are_bright(self) -> None:
        with use_theme(DARK):
            figure = drawing.raster({"input": (np.array([1.0]), np.array([0]))}, stimulus_ms=[(0, 1)])
        assert to_hex(figure.get_facecolor()) == DARK.paper
        assert figure.axes[0].lines[0].get_color() == DARK.series[0]
        assert figure.axes[0].xaxis.label.get_color() == DARK.ink
        light = drawing.raster({"input": (np.array([1.0]), np.array([0]))})
        assert to_hex(light.get_facecolor()) == "#ffffff"


ALL: dict[str, Callable[[], Figure]] = {
    "receptive_fields": lambda: drawing.receptive_fields(fields(5, -1), SHAPE, labels=np.array([0, 1, 1, 2, -1])),
    "evolution": lambda: drawing.evolution([("0", fields(3)), ("10", fields(3))], SHAPE),
    "confusion_matrix": lambda: drawing.confusion_matrix(np.eye(10, dtype=int) * 5),
    "learning_curve": lambda: drawing.learning_curve([1, 2], [0.1, 0.2], [(0, 0.2), (0.1, 0.3)]),
    "class_accuracy": lambda: drawing.class_accuracy(
        ["0", "1"], [drawing.Series("average", [1, 2], [2, 2])], chance=0.5
    ),
    "accuracy_bars": lambda: drawing.accuracy_bars(
        [("a\nb", [drawing.Bar(0.5, (0.4, 0.6))])], ["average"], chances=[0.1]
    ),
    "misclassified": lambda: drawing.misclassified(np.ones((2, 4, 4)), ["0", "1"], [["1"], ["0"]], [0, 1]),
    "weight_distribution": lambda: drawing.weight_distribution(fields(3), np.array([20.0, 21, 22])),
    "l1_norm_over_training": lambda: drawing.l1_norm_over_training([0], [1], [1], [1], caption="A sentence. " * 20),
    "contact_sheet": lambda: drawing.contact_sheet(
        np.full((9, 5, 5), 200),
        np.arange(9) % 3,
        [0, 1, 2],
        ["0", "a name that is rather long", "2"],
        title="/some/path" * 20,
    ),
    "raster": lambda: drawing.raster({"input": (np.array([1.0]), np.array([0]))}),
    "traces": lambda: drawing.traces(np.arange(3), {"v (mV)": np.arange(3)}),
    "online_learning": lambda: drawing.online_learning(
        ["0", "1"], ["0", "1"], np.array([1.0, 0.7]), np.array([[1.0, np.nan], [0.6, 0.8]])
    ),
    "stacked_accesses": lambda: drawing.stacked_accesses(
        {"one learns": {"reads": 10.0, "writes": 4.0}, "one answers": {"reads": 10.0, "writes": 0.0}}
    ),
    "growth": lambda: drawing.growth({"smax": [(100, 1.0, 20.0), (400, 4.0, 30.0)], "smin": [(100, 2.0, 20.0)]}),
}


class TestEveryFigure:
    def test_all_kinds_are_covered(self) -> None:
        assert set(ALL) == set(drawing.__all__) - {"save_figure", "render_figure", "Bar", "Series"}

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

        usual = drawing.render_figure(ALL["learning_curve"](), "png")
        with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
            assert drawing.render_figure(ALL["learning_curve"](), "png") == usual
            assert mpl.rcParams["font.size"] == 30

    def test_pyplot_is_not_loaded_and_nothing_is_read_from_the_current_folder(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "matplotlibrc")  # nobody writes: reading it takes for ever
        code = "import sys, snstdp_cli.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
        command = [sys.executable, "-P", "-c", code]
        assert subprocess.run(command, cwd=tmp_path, timeout=60, check=False).returncode == 0


class TestSaveFigure:
    def test_writes_a_picture_and_a_drawing(self, tmp_path: Path) -> None:
        png, svg = drawing.save_figure(ALL["accuracy_bars"](), tmp_path / "new" / "smin-0.5")
        assert (png.name, svg.name) == ("smin-0.5.png", "smin-0.5.svg")
        assert imread(png).shape[1] == WIDTH_IN * 200
        assert ElementTree.parse(svg).getroot().tag.endswith("svg")
        assert sorted(p.name for p in png.parent.iterdir()) == ["smin-0.5.png", "smin-0.5.svg"]

    def test_a_suffix_is_not_doubled(self, tmp_path: Path) -> None:
        assert drawing.save_figure(ALL["accuracy_bars"](), tmp_path / "a.svg")[0] == tmp_path / "a.png"

    def test_places_are_found_once_for_both_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found: list[Any] = []
        engine, execute = ConstrainedLayoutEngine, ConstrainedLayoutEngine.execute
        monkeypatch.setattr(engine, "execute", lambda self, figure: found.append(figure) or execute(self, figure))
        figure = ALL["accuracy_bars"]()
        drawing.save_figure(figure, tmp_path / "a")
        assert found == [figure]
        assert isinstance(figure.get_layout_engine(), engine), "whoever changes the figure has its places found again"

    @pytest.mark.parametrize("kind", ["png", "svg"])
    def test_the_same_figure_gives_the_same_bytes(self, kind: Any) -> None:
        assert drawing.render_figure(ALL["accuracy_bars"](), kind) == drawing.render_figure(
            ALL["accuracy_bars"](), kind
        )

    def test_a_failed_write_leaves_the_old_file_and_no_fragment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.png").write_text("old")

        def fail(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(ArtefactError, match=r"cannot write .*a\.png: No space left"):
            drawing.save_figure(ALL["accuracy_bars"](), tmp_path / "a")
        assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
        assert (tmp_path / "a.png").read_text() == "old"

    def test_a_file_in_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ArtefactError, match=r"cannot write .*a\.png"):
            drawing.save_figure(ALL["accuracy_bars"](), tmp_path / "file" / "a")


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (
            lambda: drawing.receptive_fields(fields(2), (28, 28)),
            r"expected weights of the shape \[784, n_e\] \(28 x 28\)",
        ),
        (lambda: drawing.receptive_fields(fields(2) * np.nan, SHAPE), "expected finite weights"),
        (lambda: drawing.receptive_fields(fields(2), SHAPE, labels=np.zeros(3, int)), "a label for each of 2 neurons"),
        (lambda: drawing.receptive_fields(fields(2), SHAPE, order=np.array([], int)), "at least one neuron"),
        (lambda: drawing.receptive_fields(fields(2), SHAPE, order=np.array([-1])), "neurons 0 to 1, found -1"),
        (lambda: drawing.evolution([("0", fields(2))], SHAPE, neurons=[2]), "a number for each of 2 neurons, found 1"),
        (lambda: drawing.evolution([("0", None)], SHAPE), "at least one snapshot"),
        (lambda: drawing.evolution([], SHAPE), "at least one snapshot"),
        (lambda: drawing.evolution([("0", fields(2)), ("1", fields(3))], SHAPE), "snapshots of one network"),
        (lambda: drawing.confusion_matrix(np.ones((2, 3))), "a square confusion matrix"),
        (lambda: drawing.confusion_matrix(np.ones((2, 2)), ["a"]), "a name for each of 2 classes, found 1"),
        (lambda: drawing.learning_curve([1], []), "an accuracy"),
        (lambda: drawing.class_accuracy(["0"], [drawing.Series("average", [0], [0])]), "the correct and all examples"),
        (lambda: drawing.accuracy_bars([], ["average"]), "at least one run"),
        (lambda: drawing.accuracy_bars([("a", [])], ["average"]), "an accuracy by each read-out"),
        (lambda: drawing.misclassified(np.ones((2, 4)), ["0"] * 2, [[]] * 2, [0, 1]), "a label, guesses and a number"),
        (lambda: drawing.misclassified(np.ones((0, 4, 4)), [], [], []), "at least one example"),
        (lambda: drawing.receptive_fields(fields(2) * 1e308, SHAPE), "found 9.*e.307, which cannot be drawn"),
        (lambda: drawing.weight_distribution(fields(2) * 1e308, np.ones(2)), "which cannot be drawn"),
        (lambda: drawing.l1_norm_over_training([1], [1e308], [1], [1e308]), "which cannot be drawn"),
        (lambda: drawing.weight_distribution(fields(3), np.ones(2)), "a threshold for each neuron"),
        (lambda: drawing.weight_distribution(fields(1), np.array([np.inf])), "expected finite thresholds"),
        (lambda: drawing.l1_norm_over_training([1], [1], [1], []), "a mean, a minimum and a maximum"),
        (lambda: drawing.raster({}), "at least one group"),
        (lambda: drawing.raster({"input": (np.ones(2), np.ones(3))}), "input: expected a neuron for each spike"),
        (lambda: drawing.traces(np.ones(2), {}), "at least one variable"),
        (lambda: drawing.traces(np.ones(2), {"ge": np.ones(3)}), "ge: expected 2 samples"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(draw: Callable[[], Figure], words: str) -> None:
    with pytest.raises(DataError, match=words):
        draw()
