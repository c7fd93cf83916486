"""The report tells what is there, escapes what others wrote, needs nothing but itself, leaves out what is missing."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from snstdp_cli.config_text import setting_leaves
from snstdp_cli.workflows.tracing import Trace
from synthetic import SIDE, SMALL, write_idx_set
from typer.testing import CliRunner

from snstdp_cli.artefacts import Responses, Workdir, load_weights, save_responses, save_snapshot, save_weights
from snstdp_cli.cli.app import app, reported
from snstdp_cli.cli.names import joined
from snstdp_cli.cli.reporting import report
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.evaluation import mcnemar, wilson_interval
from snstdp_cli.report import MAX_BYTES, gather, render
from snstdp_cli.report.embedding import embed_fields, quantize
from snstdp_cli.report.markup import embedded_json, tag
from snstdp_cli.rules import complete

N_E, NUM = 9, 40
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


def settings(name: str, **changes: Any) -> dict[str, Any]:
    base = {**SMALL, "n_e": N_E, "save_name": name, **changes}
    return complete(Experiment.model_validate(base)).model_dump(mode="json")


def training_record(name: str, data: Any, /, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "training",
        "date": "2026-03-04T05:06:07+00:00",
        "duration_s": 12.3,
        "engine": "runtime",
        "seed": 0,
        "experiment": settings(name),
        "versions": {"snstdp": "0.1.0", "numpy": "2.3.5"},
        "start": {"drawn_from_seed": 0},
        "data": about(data),
        "figures": {"examples": 10, "l1_target": 18.0},
        "history": {"examples": [4, 8, 10], "l1_mean": [9, 12, 15], "l1_min": [8, 9, 12], "l1_max": [12, 17, 18]},
        "learning_curve": [[4, 0.25], [8, 0.75]],
        **changes,
    }


def about(data: Any) -> dict[str, Any]:
    return {
        "name": data.name,
        "split": data.split,
        "bundled_subset": False,
        "num_images": len(data),
        "image_shape": [SIDE, SIDE],
        "num_classes": 4,
        "sha256": data.sha256,
    }


def make_network(root: Path, name: str, seed: int = 0, record: bool = True, **changes: Any) -> Workdir:
    """Write weights of nine neurons and what they answer; nothing is simulated."""
    place, random = Workdir(root), np.random.default_rng(seed)
    folder = root / "images"
    if not folder.exists():
        write_idx_set(folder, NUM)
    train, test = (load_dataset("mnist", split, folder) for split in ("train", "test"))
    weights = random.uniform(-0.3, 1, (SIDE * SIDE, N_E))
    theta = random.uniform(20, 30, N_E)
    save_weights(place, name, weights, theta, training_record(name, train, **changes))
    save_snapshot(place, name, 4, weights * 0.5, theta)
    for data in (train, test) if record else ():
        counts = random.poisson(0.3, (NUM, N_E)).astype(np.uint16)
        counts[np.arange(NUM), (data.labels + 4 * random.integers(0, 2, NUM)) % 8] += 2
        counts[:3] = 0
        provenance = {
            "date": "2026-03-04T06:00:00+00:00",
            "experiment": settings(name),
            "weights": {"name": name, "sha256": load_weights(place, name).sha256},
            "data": about(data),
        }
        silent = np.arange(NUM) < 3
        save_responses(
            place, name, data.split, Responses(counts, data.labels, np.ones(NUM, np.uint8), silent, provenance)
        )
    return place


def page_of(place: Workdir, *names: str, **choices: Any) -> str:
    return render(gather(place, names, data_dir=place.root / "images", **choices))


class Reader(HTMLParser):
    """Collect elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workdir:
    root = tmp_path_factory.mktemp("report")
    make_network(root, "one")
    return make_network(root, "two", seed=1)


@pytest.fixture(scope="module")
def page(place: Workdir) -> str:
    return page_of(place, "one", "two")


