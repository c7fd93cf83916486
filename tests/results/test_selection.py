"""Recordings of several data sets and settings side by side: what is scored together, and what is refused and why."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import small

from snstdp_cli.artefacts import (
    Responses,
    Workdir,
    list_recordings,
    load_responses,
    load_weights,
    save_ancestor_pair,
    save_responses,
    save_weights,
)
from snstdp_cli.errors import ArtefactError
from snstdp_cli.results import (
    TrainedNetwork,
    compare_scores,
    recorded_variants,
    score_ancestor_pairs,
    score_network,
)

pytestmark = pytest.mark.compiles

NOISY = {"name": "noisy.npz", "identity": "noisy.npz", "sha256": "7" * 64, "set_sha256": "8" * 64}


def recorded(workdir: Workdir, split: Any) -> Responses:
    """Return the recording of the training's data and settings."""
    return load_responses(
        next(
            file.path for file in list_recordings(workdir, "a", split) if file.mark is not None and len(file.mark) == 8
        )
    )


def record_as(
    workdir: Workdir,
    split: str,
    *,
    label: str | None = None,
    data: dict[str, Any] | None = None,
    num: int = 10,
    turned: bool = False,
    **settings: Any,
) -> Path:
    """Write a copy of a recording as if it had been made of other images or with other settings.

    Parameters
    ----------
    turned
        Give each image the answer to the one before it, so that it scores differently.
    """
    found = recorded(workdir, split)
    assert found.record is not None
    changes: dict[str, Any] = {"label": label}
    if data:
        changes["data"] = found.record.data.model_copy(update=data)
    if settings:
        changes["experiment"] = small(save_name="a", **settings)
    counts = np.roll(found.counts, 1, axis=0) if turned else found.counts
    arrays = {key: getattr(found, key)[:num] for key in ("labels", "attempts", "silent")}
    record = found.record.model_copy(update=changes)
    return save_responses(workdir, replace(found, counts=counts[:num], **arrays, record=record))


def score(workdir: Workdir, **options: Any) -> Any:
    return score_network(TrainedNetwork(workdir, "a"), **options)


def refusal(workdir: Workdir, **options: Any) -> str:
    with pytest.raises(ArtefactError) as raised:
        score(workdir, **options)
    return str(raised.value)


def command_in(sentence: str) -> dict[str, list[str]]:
    """Return the options of the command that a sentence ends with."""
    words = shlex.split(sentence.rpartition(": snstdp ")[2])
    assert words[0] == "test"
    found: dict[str, list[str]] = {}
    for key, value in zip(words[1::2], words[2::2], strict=False):
        found.setdefault(key, []).append(value)
    return found


def test_labels_come_from_training_images_and_chance_from_the_classes(trained: Workdir) -> None:
    fair = score(trained)
    assert fair.as_dict()["assign_from"] == "train"
    assert not fair.circular
    assert fair.evaluation.classes.tolist() == [0, 1, 2, 3]
    assert fair.evaluation.chance == 0.3
    assert fair.notes == ()


def test_labels_from_test_responses_flatter_and_are_told_apart(trained: Workdir) -> None:
    flattering = score(trained, assign_from="test")
    assert flattering.as_dict()["assign_from"] == "test"
    assert flattering.circular
    assert flattering.evaluation.accuracy >= score(trained).evaluation.accuracy


def test_circular_scoring_is_told_whatever_the_files_are_called(copied: Workdir) -> None:
    """In version 0.1 a copy of the file was called honest."""
    test = recorded(copied, "test")
    first, _ = save_ancestor_pair(copied, test)
    other = Workdir(copied.root / "elsewhere")
    second, _ = save_ancestor_pair(other, test)
    honest, _ = save_ancestor_pair(Workdir(copied.root / "honest"), recorded(copied, "train"))
    assert score_ancestor_pairs(first, second).circular
    assert score_ancestor_pairs(first, None).circular
    assert score_ancestor_pairs(first, second).as_dict()["assign_from"] == "test"
    assert not score_ancestor_pairs(first, honest).circular
    # Test responses that were copied over the training responses of the same name.
    train_path, test_record = recorded(copied, "train").path, recorded(copied, "train").record
    train_path.unlink()
    save_responses(copied, replace(test, record=test_record))
    assert score(copied).circular


