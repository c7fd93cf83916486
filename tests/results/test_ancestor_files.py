"""The ancestor's files as they lie in people's folders, made by hand: nothing of them is guessed without a word."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from halves import write_halves
from typer.testing import CliRunner

import snstdp_cli as snstdp
from snstdp_cli.artefacts import Workdir, list_weights, load_ancestor_pair, load_weights
from snstdp_cli.artefacts.ancestor import UNNAMED
from snstdp_cli.cli.app import app
from snstdp_cli.cli.names import UNNAMED as TOLD
from snstdp_cli.results import TrainedNetwork
from snstdp_cli.results.ancestor_series import norms_of_snapshots

N_INPUT, N_E = 36, 8


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights as the current one, and images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    write_halves(tmp_path / "halves.npz")
    return tmp_path


def columns(weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return weights as the script's `save_connections` does: rows of input, neuron, value."""
    inputs, neurons = np.indices(weights.shape)
    return np.stack([inputs.ravel(), neurons.ravel(), weights.ravel()], axis=1)


def save(ending: str, weights: np.ndarray[Any, Any], theta_volts: float | None = 0.02) -> None:
    np.save(f"weights/XeAe{ending}.npy", columns(weights))
    if theta_volts is not None:
        np.save(f"weights/theta_A{ending}.npy", np.full(weights.shape[1], theta_volts))


def halves_weights(scale: float = 1.0) -> np.ndarray[Any, Any]:
    """Return weights of neurons that know the upper (the first four) or the lower half."""
    weights = np.full((N_INPUT, N_E), 0.01)
    weights[:18, :4] = weights[18:, 4:] = 0.8 * scale
    return weights


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def flat(text: str) -> str:
    return " ".join(text.split())


QUICK = shlex.split(
    "--data ./halves.npz --set network.input_delay_ms=3 --set chunk=4 --set presentation.stimulus_ms=60 "
    "--set presentation.rest_ms=15 --set presentation.intensity=8 --set presentation.max_intensity=10 "
    "--num-examples 8 --workers 1"
)


class TestWithoutAName:
    """`XeAe.npy` and `theta_A.npy` are called XeAe."""

    def test_the_files_of_a_finished_training_are_read(self, desk: Path) -> None:
        save("", halves_weights(), 0.025)
        network = snstdp.load("XeAe")
        assert np.array_equal(network.weights, halves_weights())
        assert network.theta_mv == pytest.approx(np.full(N_E, 25.0))
        assert list_weights(Workdir(Path())) == [UNNAMED] == [TOLD]
        assert invoke("plot", "fields", "XeAe").exit_code == 0

    def test_an_empty_name_is_no_other_network(self, desk: Path) -> None:
        save("", halves_weights())
        save("pretrained_smax_400", halves_weights())
        for words in (["test", "--load-name", ""], ["plot", "fields", "--load-name", ""], ["report", ""]):
            refused = invoke(*words)
            assert refused.exit_code == 2, words
            assert "weights without a name (XeAe.npy, theta_A.npy) are called XeAe here" in flat(refused.output)
        assert not Path("activity").exists()

    def test_a_name_goes_to_the_very_files(self, desk: Path) -> None:
        save("", halves_weights())
        done = invoke("test", "--load-name", "XeAe", *QUICK)
        assert done.exit_code == 0, done.output
        assert "no thresholds" not in done.output
        (path,) = Path("activity").glob("XeAe.test.8.*.npz")
        assert (
            load_weights(Workdir(Path()), "XeAe").sha256 in path.read_bytes().decode("latin-1") or path.stat().st_size
        )


