"""What a network said to each image, for spreadsheets and programs: recorded and scored, or predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.evaluation import NONE, Classifier
from snstdp_cli.results.scoring import Score
from snstdp_cli.results.tables import csv_text

Predictions = Mapping[Classifier, NDArray[np.int64]]
Scores = Mapping[Classifier, NDArray[np.float64]]


def answer_rows(
    predictions: Predictions,
    scores: Scores,
    classes: NDArray[np.int64],
    counts: NDArray[np.uint16],
    attempts: NDArray[np.uint16],
    silent: NDArray[np.bool_],
    labels: NDArray[np.uint8] | None = None,
    class_names: Mapping[int, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield for each image what was answered, as JSON can hold it.

    Yields
    ------
    row
        `image` (its number, from 0), `class` (the true one) and `correct` where labels are known, `predictions` by
        read-out (None where no labelled neuron fired), `spikes` of all excitatory neurons, `presentations`, `silent`,
        and `scores` by read-out and class. Where classes have names, `class_name` and `prediction_names` beside their
        numbers.
    """
    names = [str(label) for label in classes]
    for k in range(len(counts)):
        found = {kind: None if (one := int(predictions[kind][k])) == NONE else one for kind in predictions}
        row: dict[str, Any] = {"image": k}
        if labels is not None:
            row["class"] = int(labels[k])
            if class_names:
                row["class_name"] = class_names[int(labels[k])]
        row["predictions"] = found
        if class_names:
            row["prediction_names"] = {kind: None if one is None else class_names[one] for kind, one in found.items()}
        if labels is not None:
            row["correct"] = {kind: answer == int(labels[k]) for kind, answer in found.items()}
        row["spikes"] = int(counts[k].sum(dtype=np.int64))
        row["presentations"] = int(attempts[k])
        row["silent"] = bool(silent[k])
        row["scores"] = {kind: dict(zip(names, scores[kind][k].tolist(), strict=True)) for kind in scores}
        yield row


def named_classes(classes: NDArray[np.int64], class_name: Callable[[int], str]) -> dict[int, str]:
    """Return the names of classes by their numbers; nothing if their numbers are their names."""
    names = {int(label): class_name(int(label)) for label in classes}
    return names if any(name != str(label) for label, name in names.items()) else {}


def score_rows(score: Score) -> Iterator[dict[str, Any]]:
    """Yield a row (see `answer_rows`) for each image that was scored, after the network's and the data set's name."""
    num = score.evaluation.num_examples
    rows = answer_rows(
        {kind: one.predictions for kind, one in score.evaluations.items()},
        {kind: one.scores for kind, one in score.evaluations.items()},
        score.evaluation.classes,
        score.test.counts[:num],
        score.test.attempts[:num],
        score.test.silent[:num],
        score.test.labels[:num],
        named_classes(score.evaluation.classes, score.class_name),
    )
    return ({"network": score.name, "data": score.data, **row} for row in rows)


def rows_as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV: what is given by read-out or class becomes columns such as `average score 3`.

    A network that tells other classes apart than the first one adds its columns; cells that it has not are empty.
    """
    flat = [dict(_flatten(row)) for row in rows]
    header = list(dict.fromkeys(key for row in flat for key in row))
    return csv_text(header, ([row.get(key) for key in header] for row in flat))


_WORDS = {"predictions": "prediction", "prediction_names": "prediction name", "scores": "score"}


def _flatten(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if not isinstance(value, Mapping):
            yield key, value
            continue
        word = _WORDS.get(key, key)
        for kind, inner in value.items():
            if isinstance(inner, Mapping):
                yield from ((f"{kind} {word} {label}", one) for label, one in inner.items())
            else:
                yield f"{kind} {word}", inner
