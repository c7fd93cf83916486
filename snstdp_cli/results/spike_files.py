"""Spikes and voltages of one presentation in a file: arrays in an .npz, or a long table in CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from snstdp_cli.artefacts import write_atomic
from snstdp_cli.artefacts.arrays import npz_bytes
from snstdp_cli.recording.tracing import Trace
from snstdp_cli.results.tables import Cell, csv_text

#: Columns of the CSV file: one row for each spike, and one for each value of a watched neuron.
COLUMNS = ("quantity", "group", "neuron", "time_ms", "value")
#: What is written of a watched neuron at each step.
WATCHED = ("v_mv", "ge", "gi", "threshold_mv")


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace, as CSV if the name ends so and else as .npz, completely or not at all.

    Raises
    ------
    ArtefactError
        If it cannot be written.
    """
    if path.suffix == ".csv":
        write_atomic(path, csv_text(COLUMNS, _rows(trace)).encode())
    else:
        write_atomic(path, npz_bytes(trace.arrays(), path, compress=True))


def _rows(trace: Trace) -> Iterator[tuple[Cell, ...]]:
    """Yield the spikes of each group in order of time, then the watched neurons step by step."""
    for group, (times, neurons) in trace.spikes.items():
        for time, neuron in zip(times.tolist(), neurons.tolist(), strict=True):
            yield "spike", group, neuron, _ms(time), None
    arrays, times = trace.arrays(), trace.times_ms.tolist()
    for k, neuron in enumerate(trace.neurons.tolist()):
        for name in WATCHED:
            values = arrays[name][k]
            row = [values.item()] * len(times) if values.ndim == 0 else values.tolist()
            for time, value in zip(times, row, strict=True):
                yield name, "excitatory", neuron, _ms(time), value


def _ms(time: float) -> float:
    # Brian 2 keeps seconds: 0.0135 s would be 13.500000000000002 ms.
    return round(time, 9)