class TestSeries:
    """`XeAe<N>.npy` and `theta_A<N>.npy`, N examples, are the snapshots of the training without a name."""

    def test_they_are_in_order_of_the_examples(self, desk: Path) -> None:
        for number in (20000, 3000, 100000):
            save(str(number), halves_weights(number / 1e5))
        save("", halves_weights(1.5))
        network = snstdp.load("XeAe")
        assert [shot.examples for shot in network.snapshots] == [3000, 20000, 100000]
        assert network.snapshots[1].weights[0, 0] == pytest.approx(0.16)
        assert network.snapshots[1].theta_mv[0] == pytest.approx(20)
        norms = norms_of_snapshots(network)
        assert norms.mean == pytest.approx(
            np.abs(network.snapshots[0].weights).sum(axis=0).mean() * 0
            + [18 * 0.01 + 18 * 0.8 * scale for scale in (0.03, 0.2, 1.0)]
        )
        for kind in ("evolution", "norm"):
            done = invoke("plot", kind, "XeAe")
            assert done.exit_code == 0, done.output
        # A network of ours whose name is a number is none of them.
        Path("weights/3000.json").write_text("{}")
        assert [shot.examples for shot in snstdp.load("XeAe").snapshots] == [20000, 100000]

    def test_of_a_training_that_did_not_end_the_last_stand_for_it(self, desk: Path) -> None:
        for number in (900, 10000):
            save(str(number), halves_weights(number / 1e4))
        network = snstdp.load("XeAe")
        assert network.weights[0, 0] == pytest.approx(0.8)
        assert invoke("plot", "evolution", "XeAe").exit_code == 0
        assert list_weights(Workdir(Path())) == ["10000", "900", "XeAe"]

    def test_recorded_ones_give_a_learning_curve(self, desk: Path) -> None:
        save("1000", np.full((N_INPUT, N_E), 0.4))
        save("2000", halves_weights())
        save("", halves_weights())
        refused = invoke("plot", "curve", "XeAe")
        assert refused.exit_code == 2
        assert "snstdp test --load-name 2000 --split train" in flat(refused.output)
        for number in ("1000", "2000"):
            for split in ("train", "test"):
                done = invoke("test", "--load-name", number, "--split", split, *QUICK)
                assert done.exit_code == 0, done.output
        from snstdp_cli.results.ancestor_series import series_curve

        points = series_curve(TrainedNetwork(Workdir(Path()), "XeAe"))
        assert [(point.examples, point.total) for point in points] == [(1000, 8), (2000, 8)]
        assert points[0].accuracy < points[1].accuracy == 1
        assert invoke("plot", "curve", "XeAe").exit_code == 0


class TestWithoutThresholds:
    """Initial weights have no thresholds: they are the configured initial ones, and that is said."""

    def test_they_are_the_initial_ones(self, desk: Path) -> None:
        save("start", halves_weights(), None)
        done = invoke("test", "--load-name", "start", *QUICK, "--as", "usual")
        assert done.exit_code == 0, done.output
        assert "theta is 20 mV for all neurons" in flat(done.output)
        told = invoke("test", "--load-name", "start", *QUICK, "--set", "network.theta_init_mv=5", "--as", "low")
        assert "theta is 5 mV for all neurons" in flat(told.output)
        # Both are of the weights as they lie, and the lower threshold answers more.
        network = snstdp.load("start")
        with pytest.raises(snstdp.SnstdpError, match=r"(?s)--as low: .*theta 5 mV.*--as usual: .*theta 20 mV"):
            snstdp.evaluate(network, assign_from="test")
        usual, low = (snstdp.evaluate(network, label=one, assign_from="test").test for one in ("usual", "low"))
        assert low.counts.sum() > usual.counts.sum()
        traced = snstdp.trace(network, 1, label="low")
        assert np.array_equal(traced.counts, low.counts[1])
        assert traced.thresholds_mv == pytest.approx(np.full(3, 5 - 72.0))

    def test_a_training_from_them_begins_with_the_configured_ones(self, desk: Path) -> None:
        save("start", halves_weights(), None)
        words = [word for word in QUICK if word not in ("--workers", "1")]
        done = invoke(
            *("train", "--load-name", "start", "--n-e", str(N_E), "--save-name", "on", *words),
            *("--set", "network.theta_init_mv=11", "--set", "network.theta_step_mv=0", "--num-examples", "4"),
            *("--set", "evaluation.curve_every=0", "--set", "network.theta_tau_ms=1e12"),
        )
        assert done.exit_code == 0, done.output
        assert "theta is 11 mV for all neurons" in flat(done.output)
        assert snstdp.load("on").theta_mv == pytest.approx(np.full(N_E, 11.0))

    def test_flat_ones_of_mnist_have_784_inputs_and_others_are_told_how(self, desk: Path) -> None:
        np.save("weights/XeAemnist.npy", np.ones(784 * 5))
        np.save("weights/XeAeother.npy", np.ones(100))
        assert load_weights(Workdir(Path()), "mnist").weights.shape == (784, 5)
        with pytest.raises(snstdp.SnstdpError, match="nothing tells the number of neurons.*reshape"):
            load_weights(Workdir(Path()), "other")

    def test_half_of_what_snstdp_wrote_is_not_taken_for_such(self, desk: Path) -> None:
        save("mine", halves_weights(), None)
        Path("weights/mine.json").write_text("{}")
        with pytest.raises(snstdp.SnstdpError, match=r"theta_Amine\.npy: the file does not exist"):
            load_weights(Workdir(Path()), "mine")


