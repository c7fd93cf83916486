"""What a network costs: declared costs against runs whose numbers count themselves, counts against monitors."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import pytest
from reference import draw_images, small_experiment

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import build_experiment
from snstdp_cli.datasets.in_memory import ArrayDataset
from snstdp_cli.hardware import ENERGY_TABLES, SpikeCounts, cost_of_phase, count_spikes, energy_uj, footprint_bytes
from snstdp_cli.hardware.networks import declared_cost, growth, words_of
from snstdp_cli.network.wiring import draw_weights
from snstdp_cli.recording.tracing import trace_example
from snstdp_cli.rules import Plasticity, RuleContext
from snstdp_cli.rules.costs import Cost, RuleCost


class Counted(float):
    """A number that counts what is done with it; products of two plain numbers are constants."""

    done: ClassVar[Counter[str]] = Counter()

    def _do(self, kind: str, value: float) -> Counted:
        Counted.done[kind] += 1
        return Counted(value)

    def __add__(self, other: float) -> Counted:
        return self._do("add", float(self) + float(other))

    __radd__ = __add__

    def __sub__(self, other: float) -> Counted:
        return self._do("add", float(self) - float(other))

    def __rsub__(self, other: float) -> Counted:
        return self._do("add", float(other) - float(self))

    def __mul__(self, other: float) -> Counted:
        return self._do("multiply", float(self) * float(other))

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Counted:
        return self._do("divide", float(self) / float(other))

    def __rtruediv__(self, other: float) -> Counted:
        return self._do("divide", float(other) / float(self))

    def __le__(self, other: float) -> bool:
        Counted.done["compare"] += 1
        return float(self) <= float(other)

    def __ge__(self, other: float) -> bool:
        Counted.done["compare"] += 1
        return float(self) >= float(other)


class Memory:
    """Weights that count how often they are read and written."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __getitem__(self, i: int) -> Counted:
        Counted.done["reads"] += 1
        return Counted(self.values[i])

    def __setitem__(self, i: int, value: float) -> None:
        Counted.done["writes"] += 1
        self.values[i] = float(value)


def counted(run: Any, *arguments: Any) -> dict[str, int]:
    Counted.done.clear()
    run(*arguments)
    return dict(Counted.done)


def plain(cost: Cost) -> dict[str, int]:
    return {name: value for name, value in asdict(cost).items() if value}


# The rules once more, from their equations, a synapse at a time.


def learn_self_normalizing(w: Memory, n: int, both_signs: bool) -> None:
    """A spike of a neuron of which every second synapse is active; scaling from this spike costs what an older does."""
    now, window, eta, high, low = Counted(100), 40, 0.01, 0.5 * 78, -0.5 * 78
    arrived, l_0, active = [float(80 if k % 2 else 10) for k in range(n)], Counted(0), []
    for k in range(n):
        active.append(now - arrived[k] <= window)
        l_0 = l_0 + float(active[-1])
    usable = l_0 >= 1 and (not both_signs or l_0 <= n - 1)
    s_max, s_min = high / l_0, low / (n - l_0) if both_signs else 0.0
    assert usable
    for k in range(n):
        old = w[k]
        w[k] = old + eta * ((s_max if active[k] else s_min) - old)


def clip(value: Counted) -> float:
    above, below = value >= 0, value <= 1
    return float(value) if above and below else float(not below)


def depress_triplet(w: Memory, delivered: Counted) -> None:
    w[0] = clip(delivered - Counted(1e-4) * 0.5)


def learn_triplet(w: Memory, n: int) -> None:
    now, post2 = Counted(100), Counted(0.5)
    for k in range(n):
        age = Counted(80.0) - now
        exponent = age * 0.025
        Counted.done["exp"] += 1
        pre1 = Counted(math.exp(exponent))
        w[k] = clip(w[k] + 0.01 * pre1 * post2)


def normalize_triplet(w: Memory, n: int) -> None:
    total = Counted(0)
    for k in range(n):
        total = total + w[k]
    factor = 8.0 / total if total >= 1e-30 else Counted(1)
    for k in range(n):
        w[k] = w[k] * factor


def declared(rule: str, n: int, **parameters: Any) -> RuleCost:
    found = declared_cost(build_experiment({"rule": {"name": rule, **parameters}}), n)
    assert found is not None
    return found


@pytest.mark.parametrize("n", [4, 10])
@pytest.mark.parametrize(
    ("rule", "both_signs", "parameters"),
    [("smax", False, {}), ("smin", True, {}), ("smin", False, {"positive_share": 1})],
)
def test_a_self_normalizing_rule_costs_what_it_declares(
    rule: str, both_signs: bool, parameters: dict[str, Any], n: int
) -> None:
    cost = declared(rule, n, **parameters)
    found = counted(learn_self_normalizing, Memory([0.2] * n), n, both_signs)
    assert found == plain(cost.spike_synapse * n + cost.spike_neuron)
    assert cost.normalize_synapse == cost.normalize_neuron == cost.arrival == Cost()


@pytest.mark.parametrize("n", [4, 10])
def test_the_triplet_rule_costs_what_it_declares(n: int) -> None:
    cost = declared("triplet", n)
    assert counted(learn_triplet, Memory([0.2] * n), n) == plain(cost.spike_synapse * n + cost.spike_neuron)
    assert counted(depress_triplet, Memory([0.2]), Counted(0.2)) == plain(cost.arrival)
    found = counted(normalize_triplet, Memory([0.2] * n), n)
    assert found == plain(cost.normalize_synapse * n + cost.normalize_neuron)