def test_two_data_sets_lie_side_by_side_and_each_is_scored_with_its_own_labels(copied: Workdir) -> None:
    """Version 0.1 scored labels of one with answers to the other: 13.8 % without a word."""
    alone = score(copied).as_dict()
    record_as(copied, "test", data=NOISY, turned=True)
    assert score(copied).as_dict() == alone
    other = score(copied, data="noisy.npz")
    assert other.data == "noisy.npz"
    assert other.notes == ("labels of the neurons from unknown images in MNIST's files, answers to noisy.npz",)
    record_as(copied, "train", data={**NOISY, "sha256": "9" * 64}, turned=True)
    own = score(copied, data="./noisy.npz")
    assert own.notes == ()
    assert own.labels_from == "10 train images of noisy.npz"
    assert score(copied).as_dict() == alone
    assert [record.data.identity for _, record in recorded_variants(TrainedNetwork(copied, "a"))] == [
        "unknown images in MNIST's files",
        "noisy.npz",
    ]


def test_settings_lie_side_by_side_and_are_never_scored_together(copied: Workdir) -> None:
    alone = score(copied).as_dict()
    path = record_as(copied, "test", turned=True, dt=0.25, **{"presentation.stimulus_ms": 100.0})
    assert score(copied).as_dict() == alone
    mark = path.name.split(".")[3]
    said = refusal(copied, mark=mark)
    assert "different: dt (0.25, there 0.5), presentation.stimulus_ms (100, there 60)" in said
    command = command_in(said)
    assert command["--split"] == ["train"]
    settings = dict(pair.split("=") for pair in command["--set"])
    assert settings == {"dt": "0.25", "presentation.stimulus_ms": "100"}
    # What the command records is what was missing.
    record_as(copied, "train", **{key: float(value) for key, value in settings.items()})
    assert score(copied, mark=mark).assign.record.experiment.dt == 0.25
    assert score(copied).as_dict() == alone


def test_a_longer_recording_with_other_settings_does_not_win(copied: Workdir) -> None:
    """In version 0.1 the largest recording won, whatever it was made with."""
    for split in ("train", "test"):
        found = recorded(copied, split)
        found.path.unlink()
        assert found.record is not None
        cut = {key: getattr(found, key)[:6] for key in ("counts", "labels", "attempts", "silent")}
        save_responses(copied, replace(found, **cut))
        longer = found.record.model_copy(update={"experiment": small(save_name="a", dt=0.25)})
        save_responses(copied, replace(found, record=longer))
    result = score(copied)
    assert result.evaluation.num_examples == 6
    assert result.assign.record is not None
    assert result.assign.record.experiment.dt == result.test.record.experiment.dt == 0.5


def test_a_choice_that_is_open_is_refused_with_names_that_choose(copied: Workdir) -> None:
    usual = recorded(copied, "test").path
    record_as(copied, "test", label="clean", dt=0.25)
    record_as(copied, "test", label="clean", num=5, dt=0.125)
    record_as(copied, "train", dt=0.25)
    record_as(copied, "train", dt=0.125)
    usual.unlink()
    said = refusal(copied)
    assert "in several ways; choose one by --as:" in said
    marks = [line.split()[1].rstrip(":") for line in said.splitlines()[1:]]
    assert len(set(marks)) == 2
    assert sorted(score(copied, mark=mark).experiment.dt for mark in marks) == [0.125, 0.25]
    assert "dt (0.25, there 0.5)" in said


def test_a_name_wins_over_the_beginning_of_an_identity(copied: Workdir) -> None:
    identity = recorded(copied, "test").record.identity  # type: ignore[union-attr]
    record_as(copied, "test", label=identity[:2], turned=True, dt=0.25)
    record_as(copied, "train", dt=0.25)
    assert score(copied, mark=identity[:2]).experiment.dt == 0.25
    assert score(copied, mark=identity[:3]).experiment.dt == 0.5


