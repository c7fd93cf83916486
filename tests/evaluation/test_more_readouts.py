"""The read-outs beside Diehl & Cook's average and ours by selectivity, against values computed by hand."""

import warnings
from typing import get_args

import numpy as np
import pytest

from snstdp_cli.config.sections import EvaluationSettings
from snstdp_cli.errors import DataError
from snstdp_cli.evaluation import (
    NAMING,
    READ_OUTS,
    TRAINED,
    Classifier,
    assign_labels,
    classify,
    evaluate_all,
    with_usual,
)

#: Neuron 0 answers to class 0 three times of four, neuron 1 to class 1 always, neuron 2 never.
COUNTS = np.array([[3, 0, 0], [1, 4, 0]])
LABELS = np.array([0, 1])


def test_proportion_weighting_counts_a_spike_by_the_share_of_the_neurons_own_class() -> None:
    assignment = assign_labels(COUNTS, LABELS)
    assert assignment.labels.tolist() == [0, 1, -1]
    scores, predicted = classify(np.array([[4, 3, 0], [4, 4, 0]]), assignment, "proportion")
    assert scores.tolist() == [[4 * 0.75, 3.0], [4 * 0.75, 4.0]]
    assert predicted.tolist() == [0, 1]


def test_all_activity_gives_silent_neurons_to_the_lowest_class_and_average_leaves_them_out() -> None:
    assignment, shown = assign_labels(COUNTS, LABELS), np.array([[4, 3, 0]])
    assert classify(shown, assignment, "average")[0].tolist() == [[4.0, 3.0]]
    scores, predicted = classify(shown, assignment, "all_activity")
    assert scores.tolist() == [[2.0, 3.0]]  # two neurons carry class 0, one of them silent
    assert predicted.tolist() == [1]


def test_all_activity_labels_neurons_that_never_learned_too() -> None:
    assignment = assign_labels(COUNTS, LABELS, never_learned=np.array([False, True, False]))
    shown = np.array([[0, 5, 0]])
    assert classify(shown, assignment, "average")[1].tolist() == [-1]
    assert classify(shown, assignment, "all_activity")[1].tolist() == [1]


@pytest.mark.parametrize("read_out", NAMING)
def test_ties_go_to_the_lowest_class_or_in_the_ancestors_order_to_the_highest(read_out: Classifier) -> None:
    assignment = assign_labels(np.array([[2, 0], [0, 2]]), np.array([3, 8]))
    shown = np.array([[1, 1], [0, 0]])
    assert classify(shown, assignment, read_out)[1].tolist() == [3, -1]
    assert classify(shown, assignment, read_out, "ancestor")[1].tolist() == [8, -1]


def test_the_list_of_read_outs_is_that_of_the_settings() -> None:
    assert get_args(EvaluationSettings.model_fields["classifier"].annotation) == READ_OUTS
    assert set(NAMING) | TRAINED == set(READ_OUTS)
    assert with_usual("linear") == ("linear", "average", "selective")


def test_what_labels_trained_is_told_apart() -> None:
    pytest.importorskip("sklearn")
    counts, labels = _noisy(60, 0)
    scored = evaluate_all(counts, labels, *_noisy(40, 1), read_outs=READ_OUTS)
    assert tuple(scored) == READ_OUTS
    assert {name: one.as_dict()["label_use"] for name, one in scored.items()} == {
        **dict.fromkeys(NAMING, "naming"),
        "linear": "trained",
    }


def test_the_linear_read_out_reads_what_no_single_neuron_tells() -> None:
    """Class 1 is where both neurons fire alike strongly: no neuron prefers it, but a sum above a threshold tells it."""
    pytest.importorskip("sklearn")
    from snstdp_cli.evaluation import fit_linear

    counts, labels = _summed(400, 0)
    fitted = fit_linear(counts, labels)
    shown, truth = _summed(200, 1)
    answers = fitted.classes[fitted.scores(shown).argmax(axis=1)]
    assert np.mean(answers == truth) > 0.95
    assert fit_linear(counts, labels).weights.tobytes() == fitted.weights.tobytes()


def test_the_linear_read_out_never_looks_at_test_labels_and_undecided_stays_undecided() -> None:
    pytest.importorskip("sklearn")
    counts, labels = _noisy(60, 0)
    shown, truth = _noisy(40, 1)
    shown[0] = 0
    first = evaluate_all(counts, labels, shown, truth, read_outs=("linear",))["linear"]
    second = evaluate_all(counts, labels, shown, 1 - truth, read_outs=("linear",))["linear"]
    assert first.predictions[0] == -1
    assert np.array_equal(first.predictions, second.predictions)


def test_a_class_without_training_images_is_never_the_linear_answer() -> None:
    pytest.importorskip("sklearn")
    counts, labels = _noisy(60, 0)
    shown, truth = _noisy(40, 1)
    truth[:5] = 7
    scored = evaluate_all(counts, labels, shown, truth, read_outs=("linear",))["linear"]
    assert scored.classes.tolist() == [0, 1, 7]
    assert 7 not in scored.predictions


def test_a_fit_that_ends_before_it_is_settled_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    from snstdp_cli.evaluation import fit_linear, linear

    monkeypatch.setattr(linear, "_MAX_ITERATIONS", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit_linear(*_summed(400, 0))
    assert np.isfinite(fitted.weights).all()


def test_too_few_labels_to_train_by_are_told() -> None:
    from snstdp_cli.evaluation import fit_linear

    with pytest.raises(DataError, match="trained by labels: found 2 training responses of 2 classes"):
        fit_linear(COUNTS, LABELS)


def _noisy(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(num) % 2
    return rng.poisson(np.where(labels[:, None] == [0, 1], 5.0, 1.0)), labels


def _summed(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(num) % 2
    split = rng.binomial(20 + 20 * labels, 0.5)
    return np.stack([split, 20 + 20 * labels - split], axis=1), labels