class TestContent:
    def test_the_headline_is_the_accuracy_with_interval_and_chance(self, place, page):
        score = gather(place, ["one"]).runs[0].scores["average"].evaluation
        low, high = wilson_interval(score.num_correct, score.num_examples)
        text = Reader(page).text
        assert f"{100 * score.accuracy:.2f} %" in text
        assert f"{100 * low:.2f} % to {100 * high:.2f} %" in text
        assert "chance25.0 %" in text
        assert f"{score.num_correct} of {NUM} test images of mnist right, classifier average" in text
        assert f"labels from{NUM} training images" in text

    def test_both_classifiers_are_told_and_one_is_chosen(self, place):
        run = gather(place, ["one"]).runs[0]
        text = Reader(page_of(place, "one", classifier="selective")).text
        assert "right, classifier selective" in text
        assert f"average{100 * run.scores['average'].evaluation.accuracy:.2f} %" in text

    def test_pairs_are_compared_by_mcnemar(self, place, page):
        content = gather(place, ["one", "two"])
        a, b = (run.scores["average"].evaluation.correct for run in content.runs)
        assert content.pairs[0].comparisons["average"] == mcnemar(a, b)
        text = Reader(page).text
        assert "one − two" in text
        assert f"{mcnemar(a, b).p_value:.2g}" in text

    def test_pairs_on_different_images_are_not_compared(self, tmp_path):
        make_network(tmp_path, "one")
        other = make_network(tmp_path, "two", record=False)
        responses = gather(other, ["one"]).runs[0].scores["average"]
        for split, recorded in (("train", responses.assign), ("test", responses.test)):
            provenance = {**recorded.provenance, "weights": {}, "data": {**recorded.provenance["data"], "sha256": "x"}}
            kept = (recorded.counts[:20], recorded.labels[:20], recorded.attempts[:20], recorded.silent[:20])
            save_responses(other, "two", split, Responses(*kept, provenance))
        content = gather(other, ["one", "two"])
        assert "recorded on different images (40 and 20)" in str(content.pairs[0].missing)
        assert "recorded on different images" in render(content)

    def test_every_setting_is_told_with_what_it_means(self, page):
        text = Reader(page).text
        for key, value in setting_leaves(settings("one")):
            assert key in text
            if isinstance(value, float):
                assert json.dumps(value) in text
        assert "0.025 (default for n_e = 9)" in text
        assert "time step, ms" in text

    def test_settings_that_differ_are_marked(self, tmp_path):
        make_network(tmp_path, "one")
        place = make_network(tmp_path, "two", experiment=settings("two", seed=7))
        rows = re.findall(r'<tr class="differs"><th scope="row"><span>(\w+)', page_of(place, "one", "two"))
        assert rows == ["seed"]

    def test_provenance_is_told(self, place, page):
        text = Reader(page).text
        for expected in ("2026-03-04 05:06:07", "12.3 s", "version of numpy", "2.3.5", "random weights, seed 0"):
            assert expected in text
        assert load_weights(place, "one").sha256 in text
        assert load_dataset("mnist", "test", place.root / "images").sha256 in text

    def test_the_charts_hold_the_recorded_points(self, page):
        assert "one: 75.0\u00a0% at training images 8 (30.1\u00a0% to 95.4\u00a0%)" in page
        assert "target of the rule, 18" in page
        assert len(re.findall(r"<svg[^>]*role=\"img\"", page)) == 7

    def test_misclassified_images_are_shown_with_their_guesses(self, place):
        run = gather(place, ["one"], data_dir=place.root / "images").runs[0]
        score = run.scores["average"]
        wrong = np.flatnonzero(~score.evaluation.correct)
        assert {m.number for m in run.mistakes} <= set(wrong.tolist())
        for mistake in run.mistakes:
            scores = score.evaluation.scores[mistake.number]
            assert mistake.label == score.test.labels[mistake.number]
            assert mistake.guesses == [c for c in np.argsort(-scores, kind="stable")[:3] if scores[c] > scores.min()]
        silent = next(m for m in run.mistakes if m.number < 3)
        assert silent.guesses == []

    def test_the_embedded_weights_are_those_of_the_network(self, place, page):
        data = json.loads(html_free(re.findall(r'<script type="application/json">(.*?)</script>', page)[0]))
        codes = np.frombuffer(base64.b64decode(data["codes"]), np.uint8).reshape(N_E, SIDE * SIDE)
        weights = load_weights(place, "one").weights.T
        assert data["signed"]
        inside = np.abs(weights) < data["limit"]
        found = (codes.astype(float) - 128) / 127 * data["limit"]
        np.testing.assert_allclose(found[inside], weights[inside], atol=data["limit"] / 127)
        run = gather(place, ["one"]).runs[0]
        assert run.assignment is not None
        assert data["labels"] == run.assignment.labels.tolist()
        np.testing.assert_allclose(data["means"], run.assignment.mean_response.T, rtol=0.01)

    def test_a_presentation_is_drawn_when_asked_for(self, place, monkeypatch):
        times, neurons = np.arange(5.0), np.arange(2)
        trace = Trace(
            spikes={"excitatory": (times, np.arange(5))},
            sizes={"excitatory": N_E},
            neurons=neurons,
            times_ms=times,
            values={"v (mV)": np.zeros((2, 5))},
            label=1,
            end_ms=5.0,
        )
        monkeypatch.setattr("snstdp_cli.workflows.figures.trace_example", lambda *_: trace)
        page = page_of(place, "one", example=1)
        assert "Test image 1" in page
        pictures = [
            a["alt"] for name, a in Reader(page).elements if name == "img" and "test image" not in str(a["alt"])
        ]
        assert len(pictures) == 2

    def test_the_bundled_subset_is_warned_of(self, tmp_path):
        place = make_network(tmp_path, "one")
        for split in ("train", "test"):
            recorded = gather(place, ["one"]).runs[0].scores["average"]
            one = recorded.assign if split == "train" else recorded.test
            one.provenance["data"]["bundled_subset"] = True
            save_responses(place, "one", split, one, force=True)
        assert "Measured on the bundled subset" in page_of(place, "one")


