"""The report tells what is there, escapes what others wrote, needs nothing but itself, leaves out what is missing."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from made_up_cost import keep_made_up_cost
from stored_networks import (
    N_E,
    NUM,
    figures,
    images,
    make_network,
    record_responses,
    run_fields,
    save_bare,
    settings,
    training_record,
)
from synthetic import SIDE, write_idx_set

from snstdp_cli.artefacts import (
    RecordingFigures,
    RecordingRecord,
    Responses,
    WeightsRecord,
    Workdir,
    load_weights,
    save_responses,
    save_weights,
)
from snstdp_cli.artefacts.provenance import describe_data
from snstdp_cli.cli.app import app
from snstdp_cli.config import build_experiment, parse_override, setting_leaves
from snstdp_cli.datasets import load_dataset
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.evaluation import mcnemar, wilson_interval
from snstdp_cli.recording.tracing import Trace
from snstdp_cli.report import MAX_BYTES, gather, render
from snstdp_cli.report.embedding import embed_fields, quantize
from snstdp_cli.report.markup import embedded_json, tag

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'


def page_of(place: Workdir, *names: str, **choices: Any) -> str:
    return render(gather(place, names, **choices))


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
        score = gather(place, ["one"]).runs[0].score.evaluation
        low, high = wilson_interval(score.num_correct, score.num_examples)
        text = Reader(page).text
        assert f"{100 * score.accuracy:.2f} %" in text
        assert f"{100 * low:.2f} % to {100 * high:.2f} %" in text
        assert "chance25.0 % (always answering class 0)" in text
        data = describe_data(images(place.root, "test")).identity
        assert f"{score.num_correct} of {NUM} test images of {data} right, read-out average" in text
        assert f"labels from{NUM} train images of {data}" in text
        assert "never learned1 of 9 neurons" in text

    def test_both_classifiers_are_told_and_one_is_chosen(self, place):
        run = gather(place, ["one"]).runs[0]
        text = Reader(page_of(place, "one", classifier="selective")).text
        assert "right, read-out selective" in text
        assert f"by average{100 * run.score.evaluations['average'].accuracy:.2f} %" in text

    def test_what_is_to_be_said_is_said_in_sentences(self, page):
        text = Reader(page).text
        assert "1 of 9 neurons never spiked while learning" in text
        assert "The L1 norm of a neuron's weights was still rising: 15.0 on average, 83 % of the rule's target" in text
        assert "too few points to tell whether it still rises" in text

    def test_labels_that_do_not_begin_at_0_keep_their_names(self, tmp_path):
        place = make_network(tmp_path, "one", record=False)
        labels = np.where(np.arange(NUM) % 2, 8, 3)
        for split in ("train", "test"):
            record_responses(place, "one", images(tmp_path, split), np.random.default_rng(0), labels=labels)
        page = page_of(place, "one")
        heads = re.findall(r'<table class="confusion">.*?</thead>', page, re.DOTALL)[0]
        assert re.findall(r'<th scope="col">(\w+)</th>', heads)[:2] == ["3", "8"]
        assert '"classes":[3,8]' in page

    def test_several_recordings_are_told_side_by_side(self, tmp_path):
        place = make_network(tmp_path, "one")
        data = load_dataset(str(write_idx_set(tmp_path / "noisy", NUM, seed=9)), "test")
        record_responses(place, "one", data, np.random.default_rng(1), label="noisy")
        run = gather(place, ["one"]).runs[0]
        assert len(run.scores) == 2
        assert run.score.test.record.label is None
        text = Reader(render(gather(place, ["one"]))).text
        assert "All recordings" in text
        assert describe_data(data).identity in text
        assert any("--as noisy" in command for command in commands_of(page_of(place, "one")))

    def test_seeds_are_aggregated(self, page):
        assert "differ in nothing but the seed: mean ± standard deviation over seeds" in Reader(page).text

    def test_settings_that_are_not_defaults_are_in_bold(self, tmp_path):
        page = page_of(make_network(tmp_path, "one", experiment={"dt": 0.25}), "one")
        table = page[page.index("Every setting of the training") :]
        bold = re.findall(r"<strong[^>]*>([^<]*)</strong>", table)
        assert "0.25" in bold
        assert "17.0" not in bold

    def test_pairs_are_compared_by_mcnemar(self, place, page):
        content = gather(place, ["one", "two"])
        a, b = (run.score.evaluations["average"].correct for run in content.runs)
        assert content.pairs[0].comparisons["average"] == mcnemar(a, b)
        text = Reader(page).text
        assert "one − two" in text
        assert f"{mcnemar(a, b).p_value:.2g}" in text

    def test_pairs_on_different_images_are_not_compared(self, tmp_path):
        make_network(tmp_path, "one")
        place = make_network(tmp_path, "two", record=False)
        for split in ("train", "test"):
            record_responses(place, "two", images(tmp_path, split), np.random.default_rng(0), num=20)
        content = gather(place, ["one", "two"])
        assert "recorded on different images (40 and 20" in str(content.pairs[0].missing)
        assert "recorded on different images" in render(content)

    def test_clean_and_corrupted_answers_to_the_same_images_are_compared_and_both_are_named(self, tmp_path):
        make_network(tmp_path, "one")
        place = make_network(tmp_path, "two", record=False)
        noisy = write_idx_set(tmp_path / "noisy", NUM, seed=9)
        for split in ("train", "test"):
            record_responses(place, "two", load_dataset(str(noisy), split), np.random.default_rng(0))
        content = gather(place, ["one", "two"])
        assert content.pairs[0].missing is None
        assert "noisy" in Reader(render(content)).text
        assert content.pairs[0].data is not None

    def test_every_setting_is_told_with_what_it_means(self, page):
        text = Reader(page).text
        for key, value in setting_leaves(build_experiment(settings("one")).model_dump(mode="json")):
            assert key in text
            if isinstance(value, float):
                assert json.dumps(value) in text
        assert "time step, ms" in text
        assert "a table (divide: table) has at most 2 to the power of this many entries" in text
        assert "<small></small>" not in page

    def test_settings_that_differ_are_marked(self, tmp_path):
        make_network(tmp_path, "one")
        place = make_network(tmp_path, "two", seed=7)
        rows = re.findall(r'<tr class="differs"><th scope="row"><span>(\w+)', page_of(place, "one", "two"))
        assert rows == ["seed"]

    def test_provenance_is_told(self, place, page):
        text = Reader(page).text
        for expected in ("2026-03-04 05:06:07", "12.3 s", "version of numpy", "2.3.5", "random weights, seed 0"):
            assert expected in text
        assert load_weights(place, "one").sha256 in text
        assert images(place.root, "test").sha256 in text

    def test_the_charts_hold_the_recorded_points(self, page):
        assert "one: 75.0\u00a0% at training images 8 (30.1\u00a0% to 95.4\u00a0%)" in page
        assert "target of the rule, 18" in page
        assert len(re.findall(r"<svg[^>]*role=\"img\"", page)) == 7

    def test_misclassified_images_are_shown_with_their_guesses(self, place):
        run = gather(place, ["one"]).runs[0]
        score = run.score
        wrong = np.flatnonzero(~score.evaluation.correct)
        assert {m.number for m in run.mistakes} <= set(wrong.tolist())
        for mistake in run.mistakes:
            scores = score.evaluation.scores[mistake.number]
            assert mistake.label == score.test.labels[mistake.number]
            assert mistake.guesses == [c for c in np.argsort(-scores, kind="stable")[:3] if scores[c] > scores.min()]
        silent = next(m for m in run.mistakes if m.number < 3)
        assert silent.guesses == []
        assert f"#{run.mistakes[0].number}" in Reader(page_of(place, "one")).text

    def test_the_embedded_weights_are_those_of_the_network(self, place, page):
        data = json.loads(html_free(re.findall(r'<script type="application/json">(.*?)</script>', page)[0]))
        codes = np.frombuffer(base64.b64decode(data["codes"]), np.uint8).reshape(N_E, SIDE * SIDE)
        weights = load_weights(place, "one").weights.T
        assert data["signed"]
        inside = np.abs(weights) < data["limit"]
        found = (codes.astype(float) - 128) / 127 * data["limit"]
        np.testing.assert_allclose(found[inside], weights[inside], atol=data["limit"] / 127)
        assignment = gather(place, ["one"]).runs[0].score.evaluation.assignment
        assert data["labels"] == assignment.labels.tolist()
        assert data["never"] == [2]
        np.testing.assert_allclose(data["means"], assignment.mean_response.T, rtol=0.01)
        np.testing.assert_allclose(data["strongest"], np.abs(weights).max(axis=1) / data["limit"], rtol=0.01)

    def test_a_presentation_is_drawn_when_asked_for(self, place, monkeypatch):
        times, neurons = np.arange(5.0), np.arange(2)
        trace = Trace(
            spikes={"excitatory": (times, np.arange(5))},
            sizes={"excitatory": N_E},
            neurons=neurons,
            times_ms=times,
            values={"v (mV)": np.zeros((2, 5))},
            thresholds_mv=np.full(2, -50.0),
            stimuli_ms=((0, 3),),
            label=1,
            counts=np.zeros(N_E, np.uint16),
            end_ms=5.0,
        )
        monkeypatch.setattr("snstdp_cli.results.presentation.trace_example", lambda *_: trace)
        page = page_of(place, "one", example=1)
        assert "Test image 1" in page
        elements = Reader(page).elements
        pictures = [a["alt"] for name, a in elements if name == "img" and "test image" not in str(a["alt"])]
        assert len(pictures) == 2
        dark = [a for name, a in elements if name == "source"]
        assert [a["media"] for a in dark] == ["(prefers-color-scheme: dark)"] * 2
        assert all(str(a["srcset"]).startswith("data:image/png;base64,") for a in dark)

    def test_the_bundled_subset_is_warned_of(self, tmp_path):
        place = make_network(tmp_path, "one", record=False)
        for split in ("train", "test"):
            data = load_dataset("bundled", split)
            counts = np.ones((NUM, N_E), np.uint16)
            about = RecordingRecord(
                **run_fields("one"),
                weights=WeightsRecord(name="one", sha256=load_weights(place, "one").sha256),
                data=describe_data(data),
                figures=RecordingFigures(spikes_per_example=9.0, retries=0, silent_examples=0),
            )
            answers = Responses(counts, data.labels[:NUM], counts[:, 0], np.zeros(NUM, bool), about)
            save_responses(place, answers)
        assert "Measured on the bundled subset" in page_of(place, "one")


class TestCommands:
    def test_the_training_command_gives_the_recorded_experiment(self, tmp_path):
        changes = {"dt": 0.25, "shuffle": True}
        place = make_network(tmp_path, "one", seed=3, experiment=changes)
        command = next(line for line in commands_of(page_of(place, "one")) if line.startswith("snstdp train"))
        flags = {"--rule": "rule.name", "--n-e": "n_e", "--num-examples": "num_examples", "--seed": "seed"}
        flags |= {"--data": "data", "--dt": "dt", "--save-name": "save_name"}
        *words, flag, workdir = shlex.split(command)[2:]
        assert (flag, workdir) == ("--workdir", str(tmp_path))
        overrides = {}
        for flag, value in zip(words[::2], words[1::2], strict=True):
            key, parsed = parse_override(value) if flag == "--set" else parse_override(f"{flags[flag]}={value}")
            overrides[key] = parsed
        assert build_experiment({}, overrides) == load_weights(place, "one").record.experiment

    def test_recordings_and_this_report_are_made_again(self, page, place):
        commands, there = commands_of(page), f"--workdir {place.root}"
        assert f"snstdp test --load-name two --split train --num-examples {NUM} {there}" in commands
        assert f"snstdp test --load-name two --split test --num-examples {NUM} {there}" in commands
        assert "snstdp evaluate --load-name one --read-out average --read-out selective" in " ".join(commands)
        assert f"snstdp report one two {there}" in commands
        assert f"snstdp evaluate --compare one two {there}" in commands

    def test_every_command_names_the_folders_that_are_not_the_usual_ones(self, place):
        content = gather(place, ["one", "two"])
        told = commands_of(render(replace(content, workdir=Path("my $(work)"), data_dir=Path("-images"))))
        lines = [shlex.split(line) for line in told if line.startswith("snstdp ") and "fetch" not in line]
        assert {line[1] for line in lines} == {"train", "test", "evaluate", "report", "hardware"}
        root: Any = typer.main.get_command(app)
        for line in lines:
            command, words = root.commands[line[1]], line[2:]
            if line[1] == "hardware":
                command, words = command.commands[words[0]], words[1:]
            parsed = command.make_context(line[1], words)
            assert parsed.params["workdir"] == Path("my $(work)")
            assert parsed.params.get("data_dir", Path("-images")) == Path("-images")
        usual = commands_of(render(replace(content, workdir=Path())))
        assert not [line for line in usual if "--workdir" in line or "--data-dir" in line]

    def test_a_recording_with_other_settings_says_so(self, tmp_path):
        place = make_network(tmp_path, "one", record=False)
        for split in ("train", "test"):
            data, changed = (
                images(tmp_path, split),
                {"presentation": {**settings("one")["presentation"], "intensity": 5.0}},
            )
            record_responses(place, "one", data, np.random.default_rng(0), **changed)
        commands = commands_of(page_of(place, "one"))
        assert any("--set presentation.intensity=5.0" in c for c in commands)


class TestSafety:
    @pytest.fixture(scope="class")
    @staticmethod
    def hostile(tmp_path_factory):
        root = tmp_path_factory.mktemp("hostile")
        data = images(root, "train")
        about = {**describe_data(data).model_dump(), "name": HOSTILE, "identity": HOSTILE}
        changes = {"date": HOSTILE, "engine": HOSTILE, "versions": {HOSTILE: HOSTILE}, "start": {"name": HOSTILE}}
        make_network(root, "one", **changes, data=about, note=HOSTILE, record=False)
        path = root / "weights" / "one.json"
        record = json.loads(path.read_text())
        record["experiment"]["rule"] = {"name": f"{HOSTILE}.py:X", "eta": HOSTILE}
        record["experiment"]["data"] = f"./{HOSTILE}.npz"
        path.write_text(json.dumps(record), encoding="utf-8")
        return page_of(Workdir(root), "one")

    def test_what_others_wrote_stays_text(self, hostile):
        reader = Reader(hostile)
        assert HOSTILE in reader.text
        assert "<script>alert" not in hostile
        assert not [1 for _, attributes in reader.elements if any(key.startswith("on") for key in attributes)]
        assert sum(name == "script" and "type" not in attributes for name, attributes in reader.elements) == 1
        assert all(a["src"].startswith("data:image/png;base64,") for n, a in reader.elements if n == "img")

    def test_a_command_cannot_smuggle_another_one(self, hostile):
        train = next(line for line in commands_of(hostile) if line.startswith("snstdp train"))
        assert f"{HOSTILE}.py:X" in shlex.split(train)
        assert f"rule.eta={json.dumps(HOSTILE)}" in shlex.split(train)
        comments = [line for line in commands_of(hostile) if line.startswith("#")]
        assert any(HOSTILE in line for line in comments)

    def test_json_cannot_end_its_element(self):
        embedded = embedded_json({"name": "</script><!--", "x": HOSTILE})
        assert embedded.count("<") == 2
        assert json.loads(re.sub(r"^<[^>]*>|<[^>]*>$", "", embedded))["x"] == HOSTILE

    def test_text_and_attributes_are_escaped_by_themselves(self):
        assert tag("p", "<b>", tag("i", "&"), title='"') == '<p title="&quot;">&lt;b&gt;<i>&amp;</i></p>'

    def test_what_is_no_text_is_written_out(self):
        page = tag("p", "a\udcff\x1b[31m\u009b", title="\udcff\x07")
        assert page.encode() == rb'<p title="\udcff\x07">a\udcff\x1b[31m\x9b</p>'

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
            base = training_record(name, images(tmp_path, "train"), {"n_e": n_e}, data=None, never_learned=None)
            save_weights(place, name, random.random((784, n_e)), random.random(n_e), base, dtype=np.float32)
            for split in ("train", "test"):
                counts = random.poisson(1.3, (40, n_e)).astype(np.uint16)
                about = RecordingRecord(
                    **run_fields(name, n_e=n_e),
                    weights=WeightsRecord(name=name, sha256=load_weights(place, name).sha256),
                    data=describe_data(images(tmp_path, split)),
                    figures=RecordingFigures(spikes_per_example=9.0, retries=0, silent_examples=0),
                )
                save_responses(place, Responses(counts, labels, labels.astype(np.uint16), labels > 9, about))
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
        monkeypatch.setattr("snstdp_cli.report.document.MAX_BYTES", 1000)
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
        text = Reader(page_of(save_bare(tmp_path, "old", 9), "old")).text
        assert "Nothing is written down beside these weights" in text
        assert "how these weights were trained is not known" in text
        assert "no learning curve and no history of the L1 norm" in text
        assert "no snapshots of 'old'" in text

    def test_without_weights_the_responses_are_told(self, tmp_path):
        place = make_network(tmp_path, "one")
        for path in place.weights.glob("*one*"):
            path.unlink()
        text = Reader(page_of(place, "one")).text
        assert f"of {NUM} test images of" in text
        assert "The weights are not there." in text

    def test_costs_that_nobody_counted_or_of_other_weights_are_not_shown(self, tmp_path):
        place = make_network(tmp_path, "one")
        assert (
            f"nothing is counted; snstdp hardware cost one --workdir {tmp_path} counts it"
            in Reader(page_of(place, "one")).text
        )
        keep_made_up_cost(place, "one")
        text = Reader(page_of(place, "one")).text
        assert "counted by the engine from the first 3 training and test images" in text
        assert "weight writes, normalization" in text
        assert "snstdp hardware cost one --images 3" in text
        stored = load_weights(place, "one")
        save_weights(place, "one", stored.weights * 2, stored.theta_mv, stored.record, force=True)
        text = Reader(page_of(place, "one")).text
        assert "counted from other weights or settings than 'one' has now" in text
        assert "weight writes" not in text

    def test_records_that_make_no_sense_are_named(self, tmp_path):
        place = make_network(tmp_path, "one")
        path = place.weights / "one.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "history": {"examples": "many"}}))
        run = gather(place, ["one"]).runs[0]
        assert "history.examples: found 'many'" in run.missing["weights"]
        assert "history.examples" in page_of(place, "one")

    def test_weights_that_cannot_be_drawn_are_named(self, tmp_path):
        place = make_network(tmp_path, "one", record=False)
        record = training_record("one", images(tmp_path, "train"), {})
        save_weights(place, "one", np.full((SIDE * SIDE, N_E), 1e308), np.full(N_E, 20.0), record, force=True)
        assert "found 1e+308, which cannot be drawn" in Reader(page_of(place, "one")).text

    def test_values_that_cannot_be_drawn_in_the_history_are_named(self, tmp_path):
        place = make_network(tmp_path, "one", record=False, figures=figures(l1_target=1e300))
        assert page_of(place, "one")

    def test_images_that_are_gone_leave_out_the_mistakes(self, place):
        (place.root / "images").rename(place.root / "elsewhere")
        run = gather(place, ["one"]).runs[0]
        (place.root / "elsewhere").rename(place.root / "images")
        assert run.mistakes == ()
        assert "no such file or folder" in run.missing["mistakes"]

    def test_a_network_that_is_not_there_is_an_error(self, place):
        with pytest.raises(ArtefactError, match="neither weights nor recorded responses of 'ones'; did you mean 'one'"):
            gather(place, ["one", "ones"])

    @pytest.mark.parametrize("names", [[], ["one", "one"], [f"n{k}" for k in range(13)]])
    def test_names_that_make_no_report_are_refused(self, place, names):
        with pytest.raises(ConfigError, match="expected 1 to 12 different names"):
            gather(place, names)


def commands_of(page: str) -> list[str]:
    """Return the commands of the page, those over several lines joined."""
    blocks = re.findall(r"<code>(.*?)</code>", page, re.DOTALL)
    return [line for block in blocks for line in html.unescape(block).replace(" \\\n    ", " ").split("\n")]


def html_free(text: str) -> str:
    assert "<" not in text
    return text
