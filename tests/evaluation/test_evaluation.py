"""Neurons are labelled and examples scored as one would by hand, and every figure says how sure it is."""

import json
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import (
    Classifier,
    Evaluation,
    assign_labels,
    classify,
    evaluate,
    mcnemar,
    mean_and_sd,
    wilson_interval,
)
from snstdp_cli.evaluation.uncertainty import LEVEL, Z95

CLASSIFIERS: list[Classifier] = ["average", "selective"]
# Neuron 0 answers class 0, neurons 1 and 2 class 1, neuron 3 never fires.
TRAIN = np.array([[4, 0, 1, 0], [6, 2, 1, 0], [0, 8, 3, 0], [2, 6, 5, 0]])
TRAIN_LABELS = np.array([0, 0, 1, 1])


def random_responses(seed: int, num: int = 60, n_e: int = 8, num_classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, num)
    rates = rng.gamma(0.3, 4, (num_classes, n_e))
    return rng.poisson(rates[labels]).astype(np.uint16), labels


def naive_average(train: Any, train_labels: Any, test: Any, num_classes: int) -> list[int]:
    n_e = len(train[0])
    assigned = []
    for j in range(n_e):
        best, best_mean = -1, 0.0
        for c in range(num_classes):
            mine = [int(row[j]) for row, label in zip(train, train_labels, strict=True) if label == c]
            if mine and sum(mine) / len(mine) > best_mean:
                best, best_mean = c, sum(mine) / len(mine)
        assigned.append(best)
    predictions = []
    for row in test:
        best, best_mean = -1, 0.0
        for c in range(num_classes):
            mine = [int(row[j]) for j in range(n_e) if assigned[j] == c]
            if mine and sum(mine) / len(mine) > best_mean:
                best, best_mean = c, sum(mine) / len(mine)
        predictions.append(best)
    return predictions


def naive_selective_scores(train: Any, train_labels: Any, test: Any, num_classes: int) -> list[list[float]]:
    n_e = len(train[0])
    means = [
        [
            np.mean([row[j] for row, k in zip(train, train_labels, strict=True) if k == c] or [0])
            for c in range(num_classes)
        ]
        for j in range(n_e)
    ]
    scores = []
    for row in test:
        score = [0.0] * num_classes
        for j in range(n_e):
            fired = sum(int(r[j]) for r in train)
            for c in range(num_classes):
                share = means[j][c] / sum(means[j]) if fired else 0.0
                score[c] += int(row[j]) * math.log(num_classes * (share * fired + 1 / num_classes) / (fired + 1))
        scores.append(score)
    return scores


class TestAssignment:
    def test_a_neuron_gets_the_class_with_its_highest_mean_response(self) -> None:
        assignment = assign_labels(TRAIN, TRAIN_LABELS)
        np.testing.assert_array_equal(assignment.labels, [0, 1, 1, -1])
        np.testing.assert_array_equal(assignment.mean_response, [[5, 1, 1, 0], [1, 7, 4, 0]])
        np.testing.assert_array_equal(assignment.num_spikes, [12, 16, 10, 0])

    def test_classes_are_compared_by_mean_and_not_by_sum(self) -> None:
        assignment = assign_labels(np.array([[2], [2], [2], [3]]), np.array([0, 0, 0, 1]))
        assert assignment.labels[0] == 1

    def test_of_equal_classes_the_lowest_is_taken(self) -> None:
        assert assign_labels(np.array([[3], [3]]), np.array([2, 1])).labels[0] == 1

    def test_selectivity_is_1_for_one_class_and_0_for_all_alike(self) -> None:
        assignment = assign_labels(np.array([[5, 2, 3, 0], [0, 2, 1, 0]]), np.array([0, 1]))
        np.testing.assert_allclose(assignment.selectivity, [1, 0, 0.5, 0])

    def test_a_class_without_training_images_gets_no_neuron(self) -> None:
        result = evaluate(TRAIN, TRAIN_LABELS, TRAIN, np.array([0, 2, 1, 4]))
        assert result.classes.tolist() == [0, 1, 2, 4]
        assert set(result.assignment.labels) == {-1, 0, 1}
        assert not result.assignment.mean_response[2:].any()

    def test_large_16_bit_counts_do_not_overflow(self) -> None:
        counts = np.full((3000, 2), 65535, np.uint16)
        assert assign_labels(counts, np.zeros(3000, np.uint8)).mean_response[0, 0] == 65535

    def test_more_examples_than_fit_in_one_block_are_summed_exactly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counts, labels = random_responses(1)
        whole = assign_labels(counts, labels), classify(counts, assign_labels(counts, labels), "average")
        monkeypatch.setattr("snstdp_cli.evaluation.readouts._BLOCK", 7 * counts.shape[1])
        blocks = assign_labels(counts, labels), classify(counts, assign_labels(counts, labels), "average")
        np.testing.assert_array_equal(whole[0].mean_response, blocks[0].mean_response)
        np.testing.assert_array_equal(whole[1][0], blocks[1][0])