class TestCounts:
    """Counts of the last `update_interval` examples, with the labels of all."""

    @pytest.mark.parametrize("num", [20, 60, 64])
    def test_they_are_aligned_at_the_end_as_the_script_writes_them(self, desk: Path, num: int) -> None:
        interval, random = 20, np.random.default_rng(num)
        labels = random.integers(0, 3, num)
        kept = np.zeros((interval, 6))
        for example, label in enumerate(labels):  # the script: result_monitor[j % update_interval, :] = counts
            kept[example % interval] = np.eye(6)[label] * 4
        Path("activity").mkdir()
        np.save(f"activity/resultPopVecs{num}.npy", kept)
        np.save(f"activity/inputNumbers{num}.npy", labels)
        found = load_ancestor_pair(Path(f"activity/resultPopVecs{num}.npy"))
        assert np.array_equal(found.counts.argmax(axis=1), labels[-interval:])
        assert np.array_equal(found.labels, labels[-interval:])
        words = ["evaluate", "--responses", f"activity/resultPopVecs{num}.npy", "--assign-from", "test"]
        told = invoke(*words)
        assert ("the last 20 of" in flat(told.output)) == (num > interval)
        assert ("example j is row j % 20" in flat(told.output)) == (num == 64)
        assert json.loads(invoke(*words, "--json").stdout)["accuracy"] == 1

    def test_more_counts_than_labels_do_not_fit(self, desk: Path) -> None:
        np.save("resultPopVecs9.npy", np.ones((9, 3)))
        np.save("inputNumbers9.npy", np.zeros(8))
        with pytest.raises(snstdp.SnstdpError, match="9 examples have counts, but labels has shape"):
            load_ancestor_pair(Path("resultPopVecs9.npy"))


class TestObjects:
    """What a script of Python 2 saves under Python 3 is no array of numbers."""

    def test_a_header_with_nothing_behind_it_is_lost(self, desk: Path) -> None:
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": ()})
        Path("weights/XeAelost.npy").write_bytes(buffer.getvalue())
        np.save("weights/theta_Alost.npy", np.full(3, 0.02))
        refused = invoke("plot", "fields", "lost")
        assert refused.exit_code == 2
        assert "the numbers were never written" in flat(refused.output)
        assert "are lost" in flat(refused.output)

    def test_objects_are_converted_by_the_line_that_is_told(self, desk: Path) -> None:
        rows = columns(halves_weights())
        np.save("weights/XeAeold.npy", np.array(list(map(tuple, rows)), dtype=object), allow_pickle=True)
        np.save("weights/theta_Aold.npy", np.full(N_E, 0.02))
        with pytest.raises(snstdp.SnstdpError, match="holds Python objects") as told:
            load_weights(Workdir(Path()), "old")
        line = str(told.value).split("if you trust the file: ")[1]
        exec(line, {"numpy": np})
        assert np.array_equal(snstdp.load("old").weights, halves_weights())
