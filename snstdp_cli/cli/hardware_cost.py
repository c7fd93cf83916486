"""The command `hardware cost`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import out, print_files, print_json, print_line, print_note, print_table, print_warning
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import joined, known_names
from snstdp_cli.cli.network_options import takes_networks
from snstdp_cli.cli.text_tables import GAP, in_parts

if TYPE_CHECKING:
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.hardware import CostRecord, NetworkCost, Phase, PhaseCost

_DOES = {"learning": "learns", "answering": "answers"}
_TITLES: Mapping[Phase, str] = {"learning": "an example is learned", "answering": "an example is answered"}

ShownImages = Annotated[
    int, typer.Option("--images", min=1, max=10_000, help="Images that are shown to learn, and to answer.")
]
EnergyTable = Annotated[
    str | None,
    typer.Option(
        "--energy",
        help="Multiply the counts by this published table: loihi, truenorth or horowitz45.",
        show_default=False,
    ),
]
Again = Annotated[
    bool, typer.Option("--force", help="Count again what was counted already.", rich_help_panel=o.RUNNING)
]
Plot = Annotated[
    bool, typer.Option("--plot", help="Also draw the accesses by kind, in figures/.", rich_help_panel=o.OUTPUT)
]


@takes_networks(several=True)
def cost(
    *,
    names: list[str],
    images: ShownImages = 20,
    energy: EnergyTable = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    run_rule: o.RunRules = None,
    force: Again = False,
    plot: Plot = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Count what networks cost on a chip: spikes, accesses to weights, operations, memory; side by side.

    Images are presented once more, to learn from the network's weights and to answer, and every spike is counted. The
    network stays as it is; what was counted is kept in activity/NAME.cost.json, for snstdp report and for the next
    time. docs/hardware.md says what each figure is.

    Example: snstdp hardware cost mine other --energy loihi
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.errors import ConfigError
    from snstdp_cli.hardware import ENERGY_TABLES

    if energy is not None and energy not in ENERGY_TABLES:
        raise ConfigError(f"--energy: found {energy[:60]!r}, expected {', '.join(ENERGY_TABLES)}")
    place = Workdir(workdir)
    chosen = known_names(names, "hardware cost", place)
    counted, before = _count(place, chosen, images, run_rule or (), data_dir, force, quiet)
    found = [record.cost for record in counted]
    files = _plot(found, place) if plot else []
    if as_json:
        print_json(
            {"examples": images, "networks": [_as_json(one, energy) for one in found]}
            | ({"files": files} if files else {})
        )
        return
    _show(found, energy)
    _tell_cautions(found, energy)
    if before:
        print_note(f"counted before, from the same weights and images: {', '.join(before)}; --force counts again")
    print_files(files)


def _tell_cautions(found: list[NetworkCost], energy: str | None) -> None:
    """Say what makes the figures less than they seem."""
    from snstdp_cli.hardware import ENERGY_TABLES

    for one in found:
        if not one.declared:
            print_warning(f"{one.name}: the rule {one.rule} does not declare its cost; its update counts as nothing")
    if energy is not None:
        table = ENERGY_TABLES[energy]
        print_note(f"energies of {table.source}, {table.compared_with}: {table.warning}")


def _count(
    place: Workdir,
    names: list[str],
    images: int,
    run_rules: Collection[str],
    data_dir: Path | None,
    force: bool,
    quiet: bool,
) -> tuple[list[CostRecord], list[str]]:
    """Return what networks cost, and the names of those that were counted before."""
    from snstdp_cli.config import with_rule_at_hand
    from snstdp_cli.datasets import load_dataset
    from snstdp_cli.hardware import count_cost
    from snstdp_cli.results import TrainedNetwork

    counted, before = list["CostRecord"](), list[str]()
    with steps(quiet) as step:
        for name in names:
            network = TrainedNetwork(place, name)
            experiment = with_rule_at_hand(network.experiment, run_rules, name)
            data, inputs = experiment.data, experiment.input
            train, test = (load_dataset(data, part, data_dir, inputs=inputs) for part in ("train", "test"))
            record, fresh = count_cost(network, experiment, train, test, images, again=force, say=step)
            counted.append(record)
            before += [] if fresh else [name]
    return counted, before


def _plot(found: list[NetworkCost], place: Workdir) -> list[Path]:
    from snstdp_cli.hardware.figures import accesses_by_kind
    from snstdp_cli.plots import drawing

    bars = {f"{one.name} {_DOES[phase]}": accesses_by_kind(part) for one in found for phase, part in one.phases.items()}
    figure = drawing.stacked_accesses(bars, title="Accesses to input weights for an example, failed tries included")
    return list(drawing.save_figure(figure, place.root / "figures" / f"{joined([one.name for one in found])}.cost"))


def _show(found: list[NetworkCost], energy: str | None) -> None:
    """Print tables of learning, of answering and of memory, and one of growth with the inputs."""
    from snstdp_cli.hardware.figures import GROWTH_COLUMNS, growth_rows, memory_rows

    for phase, title in _TITLES.items():
        _show_abreast(title, {one.name: _rows(one.phases[phase], energy) for one in found})
    _show_abreast("memory", {one.name: memory_rows(one) for one in found})
    print_table(GROWTH_COLUMNS, [row for one in found for row in growth_rows(one)])


def _show_abreast(title: str, columns: Mapping[str, Mapping[str, str]]) -> None:
    """Print a column for each network; those that do not fit beside each other follow in further tables."""
    keys = list(next(iter(columns.values())))
    widths = [GAP + max(len(name), *map(len, rows.values())) for name, rows in columns.items()]
    names = list(columns)
    for part in in_parts(max(map(len, [title, *keys])), widths, out.width):
        _print_columns(title, keys, {names[k]: columns[names[k]] for k in part})


def _print_columns(title: str, keys: list[str], columns: Mapping[str, Mapping[str, str]]) -> None:
    print_table([title, *columns], [[key, *(rows[key] for rows in columns.values())] for key in keys])
    print_line("")


def _rows(cost: PhaseCost, energy: str | None) -> dict[str, str]:
    """Return the figures of a phase as text, by what they are."""
    from snstdp_cli.hardware import ENERGY_TABLES, energy_uj
    from snstdp_cli.hardware.figures import phase_rows

    rows = phase_rows(cost)
    if energy is not None:
        rows[f"energy ({energy}), uJ"] = f"{energy_uj(cost, ENERGY_TABLES[energy]):,.3g}"
    return rows


def _as_json(one: NetworkCost, energy: str | None) -> Mapping[str, Any]:
    from snstdp_cli.hardware import ENERGY_TABLES, energy_uj

    content = asdict(one)
    if energy is not None:
        content["energy_uj"] = {name: energy_uj(part, ENERGY_TABLES[energy]) for name, part in one.phases.items()}
    return content
