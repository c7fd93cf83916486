"""Classes are those that occur, chance is the best constant answer, and neurons that never learned have no vote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import CLASSIFIERS, Classifier, CurvePoint, assign_labels, evaluate, evaluate_all

# Neuron 0 answers threes, neuron 1 eights, neuron 2 both alike, neuron 3 fires for threes but never learned.
COUNTS = np.array([[6, 0, 2, 9], [4, 0, 2, 9], [0, 5, 2, 0], [0, 7, 2, 0]])
LABELS = np.array([3, 3, 8, 8])


def coin(num: int, labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return responses of two neurons, of which one fires at random."""
    return np.eye(2, dtype=int)[np.random.default_rng(seed).integers(0, 2, num)]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
class TestClassesThatOccur:
    def test_threes_and_eights_are_two_classes_with_a_chance_of_a_half(self, classifier: Classifier) -> None:
        result = evaluate(COUNTS, LABELS, COUNTS, LABELS, None, classifier)
        assert result.classes.tolist() == [3, 8]
        assert (result.accuracy, result.chance) == (1.0, 0.5)
        assert result.predictions.tolist() == [3, 3, 8, 8]
        np.testing.assert_array_equal(result.confusion, [[2, 0], [0, 2]])
        assert [(r.label, r.correct, r.total) for r in result.per_class] == [(3, 2, 2), (8, 2, 2)]
        assert result.by_class[8].accuracy == 1
        assert result.scores.shape == (4, 2)

    def test_labels_from_one_are_told_apart_as_those_from_zero(self, classifier: Classifier) -> None:
        zero = evaluate(COUNTS, LABELS // 8, COUNTS, LABELS // 8, None, classifier)
        one = evaluate(COUNTS, LABELS // 8 + 1, COUNTS, LABELS // 8 + 1, None, classifier)
        np.testing.assert_array_equal(one.predictions, zero.predictions + 1)
        np.testing.assert_array_equal(one.scores, zero.scores)
        assert one.classes.tolist() == [1, 2]
        assert one.chance == zero.chance == 0.5

    def test_chance_is_the_share_of_the_most_frequent_class_that_is_scored(self, classifier: Classifier) -> None:
        scored = np.array([8, 8, 8, 3])
        result = evaluate(COUNTS, LABELS, COUNTS, scored, None, classifier)
        assert (result.chance, result.commonest_class) == (0.75, 8)
        always_eight = np.tile([0, 1, 0, 0], (4, 1))
        assert evaluate(COUNTS, LABELS, always_eight, scored, None, classifier).accuracy == result.chance

    def test_a_single_class_leaves_nothing_to_be_told_apart(self, classifier: Classifier) -> None:
        result = evaluate(COUNTS, np.full(4, 7), COUNTS, np.full(4, 7), None, classifier)
        assert (result.classes.tolist(), result.chance, result.accuracy) == ([7], 1.0, 1.0)
        assert not result.assignment.selectivity.any()

    def test_a_class_that_only_the_test_images_have_is_never_predicted(self, classifier: Classifier) -> None:
        result = evaluate(COUNTS, LABELS, COUNTS, np.array([3, 5, 8, 5]), None, classifier)
        assert result.classes.tolist() == [3, 5, 8]
        assert result.by_class[5][:2] == (0, 2)
        assert not result.confusion[:, 1].any()

    def test_the_same_figures_stand_in_the_json(self, classifier: Classifier) -> None:
        told = evaluate(COUNTS, LABELS, COUNTS, LABELS, None, classifier).as_dict()
        assert (told["classes"], told["chance"], told["never_learned_neurons"]) == ([3, 8], 0.5, 0)
        assert [row["label"] for row in told["per_class"]] == [3, 8]


def test_a_neuron_that_answers_all_occurring_classes_alike_is_not_selective() -> None:
    np.testing.assert_allclose(assign_labels(COUNTS, LABELS).selectivity, [1, 1, 0, 1])


def test_both_read_outs_share_one_assignment_and_equal_the_single_ones() -> None:
    both = evaluate_all(COUNTS, LABELS, COUNTS, LABELS)
    assert list(both) == ["average", "selective"]
    assert both["average"].assignment is both["selective"].assignment
    for classifier in CLASSIFIERS:
        np.testing.assert_array_equal(
            both[classifier].scores, evaluate(COUNTS, LABELS, COUNTS, LABELS, None, classifier).scores
        )


class TestNeverLearned:
    MARKS = np.array([False, False, False, True])

    @pytest.mark.parametrize("classifier", CLASSIFIERS)
    def test_a_neuron_that_never_learned_has_no_label_and_no_vote(self, classifier: Classifier) -> None:
        only_that_one = np.array([[0, 0, 0, 9], [1, 0, 0, 9], [0, 1, 0, 9], [0, 1, 0, 0]])
        with_vote = evaluate(COUNTS, LABELS, only_that_one, LABELS, None, classifier)
        without = evaluate(COUNTS, LABELS, only_that_one, LABELS, None, classifier, never_learned=self.MARKS)
        assert with_vote.predictions.tolist() == [3, 3, 3, 8]
        assert without.predictions.tolist() == [-1, 3, 8, 8]
        assert without.assignment.labels.tolist() == [3, 8, 3, -1]
        assert (without.never_learned_neurons, without.unassigned_neurons) == (1, 1)
        assert (with_vote.never_learned_neurons, with_vote.unassigned_neurons) == (0, 0)
        np.testing.assert_array_equal(without.scores[0], [0, 0])

    def test_labels_alone_follow_the_marks_too(self) -> None:
        assert assign_labels(COUNTS, LABELS, never_learned=self.MARKS).labels.tolist() == [3, 8, 3, -1]

    @pytest.mark.parametrize("marks", [np.zeros(3, bool), np.zeros(4)])
    def test_marks_that_do_not_fit_are_refused(self, marks: Any) -> None:
        with pytest.raises(DataError, match=r"expected true or false for each of 4 neurons \(never learned or not\)"):
            evaluate_all(COUNTS, LABELS, COUNTS, LABELS, never_learned=marks)


class TestCurvePoint:
    def test_its_interval_is_that_of_the_images_that_were_scored(self) -> None:
        point = CurvePoint(examples=500, correct=5, total=10)
        assert point.accuracy == 0.5
        assert point.ci95 == pytest.approx((0.23659, 0.76341), abs=1e-4)

    @pytest.mark.parametrize("values", [(-1, 0, 1), (0, 2, 1), (0, -1, 1), (0, 0, 0)])
    def test_what_cannot_be_is_refused(self, values: tuple[int, int, int]) -> None:
        with pytest.raises(DataError, match="expected a point of a learning curve"):
            CurvePoint(*values)