class TestClassify:
    def test_average_divides_by_the_number_of_neurons_of_a_class(self) -> None:
        assignment = assign_labels(TRAIN, TRAIN_LABELS)
        scores, predictions = classify(np.array([[3, 4, 0, 9]]), assignment, "average")
        np.testing.assert_array_equal(scores, [[3, 2]])
        assert predictions[0] == 0

    def test_selective_adds_the_log_odds_of_each_spike(self) -> None:
        assignment = assign_labels(np.array([[3, 2], [0, 2]]), np.array([0, 1]))
        scores, predictions = classify(np.array([[2, 5]]), assignment, "selective")
        # Neuron 0: 3 spikes for class 0 and the extra one, (3 + 1/2) / 4 against (0 + 1/2) / 4; neuron 1 is even.
        np.testing.assert_allclose(scores, [[2 * math.log(2 * 3.5 / 4), 2 * math.log(2 * 0.5 / 4)]])
        assert predictions[0] == 0

    @pytest.mark.parametrize("classifier", CLASSIFIERS)
    def test_an_example_without_spikes_of_labelled_neurons_is_undecided(self, classifier: Classifier) -> None:
        assignment = assign_labels(TRAIN, TRAIN_LABELS)
        scores, predictions = classify(np.array([[0, 0, 0, 0], [0, 0, 0, 7]]), assignment, classifier)
        np.testing.assert_array_equal(predictions, [-1, -1])
        np.testing.assert_array_equal(scores, np.zeros((2, 2)))

    @pytest.mark.parametrize("classifier", CLASSIFIERS)
    def test_a_class_without_neurons_is_never_predicted(self, classifier: Classifier) -> None:
        assignment = assign_labels(TRAIN[:, :3], TRAIN_LABELS + 1)
        scores, predictions = classify(random_responses(0, n_e=3)[0], assignment, classifier)
        assert np.isfinite(scores).all()
        assert set(predictions) <= {-1, 1, 2}

    def test_a_tie_goes_to_the_lowest_class(self) -> None:
        assignment = assign_labels(np.eye(3, dtype=int), np.arange(3))
        _, predictions = classify(np.array([[0, 2, 2], [1, 1, 1]]), assignment, "average")
        np.testing.assert_array_equal(predictions, [1, 0])

    @pytest.mark.parametrize("seed", range(5))
    def test_average_equals_a_loop_over_examples(self, seed: int) -> None:
        train, train_labels = random_responses(seed)
        test, _ = random_responses(seed + 100)
        _, predictions = classify(test, assign_labels(train, train_labels), "average")
        assert predictions.tolist() == naive_average(train, train_labels, test, 4)

    @pytest.mark.parametrize("seed", range(5))
    def test_selective_equals_a_loop_over_examples(self, seed: int) -> None:
        train, train_labels = random_responses(seed)
        test, _ = random_responses(seed + 100)
        scores, _ = classify(test, assign_labels(train, train_labels), "selective")
        np.testing.assert_allclose(scores, naive_selective_scores(train, train_labels, test, 4), atol=1e-8)

    def test_selective_uses_a_neuron_that_answers_to_two_classes(self) -> None:
        # Neuron 2 carries label 0 but fires for 0 and 1: with neuron 1 it speaks for 1.
        train = np.array([[6, 0, 5, 0], [0, 6, 4, 0], [0, 0, 0, 6]])
        assignment = assign_labels(train, np.arange(3))
        test = np.array([[0, 1, 4, 0]])
        assert classify(test, assignment, "average")[1][0] == 0
        assert classify(test, assignment, "selective")[1][0] == 1


