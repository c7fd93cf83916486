"""What is said of a network follows from its figures, and advice from what its rule declares."""

from __future__ import annotations

import numpy as np
import pytest
from stored_networks import NUM, figures, images, make_network, record_responses

from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.results import SEEDS, TrainedNetwork, Trend, findings, group_seeds, score_network, trend_of
from snstdp_cli.results.competition import (
    dominating_finding,
    never_learned_finding,
    retries_finding,
    silent_finding,
    threshold_advice,
)
from snstdp_cli.results.findings import learning_finding, norm_finding
from snstdp_cli.results.stages import even_steps


def curve(*correct: int, total: int = 400) -> list[CurvePoint]:
    return [CurvePoint(500 * (k + 1), value, total) for k, value in enumerate(correct)]


class TestLearning:
    @pytest.mark.parametrize(
        ("points", "trend"),
        [
            (curve(100, 200), Trend.UNKNOWN),
            (curve(40, 120, 200, 280), Trend.RISING),
            (curve(200, 300, 330, 333), Trend.STEADY),  # 3 images of 400 are noise
            (curve(300, 330, 330, 200), Trend.FALLING),
            (curve(0, 0, 0, 0), Trend.STEADY),
        ],
    )
    def test_a_curve_rises_if_its_last_quarter_is_better_than_noise(self, points, trend):
        assert trend_of(points) is trend

    def test_a_network_that_still_rises_is_advised_to_train_on(self):
        told = learning_finding(curve(40, 120, 200, 280))
        assert told.sentence == (
            "The accuracy was still rising at the end: 70.0 % of 400 withheld images after 2,000 examples."
        )
        assert told.advice == "Train on more examples."
        assert learning_finding([]) is None


class TestNorm:
    def test_at_the_target_nothing_needs_to_change(self):
        told = norm_finding(78.5, 78.0, signed=False, rising=False, low="x", high="y")
        assert (told.sentence, told.advice) == (
            "The L1 norm of a neuron's weights is 78.5 on average, at its target.",
            None,
        )

    def test_weights_of_both_signs_stay_below_and_the_reason_is_told(self):
        told = norm_finding(61.5, 78.0, signed=True, rising=False, low="Use a larger rule.eta.")
        assert "61.5 on average, 79 % of the rule's target of 78.0" in told.sentence
        assert "while a pattern repeats" in told.sentence
        assert (told.advice, told.alarming) == (None, False)

    def test_a_norm_that_is_too_low_or_too_high_gets_the_rules_advice(self):
        assert norm_finding(40.0, 78.0, signed=False, rising=False, low="low", high="high").advice == "low"
        above = norm_finding(100.0, 78.0, signed=False, rising=False, low="low", high="high")
        assert (above.advice, above.alarming) == ("high", True)
        assert "still rising" in norm_finding(40.0, 78.0, signed=True, rising=True).sentence

    @pytest.mark.parametrize("target", [None, 0.0, -1.0])
    def test_a_rule_without_a_target_has_nothing_to_reach(self, target):
        assert norm_finding(40.0, target, signed=False, rising=False) is None


class TestNeurons:
    def test_never_learned(self):
        assert never_learned_finding(0, 100) is None
        told = never_learned_finding(39, 100, "Use a larger rule.a_tar.")
        assert told.sentence.startswith("39 of 100 neurons never spiked while learning")
        assert not told.alarming
        assert never_learned_finding(50, 100).alarming

    def test_few_neurons_that_answer_for_all(self):
        even, uneven = np.full(40, 10.0), np.r_[np.full(4, 100.0), np.full(36, 1.0)]
        assert dominating_finding(even) is None
        assert dominating_finding(uneven).sentence == (
            "Few neurons dominate: 4 of 40 give 92 % of the spikes for training images."
        )
        assert dominating_finding(np.zeros(40)) is None
        assert dominating_finding(uneven[:19]) is None

    def test_thresholds_that_explain_it_are_named(self):
        assert "at 0 no threshold rises" in threshold_advice(0, 0.05, many_retries=False)
        assert threshold_advice(2, 0.05, many_retries=True).startswith(
            "Use a smaller network.theta_step_mv (2 here, 0.05 by default)"
        )
        assert threshold_advice(2, 0.05, many_retries=False) is None
        assert threshold_advice(0.05, 0.05, many_retries=True) is None


class TestRetries:
    def test_many_retries_deserve_advice(self):
        told = retries_finding(8232, 1297, "Use a larger rule.a_tar.")
        assert told.sentence.startswith("8,232 presentations were repeated")
        assert told.advice == "Use a larger rule.a_tar."
        assert retries_finding(1705, 60_000) is None
        assert retries_finding(0, 0) is None

    def test_examples_that_never_answered(self):
        assert silent_finding(0, 1000) is None
        assert silent_finding(9, 1000) is None
        assert silent_finding(20, 1000).alarming


