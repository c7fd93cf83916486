"""Figures of a network tell the truth about it: its data, its classes, its chance, and what never learned."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
from matplotlib.text import Text
from stored_networks import N_E, NUM, SIDE, TRAINING, figures, images, make_network, record_responses, training_record
from synthetic import write_idx_set

from snstdp_cli import plots
from snstdp_cli.artefacts import Workdir, save_weights
from snstdp_cli.artefacts.stages import Stage, StageAnswers, StagesRecord, save_stages
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ArtefactError, DataError, SnstdpError
from snstdp_cli.fields import percent
from snstdp_cli.plots.drawing.style import plain
from snstdp_cli.recording.tracing import trace_example
from snstdp_cli.results import TrainedNetwork, find_mistakes, score_network


def texts(figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_text())


def network(place: Workdir, name: str = "one") -> TrainedNetwork:
    return TrainedNetwork(place, name)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workdir:
    place = make_network(tmp_path_factory.mktemp("figures"), "one")
    add_stages(network(place))
    return place


def add_stages(network: TrainedNetwork) -> None:
    """Write down what a network knew after each of two classes."""
    answers = [StageAnswers(correct=(3,), total=(4,)), StageAnswers(correct=(2, 1), total=(4, 4))]
    stages = tuple(
        Stage(examples=5 * (k + 1), seen=tuple(range(k + 1)), answers={"average": found})
        for k, found in enumerate(answers)
    )
    data = network.stored.record.data
    record = StagesRecord(
        training=TRAINING, weights=network.stored.sha256, train=data, test=data, shown=(4, 4), stages=stages
    )
    save_stages(network.workdir, network.name, record)


class TestKinds:
    def test_every_kind_says_what_it_shows_and_which_options_it_takes(self):
        for name, kind in plots.KINDS.items():
            assert kind.draw is getattr(plots, name)
            documented = inspect.getdoc(kind.draw)
            assert documented.startswith("Simulate " if "example" in kind.options else "Draw "), name
            for option in kind.options:
                assert option in documented, (name, option)
        assert plots.KINDS["fields"].options == ("scale",)
        assert plots.KINDS["traces"].options == ("example", "neurons", "data", "mark", "data_dir")
        assert [name for name, kind in plots.KINDS.items() if kind.figure.compares] == ["comparison"]

    @pytest.mark.parametrize("kind", [name for name, kind in plots.KINDS.items() if "example" not in kind.options])
    def test_every_kind_can_be_drawn(self, place, kind):
        chosen = plots.KINDS[kind]
        figure = chosen.draw([network(place)] if chosen.figure.compares else network(place))
        assert plots.render_figure(figure, "svg").startswith(b"<?xml")

    def test_without_stages_the_online_figure_says_what_makes_them(self, tmp_path):
        with pytest.raises(ArtefactError, match="train with order: by_class or by_data"):
            plots.online(network(make_network(tmp_path, "one")))


class TestTruth:
    def test_both_readouts_and_chance_are_shown(self, place):
        score = score_network(network(place))
        for figure in (
            plots.confusion(network(place)),
            plots.accuracy(network(place)),
            plots.comparison([network(place)]),
        ):
            for result in score.evaluations.values():
                assert percent(result.accuracy) in texts(figure)
                assert result.classifier in texts(figure)
            assert "25.0 %" in texts(figure)

    def test_classes_that_occur_are_the_axes(self, tmp_path):
        place = make_network(tmp_path, "one", record=False)
        labels = np.where(np.arange(NUM) % 4 < 3, 3, 8)
        for split in ("train", "test"):
            record_responses(place, "one", images(tmp_path, split), np.random.default_rng(0), labels=labels)
        for figure in (plots.confusion(network(place)), plots.accuracy(network(place))):
            names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
            assert names[:2] == ["3", "8"]
            assert "75.0 %" in texts(figure)  # always answering 3
        assert "3  (" in texts(plots.classes(network(place)))
        assert "chance: always class 3, 75.0 %" in texts(plots.comparison([network(place)]))

    def test_what_never_learned_is_marked_and_has_no_label(self, place):
        assert "1 never learned (crossed out)" in texts(plots.fields(network(place)))
        assert len(plots.fields(network(place)).axes[0].lines) == 1
        assert "none  (" in texts(plots.classes(network(place)))
        assert score_network(network(place)).evaluation.assignment.labels[2] == -1

    def test_networks_on_different_data_are_not_under_one_title(self, tmp_path):
        make_network(tmp_path, "one")
        other = write_idx_set(tmp_path / "others", NUM - 8, seed=9)
        make_network(tmp_path, "two", record=False)
        for split in ("train", "test"):
            data = load_dataset(str(other), split)
            record_responses(Workdir(tmp_path), "two", data, np.random.default_rng(0), num=NUM - 8)
        figure = plots.comparison([network(Workdir(tmp_path), name) for name in ("one", "two")])
        assert "different images (see the names)" in texts(figure)
        assert "images 32" in texts(figure)

    def test_labels_from_other_data_are_named(self, tmp_path):
        make_network(tmp_path, "one", record=False)
        place, random = Workdir(tmp_path), np.random.default_rng(0)
        other = load_dataset(str(write_idx_set(tmp_path / "others", NUM, seed=9)), "test")
        record_responses(place, "one", images(tmp_path, "train"), random)
        record_responses(place, "one", other, random)
        figure = plots.confusion(network(place))
        assert ", labelled by " in texts(figure)
        assert "labelled by" not in texts(plots.confusion(network(make_network(tmp_path, "two"), "two")))

    def test_seeds_share_a_row_and_every_difference_is_named(self, tmp_path):
        for name, seed, changes in (("a", 0, {}), ("b", 1, {}), ("c", 0, {"rule": {"name": "smax", "eta": 0.03}})):
            make_network(tmp_path, name, seed, experiment=changes)
        figure = plots.comparison([network(Workdir(tmp_path), name) for name in "abc"])
        rows = [label.get_text().split("\n") for label in figure.axes[0].get_yticklabels()]
        assert rows[0][0] == "a and 1 more seed"
        assert {"rule.name smin", "rule.eta 0.01"} <= set(rows[0])
        assert {"rule.name smax", "rule.eta 0.03"} <= set(rows[1])
        assert len(rows) == 2

    def test_the_norm_explains_itself(self, tmp_path):
        place = make_network(tmp_path, "one", figures=figures(l1_mean=14.0))
        assert "while a pattern repeats" not in texts(plots.norm(network(place)))  # it still rises
        assert "still rising" in texts(plots.norm(network(place)))

    def test_evolution_says_what_is_missing(self, tmp_path):
        place = make_network(tmp_path, "one", figures=figures(examples=20))
        for path in (place.weights / "snapshots").glob("*ex00000004*"):
            path.unlink()
        with pytest.raises(ArtefactError, match="ex00000004"):
            plots.evolution(network(place))
        place = make_network(tmp_path, "two", figures=figures(examples=20))
        names = [label.get_text() for label in plots.evolution(network(place, "two")).axes[0].get_xticklabels()]
        assert names == ["4", "8", "12\nmissing", "16\nmissing", "20\nend"]


class TestMistakes:
    def test_the_images_are_those_of_the_recording_not_of_the_training(self, tmp_path):
        make_network(tmp_path, "one", record=False)
        other = write_idx_set(tmp_path / "others", NUM, seed=9)
        for split in ("train", "test"):
            record_responses(Workdir(tmp_path), "one", load_dataset(str(other), split), np.random.default_rng(0))
        score = score_network(network(Workdir(tmp_path)))
        found = find_mistakes(score)
        expected = load_dataset(str(other), "test").images
        assert found
        for one in found:
            np.testing.assert_array_equal(one.image, expected[one.number])
        assert f"#{found[0].number}" in texts(plots.mistakes(network(Workdir(tmp_path))))

    def test_other_images_in_their_place_are_refused(self, tmp_path):
        place = make_network(tmp_path, "one")
        for path in (tmp_path / "images").iterdir():
            path.unlink()
        write_idx_set(tmp_path / "images", NUM, seed=77)
        with pytest.raises(
            DataError, match="other images than those of .* recorded on; name their folder by --data-dir"
        ):
            plots.mistakes(network(place))


class TestSimulation:
    def test_a_presentation_gives_the_recorded_spikes_and_shows_threshold_and_units(self, tmp_path):
        from snstdp_cli.recording import record_activity

        place = make_network(tmp_path, "one", record=False)
        experiment = network(place).experiment.model_copy(update={"engine": "runtime"})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("snstdp_cli.engines.runtime.find_compiler", lambda: None)
            data = images(tmp_path, "test")
            responses, _ = record_activity(experiment, place, "one", "test", num_examples=3, dataset=data, workers=1)
        trace = trace_example(experiment, network(place).stored, data, 2)
        np.testing.assert_array_equal(trace.counts, responses.counts[2])
        assert len(trace.stimuli_ms) == responses.attempts[2]
        figure = plots.traces(network(place), example=2, neurons=[1])
        assert {"v (mV)", "ge (of the leak)", "gi (of the leak)"} <= set(texts(figure).split("\n"))
        levels = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "--"]
        np.testing.assert_allclose(levels, network(place).theta_mv[[1]] - 72)
        assert "test image 2 of class" in texts(figure)
        with pytest.raises(DataError, match="--example: expected 0 to 39, found 99"):
            plots.raster(network(place), example=99)
        with pytest.raises(DataError, match="--neuron: expected 0 to 8, found 9"):
            plots.traces(network(place), neurons=[9])


class TestHostile:
    def test_dollars_markup_and_control_characters_are_text(self, tmp_path):
        hostile = "$2^$ <script>&"
        place = make_network(tmp_path, "one")
        for path in place.activity.glob("*.npz"):
            path.unlink()
        data = images(tmp_path, "test")
        for split in ("train", "test"):
            one = images(tmp_path, split)
            from dataclasses import replace

            renamed = replace(one, identity=replace(one.identity, name=hostile))
            record_responses(place, "one", renamed, np.random.default_rng(0))
        assert len(data)
        for kind in ("confusion", "accuracy", "classes", "comparison"):
            chosen = plots.KINDS[kind]
            figure = chosen.draw([network(place)] if chosen.figure.compares else network(place))
            svg = plots.render_figure(figure, "svg")
            assert b"<script" not in svg
            plots.render_figure(figure, "png")
            assert hostile in texts(figure)
        assert plain("a\x1b[31m") == "a\\x1b[31m"

    @pytest.mark.parametrize("size", [1e308, -1e308, 1e200])
    def test_huge_weights_give_a_sentence(self, tmp_path, size):
        place = Workdir(tmp_path)
        weights, theta = np.full((SIDE * SIDE, N_E), size), np.full(N_E, 20.0)
        record = training_record("one", images(tmp_path, "train"), {})
        save_weights(place, "one", weights, theta, record)
        for kind in ("fields", "weights"):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(SnstdpError, match="cannot be drawn"):
                    plots.KINDS[kind].draw(network(place))

    def test_a_scale_that_is_none_is_refused(self, place):
        with pytest.raises(DataError, match="--scale: expected all or neuron, found rows"):
            plots.fields(network(place), scale="rows")

    def test_weights_without_a_record_have_a_sensible_shape(self, tmp_path):
        from stored_networks import save_bare

        place = save_bare(tmp_path, "bare", 2312)
        assert network(place, "bare").image_shape == (34, 68)
        plots.fields(network(place, "bare"))
