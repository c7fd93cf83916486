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
from snstdp_cli.datasets import Dataset
from snstdp_cli.engines import Chunk, Stream, initial_state
from snstdp_cli.errors import DataError
from snstdp_cli.network.wiring import draw_wiring


@dataclass(frozen=True)
class Trace:
    """What happened while an image was shown.

    Attributes
    ----------
    spikes : times in ms and neurons of the spikes of `input`, `excitatory` and `inhibitory`.
    sizes : number of neurons of each group.
    neurons : the excitatory neurons that were watched.
    times_ms : times of the samples, [num].
    values : samples by variable and unit, [neurons, num].
    label : class of the image.
    end_ms : end of the last presentation; an image that was shown again takes longer than one.
    """

    spikes: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    sizes: dict[str, int]
    neurons: NDArray[np.int64]
    times_ms: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    label: int
    end_ms: float


def trace_example(
    experiment: Experiment,
    weights: TrainedWeights,
    dataset: Dataset,
    example: int,
    neurons: list[int] | None = None,
) -> Trace:
    """Present one image and watch.

    Parameters
    ----------
    neurons : excitatory neurons to watch; by default the three that answer most.

    Raises
    ------
    DataError
        If there is no such example or neuron.
    """
    from snstdp_cli.brian_import import SpikeMonitor, StateMonitor
    from snstdp_cli.engines.runtime import RuntimeEngine

    if not 0 <= example < len(dataset):
        raise DataError(f"--example: expected 0 to {len(dataset) - 1}, found {example}")
    if any(not 0 <= j < experiment.n_e for j in neurons or []):
        found = ", ".join(map(str, neurons or []))
        raise DataError(f"--neuron: expected 0 to {experiment.n_e - 1}, found {found}")
    experiment = experiment.model_copy(update={"chunk": 1})
    pixels = dataset.images[example].reshape(1, -1)
    wiring = draw_wiring(experiment, pixels.shape[1])
    engine = RuntimeEngine(experiment, None, wiring, target="numpy")
    network = engine.built.network
    objects = {obj.name: obj for obj in network.objects}
    counted = {"input": objects["inputs"], "excitatory": engine.built.exc, "inhibitory": engine.built.inh}
    monitors = {name: SpikeMonitor(group, name=f"trace_{name}") for name, group in counted.items()}
    states = StateMonitor(
        engine.built.exc, ["v", "ge", "gi"], record=True, clock=engine.built.exc.clock, name="trace_state"
    )
    network.add(*monitors.values(), states)
    state = initial_state(experiment, wiring, None, weights.weights, weights.theta_mv)
    result = engine.run(state, Chunk(example, pixels, Stream.TEST_RECORDING))
    chosen = np.asarray(neurons if neurons else np.argsort(-result.counts[0].astype(int), kind="stable")[:3])
    # Without the first sample, which is from before the image sets the neurons to rest.
    sampled = {name: np.asarray(states.variables[name].get_value())[1:].T for name in ("v", "ge", "gi")}
    return Trace(
        spikes={name: (_ms(m), np.asarray(m.variables["i"].get_value())) for name, m in monitors.items()},
        sizes={name: len(group) for name, group in counted.items()},
        neurons=chosen,
        times_ms=_ms(states)[1:],
        values={
            "v (mV)": sampled["v"][chosen] * 1000,
            "ge": sampled["ge"][chosen],
            "gi": sampled["gi"][chosen],
        },
        label=int(dataset.labels[example]),
        end_ms=int(result.attempts[0]) * experiment.presentation_steps * experiment.dt,
    )


def _ms(monitor: Any) -> NDArray[np.float64]:
    return np.asarray(monitor.variables["t"].get_value(), dtype=np.float64) * 1000