class TestNetworks:
    def test_all_of_a_network_is_told_with_the_rules_own_advice(self, tmp_path):
        place = make_network(tmp_path, "one", figures=figures(retries=60, l1_mean=30.0))
        network = TrainedNetwork(place, "one")
        told = {finding.kind: finding for finding in findings(network, score_network(network))}
        assert {"accuracy", "learning", "norm", "never learned", "retries"} <= told.keys()
        assert told["norm"].advice == "Use a smaller rule.eta, or rule.scaling: instantaneous."
        assert "selective" in told["accuracy"].sentence
        assert "always answering class 0 would be right for 25.0 %" in told["accuracy"].sentence

    @pytest.mark.parametrize(
        ("step", "advice"), [(0, "Leave out network.theta_step_mv"), (9, "Use a smaller network.th")]
    )
    def test_thresholds_that_explain_it_come_before_the_rules_own_advice(self, tmp_path, step, advice):
        place = make_network(
            tmp_path, "one", figures=figures(retries=60), experiment={"network": {"theta_step_mv": step}}
        )
        network = TrainedNetwork(place, "one")
        told = {finding.kind: finding for finding in findings(network, score_network(network))}
        assert told["retries"].advice.startswith(advice)
        assert told["never learned"].advice.startswith(advice)

    def test_without_a_record_only_the_score_is_told(self, tmp_path):
        place = make_network(tmp_path, "one")
        (place.weights / "one.json").unlink()
        network = TrainedNetwork(place, "one")
        assert findings(network) == []
        assert {finding.kind for finding in findings(network, score_network(network))} == {"accuracy"}

    def test_a_rule_in_a_file_has_no_advice_and_is_not_loaded(self, tmp_path, monkeypatch):
        make_network(tmp_path, "one", figures=figures(l1_mean=30.0))
        path = tmp_path / "weights" / "one.json"
        text = path.read_text().replace('"name": "smin"', f'"name": "{tmp_path}/evil.py:X"')
        (tmp_path / "evil.py").write_text("raise SystemExit('was run')")
        path.write_text(text)
        told = findings(TrainedNetwork(make_workdir(tmp_path), "one"))
        assert next(finding for finding in told if finding.kind == "norm").advice is None

    def test_circular_scoring_and_labels_from_other_data_are_told(self, tmp_path):
        network = TrainedNetwork(make_network(tmp_path, "one"), "one")
        kinds = {finding.kind for finding in findings(network, score_network(network, assign_from="test"))}
        assert "circular" in kinds

    def test_seeds_are_grouped_and_other_settings_are_not(self, tmp_path):
        for name, seed, changes in (("a", 0, {}), ("b", 1, {}), ("c", 0, {"dt": 0.25})):
            make_network(tmp_path, name, seed, experiment=changes)
        scores = [score_network(TrainedNetwork(make_workdir(tmp_path), name)) for name in "abc"]
        two, one = group_seeds(scores)
        assert (two.names, one.names) == (("a", "b"), ("c",))
        assert (two.notes, one.notes) == (("dt 0.5",), ("dt 0.25",))
        mean, sd = two.mean_and_sd("average")
        values = two.accuracies("average")
        assert mean == pytest.approx(np.mean(values))
        assert sd == pytest.approx(np.std(values, ddof=1))
        assert one.mean_and_sd("average")[1] is None
        assert "seed" in SEEDS

    def test_recordings_of_other_images_are_never_in_one_group(self, tmp_path):
        for name in "ab":
            make_network(tmp_path, name, record=False)
        place, random = make_workdir(tmp_path), np.random.default_rng(0)
        for name, num in (("a", NUM), ("b", NUM - 4)):
            for split in ("train", "test"):
                record_responses(place, name, images(tmp_path, split), random, num=num)
        groups = group_seeds([score_network(TrainedNetwork(place, name)) for name in "ab"])
        assert [group.notes for group in groups] == [("images 40",), ("images 36",)]


class TestStages:
    @pytest.mark.parametrize(
        ("kept", "last", "marks"),
        [
            ([1000, 2000, 4000], 5000, [1000, 2000, 3000, 4000]),
            ([500], 1000, [500]),
            ([7, 10_000], 20_000, [7, 10_000]),
            (list(range(1000, 20_000, 1000)), 20_000, [3000, 6000, 9000, 12_000, 15_000, 18_000]),
            ([10], None, [10]),
        ],
    )
    def test_steps_are_even_unless_most_would_be_missing(self, kept, last, marks):
        assert even_steps(kept, last, 7) == marks


def make_workdir(root):
    from snstdp_cli.artefacts import Workdir

    return Workdir(root)