class TestEvaluate:
    def test_hand_computed_case(self) -> None:
        test = np.array([[5, 0, 0, 0], [0, 3, 3, 0], [0, 9, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0]])
        result = evaluate(TRAIN, TRAIN_LABELS, test, np.array([0, 1, 0, 1, 0]), None, "average")
        assert (result.num_correct, result.num_examples, result.accuracy) == (2, 5, 0.4)
        assert (result.silent_examples, result.undecided_examples, result.unassigned_neurons) == (1, 2, 1)
        np.testing.assert_array_equal(result.confusion, [[1, 1], [0, 1]])
        np.testing.assert_array_equal(result.undecided_per_class, [1, 1])
        np.testing.assert_array_equal(result.predictions, [0, 1, 1, -1, -1])
        np.testing.assert_array_equal(result.correct, [True, True, False, False, False])
        assert [r[:3] for r in result.per_class] == [(1, 3, 1 / 3), (1, 2, 0.5)]

    def test_silent_marks_of_the_recording_are_counted(self) -> None:
        silent = np.array([True, False, True, False])
        assert evaluate(TRAIN, TRAIN_LABELS, TRAIN, TRAIN_LABELS, silent, "average").silent_examples == 2

    def test_silent_network_is_undecided_everywhere(self) -> None:
        nothing = np.zeros_like(TRAIN)
        result = evaluate(nothing, TRAIN_LABELS, nothing, TRAIN_LABELS, None, "selective")
        assert (result.accuracy, result.undecided_examples, result.unassigned_neurons) == (0, 4, 4)

    def test_a_class_without_test_images_has_no_accuracy(self) -> None:
        result = evaluate(TRAIN, TRAIN_LABELS * 2, TRAIN[:2], np.array([0, 0]), None, "average")
        assert result.by_class[2] == (0, 0, None, (0.0, 1.0), 2)

    def test_as_dict_is_plain_json(self) -> None:
        values = evaluate(TRAIN, TRAIN_LABELS, TRAIN, TRAIN_LABELS, None, "selective").as_dict()
        assert json.loads(json.dumps(values, allow_nan=False)) == values
        assert values["per_class"][0]["total"] == 2
        assert {
            "accuracy", "ci95", "num_examples", "num_correct", "silent_examples", "unassigned_neurons", "classifier",
            "confusion", "per_class", "undecided_examples",
        } <= set(values)  # fmt: skip

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
    def test_every_type_of_count_gives_the_same_result(self, dtype: type) -> None:
        result = evaluate(TRAIN.astype(dtype), TRAIN_LABELS.astype(np.uint8), TRAIN.astype(dtype), TRAIN_LABELS)
        assert result.accuracy == 1

    def test_test_labels_do_not_change_the_predictions(self) -> None:
        train, train_labels = random_responses(3)
        one = evaluate(train, train_labels, train, train_labels, None, "selective")
        other = evaluate(train, train_labels, train, (train_labels + 1) % 4, None, "selective")
        np.testing.assert_array_equal(one.predictions, other.predictions)


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"assign_counts": TRAIN[0]}, "training responses: expected spike counts of the shape"),
            ({"assign_counts": TRAIN[:0], "assign_labels": TRAIN_LABELS[:0]}, "training responses: expected spike"),
            ({"assign_labels": TRAIN_LABELS[:3]}, "training responses: expected a label for each of 4 examples"),
            ({"test_labels": np.array([0, 1, -1, 1])}, "test responses: expected labels of 0 or more, found -1 to 1"),
            ({"test_labels": np.array([0.0, 1, 1, 1])}, "labels as whole numbers, found float64"),
            ({"test_counts": TRAIN[:, :2]}, "expected 4 neurons as in the training responses, found 2"),
            ({"test_counts": TRAIN - 3}, "test responses: expected spike counts of 0 or more"),
            ({"test_counts": TRAIN * np.nan}, "test responses: expected spike counts of 0 or more"),
            ({"test_counts": TRAIN.astype(str)}, "test responses: expected spike counts as numbers"),
            ({"silent": np.array([True])}, "expected true or false for each of 4 examples"),
            ({"silent": np.zeros(4)}, "expected true or false for each of 4 examples"),
            ({"classifier": "best"}, "unknown classifier 'best'; expected one of average, selective"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_a_sentence(self, change: dict[str, Any], words: str) -> None:
        fitting: dict[str, Any] = {
            "assign_counts": TRAIN, "assign_labels": TRAIN_LABELS, "test_counts": TRAIN, "test_labels": TRAIN_LABELS,
            "silent": None, "classifier": "average",
        }  # fmt: skip
        evaluate(**fitting)
        with pytest.raises(DataError, match=words):
            evaluate(**{**fitting, **change})

    def test_counts_of_another_network_are_refused(self) -> None:
        with pytest.raises(DataError, match="expected 4 neurons"):
            classify(TRAIN[:, :3], assign_labels(TRAIN, TRAIN_LABELS))


class TestWilson:
    @pytest.mark.parametrize(
        ("correct", "total", "low", "high"),
        [
            (0, 10, 0.0, 0.27753),
            (5, 10, 0.23659, 0.76341),
            (10, 10, 0.72247, 1.0),
            (81, 263, 0.25530, 0.36621),  # Newcombe, Stat. Med. 1998, 17: 857-872, table I, method 3
            (15, 148, 0.06237, 0.16045),
            (0, 20, 0.0, 0.16113),
            (1, 29, 0.00611, 0.17176),
        ],
    )
    def test_published_values(self, correct: int, total: int, low: float, high: float) -> None:
        assert wilson_interval(correct, total) == pytest.approx((low, high), abs=1e-4)

    def test_nothing_observed_leaves_everything_open(self) -> None:
        assert wilson_interval(0, 0) == (0.0, 1.0)

    def test_more_correct_than_examples_is_refused(self) -> None:
        with pytest.raises(DataError, match="between 0 and 10"):
            wilson_interval(11, 10)

    @given(st.integers(0, 10**6), st.integers(1, 10**6))
    def test_the_interval_holds_the_proportion(self, correct: int, total: int) -> None:
        correct = min(correct, total)
        low, high = wilson_interval(correct, total)
        assert 0 <= low <= correct / total <= high <= 1
        assert low < high


def outcomes(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    return a, np.repeat([True, False, True, False], [both, only_a, only_b, neither])


class TestMcNemar:
    def test_hand_computed_p_value(self) -> None:
        result = mcnemar(*outcomes(50, 8, 2, 40))
        assert (result.only_a, result.only_b, result.num_examples) == (8, 2, 100)
        assert result.p_value == 2 * (1 + 10 + 45) / 1024
        assert result.difference == 0.06

    def test_the_quantile_is_that_of_the_level(self) -> None:
        assert pytest.approx(NormalDist().inv_cdf((1 + LEVEL) / 2), rel=1e-14) == Z95

    def test_interval_of_the_difference_by_hand(self) -> None:
        # Half an example more in each outcome: 8.5 and 2.5 of 102, difference 6/102.
        half = 1.959964 * math.sqrt((11 / 102 - (6 / 102) ** 2) / 102)
        assert mcnemar(*outcomes(50, 8, 2, 40)).ci95 == pytest.approx((6 / 102 - half, 6 / 102 + half), abs=1e-6)

    @pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (7, 7), (1, 0)])
    def test_an_even_split_is_no_evidence(self, only_a: int, only_b: int) -> None:
        assert mcnemar(*outcomes(5, only_a, only_b, 5)).p_value == 1

    def test_large_numbers_stay_exact(self) -> None:
        # Normal approximation with continuity correction: z = (|b - c| - 1) / sqrt(b + c).
        result = mcnemar(*outcomes(0, 10_200, 9_800, 0))
        assert result.p_value == pytest.approx(math.erfc(399 / math.sqrt(20_000) / math.sqrt(2)), rel=1e-3)
        assert mcnemar(*outcomes(0, 9_000, 0, 0)).p_value == 0

    @given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
    def test_swapping_the_networks_mirrors_the_result(self, counts: tuple[int, int, int, int]) -> None:
        a, b = outcomes(*counts)
        one, other = mcnemar(a, b), mcnemar(b, a)
        assert one.p_value == other.p_value
        assert 0 < one.p_value <= 1
        assert one.ci95 == pytest.approx((-other.ci95[1], -other.ci95[0]))
        assert one.ci95[0] <= one.difference <= one.ci95[1]
        assert json.loads(json.dumps(one.as_dict())) == one.as_dict()

    @pytest.mark.parametrize(
        ("a", "b"),
        [(np.ones(2, bool), np.ones(3, bool)), (np.ones(0, bool), np.ones(0, bool)), (np.ones(2), np.ones(2))],
    )
    def test_results_that_cannot_be_paired_are_refused(self, a: np.ndarray, b: np.ndarray) -> None:
        with pytest.raises(DataError, match="expected"):
            mcnemar(a, b)


