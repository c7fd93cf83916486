"""Score recorded responses: labels of neurons from training responses, accuracy on test responses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    find_recordings,
    load_ancestor_pair,
    load_responses,
    load_weights,
    weights_exist,
)
from snstdp_cli.artefacts.provenance import digest_of_data
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Classifier, Comparison, Evaluation, evaluate, mcnemar
from snstdp_cli.progress import Reporter

AssignFrom = Literal["train", "test"]


@dataclass(frozen=True)
class Score:
    """An evaluation and what it was made from."""

    name: str
    evaluation: Evaluation
    assign_from: AssignFrom
    num_assign: int
    num_classes: int
    assign: Responses
    test: Responses
    test_path: Path

    @property
    def experiment(self) -> dict[str, Any]:
        """The configuration of the recording; empty where it is not known, as for the ancestor's files."""
        found = self.test.provenance.get("experiment")
        return found if isinstance(found, dict) else {}

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON can hold them."""
        return {
            "name": self.name,
            **self.evaluation.as_dict(),
            "assign_from": self.assign_from,
            "assign_examples": self.num_assign,
            "chance": 1 / self.num_classes,
        }


def load_recording(workdir: Workdir, name: str, split: str, report: Reporter | None = None) -> tuple[Responses, Path]:
    """Return the largest recording of `name` and `split` that was made with the weights as they are now.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    report = report or Reporter()
    wanted = load_weights(workdir, name).sha256 if weights_exist(workdir, name) else None
    stale: list[Path] = []
    for path in find_recordings(workdir, name, split):
        responses = load_responses(path)
        made_with = responses.provenance.get("weights")
        digest = made_with.get("sha256") if isinstance(made_with, dict) else None
        if wanted is None or digest in (None, wanted):
            for old in stale:
                report.warn(f"{old} was recorded with other weights of this name and is not used")
            return responses, path
        stale.append(path)
    command = f"snstdp test --load-name {name} --split {split}"
    if stale:
        raise ArtefactError(
            f"{stale[0]}: recorded with other weights than those now in {workdir.weights}; record again: "
            f"{command} --force"
        )
    raise ArtefactError(
        f"{workdir.activity}: no responses of '{name}' to the {split} split are recorded; record them: {command}"
    )


def evaluate_activity(
    workdir: Workdir,
    name: str,
    *,
    assign_from: AssignFrom = "train",
    classifier: Classifier = "average",
    num_examples: int | None = None,
    report: Reporter | None = None,
) -> Score:
    """Score the recorded responses of the weights `name`.

    Parameters
    ----------
    assign_from : `train` labels the neurons with the recorded training responses; `test` with the very responses that
        are scored, as the ancestor's script does, which flatters.
    num_examples : score only the first ones.
    """
    test, path = load_recording(workdir, name, "test", report)
    assign = test if assign_from == "test" else load_recording(workdir, name, "train", report)[0]
    return _score(name, assign, test, path, assign_from, classifier, num_examples)


def evaluate_ancestor_pairs(
    test_path: Path, assign_path: Path | None, *, classifier: Classifier = "average", num_examples: int | None = None
) -> Score:
    """Score a pair `resultPopVecs<N>.npy`, `inputNumbers<N>.npy`, labelled by a second pair or else by itself."""
    test = load_ancestor_pair(test_path)
    assign = test if assign_path is None else load_ancestor_pair(assign_path)
    source: AssignFrom = "test" if assign_path is None else "train"
    return _score(test_path.stem, assign, test, test_path, source, classifier, num_examples)


def _score(
    name: str,
    assign: Responses,
    test: Responses,
    path: Path,
    assign_from: AssignFrom,
    classifier: Classifier,
    num_examples: int | None,
) -> Score:
    data = test.provenance.get("data")
    known = int(data.get("num_classes", 10)) if isinstance(data, dict) else 10
    num_classes = max(known, int(assign.labels.max()) + 1, int(test.labels.max()) + 1)
    rows = slice(0, num_examples)
    evaluation = evaluate(
        assign.counts, assign.labels, test.counts[rows], test.labels[rows], test.silent[rows], classifier, num_classes
    )
    return Score(name, evaluation, assign_from, len(assign.labels), num_classes, assign, test, path)


def compare_networks(
    workdir: Workdir, a: str, b: str, *, classifier: Classifier = "average"
) -> tuple[Comparison, tuple[Score, Score]]:
    """Compare two networks on the same test images (McNemar).

    Raises
    ------
    ArtefactError
        If they were recorded on different images.
    """
    scores = (
        evaluate_activity(workdir, a, classifier=classifier),
        evaluate_activity(workdir, b, classifier=classifier),
    )
    return compare_scores(*scores), scores


def compare_scores(a: Score, b: Score) -> Comparison:
    """Compare two scores on the same test images (McNemar).

    Raises
    ------
    ArtefactError
        If they are of different images.
    """
    labels = a.test.labels, b.test.labels
    if digest_of_data(a.test.provenance) != digest_of_data(b.test.provenance) or not np.array_equal(*labels):
        raise ArtefactError(
            f"{a.test_path} and {b.test_path}: recorded on different images ({len(labels[0]):,} and "
            f"{len(labels[1]):,}); record both on the same ones to compare them"
        )
    return mcnemar(a.evaluation.correct, b.evaluation.correct)