class TestCommands:
    def test_the_training_command_gives_the_recorded_experiment(self, tmp_path):
        experiment = settings("one", seed=3, dt=0.25, shuffle=True)
        place = make_network(tmp_path, "one", experiment=experiment)
        command = next(line for line in commands_of(page_of(place, "one")) if line.startswith("snstdp train"))
        done = CliRunner().invoke(app, ["config", "show", "--json", *shlex.split(command)[2:]])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["experiment"] == experiment

    def test_recordings_and_this_report_are_made_again(self, page):
        commands = commands_of(page)
        assert f"snstdp test --load-name two --split train --num-examples {NUM}" in commands
        assert f"snstdp test --load-name two --split test --num-examples {NUM}" in commands
        assert "snstdp evaluate --load-name one --classifier selective" in commands
        assert "snstdp report one two" in commands
        assert "snstdp evaluate --compare one two" in commands

    def test_a_recording_with_other_settings_says_so(self, tmp_path):
        place = make_network(tmp_path, "one")
        for split in ("train", "test"):
            score = gather(place, ["one"]).runs[0].scores["average"]
            one = score.assign if split == "train" else score.test
            one.provenance["experiment"]["presentation"]["intensity"] = 9.0
            save_responses(place, "one", split, one, force=True)
        assert any(c.endswith("--set presentation.intensity=9.0") for c in commands_of(page_of(place, "one")))


