"""Golden vectors: every spike of some presentations, and every change of a weight, as the engine has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.engines import Chunk, Stream, initial_state
from snstdp_cli.hardware.description import RANDOM_BITS
from snstdp_cli.hardware.integers import IntegerFormat, UpdateFormat
from snstdp_cli.network.names import EXC, INPUT_EXC, INPUTS
from snstdp_cli.network.neurons import synapse_model
from snstdp_cli.network.randomness import draw_dither
from snstdp_cli.network.rounding import PATHWAYS, pathway_numbers, uses_chance
from snstdp_cli.network.wiring import Wiring, draw_wiring
from snstdp_cli.rules import Plasticity

#: What a row of `Vectors.updates` holds.
UPDATE_COLUMNS = (*("step", "neuron", "input", "active", "l_0", "learns", "target", "random", "before", "after"),)


@dataclass
class Vectors:
    """What some presentations gave, by time step from the first.

    Attributes
    ----------
    starts
        Steps at which presentations begin.
    steps
        How many there are in all.
    spikes
        (step, number) of each spike of `input`, `excitatory` and `inhibitory`, [num, 2].
    updates
        A row of `UPDATE_COLUMNS` for each synapse of each neuron that spikes; none without learning. `random` are the
        24 bits of stochastic rounding, `target` is s_max or s_min.
    weights, theta
        Input weights [n_input, n_e] and thresholds (volts) at the end.
    """

    starts: list[int] = field(default_factory=list)
    steps: int = 0
    spikes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    updates: list[NDArray[np.int64]] = field(default_factory=list)
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    theta: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def present_and_watch(
    experiment: Experiment,
    stored: TrainedWeights,
    images: list[tuple[int, NDArray[np.uint8]]],
    weight: IntegerFormat,
    update: UpdateFormat | None,
) -> Vectors:
    """Present images one after the other, every rest simulated, and write down what happens.

    Parameters
    ----------
    images
        Number and grey values [n_input] of each: the number is that of a training example, or of a test image.
    weight
        Format of the weights.
    update
        The rule's update, for a network that learns; None for one that answers.
    """
    from snstdp_cli.engines.runtime import RuntimeEngine

    experiment = experiment.model_copy(
        update={"chunk": 1, "presentation": experiment.presentation.model_copy(update={"rest": "simulated"})}
    )
    wiring = draw_wiring(experiment, len(images[0][1]))
    plasticity = None if update is None else experiment.plasticity(wiring.n_input)
    stream = Stream.TEST_RECORDING if update is None else Stream.TRAINING
    engine = RuntimeEngine(experiment, plasticity, wiring, target="numpy")
    state = initial_state(experiment, wiring, plasticity, stored.weights, stored.theta_mv)
    found = Vectors(spikes={name: [] for name in ("input", "excitatory", "inhibitory")})
    _add_watch(engine, wiring, found, plasticity, weight, update)
    for number, image in images:
        result = engine.run(state, Chunk(number, image[np.newaxis], stream))
        state = result.state
        found.steps += int(result.attempts[0]) * experiment.presentation_steps
    found.weights = np.asarray(wiring.to_matrix(state[f"{INPUT_EXC}.w"]), dtype=np.float64)
    found.theta = np.asarray(state[f"{EXC}.theta"], dtype=np.float64)
    return found


def _add_watch(
    engine: Any,
    wiring: Wiring,
    found: Vectors,
    plasticity: Plasticity | None,
    weight: IntegerFormat,
    update: UpdateFormat | None,
) -> None:
    """Let an engine's network tell `found` what happens between thresholds and resets of each step."""
    built = engine.built
    groups = {obj.name: obj for obj in built.network.objects}
    watch = _Watch(found, built, {"input": groups[INPUTS], "excitatory": built.exc, "inhibitory": built.inh}, wiring)
    with engine.session() as brian2:
        clock = built.exc.clock
        operations = [brian2.NetworkOperation(watch.note_spikes, clock=clock, when="before_synapses")]
        if update is not None and plasticity is not None:
            changes = _Changes(watch, plasticity, weight, update)
            operations.append(brian2.NetworkOperation(changes.remember, clock=clock, when="before_synapses", order=1))
            operations.append(brian2.NetworkOperation(changes.note, clock=clock, when="after_synapses", order=9))
    built.network.add(*operations)


