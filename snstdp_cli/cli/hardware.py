"""The commands `hardware ...`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_note, print_table, print_warning
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import known_name, known_names

if TYPE_CHECKING:
    from snstdp_cli.hardware import NetworkCost, Phase
    from snstdp_cli.rules.costs import Cost

_DOES = {"learning": "learns", "answering": "answers"}


def cost(
    *,
    names: o.Names = None,
    load_names: o.LoadNames = None,
    images: Annotated[
        int, typer.Option("--images", min=1, max=10_000, help="Images that are shown to learn, and to answer.")
    ] = 20,
    energy: Annotated[
        str | None,
        typer.Option(
            "--energy",
            help="Multiply the counts by this published table: loihi, truenorth or horowitz45.",
            show_default=False,
        ),
    ] = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Count what networks cost on a chip: spikes, accesses to weights, operations, memory; side by side.

    Images are presented once more, to learn from the network's weights and to answer, and every spike is counted;
    nothing of the network is changed. docs/hardware.md says what each figure is.

    Example: snstdp hardware cost mine other --energy loihi
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.datasets import load_dataset
    from snstdp_cli.errors import ConfigError
    from snstdp_cli.hardware import ENERGY_TABLES, cost_of_network
    from snstdp_cli.results import TrainedNetwork

    if energy is not None and energy not in ENERGY_TABLES:
        raise ConfigError(f"--energy: found {energy[:60]!r}, expected {', '.join(ENERGY_TABLES)}")
    place = Workdir(workdir)
    found = []
    with steps(quiet) as step:
        for name in known_names([*(names or []), *(load_names or [])], "hardware cost", place):
            network = TrainedNetwork(place, name)
            experiment = network.experiment
            train, test = (load_dataset(experiment.data, part, data_dir) for part in ("train", "test"))
            step(f"presenting {images} images to {name}, twice")
            found.append(cost_of_network(network, experiment, train, test, images, step))
    if as_json:
        print_json({"examples": images, "networks": [_as_json(one, energy) for one in found]})
        return
    _show(found, energy)
    for one in found:
        if not one.declared:
            print_warning(f"{one.name}: the rule {one.rule} does not declare its cost; its update counts as nothing")
    if energy is not None:
        table = ENERGY_TABLES[energy]
        print_note(f"energies of {table.source}: {table.warning}")


def export(
    *,
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the network.  \\[default: the only one]", metavar="NAME", show_default=False),
    ] = None,
    load_name: Annotated[str | None, typer.Option("--load-name", help="The same as NAME.", show_default=False)] = None,
    to: Annotated[
        Path, typer.Option("--to", help="New or empty folder.", show_default=False, rich_help_panel=o.OUTPUT)
    ],
    examples: Annotated[
        list[int] | None,
        typer.Option(
            "--example",
            min=0,
            help="Number of an image that is answered (test) and learned (train); repeat it for more.  "
            "\\[default: 0, 1 and 2]",
            show_default=False,
        ),
    ] = None,
    sets: o.Sets = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
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
    chosen = known_name([one for one in (name, load_name) if one is not None], "hardware export", place)
    network = TrainedNetwork(place, chosen)
    experiment = build_experiment(network.experiment, dict(parse_override(text) for text in sets or ()))
    stored, inputs = network.stored_for(experiment), experiment.input
    train, test = (load_dataset(experiment.data, part, data_dir, inputs=inputs) for part in ("train", "test"))
    with steps(quiet) as step:
        made = export_network(chosen, experiment, stored, train, test, examples or [0, 1, 2], step)
        write_export(to, made)
    if as_json:
        told = {"spikes": dict(zip(("answering", "learning"), made.spikes, strict=True)), "updates": made.updates}
        files = [to / path for path in made.files]
        print_json({"name": chosen, **told, "without_learning": made.without_learning or None, "files": files})
        return
    print_line(
        *("exported ", (chosen, "bold"), f": {made.spikes[0]:,} excitatory spikes of answers, {made.spikes[1]:,} of "),
        f"learning with {made.updates:,} updates of weights; {len(made.files)} files in {to}",
    )
    if made.without_learning:
        print_warning(f"{chosen}: no vectors of learning: {made.without_learning}")


def _show(found: list[NetworkCost], energy: str | None) -> None:
    columns = ["for an example", *(f"{one.name} {_DOES[phase]}" for one in found for phase in one.phases)]
    rows = [_rows(one, phase, energy) for one in found for phase in one.phases]
    print_table(columns, [[key, *(row[key] for row in rows)] for key in rows[0]])
    print_line("")
    memory = [_memory(one) for one in found]
    print_table(["memory", *(one.name for one in found)], [[key, *(row[key] for row in memory)] for key in memory[0]])
    print_line("")
    growth = ["of one neuron", "inputs", "accesses at its spike", "accesses to normalize", "words of state"]
    print_table(growth, [row for one in found for row in _growth_rows(one)])


def _rows(one: NetworkCost, phase: Phase, energy: str | None) -> dict[str, str]:
    """Return the figures of a phase as text, by what they are."""
    from snstdp_cli.hardware import ENERGY_TABLES, energy_uj
    from snstdp_cli.rules.costs import OPERATIONS

    found = one.phases[phase]
    numbers: dict[str, float] = {
        "input spikes": found.input_spikes,
        "excitatory spikes": found.excitatory_spikes,
        "inhibitory spikes": found.inhibitory_spikes,
        "synaptic operations, dense": found.dense_operations,
        "synaptic operations, effective": found.effective_operations,
        "weight reads, delivery": found.delivery.reads,
        "weight reads, update": found.update.reads,
        "weight reads, normalization": found.normalization.reads,
        "weight writes, update": found.update.writes,
        "weight writes, normalization": found.normalization.writes,
        **{f"operations: {kind}": getattr(found.operations, kind) for kind in OPERATIONS},
        "neuron updates": found.neuron_updates,
    }
    rows = {"presentations": f"{found.presentations:.3g}"} | {key: f"{value:,.0f}" for key, value in numbers.items()}
    rows["activation sparsity"] = f"{found.activation_sparsity:.4%}"
    if energy is not None:
        rows[f"energy ({energy}), uJ"] = f"{energy_uj(found, ENERGY_TABLES[energy]):,.3g}"
    return rows


def _memory(one: NetworkCost) -> dict[str, str]:
    return {
        "rule": one.rule,
        "inputs x neurons": f"{one.shape[0]:,} x {one.shape[1]:,}",
        "bits of a weight": f"{one.weight_bits}",
        "words of a neuron": f"{one.neuron_words}",
        "words of a synapse": f"{one.synapse_words}",
        "to learn, bytes": f"{one.learning_bytes:,.0f}",
        "to answer, bytes": f"{one.answering_bytes:,.0f}",
        "connection sparsity": f"{one.connection_sparsity:.2%}",
    }


def _growth_rows(one: NetworkCost) -> list[list[str]]:
    def accesses(cost: Cost) -> str:
        return f"{cost.reads + cost.writes:,.0f}"

    return [
        [one.name, f"{n:,}", accesses(cell.spike), accesses(cell.normalization), f"{cell.neuron_words}"]
        for n, cell in one.growth.items()
    ]


def _as_json(one: NetworkCost, energy: str | None) -> Mapping[str, Any]:
    from snstdp_cli.hardware import ENERGY_TABLES, energy_uj

    content = asdict(one)
    if energy is not None:
        content["energy_uj"] = {name: energy_uj(part, ENERGY_TABLES[energy]) for name, part in one.phases.items()}
    return content
