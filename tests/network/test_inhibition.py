"""Lateral inhibition: pooled is dense, the partner is spared, delays are each pair's own."""

from __future__ import annotations

import numpy as np
import pytest
from reference import draw_images, open_run, reference_of, small_experiment
from test_builder import built as build_small

from snstdp_cli.brian_import import Synapses

DELAYED = {"inhibition": "dense", "inhibition_delay_ms": 3, "input_delay_ms": 2}


@pytest.mark.parametrize("network", [{}, DELAYED], ids=["pooled", "dense"])
def test_inhibition_is_the_references(network: dict[str, object]) -> None:
    # All four neurons fire at once at first: several inhibitory spikes in a step, each with its own targets.
    run = open_run(small_experiment("smax-lagged", network=network), "numpy")
    run.start = {**run.start, "input_exc.w": np.full(64, 1.0)}
    images = np.full((1, 16), 200, dtype=np.uint8)
    result = run.show(images)
    expected = reference_of(run, images)
    assert run.spikes() == expected.spikes
    steps = [step for step, _ in expected.spikes]
    assert len(steps) > len(set(steps))
    for name in ("exc.v", "inh.v"):
        np.testing.assert_allclose(result.state[name] * 1000, expected.state[name], rtol=1e-9, err_msg=name)
    # Conductances that are long over still tell by their size which spikes they had.
    for name in ("exc.gi", "inh.ge"):
        np.testing.assert_allclose(result.state[name], expected.state[name], rtol=1e-8, atol=1e-28, err_msg=name)


def test_dense_inhibition_without_delay_is_pooled_inhibition() -> None:
    images = draw_images(4)
    runs = {
        kind: open_run(small_experiment(network={"inhibition": kind, "w_inh_exc": 2.5}), "numpy")
        for kind in ("pooled", "dense")
    }
    results = {kind: run.show(images) for kind, run in runs.items()}
    assert runs["pooled"].spikes() == runs["dense"].spikes()
    assert len(runs["pooled"].spikes()) > 30
    for name, values in results["dense"].state.items():
        np.testing.assert_allclose(results["pooled"].state[name], values, rtol=0, atol=1e-12, err_msg=name)


def test_inhibition_holds_others_back_and_not_the_partner() -> None:
    images = draw_images(4)
    counts = {}
    for weight in (0, 100):
        run = open_run(small_experiment(network={"w_inh_exc": weight}), "numpy", plastic=False)
        counts[weight] = run.show(images).counts.astype(int)
    assert counts[100].sum() < 0.6 * counts[0].sum()
    # The winner is not inhibited by itself.
    assert counts[100].max() >= counts[0].max() - 1


@pytest.mark.parametrize("inhibition", ["pooled", "dense"])
@pytest.mark.parametrize("n_e", [1, 2, pytest.param(3, marks=pytest.mark.slow), 7])
def test_any_number_of_neurons_builds_and_answers(n_e: int, inhibition: str) -> None:
    run = open_run(small_experiment(n_e=n_e, network={"inhibition": inhibition}), "numpy")
    result = run.show(draw_images(1))
    assert result.counts.shape == (1, n_e)
    assert result.counts.sum() >= 3
    assert result.state["input_exc.w"].shape == (16 * n_e,)


def test_pooled_inhibition_needs_no_synapses_between_all_neurons() -> None:
    for plastic in (True, False):
        network = build_small(small_experiment(n_e=9), plastic).network
        sizes = {obj.name: len(obj) for obj in network.objects if isinstance(obj, Synapses)}
        assert sizes.pop("input_exc") == 16 * 9
        assert max(sizes.values()) <= 16
    dense = build_small(small_experiment(n_e=9, network={"inhibition": "dense"})).network
    assert {obj.name: len(obj) for obj in dense.objects if isinstance(obj, Synapses)}["inh_exc"] == 9 * 8
