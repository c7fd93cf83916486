"""What `explain` says beyond the first findings: settling, pace, classes without neurons, what is usual."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from stored_networks import figures, make_network

from snstdp_cli.errors import ArtefactError
from snstdp_cli.evaluation import Assignment
from snstdp_cli.plots.kinds import KINDS
from snstdp_cli.results import FindingKind, Score, TrainedNetwork, findings, score_network, usual
from snstdp_cli.results.convergence import classes_finding, pace_finding, theta_finding
from snstdp_cli.results.finding import FIGURES, figure_of
from snstdp_cli.results.stages import training_stages
from snstdp_cli.results.usual import Usual, usual_finding
from snstdp_cli.rules import RULES


def told(finding: Any) -> str:
    assert finding is not None
    return str(finding.sentence)


def test_every_figure_that_a_finding_names_can_be_drawn() -> None:
    assert set(FIGURES.values()) <= KINDS.keys()
    assert set(get_args(FindingKind)) - FIGURES.keys() == {"data"}


@pytest.mark.parametrize("chunks", [1, 4])
@pytest.mark.parametrize("snapshots", [True, False])
def test_the_figure_that_a_finding_of_a_short_training_names_can_be_drawn(
    tmp_path: Path, chunks: int, snapshots: bool
) -> None:
    place = make_network(tmp_path, "one", figures=figures(), history=history_of(chunks))
    if not snapshots:
        shutil.rmtree(place.weights / "snapshots")
    network = TrainedNetwork(place, "one")
    named = {one.kind: figure_of(one, network) for one in findings(network, score_network(network))}
    assert named["learning rate"] == ("evolution" if snapshots else "fields")
    assert named["norm"] == ("norm" if chunks > 1 else "weights")
    for name in set(named.values()) - {"raster", None}:  # a raster is a presentation that is simulated again
        assert KINDS[name].draw(network) is not None


def test_thresholds_that_still_rise_and_those_that_settled() -> None:
    rising = theta_finding([22, 24, 26, 28, 30, 32, 34, 36], 20.0)
    assert told(rising) == (
        "The mean threshold rose from 20.0 to 36.0 mV, 4.0 mV of it in the last quarter of the training: it still "
        "rises."
    )
    assert rising is not None
    assert rising.advice == "Train on more examples."
    settled = theta_finding([30, 34, 36, 36.5, 36.6, 36.7, 36.8, 36.9], 20.0)
    assert "0.2 mV of it in the last quarter: it has settled" in told(settled)
    assert "went from 20.0 to 19.0 mV" in told(theta_finding([19.8, 19.6, 19.2, 19.0], 20.0))
    assert theta_finding([22, 24, 26], 20.0) is None


def test_a_learning_rate_is_high_if_an_image_overwrites_a_neuron_and_low_if_the_start_is_still_there() -> None:
    fits = pace_finding(100, 1000, 20, "slower", "faster")
    high = pace_finding(5, 1000, 20, "slower", "faster")
    low = pace_finding(100, 250, 20, "slower", "faster")
    assert fits is None
    assert high is not None
    assert low is not None
    assert (high.advice, low.advice) == ("slower", "faster")
    assert "within 5 of its spikes, and a single image gives 20" in high.sentence
    # As measured with 100 neurons: ten times the default rate of SMIN lost 7 points after 5,000 examples.
    assert "is high" in told(pace_finding(10, 1000, 10.5))
    assert pace_finding(33, 1000, 10.5) is None
    assert "needs 300 spikes to forget 95 % of its random start" in low.sentence
    assert "fired 250 times" in low.sentence
    assert pace_finding(None, 0, 20) is None


def test_rules_say_their_memory_themselves_and_one_without_a_rate_has_none() -> None:
    memories = {name: rule.memory for name, rule in RULES.items()}
    assert memories["triplet"] is None
    for name in ("smax", "smin"):
        memory = memories[name]
        assert memory is not None
        assert memory({"eta": 0.02}) == pytest.approx(50)
        assert "rule.eta" in RULES[name].advice["learns too fast"]


def test_classes_that_no_neuron_answers_to_are_named() -> None:
    def assigned(*labels: int) -> Assignment:
        zeros = np.zeros(len(labels))
        return Assignment(np.array([3, 5, 8]), np.array(labels), np.zeros((3, len(labels))), zeros, zeros)

    names = ["shirt", "bag", "shoe"]
    assert classes_finding(assigned(3, 5, 8, -1), names) is None
    one = told(classes_finding(assigned(3, 5, 5), names))
    assert one.startswith("1 of 3 classes has no neuron that answers to it most (shoe)")
    assert "(bag, shoe)" in told(classes_finding(assigned(3, 3), names))
    assert classes_finding(assigned(-1, -1), names) is None  # that the network learned nothing is told elsewhere


def scored(tmp_path: Path, accuracy: float, **changes: Any) -> Score:
    network = TrainedNetwork(make_network(tmp_path, "one"), "one")
    score = score_network(network)
    evaluation = dataclasses.replace(score.evaluation, accuracy=accuracy)
    return dataclasses.replace(score, evaluations={**score.evaluations, "average": evaluation}, **changes)


def test_a_score_is_compared_with_what_is_usual_for_rule_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Usual("smax", 400, 60_000, "MNIST", "average", 10_000, 0.892, None, 1)
    several = dataclasses.replace(measured, n_e=100, mean=0.8, sd=0.0041, seeds=5)
    monkeypatch.setattr(usual, "usual_results", lambda: (measured, several))
    score = scored(tmp_path, 0.872)
    assert usual_finding(score, "smax", 400, 60_000) is None  # these are no images of MNIST
    monkeypatch.setattr(Score, "data", "MNIST")
    assert told(usual_finding(score, "smax", 400, 5_000)) == (
        "Usual for smax with 400 neurons after 60,000 examples of MNIST is 89.2 % by average (one seed, so that a "
        "point of difference says little); here it is 2.0 points less after 5,000."
    )
    assert told(usual_finding(score, "smax", 100, 60_000)) == (
        "Usual for smax with 100 neurons after 60,000 examples of MNIST is 80.0 % by average (5 seeds, standard "
        "deviation 0.4 %); here it is 7.2 points more."
    )
    assert told(usual_finding(scored(tmp_path / "b", 0.892), "smax", 400, 60_000)).endswith("here it is as much.")
    assert usual_finding(score, "smax", 401, 60_000) is None


def history_of(chunks: int) -> dict[str, tuple[int, ...]]:
    rising = tuple(range(6, 6 + chunks))
    return {
        **dict.fromkeys(("retries", "silent_neurons"), (0,) * chunks),
        **dict.fromkeys(("l1_mean", "l1_min", "l1_max", "spikes_per_example"), (9,) * chunks),
        **{f"theta_{key}_mv": rising for key in ("min", "mean", "max")},
        "examples": tuple(range(10 - 2 * (chunks - 1), 11, 2)),
    }


def test_a_networks_findings_hold_pace_and_thresholds(tmp_path: Path) -> None:
    place = make_network(tmp_path, "one", figures=figures(), history=history_of(4))
    found = {one.kind: one for one in findings(TrainedNetwork(place, "one"))}
    assert "it still rises" in found["theta"].sentence
    assert found["learning rate"].advice == "Use a larger rule.eta, or more examples."


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"presentation": {"intensity": 0.5}}, "Use a larger presentation.intensity (0.5 here, 2 by default)."),
        ({}, "Use a larger rule.a_tar."),
    ],
)
def test_weak_inputs_are_named_before_what_the_rule_advises(
    tmp_path: Path, settings: dict[str, Any], advice: str
) -> None:
    told = figures().model_copy(update={"retries": 9})
    place = make_network(tmp_path, "one", experiment=settings, figures=told)
    assert {one.kind: one for one in findings(TrainedNetwork(place, "one"))}["retries"].advice == advice


def test_thresholds_out_of_reach_explain_too_few_spikes_better_than_the_learning_rate(tmp_path: Path) -> None:
    told = figures().model_copy(update={"retries": 9})
    place = make_network(
        tmp_path, "one", experiment={"network": {"theta_step_mv": 3}}, figures=told, history=history_of(4)
    )
    found = {one.kind: one for one in findings(TrainedNetwork(place, "one"))}
    assert "thresholds rise out of reach" in str(found["learning rate"].advice)


def test_a_network_without_snapshots_is_advised_steps_that_give_some(tmp_path: Path) -> None:
    network = TrainedNetwork(make_network(tmp_path, "one"), "one")
    shutil.rmtree(network.workdir.weights / "snapshots")
    with pytest.raises(ArtefactError, match=r"checkpoint_every=(\d+)") as error:
        training_stages(network)
    found = re.search(r"checkpoint_every=(\d+)", str(error.value))
    assert found is not None
    assert 0 < int(found[1]) < network.experiment.num_examples
