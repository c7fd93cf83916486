"""Images without labels: read from any file, answered as `test` answers, refused under other conditions."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from halves import CLASSES, train_halves
from image_files import FORMATS, TEST, TEST_LABELS, WORDS, class_folders
from PIL import Image
from typer.testing import CliRunner

import snstdp_cli as snstdp
from snstdp_cli.artefacts import Workdir, load_responses
from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets import images_from_array, load_images
from snstdp_cli.errors import DataError
from snstdp_cli.network import neurons
from snstdp_cli.results import TrainedNetwork, prediction, rows_as_csv
from snstdp_cli.results.tables import csv_text


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a network and both recordings."""
    folder = tmp_path_factory.mktemp("halves")
    here = Path.cwd()
    os.chdir(folder)
    train_halves(folder, "train", "test")
    yield folder
    os.chdir(here)


@pytest.fixture
def desk(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the current folder."""
    shutil.copytree(trained, tmp_path / "desk")
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_images() -> np.ndarray[Any, Any]:
    with np.load("halves.npz") as arrays:
        return arrays["test_images"]


test_images.__test__ = False  # type: ignore[attr-defined]


class TestPrediction:
    """The labels come from the recorded training responses, the spikes are those of a recording."""

    def test_it_answers_as_the_recording_of_the_same_images_does(self, desk: Path) -> None:
        found = snstdp.predict("halves", test_images(), workers=1)
        score = snstdp.evaluate("halves")
        assert np.array_equal(found.counts, score.test.counts)
        assert np.array_equal(found.silent, score.test.silent)
        assert found.classes.tolist() == list(CLASSES)
        for kind, evaluation in score.evaluations.items():
            assert np.array_equal(found.predictions[kind], evaluation.predictions)
            assert np.array_equal(found.scores[kind], evaluation.scores)
        assert found.labels_from == "12 train images of ./halves.npz"

    def test_images_are_prepared_as_those_of_the_training_were(
        self, desk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = list[np.ndarray[Any, Any]]()

        def present(experiment: object, weights: object, images: Any, **_: object) -> Any:
            seen.append(images.images)
            raise DataError("seen")

        monkeypatch.setattr(prediction, "present_images", present)
        inputs = build_experiment({"input": {"invert": True}}).input
        record = prediction._choose_labels(TrainedNetwork(Workdir(Path()), "halves"), None)
        changed = record[1].model_copy(update={"experiment": record[1].experiment.model_copy(update={"input": inputs})})
        monkeypatch.setattr(prediction, "_choose_labels", lambda *_: (record[0], changed))
        with pytest.raises(DataError, match="seen"):
            snstdp.predict("halves", test_images(), workdir=".")
        assert np.array_equal(seen[0], 255 - test_images())

    def test_an_empty_image_is_silent_and_has_no_class(self, desk: Path) -> None:
        images = np.concatenate([test_images()[:1], np.zeros((1, 6, 6), np.uint8)])
        rows = list(snstdp.predict("halves", images, workers=1).rows())
        assert rows[1]["predictions"] == {"average": None, "selective": None}
        assert (rows[1]["spikes"], rows[1]["silent"]) == (0, True)
        assert rows[0]["spikes"] > 0

    def test_without_training_responses_the_command_that_makes_them_leads_on(self, desk: Path) -> None:
        np.savez("new.npz", images=test_images())
        for path in Path("activity").glob("*.train.*"):
            path.unlink()
        refused = invoke("predict", "halves", "--data", "new.npz")
        assert refused.exit_code == 2
        assert "no responses of 'halves' to the train split are recorded" in refused.output
        command = re.search(r"(test --load-name .*train)", refused.output.replace("\n", " "))
        assert command is not None
        assert invoke(*command[1].split(), "--workers", "1").exit_code == 0
        assert invoke("predict", "halves", "--data", "new.npz", "--workers", "1").exit_code == 0

    def test_responses_of_other_weights_label_nothing(self, desk: Path) -> None:
        network = snstdp.load("halves")
        np.save("weights/XeAehalves.npy", network.weights.ravel() * 1.5)
        Path("weights/halves.json").unlink()
        with pytest.raises(snstdp.SnstdpError, match=r"recorded with other weights .* --split train --force"):
            snstdp.predict("halves", test_images(), workers=1)

    def test_responses_of_another_version_are_refused(self, desk: Path) -> None:
        (path,) = Path("activity").glob("*.train.*")
        responses = load_responses(path)
        assert responses.record is not None
        old = responses.record.model_copy(update={"generation": 1})
        with np.load(path) as arrays:
            content = {**arrays, "provenance": np.frombuffer(old.model_dump_json().encode(), np.uint8)}
        np.savez(path, **content)
        with pytest.raises(snstdp.SnstdpError, match="recorded by another version of snstdp"):
            snstdp.predict("halves", test_images(), workers=1)

    def test_responses_of_neurons_with_other_constants_are_refused(
        self, desk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert len(snstdp.predict("halves", test_images(), workers=1).counts)
        monkeypatch.setattr(neurons, "EXCITATORY", replace(neurons.EXCITATORY, tau_ms=80.0))
        with pytest.raises(snstdp.SnstdpError, match="recorded by another version of snstdp"):
            snstdp.predict("halves", test_images(), workers=1)

    def test_of_several_conditions_that_of_the_training_labels_and_others_are_named(self, desk: Path) -> None:
        snstdp.record("halves", split="train", label="slow", workers=1, presentation={"stimulus_ms": 400})
        usual = snstdp.predict("halves", test_images(), workers=1)
        slow = snstdp.predict("halves", test_images(), label="slow", workers=1)
        assert np.array_equal(usual.counts, snstdp.evaluate("halves").test.counts)
        assert slow.counts.sum() > usual.counts.sum()
        with pytest.raises(snstdp.SnstdpError, match="to 'quick'; there are: .*slow"):
            snstdp.predict("halves", test_images(), label="quick", workers=1)

    def test_images_of_another_size_are_refused(self, desk: Path) -> None:
        with pytest.raises(snstdp.SnstdpError, match="found images of 5 x 5 pixels, expected 6 x 6, as 'halves'"):
            snstdp.predict("halves", np.ones((2, 5, 5), np.uint8))

    def test_pictures_of_different_sizes_are_brought_to_that_of_the_training(
        self, desk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("new").mkdir()
        for name, size in (("b.png", (9, 12)), ("a.png", (6, 6)), ("c.png", (6, 7))):
            Image.fromarray(test_images()[0]).resize(size, Image.Resampling.NEAREST).save(Path("new") / name)
        with pytest.raises(snstdp.SnstdpError, match=r"found images of 6 x 6 to 12 x 9 .* or train with input.size"):
            snstdp.predict("halves", "new")
        chosen = prediction._choose_labels(TrainedNetwork(Workdir(Path()), "halves"), None)
        sized = chosen[1].experiment.model_copy(update={"input": build_experiment({"input": {"size": 6}}).input})
        monkeypatch.setattr(
            prediction, "_choose_labels", lambda *_: (chosen[0], chosen[1].model_copy(update={"experiment": sized}))
        )
        printed = invoke("predict", "halves", "--data", "new", "--workers", "1", "--json")
        rows = json.loads(printed.stdout)["images"]
        assert [row["file"] for row in rows] == ["a.png", "b.png", "c.png"]
        assert invoke("predict", "halves", "--data", "new", "--num-examples", "2").stdout.split().count("b.png") == 1


class TestFiles:
    """What the commands write can be read by others."""

    def test_predictions_as_csv_and_json_say_the_same(self, desk: Path) -> None:
        np.savez("new.npz", images=test_images())
        words = ("predict", "halves", "--data", "new.npz", "--workers", "1")
        assert invoke(*words, "--out", "a.csv").exit_code == 0
        printed = invoke(*words, "--out", "a.json", "--json", "--quiet")
        told, kept = json.loads(printed.stdout), json.loads(Path("a.json").read_text())
        assert told["images"] == kept["images"]
        assert told["num_examples"] == 8
        rows = list(csv.DictReader(io.StringIO(Path("a.csv").read_text())))
        assert [row["average prediction"] for row in rows] == [
            str(image["predictions"]["average"] or "") for image in kept["images"]
        ]
        assert float(rows[0]["selective score 8"]) == kept["images"][0]["scores"]["selective"]["8"]
        assert invoke(*words, "--out", "a.csv").exit_code == 2
        assert "--force" in invoke(*words, "--out", "a.csv").output
        assert invoke(*words, "--out", "a.xls").exit_code == 2

    def test_evaluate_writes_the_answer_to_each_image(self, desk: Path) -> None:
        done = invoke("evaluate", "halves", "--per-image", "answers.csv")
        assert done.exit_code == 0, done.output
        rows = list(csv.DictReader(io.StringIO(Path("answers.csv").read_text())))
        score = snstdp.evaluate("halves")
        assert [int(row["class"]) for row in rows] == score.test.labels.tolist()
        assert [row["average correct"] for row in rows] == [str(int(one)) for one in score.evaluation.correct]
        assert [int(row["spikes"]) for row in rows] == score.test.counts.sum(axis=1).tolist()
        assert rows[3]["image"] == "3"
        assert {row["network"] for row in rows} == {"halves"}

    def test_text_is_no_formula_and_numbers_stay_numbers(self) -> None:
        rows = [{"network": "=cmd|' /C calc'!A0", "data": "\x1b[31m-1", "score": -0.5, "silent": True, "none": None}]
        assert rows_as_csv(rows) == ("network,data,score,silent,none\n'=cmd|' /C calc'!A0,\\x1b[31m-1,-0.5,1,\n")
        for start in ("=", "+", "-", "@", "\t", "\r", " =", "\uff1d", " \uff0b", "\uff0d", "\uff20"):
            cell = csv_text(["text"], [[f"{start}1"]]).splitlines()[1]
            assert cell.startswith(("'", "\"'", "\\")), cell


class TestImages:
    """Files with images only."""

    def test_each_format_gives_the_same_images(self, tmp_path: Path) -> None:
        images = np.arange(72, dtype=np.uint8).reshape(2, 6, 6)
        idx = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in images.shape) + images.tobytes()
        np.savez(tmp_path / "named.npz", images=images, other=np.zeros(3))
        np.savez_compressed(tmp_path / "single.npz", pictures=images)
        np.savez(tmp_path / "both.npz", train_images=images + 1, test_images=images, test_labels=np.zeros(2, int))
        np.save(tmp_path / "plain.npy", images)
        (tmp_path / "raw-idx3-ubyte").write_bytes(idx)
        (tmp_path / "packed.gz").write_bytes(gzip.compress(idx))
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "t10k-images-idx3-ubyte").write_bytes(idx)
        names = ("named.npz", "single.npz", "both.npz", "plain.npy", "raw-idx3-ubyte", "packed.gz", "folder")
        for name in names:
            assert np.array_equal(load_images(str(tmp_path / name)).images, images), name
        assert len(load_images("bundled")) == 1000

    def test_pictures_and_labelled_sets_give_their_images(self, tmp_path: Path) -> None:
        named = class_folders(tmp_path / "named")
        assert len(load_images(str(named))) == len(TEST)
        flat = named / "test" / WORDS[0]
        assert np.array_equal(load_images(str(flat)).images, TEST[TEST_LABELS == 0])
        assert np.array_equal(load_images(str(flat / "test00.png")).images, TEST[:1])
        table = FORMATS["csv_with_header"](tmp_path)
        assert np.array_equal(load_images(str(table)).images, TEST)

    def test_a_table_without_labels_gives_its_own_images(self, tmp_path: Path) -> None:
        """Kaggle's `test.csv` beside `train.csv` gave the training images."""
        FORMATS["csv_with_header"](tmp_path)
        for path in tmp_path.glob("*test*"):
            path.unlink()
        flat = TEST.reshape(len(TEST), -1)
        for head, first in (("", ()), ("id,", (7,))):
            names = head + ",".join(f"pixel{k}" for k in range(flat.shape[1]))
            lines = [",".join(map(str, (*first, *row))) for row in flat]
            (tmp_path / "test.csv").write_text("\n".join([names, *lines]))
            assert np.array_equal(load_images(str(tmp_path / "test.csv")).images, TEST)
        assert np.array_equal(load_images(str(FORMATS["keras"](tmp_path))).images, TEST)

    @pytest.mark.parametrize(
        ("array", "told"),
        [
            (np.zeros((3, 36), np.uint8), "reshape flat images"),
            (np.zeros((3, 6, 6)), "of type uint8; convert them"),
            (np.zeros((0, 6, 6), np.uint8), "at least one image"),
            (np.array(["a"]), "convert them"),
        ],
    )
    def test_what_is_no_image_gets_the_line_that_helps(self, tmp_path: Path, array: Any, told: str) -> None:
        np.save(tmp_path / "x.npy", array)
        np.savez(tmp_path / "x.npz", images=array)
        for read in (lambda: load_images(str(tmp_path / "x.npz")), lambda: images_from_array(array)):
            with pytest.raises(snstdp.SnstdpError, match=told):
                read()
        with pytest.raises(snstdp.SnstdpError, match=told):
            load_images(str(tmp_path / "x.npy"))

    def test_objects_and_damage_give_a_sentence(self, tmp_path: Path) -> None:
        np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
        np.save(tmp_path / "whole.npy", np.zeros((3, 6, 6), np.uint8))
        content = (tmp_path / "whole.npy").read_bytes()
        (tmp_path / "cut.npy").write_bytes(content[:-9])
        (tmp_path / "head.npy").write_bytes(content[:20])
        (tmp_path / "no.npz").write_bytes(b"PK\x03\x04nothing")
        np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
        for name in ("objects.npy", "cut.npy", "head.npy", "no.npz", "two.npz", "missing.npz"):
            with pytest.raises(snstdp.SnstdpError, match=name):
                load_images(str(tmp_path / name))


class TestTrace:
    """Spike times of one presentation, in a file and in Python."""

    def test_the_spikes_are_those_of_the_recording(self, desk: Path) -> None:
        done = invoke("trace", "halves", "--example", "3", "--neuron", "2", "--neuron", "5", "--out", "t.npz")
        assert done.exit_code == 0, done.output
        recorded = snstdp.evaluate("halves").test
        with np.load("t.npz") as arrays:
            found = dict(arrays)
        assert np.array_equal(found["counts"], recorded.counts[3])
        start = found["stimuli_ms"][-1, 0]
        late = found["excitatory_spikes_ms"] >= start
        assert np.array_equal(np.bincount(found["excitatory_neurons"][late], minlength=8), recorded.counts[3])
        assert len(found["stimuli_ms"]) == recorded.attempts[3]
        assert found["neurons"].tolist() == [2, 5]
        assert found["v_mv"].shape == found["ge"].shape == found["gi"].shape == (2, len(found["times_ms"]))
        theta = snstdp.load("halves").theta_mv
        assert found["threshold_mv"] == pytest.approx(theta[[2, 5]] - 72)
        # A voltage in mV lies between the reversal potentials of inhibition and excitation.
        assert -100 <= found["v_mv"].min() < found["v_mv"].max() <= 0
        # Image 3 is a lower half: no other input fires.
        assert found["input_neurons"].min() >= 18
        for key, array in snstdp.trace("halves", 3, neurons=[2, 5]).arrays().items():
            assert np.array_equal(array, found[key]), key

    def test_the_long_table_holds_the_same(self, desk: Path) -> None:
        told = json.loads(invoke("trace", "halves", "--neuron", "2", "--out", "t.csv", "--json").stdout)
        rows = list(csv.DictReader(io.StringIO(Path("t.csv").read_text())))
        found = snstdp.trace("halves", neurons=[2])
        for group, (times, spiking) in found.spikes.items():
            spikes = [row for row in rows if row["quantity"] == "spike" and row["group"] == group]
            assert [int(row["neuron"]) for row in spikes] == spiking.tolist()
            assert [float(row["time_ms"]) for row in spikes] == pytest.approx(times)
            assert told["spikes"][group] == len(times)
        volts = [float(row["value"]) for row in rows if row["quantity"] == "v_mv"]
        assert volts == found.arrays()["v_mv"][0].tolist()
        assert {row["quantity"] for row in rows} == {"spike", "v_mv", "ge", "gi", "threshold_mv"}

    def test_what_cannot_be_traced_is_told_before_anything_is_written(self, desk: Path) -> None:
        for words, told in (
            (["--example", "99", "--out", "t.npz"], "expected 0 to 7, found 99"),
            (["--neuron", "8", "--out", "t.npz"], "expected 0 to 7, found 8"),
            (["--out", "t.mat"], ".npz or .csv"),
        ):
            refused = invoke("trace", "halves", *words)
            assert refused.exit_code == 2
            assert told in " ".join(refused.output.split())
            assert not Path("t.npz").exists()