class TestSafety:
    @pytest.fixture(scope="class")
    @staticmethod
    def hostile(tmp_path_factory):
        place = Workdir(tmp_path_factory.mktemp("hostile"))
        make_network(place.root, "one")
        record = load_weights(place, "one").provenance
        record |= {"date": HOSTILE, "engine": HOSTILE, "versions": {HOSTILE: HOSTILE}, "start": {"name": HOSTILE}}
        record["experiment"]["data"] = record["experiment"][HOSTILE] = HOSTILE
        record["experiment"]["rule"] |= {"name": HOSTILE, "eta": HOSTILE}
        record["data"]["name"] = HOSTILE
        record["figures"][HOSTILE] = HOSTILE
        record["seed"] = HOSTILE
        (place.weights / "one.json").write_text(json.dumps(record), encoding="utf-8")
        return page_of(place, "one")

    def test_what_others_wrote_stays_text(self, hostile):
        reader = Reader(hostile)
        assert HOSTILE in reader.text
        assert "<script>alert" not in hostile
        assert not [1 for _, attributes in reader.elements if any(key.startswith("on") for key in attributes)]
        assert sum(name == "script" and "type" not in attributes for name, attributes in reader.elements) == 1
        assert all(a["src"].startswith("data:image/png;base64,") for n, a in reader.elements if n == "img")

    def test_a_command_cannot_smuggle_another_one(self, hostile):
        train = next(line for line in commands_of(hostile) if line.startswith("snstdp train"))
        assert HOSTILE in shlex.split(train)
        comments = [line for line in commands_of(hostile) if line.startswith("#")]
        assert any(HOSTILE in line for line in comments)

    def test_json_cannot_end_its_element(self):
        embedded = embedded_json({"name": "</script><!--", "x": HOSTILE})
        assert embedded.count("<") == 2
        assert json.loads(re.sub(r"^<[^>]*>|<[^>]*>$", "", embedded))["x"] == HOSTILE

    def test_text_and_attributes_are_escaped_by_themselves(self):
        assert tag("p", "<b>", tag("i", "&"), title='"') == '<p title="&quot;">&lt;b&gt;<i>&amp;</i></p>'

    def test_nothing_is_loaded_from_anywhere(self, page):
        for name, attributes in Reader(page).elements:
            for key in ("src", "href", "srcset", "action", "data", "poster"):
                value = attributes.get(key) or ""
                is_link = name == "a" and key == "href" and value.startswith(("#", "https://doi.org/10."))
                assert not value or is_link or value.startswith("data:image/png;base64,"), (name, value)
            assert name not in ("link", "iframe", "object", "embed", "base")
        assert not re.search(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|import\(", page)

    def test_a_policy_forbids_other_scripts_and_requests(self, page):
        policy = next(a["content"] for n, a in Reader(page).elements if a.get("http-equiv"))
        assert policy is not None
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)


class TestSize:
    @pytest.mark.parametrize("n_e", [1600, 6400])
    def test_two_large_networks_fit(self, tmp_path, n_e):
        place, random = Workdir(tmp_path), np.random.default_rng(0)
        for name in ("one", "two"):
            labels = (np.arange(40) % 10).astype(np.uint8)
            save_weights(place, name, random.random((784, n_e)), random.random(n_e), {}, dtype=np.float32)
            for split in ("train", "test"):
                counts = random.poisson(1.3, (40, n_e)).astype(np.uint16)
                save_responses(place, name, split, Responses(counts, labels, labels, labels > 9))
        page = page_of(place, "one", "two")
        assert len(page.encode()) < MAX_BYTES
        if n_e == 6400:
            assert "so that the page stays small" in page
        else:
            assert "so that the page stays small" not in page

    def test_pixels_are_averaged_before_neurons_are_left_out(self):
        weights = np.random.default_rng(0).random((784, 50))
        fields = embed_fields(weights, (28, 28), 50 * 300, 0)
        assert (fields.factor, fields.shape, len(fields.neurons)) == (2, (14, 14), 50)
        block = weights[:, 7].reshape(28, 28)[2:4, 4:6].mean()
        assert fields.codes[7].reshape(14, 14)[1, 2] == round(min(block / fields.limit, 1) * 255)
        few = embed_fields(weights, (28, 28), 1000, 0)
        assert few.shape == (7, 7)
        assert 0 < len(few.neurons) < 50
        assert few.neurons[0] == 0
        assert few.neurons[-1] == 49

    @pytest.mark.parametrize(("value", "code"), [(-2.0, 1), (-1.0, 1), (0.0, 128), (1.0, 255), (3.0, 255)])
    def test_the_zero_of_signed_weights_is_exact(self, value, code):
        assert quantize(np.array([value]), True, 1.0)[0] == code

    def test_a_page_that_is_too_large_is_refused(self, place, monkeypatch):
        monkeypatch.setattr("snstdp_cli.report.page.MAX_BYTES", 1000)
        with pytest.raises(ArtefactError, match="expected at most 1,000; name fewer networks"):
            page_of(place, "one")


class TestMissing:
    def test_without_recordings_the_weights_are_still_told(self, tmp_path):
        page = page_of(make_network(tmp_path, "one", record=False), "one")
        text = Reader(page).text
        assert "no responses of 'one' to the test split are recorded" in text
        assert "No network of this report has recorded responses" in text
        assert "it is not known which class a neuron answers to" in text
        assert "Learning curve" in page

    def test_without_provenance_nothing_is_made_up(self, tmp_path):
        place = Workdir(tmp_path)
        save_weights(place, "old", np.ones((9, 4)), np.ones(4), {})
        (place.weights / "old.json").unlink()
        text = Reader(page_of(place, "old")).text
        assert "Nothing is written down beside these weights" in text
        assert "how these weights were trained is not known" in text
        assert "no learning curve and no history of the L1 norm" in text
        assert "No snapshots were kept" in text

    def test_without_weights_the_responses_are_told(self, tmp_path):
        place = make_network(tmp_path, "one")
        for path in place.weights.glob("*one*"):
            path.unlink()
        text = Reader(page_of(place, "one")).text
        assert "test images of mnist right" in text
        assert "The weights are not there." in text

    def test_records_that_make_no_sense_are_left_out(self, tmp_path):
        place = make_network(
            tmp_path,
            "one",
            history={"examples": "many"},
            learning_curve=[["x", None]],
            figures=[],
            data={"image_shape": [0, "a"]},
        )
        text = Reader(page_of(place, "one")).text
        assert "Accuracy by class" in text

    def test_images_that_are_gone_leave_out_the_mistakes(self, place):
        run = gather(place, ["one"], data_dir=place.root / "nowhere").runs[0]
        assert run.mistakes == []
        assert "nowhere" in run.missing["mistakes"]

    def test_a_network_that_is_not_there_is_an_error(self, place):
        with pytest.raises(ArtefactError, match="neither weights nor recorded responses of 'ones'; did you mean 'one'"):
            gather(place, ["one", "ones"])

    @pytest.mark.parametrize("names", [[], ["one", "one"], [f"n{k}" for k in range(13)]])
    def test_names_that_make_no_report_are_refused(self, place, names):
        with pytest.raises(ConfigError, match="expected 1 to 12 different names"):
            gather(place, names)


class TestCommand:
    @staticmethod
    def run(*arguments: str) -> Any:
        program = typer.Typer()
        program.command()(reported(report))
        return CliRunner().invoke(program, list(arguments))

    def test_it_writes_one_file_and_does_not_overwrite_it(self, tmp_path):
        make_network(tmp_path, "one", record=False)
        done = self.run("one", "--workdir", str(tmp_path), "--json")
        assert done.exit_code == 0, done.output
        result = json.loads(done.stdout)
        path = tmp_path / "figures" / "report.one.html"
        assert result["files"] == [str(path)]
        assert result["bytes"] == path.stat().st_size
        assert "scores" in result["missing"]["one"]
        assert [p.name for p in path.parent.iterdir()] == [path.name]
        before = path.stat().st_mtime_ns
        refused = self.run("one", "--workdir", str(tmp_path))
        assert refused.exit_code == 2
        assert "--force" in refused.output
        assert path.stat().st_mtime_ns == before
        assert self.run("one", "--workdir", str(tmp_path), "--force").exit_code == 0

    def test_a_file_can_be_named(self, tmp_path):
        make_network(tmp_path, "one", record=False)
        target = tmp_path / "deep" / "r.html"
        assert self.run("one", "--workdir", str(tmp_path), "--output", str(target)).exit_code == 0
        assert target.read_text(encoding="utf-8").startswith("<!doctype html>")

    def test_a_name_that_is_a_path_is_refused(self, tmp_path):
        done = self.run("../one", "--workdir", str(tmp_path))
        assert done.exit_code == 2

    def test_the_name_of_the_file_tells_the_networks(self):
        assert joined(["a"]) == "a"
        assert joined(["a", "b"]) == "a_vs_b"
        assert joined(list("abcde")) == "a_vs_b_vs_c_and_2_more"
        assert len(joined([c * 100 for c in "abc"])) < 200


def commands_of(page: str) -> list[str]:
    """Return the commands of the page, those over several lines joined."""
    blocks = re.findall(r"<code>(.*?)</code>", page, re.DOTALL)
    return [line for block in blocks for line in html.unescape(block).replace(" \\\n    ", " ").split("\n")]


def html_free(text: str) -> str:
    assert "<" not in text
    return text
