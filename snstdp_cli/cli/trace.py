"""The command `trace`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import known_name
from snstdp_cli.cli.network_options import ResponsesData, ResponsesLabel, takes_networks
from snstdp_cli.cli.table_files import check_table_file

if TYPE_CHECKING:
    from snstdp_cli.recording.tracing import Trace

ENDINGS = (".npz", ".csv")

TracedImage = Annotated[int, typer.Option("--example", min=0, help="Number of the test image.")]
WatchedNeurons = Annotated[
    list[int] | None,
    typer.Option(
        "--neuron",
        help="Neuron whose voltage is written; repeat it for more.  \\[default: the three that answer most]",
        show_default=False,
    ),
]
TraceFile = Annotated[
    Path, typer.Option("--output", "--out", help="File: .npz or .csv.", show_default=False, rich_help_panel=o.OUTPUT)
]


@takes_networks(several=False)
def trace(
    *,
    names: list[str],
    example: TracedImage = 0,
    neuron: WatchedNeurons = None,
    data: ResponsesData = None,
    label: ResponsesLabel = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    output: TraceFile,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write all spikes of one presentation, and the voltages of a few neurons.

    Times are in ms, voltages in mV; docs/files.md says what each array and column is.

    Example: snstdp trace mine --example 3 --out spikes.npz
    """
    check_table_file(output, force=force, endings=ENDINGS)

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.results import TrainedNetwork
    from snstdp_cli.results.presentation import present_again
    from snstdp_cli.results.spike_files import write_trace

    place = Workdir(workdir)
    chosen = known_name(names, "trace", place)
    with steps(quiet) as step:
        step(f"presenting image {example} to {chosen}")
        network = TrainedNetwork(place, chosen)
        found = present_again(network, example, neurons=neuron, data=data, mark=label, data_dir=data_dir)
    write_trace(output, found)
    if as_json:
        print_json({"name": chosen, "example": example, **_summary(found), "files": [output]})
    else:
        _show(found, chosen, example, network.class_name(found.label))
        print_files([output])


def _show(found: Trace, name: str, example: int, class_name: str) -> None:
    spikes = ", ".join(f"{len(times):,} {group}" for group, (times, _) in found.spikes.items())
    print_line(
        *("traced ", (name, "bold"), f": image {example} of class {class_name}, {found.end_ms:g} ms, spikes: "),
        f"{spikes}; watched neurons: {', '.join(map(str, found.neurons))}",
    )


def _summary(found: Trace) -> dict[str, Any]:
    """Return what is said of a presentation, as JSON can hold it."""
    return {
        "class": found.label,
        "presentations": len(found.stimuli_ms),
        "duration_ms": found.end_ms,
        "spikes": {group: len(times) for group, (times, _) in found.spikes.items()},
        "neurons": found.neurons.tolist(),
    }
