"""Noisy test images from the command to the score: what the network sees, what is kept apart, what is compared."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.app import app
from snstdp_cli.datasets import load_dataset
from snstdp_cli.recording import record_activity
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.recording.record import STREAMS
from snstdp_cli.results import TrainedNetwork, score_network

NOISY = ("--set", "input.noise=0.5", "--as", "noisy")


def snstdp(*arguments: str) -> Result:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def network(copied: Workdir, small_data: Path, monkeypatch: pytest.MonkeyPatch) -> TrainedNetwork:
    """The small network, with responses to noisy test images beside those to clean ones."""
    monkeypatch.chdir(copied.root)
    monkeypatch.setenv("COLUMNS", "200")
    snstdp("test", "--load-name", "a", "--split", "test", "--data-dir", str(small_data), *NOISY)
    return TrainedNetwork(copied, "a")


@pytest.mark.compiles
def test_noisy_images_are_what_the_network_sees_and_are_scored_apart(
    network: TrainedNetwork, small_data: Path, tmp_path: Path
) -> None:
    clean, noisy = score_network(network), score_network(network, mark="noisy")
    assert not np.array_equal(clean.test.counts, noisy.test.counts)
    assert np.array_equal(clean.assign.counts, noisy.assign.counts)  # clean images label the neurons of both
    for arguments, wanted in (((), clean), (("--as", "noisy"), noisy)):
        told = json.loads(snstdp("evaluate", "a", *arguments, "--json").stdout)
        assert told["num_correct"] == wanted.evaluation.num_correct
        assert (told["label"], told["changed_settings"]) == (wanted.label, wanted.changed)
    assert "recorded as 'noisy', with input.noise 0.5" in snstdp("evaluate", "a", "--as", "noisy").stdout
    assert "recorded" not in snstdp("evaluate", "a").stdout

    # The same images, corrupted before they are shown to the network, have the same responses.
    assert clean.experiment is not None
    assert noisy.experiment is not None
    images = load_dataset(clean.experiment.data, "test", small_data)
    corrupted = corrupt_images(images.images, noisy.experiment, STREAMS["test"])
    by_hand, _ = record_activity(
        clean.experiment,
        network.workdir,
        "a",
        "test",
        dataset=dataclasses.replace(images, images=corrupted),
        label="by_hand",
        workers=1,
    )
    assert np.array_equal(by_hand.counts, noisy.test.counts)
