"""The command `plot`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import joined, known_names
from snstdp_cli.errors import ConfigError, SnstdpError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from snstdp_cli.results import TrainedNetwork

#: Known here as well as in `plots.kinds`, so that a wrong kind is refused before Brian 2 is imported.
KINDS = (
    *("fields", "classes", "evolution", "confusion", "accuracy", "mistakes", "comparison"),
    *("curve", "norm", "weights", "raster", "traces"),
)
Step = Callable[[str], None]


@o.takes_settings("classifier", file=False)
def plot(
    given: o.GivenSettings,
    kind: Annotated[str, typer.Argument(help="What to draw, or all.", metavar="KIND", show_default=False)],
    names: o.Names = None,
    load_name: o.LoadNames = None,
    example: Annotated[int, typer.Option("--example", min=0, help="Test image of raster and traces.")] = 0,
    neuron: Annotated[
        list[int] | None, typer.Option("--neuron", help="Neuron of traces or evolution; repeat it for more.")
    ] = None,
    scale: Annotated[
        str, typer.Option("--scale", help="Colours of fields and classes: one scale for all, or a neuron's own.")
    ] = "all",
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder.  \\[default: figures/ in the workdir]",
            show_default=False,
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture as well.", rich_help_panel=o.OUTPUT)] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw figures of trained networks as PNG and SVG.

    [cyan]fields[/]      receptive fields
    [cyan]classes[/]     receptive fields by the class that each neuron answers to
    [cyan]evolution[/]   receptive fields at the snapshots of the training
    [cyan]confusion[/]   which class is taken for which
    [cyan]accuracy[/]    accuracy by class
    [cyan]mistakes[/]    misclassified images with the three best guesses
    [cyan]comparison[/]  accuracy of several networks, and the settings that differ
    [cyan]curve[/]       accuracy on withheld training images during the training
    [cyan]norm[/]        L1 norm of the weights during the training
    [cyan]weights[/]     how weights, norms and thresholds are distributed
    [cyan]raster[/]      spikes during one presentation
    [cyan]traces[/]      voltages and conductances during one presentation

    classes, confusion, accuracy, mistakes and comparison need recorded responses (snstdp test).

    Example: snstdp plot fields mine

    Example: snstdp plot comparison mine other
    """
    _check_kind(kind)
    folder = output or workdir / "figures"
    if folder.suffix in (".png", ".svg", ".pdf"):
        raise ConfigError(f"--output {folder}: expected a folder; each figure is written there as PNG and SVG")
    asked = [*(names or []), *(load_name or [])]
    from snstdp_cli.artefacts import Workdir

    place = Workdir(workdir)
    chosen = known_names(asked, "plot", place)
    options = {"example": example, "neurons": neuron, "scale": scale, "data_dir": data_dir}

    from snstdp_cli.plots import save_figure
    from snstdp_cli.results import TrainedNetwork

    networks = [TrainedNetwork(place, name) for name in chosen]

    files: list[Path] = []
    with steps(quiet) as step:
        for stem, figure in _draw(kind, networks, {**options, "classifier": given.classifier}, step):
            files += save_figure(figure, folder / stem)
    if as_json:
        print_json({"files": files})
    else:
        print_files(files)
    for path in files:
        if show and path.suffix == ".png":
            typer.launch(str(path))


def _check_kind(kind: str) -> None:
    if kind not in (*KINDS, "all"):
        close = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"unknown figure '{kind}'; expected one of: {', '.join(KINDS)}, all{hint}")


def _draw(
    kind: str, networks: list[TrainedNetwork], options: dict[str, Any], step: Step
) -> Iterator[tuple[str, Figure]]:
    """Draw each network's figures, and the one comparison of all; what `all` cannot draw is told and left out."""
    from snstdp_cli.plots import KINDS as FIGURES

    for network in networks:
        for chosen in FIGURES if kind == "all" else [kind]:
            figure = FIGURES[chosen]
            if figure.compares and (network is not networks[0] or (kind == "all" and len(networks) == 1)):
                continue
            names = joined([one.name for one in networks] if figure.compares else [network.name])
            step(f"drawing {names}: {chosen}")
            taken = {key: options[key] for key in figure.options if key in options}
            try:
                yield f"{names}.{chosen}", figure.draw(networks if figure.compares else network, **taken)
            except SnstdpError as error:
                if kind != "all":
                    raise
                print_note(f"{names}, {chosen}: {error}")
