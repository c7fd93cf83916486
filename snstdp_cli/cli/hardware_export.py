"""The command `hardware export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_warning
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import known_name
from snstdp_cli.cli.network_options import takes_networks

if TYPE_CHECKING:
    from snstdp_cli.hardware.export import Export

Examples = Annotated[
    list[int] | None,
    typer.Option(
        "--example",
        min=0,
        help="Number of an image that is answered (test) and learned (train); repeat it for more.  "
        "\\[default: 0, 1 and 2]",
        show_default=False,
    ),
]
Folder = Annotated[
    Path, typer.Option("--to", help="New or empty folder.", show_default=False, rich_help_panel=o.OUTPUT)
]


@takes_networks(several=False)
def export(
    *,
    names: list[str],
    examples: Examples = None,
    sets: o.Sets = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    to: Folder,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Write a network in whole numbers, with vectors to check an implementation against.

    Weights and thresholds as .npy and as .mem (hexadecimal, for Verilog's $readmemh), formats and constants as JSON,
    connections with delays; and of a few images every spike of the answers, and of learning every change of a weight.
    It takes the bits of weights and state; docs/hardware.md says what is in each file.

    Example: snstdp hardware export mine --to chip --set precision.weights.bits=8 --set precision.state.bits=16
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.config import build_experiment, parse_override
    from snstdp_cli.datasets import load_dataset
    from snstdp_cli.hardware import export_network, refuse_full_folder, write_export
    from snstdp_cli.results import TrainedNetwork

    refuse_full_folder(to)
    place = Workdir(workdir)
    chosen = known_name(names, "hardware export", place)
    network = TrainedNetwork(place, chosen)
    changes = dict(parse_override(text) for text in sets or ())
    experiment = build_experiment(network.experiment, changes, run_rule_files=False)  # whole numbers need no rule file
    stored, inputs = network.stored_for(experiment), experiment.input
    train, test = (load_dataset(experiment.data, part, data_dir, inputs=inputs) for part in ("train", "test"))
    with steps(quiet) as step:
        made = export_network(chosen, experiment, stored, train, test, examples or [0, 1, 2], step)
        write_export(to, made)
    if as_json:
        counted = {"spikes": dict(zip(("answering", "learning"), made.spikes, strict=True)), "updates": made.updates}
        files = [to / path for path in made.files]
        print_json({"name": chosen, **counted, "without_learning": made.without_learning or None, "files": files})
        return
    _show(made, chosen, to)


def _show(made: Export, name: str, to: Path) -> None:
    print_line(
        *("exported ", (name, "bold"), f": {made.spikes[0]:,} excitatory spikes of answers, {made.spikes[1]:,} of "),
        f"learning with {made.updates:,} updates of weights; {len(made.files)} files in {to}",
    )
    if made.without_learning:
        print_warning(f"{name}: no vectors of learning: {made.without_learning}")
