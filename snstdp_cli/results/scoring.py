"""Score recorded responses: labels of neurons from training responses, accuracy on test responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import Responses, TrainingRecord, load_ancestor_pair, load_responses
from snstdp_cli.config import Experiment, differing_settings, setting_notes
from snstdp_cli.config.facets import affected
from snstdp_cli.errors import ArtefactError, ConfigError
from snstdp_cli.evaluation import (
    Classifier,
    Comparison,
    Evaluation,
    Ties,
    collapsed,
    difference_of_labels,
    evaluate_all,
    mcnemar,
    same_responses,
    with_usual,
)
from snstdp_cli.results.network import TrainedNetwork
from snstdp_cli.results.selection import ScoreOn, find_pair, find_test

AssignFrom = Literal["train", "test"]


@dataclass(frozen=True, eq=False)
class Score:
    """Evaluations of one recording by every read-out, and what they were made from.

    Attributes
    ----------
    evaluations
        By read-out; all are made from the same labels. Average and selective are always among them.
    classifier
        The read-out that is told first.
    circular
        Whether the neurons were labelled by the very responses that are scored, which flatters.
    notes
        What the reader should know of the choice of recordings.
    changed
        Settings of the scored recording that are not those of the training, by dotted key: noise, for example.
    training
        How the weights that were recorded were made; None where it is not known, or they are gone.
    """

    name: str
    evaluations: Mapping[Classifier, Evaluation]
    classifier: Classifier
    assign: Responses
    test: Responses
    circular: bool
    notes: tuple[str, ...] = ()
    changed: Mapping[str, Any] = field(default_factory=dict)
    training: TrainingRecord | None = None

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation that is told first."""
        return self.evaluations[self.classifier]

    @property
    def experiment(self) -> Experiment | None:
        """The experiment of the recording; None for the ancestor's files."""
        return None if self.test.record is None else self.test.record.experiment

    @property
    def data(self) -> str:
        """What was scored, such as `mnist`."""
        return "recorded" if self.test.record is None else self.test.record.data.identity

    @property
    def scored_on(self) -> ScoreOn:
        """Which images were scored: those of the test, or those that were kept for validation."""
        record = self.test.record
        return "validation" if record is not None and record.data.split == "validation" else "test"

    @property
    def label(self) -> str | None:
        """What the recording was named beside the usual one of these images (`test --as`)."""
        return None if self.test.record is None else self.test.record.label

    @property
    def recorded(self) -> str:
        """How the recording was made, if not as usual: `recorded as 'noisy', with input.noise 0.5`; else empty."""
        parts = [] if self.label is None else [f"as '{self.label}'"]
        parts += [f"with {', '.join(setting_notes(self.changed))}"] if self.changed else []
        return f"recorded {', '.join(parts)}" if parts else ""

    @property
    def labels_from(self) -> str:
        """What labelled the neurons, such as `10,000 train images of mnist`."""
        record, num = self.assign.record, len(self.assign.labels)
        if record is None:
            return f"{num:,} recorded examples"
        return f"{num:,} {record.data.split} images of {record.data.identity}"

    def class_name(self, label: int) -> str:
        """Return what a class is called: its name, or its number."""
        record = self.test.record or self.assign.record
        return str(label) if record is None else record.data.class_name(int(label))

    @property
    def class_names(self) -> list[str]:
        """What the classes are called, in the order of the evaluation's."""
        return [self.class_name(label) for label in self.evaluation.classes]

    @property
    def collapsed(self) -> str | None:
        """Why the network cannot be told from one that learned nothing, by both read-outs; None if it can."""
        return collapsed(self.evaluations, self.class_name)

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON can hold them."""
        others = {kind: one for kind, one in self.evaluations.items() if kind != self.classifier}
        return {
            "name": self.name,
            "data": self.data,
            "scored_on": self.scored_on,
            "label": self.label,
            "changed_settings": dict(self.changed),
            **self.evaluation.as_dict(),
            "class_names": self.class_names,
            "assign_from": "test" if self.circular else "train",
            "assign_data": None if self.assign.record is None else self.assign.record.data.identity,
            "assign_examples": len(self.assign.labels),
            "circular": self.circular,
            "read_outs": {
                kind: {
                    "accuracy": other.accuracy,
                    "ci95": list(other.ci95),
                    "num_correct": other.num_correct,
                    "label_use": other.label_use,
                }
                for kind, other in {self.classifier: self.evaluation, **others}.items()
            },
        }


def score_network(
    network: TrainedNetwork,
    *,
    assign_from: AssignFrom = "train",
    classifier: Classifier = "average",
    num_examples: int | None = None,
    data: str | None = None,
    mark: str | None = None,
    score_on: ScoreOn = "test",
    read_outs: Sequence[Classifier] = (),
    ties: Ties = "lowest",
) -> Score:
    """Score the recorded responses of a network.

    Parameters
    ----------
    assign_from
        `train` labels the neurons with the recorded training responses; `test` with the very responses that are
        scored, as the ancestor's script does, which flatters.
    num_examples
        Score only the first ones.
    data, mark
        Which of several recordings to score (see `find_test`).
    score_on
        `validation` scores the answers to the training images that were kept for validation.
    read_outs
        What to score by, beside `classifier` and those that are always told.
    ties
        Which of several best classes is predicted (see `snstdp_cli.evaluation.classify`).

    Raises
    ------
    ConfigError
        If labels from test responses are asked for, but validation images are scored.
    ArtefactError
        If the recordings are missing, damaged, or do not belong together.
    """
    if assign_from == "test":
        if score_on != "test":
            raise ConfigError(
                f"labels from test responses: expected the {score_on} images to be scored with labels from training "
                "responses; leave out --assign-from"
            )
        (file, _), notes = find_test(network, data, mark)
        test = load_responses(file.path)
        assign = test
    else:
        pair = find_pair(network, data, mark, score_on)
        assign, test, notes = pair.assign, pair.test, list(pair.notes)
    return score_responses(
        network,
        assign,
        test,
        classifier=classifier,
        num_examples=num_examples,
        notes=notes,
        read_outs=read_outs,
        ties=ties,
    )


def score_responses(
    network: TrainedNetwork,
    assign: Responses,
    test: Responses,
    *,
    classifier: Classifier = "average",
    num_examples: int | None = None,
    notes: Sequence[str] = (),
    read_outs: Sequence[Classifier] = (),
    ties: Ties = "lowest",
) -> Score:
    """Score responses of a network that are at hand, labelled by the responses `assign`."""
    never = network.never_learned if network.has_weights else None
    score = _score(network.name, assign, test, with_usual(classifier, *read_outs), num_examples, never, notes, ties)
    return replace(score, changed=_changed_settings(network, test), training=_training_of(network, test))


def _training_of(network: TrainedNetwork, test: Responses) -> TrainingRecord | None:
    """Return how the weights were made that were recorded, unless others have their name by now."""
    if test.record is None or not network.has_weights or test.record.weights.sha256 not in (None, network.sha256):
        return None
    return network.record


def _changed_settings(network: TrainedNetwork, test: Responses) -> dict[str, Any]:
    """Return the settings of a recording, of those that shape it, that are not those of the training."""
    if test.record is None or not network.has_weights or network.record is None:
        return {}
    differ = differing_settings([network.experiment, test.record.experiment])[1]
    return {key: value for key, value in differ.items() if "recording" in affected(key)}


def score_ancestor_pairs(
    test_path: Path,
    assign_path: Path | None,
    *,
    classifier: Classifier = "average",
    num_examples: int | None = None,
    read_outs: Sequence[Classifier] = (),
    ties: Ties = "lowest",
) -> Score:
    """Score a pair `resultPopVecs<N>.npy`, `inputNumbers<N>.npy`, labelled by a second pair or else by itself.

    Raises
    ------
    ArtefactError
        If a file is missing or damaged.
    """
    test = load_ancestor_pair(test_path)
    assign = test if assign_path is None else load_ancestor_pair(assign_path)
    notes = list(dict.fromkeys([*assign.notes, *test.notes]))
    return _score(test_path.stem, assign, test, with_usual(classifier, *read_outs), num_examples, None, notes, ties)


def compare_scores(a: Score, b: Score) -> dict[Classifier, Comparison]:
    """Compare two scores on the same test images (McNemar) by each read-out.

    The same images are those with the same labels in the same order: clean and corrupted answers may be compared.

    Raises
    ------
    ArtefactError
        If they are of different images.
    """
    apart = difference_of_labels(_scored_labels(a), _scored_labels(b))
    if apart is not None:
        raise ArtefactError(
            f"{a.test.path} and {b.test.path}: recorded on different images ({apart}); record both on the same ones to "
            "compare them"
        )
    both = [kind for kind in a.evaluations if kind in b.evaluations]
    pairs = {kind: (a.evaluations[kind].correct, b.evaluations[kind].correct) for kind in both}
    return {kind: mcnemar(*pair) for kind, pair in pairs.items()}


def _scored_labels(score: Score) -> NDArray[np.uint8]:
    return score.test.labels[: score.evaluation.num_examples]


def _score(
    name: str,
    assign: Responses,
    test: Responses,
    read_outs: Sequence[Classifier],
    num_examples: int | None,
    never_learned: NDArray[np.bool_] | None,
    notes: Sequence[str],
    ties: Ties,
) -> Score:
    """Score by several read-outs, of which the first is told first."""
    rows = slice(0, num_examples)
    evaluations = evaluate_all(
        assign.counts,
        assign.labels,
        test.counts[rows],
        test.labels[rows],
        test.silent[rows],
        never_learned=never_learned,
        read_outs=read_outs,
        ties=ties,
    )
    return Score(name, evaluations, read_outs[0], assign, test, same_responses(assign, test), tuple(notes))