def stored(weights: np.ndarray) -> TrainedWeights:
    return TrainedWeights(weights, np.full(weights.shape[1], 12.0), None, "0" * 64)


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "/no/such/compiler")


@pytest.mark.usefixtures("without_compiler")
def test_the_engine_counts_the_spikes_that_monitors_see_failed_tries_too() -> None:
    experiment = small_experiment(engine="runtime", presentation={"min_spikes": 60})
    weights = stored(draw_weights(experiment, 16, 8.0))
    images = draw_images(2)
    dataset = ArrayDataset(images.reshape(2, 4, 4), np.arange(2)).split("train")
    seen = trace_example(experiment, weights, dataset, 0)
    found = count_spikes(experiment, weights, images[:1], learning=False)
    assert found.presentations == len(seen.stimuli_ms) == 3
    for group in ("input", "excitatory", "inhibitory"):
        counts = getattr(found, group)
        assert counts.tolist() == np.bincount(seen.spikes[group][1], minlength=len(counts)).tolist()
        assert counts.sum() > 10


@pytest.mark.usefixtures("without_compiler")
def test_counting_changes_no_weight_and_learns_from_the_weights_that_are_given() -> None:
    experiment = small_experiment(engine="runtime")
    weights = draw_weights(experiment, 16, 8.0)
    before = weights.copy()
    found = count_spikes(experiment, stored(weights), draw_images(2), learning=True)
    assert np.array_equal(weights, before)
    assert found.examples == 2
    assert found.excitatory.sum() > 5


def counts_of(**spikes: Any) -> SpikeCounts:
    arrays = {name: np.asarray(value) for name, value in spikes.items()}
    return SpikeCounts(examples=2, presentations=3, steps=300, **arrays)


def test_accesses_and_synaptic_operations_follow_from_the_spikes() -> None:
    """Three inputs, two neurons; the second input has one weight that is 0."""
    weights = np.array([[0.1, 0.2], [0.0, 0.3], [0.1, 0.1]])
    counts = counts_of(input=[4, 2, 0], excitatory=[3, 1], inhibitory=[2, 1])
    answering = cost_of_phase(counts, weights, None)
    assert answering.delivery.reads == 6 * 2 / 2
    # 4 * 2 + 2 * 1 reached weights; 4 spikes to partners; 3 inhibitory ones to the other neuron.
    assert answering.effective_operations == (10 + 4 + 3) / 2
    assert answering.dense_operations == (6 + 2 + 2) * 300 / 2
    assert answering.update == answering.normalization == Cost()
    assert answering.activation_sparsity == 1 - 7 / 1200
    rule = RuleCost(
        arrival=Cost(writes=1),
        spike_synapse=Cost(reads=1, writes=1),
        spike_neuron=Cost(divide=1),
        step_neuron=Cost(multiply=2),
        normalize_synapse=Cost(reads=2),
    )
    learning = cost_of_phase(counts, weights, rule)
    assert learning.update.reads == 4 * 3 / 2
    assert learning.update.writes == (6 * 2 + 4 * 3) / 2
    assert learning.update.divide == 2
    assert learning.update.multiply == 2 * 2 * 300 / 2
    assert learning.normalization.reads == 2 * 6 * 3 / 2


def test_only_the_triplet_rule_normalizes_and_its_accesses_grow_with_the_inputs() -> None:
    cells = {rule: growth(build_experiment({"rule": rule}), (100, 200)) for rule in ("smax", "smin", "triplet")}
    assert all(cells[rule][n].normalization == Cost() for rule in ("smax", "smin") for n in (100, 200))
    assert [cells["triplet"][n].normalization.reads for n in (100, 200)] == [200, 400]
    assert cells["smin"][100].neuron_words == cells["smin"][200].neuron_words


def test_words_of_state_are_those_of_the_built_rule() -> None:
    assert words_of(build_experiment({"rule": "smin"}).plasticity(784)) == (1, 5 + 4)
    assert words_of(build_experiment({"rule": "triplet"}).plasticity(784)) == (1, 5 + 3)
    assert words_of(Plasticity(on_post={})) == (0, 5)


def test_four_bits_take_a_sixteenth_of_64_and_words_come_on_top() -> None:
    assert footprint_bytes(1000, 10, 4, (0, 0), 16) == 500
    assert footprint_bytes(1000, 10, 64, (0, 0), 16) == 8000
    assert footprint_bytes(1000, 10, 4, (1, 3), 16) == 500 + 2000 + 60


def test_a_rule_that_declares_nothing_has_no_cost() -> None:
    experiment = build_experiment({"rule": "smin"})
    assert declared_cost(experiment, 784) is not None
    assert RuleContext(0.5, 784).scaling is None


@pytest.mark.parametrize("name", ENERGY_TABLES)
def test_an_energy_is_counts_times_a_published_table(name: str) -> None:
    table = ENERGY_TABLES[name]
    assert "doi:10." in table.source
    assert table.warning
    weights = np.ones((3, 2))
    found = cost_of_phase(counts_of(input=[4, 2, 0], excitatory=[3, 1], inhibitory=[2, 1]), weights, None)
    expected = {
        "loihi": 23.6 * found.effective_operations + 81 * found.neuron_updates,
        "truenorth": 26 * found.effective_operations,
        "horowitz45": 10 * found.delivery.reads + 0.1 * found.delivery.add,
    }
    assert energy_uj(found, table) == pytest.approx(expected[name] * 1e-6)
