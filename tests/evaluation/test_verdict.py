"""A network has collapsed if neither read-out beats the best constant answer; a coin is not praised."""

from __future__ import annotations

import numpy as np
import pytest

from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import collapsed, evaluate_all


def answers(classes: np.ndarray, num_neurons: int) -> np.ndarray:
    """Return responses in which one neuron fires for each image."""
    return np.eye(num_neurons, dtype=int)[classes]


@pytest.mark.parametrize("labels", [np.arange(400) % 2, np.arange(400) % 2 + 1, np.where(np.arange(400) % 2, 8, 3)])
def test_a_coin_on_two_classes_has_collapsed_and_is_not_praised(labels: np.ndarray) -> None:
    tosses = np.random.default_rng(1).integers(0, 2, 400)
    known = answers((labels == labels.max()).astype(int), 2)
    found = evaluate_all(known, labels, answers(tosses, 2), labels)
    assert found["average"].chance == 0.5
    assert abs(found["average"].accuracy - 0.5) < 0.08
    told = collapsed(found)
    assert told is not None
    assert f"is not above the 50.0 % of always answering class {labels.min()}" in told


def test_three_right_answers_of_four_on_two_classes_are_above_chance() -> None:
    labels = np.arange(400) % 2
    test = np.where(np.arange(400) % 8 < 2, 1 - labels, labels)
    assert collapsed(evaluate_all(answers(labels, 2), labels, answers(test, 2), labels)) is None


def test_always_the_most_frequent_of_unbalanced_classes_has_collapsed_however_high_its_accuracy() -> None:
    labels = (np.arange(200) % 10 == 0).astype(int)
    found = evaluate_all(answers(labels, 2), labels, answers(np.zeros(200, int), 2), labels)
    assert found["average"].accuracy == found["average"].chance == 0.9
    assert (
        collapsed(found)
        == "by average: 100 % of the answers are class 0; by selective: 100 % of the answers are class 0"
    )


def test_right_answers_to_unbalanced_classes_are_no_collapse() -> None:
    labels = (np.arange(200) % 20 == 0).astype(int)
    assert collapsed(evaluate_all(answers(labels, 2), labels, answers(labels, 2), labels)) is None


def test_a_class_that_takes_nine_answers_of_ten_has_collapsed_although_it_is_above_chance() -> None:
    labels = np.arange(5000) % 10
    test = np.where(np.arange(5000) // 10 % 10 == 0, labels, 4)
    found = evaluate_all(answers(labels, 10), labels, answers(test, 10), labels)
    assert found["average"].ci95[0] > found["average"].chance
    assert (
        collapsed(found) == "by average: 91 % of the answers are class 4; by selective: 91 % of the answers are class 4"
    )


def test_a_network_that_one_read_out_can_read_has_not_collapsed() -> None:
    # No neuron answers most to class 1, which three images of five have; both together tell it.
    responses = np.array([[5, 0], [4, 4], [0, 5]])
    labels = np.tile([0, 1, 1, 1, 2], 20)
    found = evaluate_all(responses[labels], labels, responses[labels], labels)
    assert (found["average"].accuracy, found["average"].chance, found["selective"].accuracy) == (0.4, 0.6, 1.0)
    assert collapsed(found) is None


def test_a_network_without_an_answer_has_collapsed() -> None:
    labels = np.arange(40) % 4
    silent = np.zeros((40, 3), int)
    assert collapsed(evaluate_all(silent, labels, silent, labels)) == (
        "by average: no example is answered; by selective: no example is answered"
    )


@pytest.mark.parametrize(("num", "num_classes"), [(19, 2), (100, 1)])
def test_few_examples_or_a_single_class_give_no_verdict(num: int, num_classes: int) -> None:
    labels = np.arange(num) % num_classes
    same = np.ones((num, 2), int)
    assert collapsed(evaluate_all(same, labels, same, labels)) is None


def test_one_read_out_is_not_enough_for_a_verdict() -> None:
    labels = np.arange(40) % 2
    both = evaluate_all(answers(labels, 2), labels, answers(labels, 2), labels)
    with pytest.raises(DataError, match="a verdict needs both read-outs; missing: selective"):
        collapsed({"average": both["average"]})