@pytest.mark.parametrize("choice", [{"data": "kmnist"}, {"mark": "nobody"}])
def test_a_choice_that_is_not_there_says_what_is_and_how_to_record_it(copied: Workdir, choice: dict[str, str]) -> None:
    said = refusal(copied, **choice)
    assert "there are: unknown images in MNIST's files (" in said
    key = {"data": "--data", "mark": "--as"}[next(iter(choice))]
    assert command_in(said)[key] == list(choice.values())


def test_recordings_of_older_weights_are_not_scored(copied: Workdir) -> None:
    loaded = load_weights(copied, "a")
    assert loaded.record is not None
    save_weights(copied, "a", loaded.weights * 1.01, loaded.theta_mv, loaded.record, force=True)
    said = refusal(copied)
    assert "recorded with other weights" in said
    assert command_in(said)["--split"] == ["test"]


def test_missing_training_responses_are_named_with_the_command(copied: Workdir) -> None:
    recorded(copied, "train").path.unlink()
    said = refusal(copied)
    assert "no training responses of 'a' are recorded" in said
    assert command_in(said) == {"--load-name": ["a"], "--split": ["train"]}


def test_a_damaged_recording_is_told_and_does_not_hide_the_others(copied: Workdir) -> None:
    alone = score(copied).as_dict()
    path = record_as(copied, "test", label="broken")
    path.write_bytes(path.read_bytes()[:300])
    network = TrainedNetwork(copied, "a")
    result = score_network(network)
    assert result.as_dict() == alone
    assert len(result.notes) == len(network.damaged_recordings) == 1
    assert "a.test.10.broken.npz" in result.notes[0]
    whole = recorded(copied, "test").path
    whole.write_bytes(b"")
    said = refusal(copied)
    assert str(whole) in said
    assert "no intact responses" in said
    assert "--force" in said


def test_the_first_examples_can_be_scored_alone(trained: Workdir) -> None:
    assert score(trained, num_examples=4).evaluation.num_examples == 4


def test_comparing_takes_pairs_of_the_same_images_only(copied: Workdir) -> None:
    """`evaluate --compare` ignored the number of examples and where labels come from."""
    whole, few = score(copied), score(copied, num_examples=4)
    same = compare_scores(whole, whole)
    assert {kind: (c.only_a, c.only_b, c.p_value) for kind, c in same.items()} == {
        "average": (0, 0, 1.0),
        "selective": (0, 0, 1.0),
    }
    with pytest.raises(ArtefactError, match="10 and 4 examples"):
        compare_scores(whole, few)
    record_as(copied, "test", data=NOISY, turned=True)  # answers to corrupted images of the same labels
    other = score(copied, data="noisy.npz")
    wins = (other.evaluation.correct & ~whole.evaluation.correct).sum()
    assert compare_scores(whole, other)["average"].only_b == wins


def test_recordings_may_outlive_their_weights(copied: Workdir) -> None:
    loaded = load_weights(copied, "a")
    assert loaded.record is not None
    # Which neurons never learned is written down beside the weights only.
    learned = loaded.record.model_copy(update={"never_learned": ()})
    save_weights(copied, "a", loaded.weights, loaded.theta_mv, learned, force=True)
    alone = score(copied).evaluation.num_correct
    for path in copied.weights.glob("*a*"):
        if path.is_file():
            path.unlink()
    network = TrainedNetwork(copied, "a")
    assert not network.has_weights
    assert score_network(network).evaluation.num_correct == alone


def test_neurons_that_never_learned_have_no_vote(copied: Workdir) -> None:
    loaded = load_weights(copied, "a")
    assert loaded.record is not None
    record = loaded.record.model_copy(update={"never_learned": (0, 3)})
    save_weights(copied, "a", loaded.weights, loaded.theta_mv, record, force=True)
    result = score(copied).evaluation
    assert result.never_learned_neurons == 2
    assert result.assignment.labels[[0, 3]].tolist() == [-1, -1]
    save_weights(
        copied, "a", loaded.weights, loaded.theta_mv, record.model_copy(update={"never_learned": (99,)}), force=True
    )
    assert "never_learned: found the neuron 99" in refusal(copied)
