"""Files of version 0.1: they load and are scored as they were, and are not mixed with those of this version."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import small, write_idx_set

from snstdp_cli.artefacts import Workdir, list_recordings, load_responses, load_weights, save_responses
from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import CurvePoint
from snstdp_cli.results import TrainedNetwork, score_network
from snstdp_cli.training import train_network

OLD = Path(__file__).parents[1] / "version_0_1"
SHIPPED = Workdir(Path(__file__).parents[2])


@pytest.fixture
def old(tmp_path: Path) -> Workdir:
    shutil.copytree(OLD, tmp_path / "old")
    return Workdir(tmp_path / "old")


def test_weights_snapshots_and_curve_load(old: Workdir) -> None:
    network = TrainedNetwork(old, "old")
    assert network.weights.shape == (36, 8)
    assert [shot.examples for shot in network.snapshots] == [4, 8]
    assert network.history.examples == (4, 8, 10)
    assert [(point.examples, point.total) for point in network.learning_curve] == [(4, 4), (8, 4)]
    assert network.never_learned is None
    assert network.record is not None
    assert network.record.generation == 1
    assert network.record.training is None
    assert network.data is not None
    assert network.data.identity == "unknown images in MNIST's files"


def test_recordings_are_scored_as_before(old: Workdir) -> None:
    result = score_network(TrainedNetwork(old, "old"))
    assert (result.evaluation.num_correct, result.evaluation.num_examples) == (4, 10)
    assert [(c.correct, c.total) for c in result.evaluation.per_class] == [(1, 3), (3, 3), (0, 2), (0, 2)]
    assert result.notes == ()


def test_they_are_not_mixed_with_those_of_this_version_whose_random_numbers_are_others(old: Workdir) -> None:
    found = {file.split: load_responses(file.path) for file in list_recordings(old, "old")}
    records = {split: responses.record for split, responses in found.items()}
    assert records["test"] is not None
    assert records["train"] is not None
    save_responses(old, replace(found["test"], record=records["test"].model_copy(update={"generation": 2})))
    with pytest.raises(ArtefactError, match=r"different: recorded by another version of snstdp\).*--split train"):
        score_network(TrainedNetwork(old, "old"))
    save_responses(old, replace(found["train"], record=records["train"].model_copy(update={"generation": 2})))
    result = score_network(TrainedNetwork(old, "old"))
    assert result.test.record is not None
    assert result.test.record.generation == 2
    for file in list_recordings(old, "old", "train"):
        if file.mark is None:
            file.path.unlink()
        else:
            new_train = file.path
    assert score_network(TrainedNetwork(old, "old")).notes == ()
    next(file.path for file in list_recordings(old, "old", "test") if file.mark is not None).unlink()
    with pytest.raises(ArtefactError, match=r"record both again: snstdp test .*--split test && snstdp test .*train"):
        score_network(TrainedNetwork(old, "old"))
    assert new_train.exists()


@pytest.mark.parametrize("resume", [True, False])
def test_a_checkpoint_of_version_0_1_is_refused_with_a_sentence_that_leads_on(
    old: Workdir, tmp_path: Path, resume: bool
) -> None:
    data = write_idx_set(tmp_path / "MNIST")
    expected = "of version 0.1.*finish the training with that version.*--force" if resume else "go on with --resume"
    with pytest.raises(ArtefactError, match=expected):
        train_network(small(save_name="half"), old, data_dir=data, resume=resume)


@pytest.mark.compiles
def test_force_leads_on_from_a_checkpoint_of_version_0_1(old: Workdir, tmp_path: Path) -> None:
    data = write_idx_set(tmp_path / "MNIST")
    result = train_network(small(save_name="half"), old, data_dir=data, force=True)
    assert result.record.generation == 2


@pytest.mark.parametrize("name", ["pretrained_smin_400", "pretrained_smax_400", "pretrained_triplet_400"])
def test_the_networks_of_the_package_load(name: str) -> None:
    network = TrainedNetwork(SHIPPED, name)
    assert network.weights.shape == (784, 400)
    assert network.data is not None
    assert network.data.identity == "MNIST"
    assert network.data.set_sha256 is not None  # so that a new recording of MNIST is known to be of its data set
    assert network.image_shape == (28, 28)
    assert all(isinstance(point, CurvePoint) for point in network.learning_curve)
    assert load_weights(SHIPPED, name).record is not None