class TestMeanAndSd:
    def test_sample_standard_deviation(self) -> None:
        assert mean_and_sd([0.8, 0.9, 1.0]) == pytest.approx((0.9, 0.1))

    def test_one_seed_has_no_standard_deviation(self) -> None:
        assert mean_and_sd([0.8]) == (0.8, None)

    def test_no_seed_is_refused(self) -> None:
        with pytest.raises(DataError, match="at least one"):
            mean_and_sd([])


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    num_classes, n_e = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    scale = draw(st.sampled_from([0.1, 1.0, 20.0]))
    train, test = (rng.poisson(rng.gamma(0.5, scale, (size, n_e))).astype(np.uint16) for size in sizes)
    labels = [rng.integers(0, num_classes, size) for size in sizes]
    return train, labels[0], test, labels[1]


def score(values: tuple[Any, ...], classifier: Classifier) -> Evaluation:
    train, train_labels, test, test_labels = values
    return evaluate(train, train_labels, test, test_labels, None, classifier)


QUICK = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
class TestAlways:
    @QUICK
    @given(values=recordings())
    def test_the_figures_agree_with_each_other(self, classifier: Classifier, values: tuple[Any, ...]) -> None:
        result = score(values, classifier)
        assert result.ci95[0] <= result.accuracy <= result.ci95[1]
        assert result.confusion.sum() + result.undecided_examples == result.num_examples
        assert np.trace(result.confusion) == result.num_correct == sum(r.correct for r in result.per_class)
        assert result.undecided_examples >= result.silent_examples
        assert np.isfinite(result.scores).all()

    @QUICK
    @given(values=recordings(), seed=st.integers(0, 1000))
    def test_the_order_of_neurons_and_examples_does_not_matter(
        self, classifier: Classifier, values: tuple[Any, ...], seed: int
    ) -> None:
        train, train_labels, test, test_labels = values
        rng = np.random.default_rng(seed)
        neurons, of_train, of_test = (rng.permutation(k) for k in (train.shape[1], len(train), len(test)))
        shuffled = (
            train[of_train][:, neurons], train_labels[of_train], test[of_test][:, neurons], test_labels[of_test],
        )  # fmt: skip
        result = score(values, classifier)
        np.testing.assert_array_equal(score(shuffled, classifier).predictions, result.predictions[of_test])

    @QUICK
    @given(values=recordings(), factor=st.integers(2, 9))
    def test_twice_the_spikes_for_the_test_images_say_the_same(
        self, classifier: Classifier, values: tuple[Any, ...], factor: int
    ) -> None:
        train, train_labels, test, test_labels = values
        louder = (train, train_labels, test * factor, test_labels)
        np.testing.assert_array_equal(score(louder, classifier).predictions, score(values, classifier).predictions)

    @QUICK
    @given(values=recordings(), neuron=st.integers(0, 5), factor=st.integers(2, 9))
    def test_a_louder_neuron_keeps_its_label_and_selectivity(
        self, classifier: Classifier, values: tuple[Any, ...], neuron: int, factor: int
    ) -> None:
        train, train_labels, _, _ = values
        louder = train.copy()
        louder[:, neuron % train.shape[1]] *= factor
        one, other = assign_labels(train, train_labels), assign_labels(louder, train_labels)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_allclose(one.selectivity, other.selectivity, atol=1e-12)
