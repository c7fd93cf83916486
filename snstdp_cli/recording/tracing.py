"""Every spike and the state of chosen neurons while one image is presented to a frozen network.

The Python engine runs the very network that `test` records, with monitors: the same seed gives the same spikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snstdp_cli.artefacts import TrainedWeights
from snstdp_cli.config import Experiment
from snstdp_cli.datasets import Dataset, check_fit
from snstdp_cli.engines import Chunk, initial_state
from snstdp_cli.errors import DataError
from snstdp_cli.network.names import INPUTS
from snstdp_cli.network.neurons import EXCITATORY
from snstdp_cli.network.wiring import draw_wiring
from snstdp_cli.recording.corruption import corrupt_images
from snstdp_cli.recording.record import STREAMS

#: How many neurons are watched if none are chosen.
_WATCHED = 3


@dataclass(frozen=True)
class Trace:
    """What happened while an image was shown.

    Attributes
    ----------
    spikes
        Times in ms and neurons of the spikes of `input`, `excitatory` and `inhibitory`.
    sizes
        Number of neurons of each group.
    neurons
        The excitatory neurons that were watched.
    times_ms
        Times of the samples, [num].
    values
        Samples by variable and unit, [neurons, num]. Conductances are in units of the leak.
    thresholds_mv
        Voltage at which each watched neuron spikes, [neurons], mV; constant, for nothing is learnt.
    stimuli_ms
        Beginning and end of each presentation of the image; more than one if it was shown again.
    label
        Class of the image.
    counts
        Excitatory spikes of the accepted presentation, [n_e]: what a recording holds.
    end_ms
        End of the last presentation with its rest.
    """

    spikes: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    sizes: dict[str, int]
    neurons: NDArray[np.int64]
    times_ms: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    thresholds_mv: NDArray[np.float64]
    stimuli_ms: tuple[tuple[float, float], ...]
    label: int
    counts: NDArray[np.uint16]
    end_ms: float

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays by the names that `snstdp trace` writes; docs/files.md says what each is."""
        voltage, *conductances = self.values.values()
        spikes = {
            key: array
            for group, (times, numbers) in self.spikes.items()
            for key, array in ((f"{group}_spikes_ms", times), (f"{group}_neurons", numbers.astype(np.int64)))
        }
        return {
            **spikes,
            "neurons": self.neurons.astype(np.int64),
            "times_ms": self.times_ms,
            "v_mv": voltage,
            **dict(zip(("ge", "gi"), conductances, strict=True)),
            "threshold_mv": self.thresholds_mv,
            "stimuli_ms": np.asarray(self.stimuli_ms, dtype=np.float64),
            "label": np.asarray(self.label, dtype=np.int64),
            "counts": self.counts,
            "end_ms": np.asarray(self.end_ms, dtype=np.float64),
        }


def trace_example(
    experiment: Experiment,
    weights: TrainedWeights,
    dataset: Dataset,
    example: int,
    neurons: list[int] | None = None,
) -> Trace:
    """Present one test image to a frozen network and watch; its spikes are those that `test` records.

    Parameters
    ----------
    experiment
        Settings of the recording. Its learning rule is not needed, nor loaded.
    dataset
        The images that were recorded.
    example
        Number of the image.
    neurons
        Excitatory neurons to watch; by default the three that answer most.

    Raises
    ------
    DataError
        If there is no such example or neuron.
    """
    from snstdp_cli.engines.runtime import RuntimeEngine

    _check_numbers(experiment, dataset, example, neurons)
    check_fit(dataset, weights.weights.shape[0], "the network")
    experiment = experiment.model_copy(update={"chunk": 1})
    rows, stream = slice(example, example + 1), STREAMS["test"]
    pixels = corrupt_images(dataset.images[rows], experiment, stream, np.array([example])).reshape(1, -1)
    wiring = draw_wiring(experiment, pixels.shape[1])
    engine = RuntimeEngine(experiment, None, wiring, target="numpy")
    spikes, states = _add_monitors(engine)
    state = initial_state(experiment, wiring, None, weights.weights, weights.theta_mv)
    result = engine.run(state, Chunk(example, pixels, stream))
    chosen = np.asarray(neurons if neurons else np.argsort(-result.counts[0].astype(int), kind="stable")[:_WATCHED])
    length_ms = experiment.presentation_steps * experiment.dt
    starts_ms = [k * length_ms for k in range(int(result.attempts[0]))]
    return Trace(
        spikes={
            name: (_ms(monitor), np.asarray(monitor.variables["i"].get_value())) for name, monitor in spikes.items()
        },
        sizes={"input": pixels.shape[1], "excitatory": experiment.n_e, "inhibitory": experiment.n_e},
        neurons=chosen,
        times_ms=_ms(states)[1:],
        values=_watched_values(states, chosen),
        thresholds_mv=weights.theta_mv[chosen] + EXCITATORY.v_offset_mv,
        stimuli_ms=tuple((start, start + experiment.presentation.stimulus_ms) for start in starts_ms),
        label=int(dataset.labels[example]),
        counts=result.counts[0],
        end_ms=starts_ms[-1] + length_ms,
    )


def _check_numbers(experiment: Experiment, dataset: Dataset, example: int, neurons: list[int] | None) -> None:
    if not 0 <= example < len(dataset):
        raise DataError(f"--example: expected 0 to {len(dataset) - 1}, found {example}")
    if any(not 0 <= j < experiment.n_e for j in neurons or []):
        found = ", ".join(map(str, neurons or []))
        raise DataError(f"--neuron: expected 0 to {experiment.n_e - 1}, found {found}")


def _watched_values(states: Any, neurons: NDArray[np.integer]) -> dict[str, NDArray[np.float64]]:
    """Return the state of neurons over time, by what it is called in a figure, each [n, steps]."""
    # Without the first sample, which is from before the image sets the neurons to rest.
    sampled = {name: np.asarray(states.variables[name].get_value())[1:].T[neurons] for name in ("v", "ge", "gi")}
    return {
        "v (mV)": sampled["v"] * 1000,
        "ge (of the leak)": sampled["ge"],
        "gi (of the leak)": sampled["gi"],
    }


def _add_monitors(engine: Any) -> tuple[dict[str, Any], Any]:
    """Add monitors of all spikes, and of the excitatory neurons' state, to an engine's network; return them."""
    built = engine.built
    groups = {obj.name: obj for obj in built.network.objects}
    counted = {"input": groups[INPUTS], "excitatory": built.exc, "inhibitory": built.inh}
    with engine.session() as brian2:
        spikes = {name: brian2.SpikeMonitor(group, name=f"trace_{name}") for name, group in counted.items()}
        states = brian2.StateMonitor(
            built.exc, ["v", "ge", "gi"], record=True, clock=built.exc.clock, name="trace_state"
        )
    built.network.add(*spikes.values(), states)
    return spikes, states


def _ms(monitor: Any) -> NDArray[np.float64]:
    return np.asarray(monitor.variables["t"].get_value(), dtype=np.float64) * 1000