class _Watch:
    """Notes the spikes of each step."""

    def __init__(self, found: Vectors, built: Any, groups: dict[str, Any], wiring: Wiring) -> None:
        self.found, self.built, self.groups, self.wiring = found, built, groups, wiring
        places = np.empty(len(wiring.order), dtype=np.int64)
        places[wiring.order] = np.arange(len(wiring.order))
        #: Place of each synapse among Brian's, [n_input, n_e].
        self.places = places.reshape(wiring.n_input, wiring.n_e)

    @property
    def step(self) -> int:
        """The step from the first presentation on."""
        return self.found.steps + self.now

    @property
    def now(self) -> int:
        """The step of the engine's clock."""
        return int(self.built.exc.clock.variables["timestep"].get_value()[0])

    @property
    def tick(self) -> int:
        """The step of this presentation."""
        return int(self.built.controller.variables["tick"].get_value()[0])

    def note_spikes(self) -> None:
        """Write down which neurons and inputs spike."""
        if self.tick == 0:
            self.found.starts.append(self.step)
        for name, group in self.groups.items():
            self.found.spikes[name] += [(self.step, int(k)) for k in sorted(group.spikes)]

    def synapses(self, variable: str, j: int) -> NDArray[Any]:
        """Return a variable of the synapses of a neuron, by input."""
        return np.array(self.built.synapses.variables[variable].get_value()[self.places[:, j]])

    def neuron(self, variable: str, j: int) -> float:
        """Return a variable of an excitatory neuron."""
        return float(self.built.exc.variables[variable].get_value()[j])


class _Changes:
    """Notes what becomes of the weights of each neuron that spikes."""

    def __init__(self, watch: _Watch, plasticity: Plasticity, weight: IntegerFormat, update: UpdateFormat) -> None:
        self.watch, self.weight, self.update = watch, weight, update
        self.before: dict[int, NDArray[np.float64]] = {}
        numbers = pathway_numbers(synapse_model(plasticity))
        #: Number of the pathway that learns, if its roundings are random.
        self.pathway = max(numbers.values()) if uses_chance(plasticity.grid) else None

    def remember(self) -> None:
        """Keep the weights before the step's synapses do anything."""
        self.before = {int(j): self.watch.synapses("w", int(j)) for j in sorted(self.watch.groups["excitatory"].spikes)}

    def note(self) -> None:
        """Write a row for each synapse of each neuron that spikes, before the neuron is reset."""
        for j, before in self.before.items():
            self.watch.found.updates.append(self._rows(j, before))

    def _rows(self, j: int, before: NDArray[np.float64]) -> NDArray[np.int64]:
        watch, table = self.watch, self.update.table
        active = watch.now - watch.synapses("arrived", j).astype(np.int64) <= table.window
        l_0, inputs = int(active.sum()), np.arange(len(active))
        learns = watch.neuron("scaled", j) == 1 if table.lagged else table.usable[l_0]
        high, low = table.s_max[l_0], table.s_min[l_0]
        if table.lagged:
            high, low = watch.neuron("s_max", j), watch.neuron("s_min", j)
        high, low = (self.update.target.code(value) if learns else 0 for value in (high, low))
        return np.stack(
            [
                *(np.full(len(active), value) for value in (watch.step, j)),
                *(inputs, active),
                *(np.full(len(active), value) for value in (l_0, int(learns))),
                np.where(active, high, low),
                self._random(inputs, j),
                *(np.rint(np.ldexp(w, self.weight.fraction)) for w in (before, watch.synapses("w", j))),
            ],
            axis=1,
        ).astype(np.int64)

    def _random(self, inputs: NDArray[np.int64], j: int) -> NDArray[np.int64]:
        """Return the random numbers with which the weights of this step are rounded; 0 if by none."""
        if self.pathway is None:
            return np.zeros(len(inputs), dtype=np.int64)
        key = self.watch.built.controller.variables["key"].get_value()[0]
        event = self.watch.tick * PATHWAYS + self.pathway
        drawn = draw_dither(key, event, inputs, np.full(len(inputs), j))
        return np.asarray(np.floor(np.ldexp(drawn, RANDOM_BITS)), dtype=np.int64)
