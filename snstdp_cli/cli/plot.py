"""The command `plot`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import joined, known_names
from snstdp_cli.cli.network_options import ResponsesData, ResponsesLabel, takes_networks
from snstdp_cli.errors import ConfigError, SnstdpError
from snstdp_cli.fields.figures import FIGURES, SCALES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from snstdp_cli.results import TrainedNetwork

Step = Callable[[str], None]


ScaleName = StrEnum("ScaleName", {name: name for name in SCALES})  # type: ignore[misc]
Kind = Annotated[str, typer.Argument(help="What to draw, or all.", metavar="KIND", show_default=False)]
TestImage = Annotated[int, typer.Option("--example", min=0, help="Test image of raster and traces.")]
Neurons = Annotated[
    list[int] | None, typer.Option("--neuron", help="Neuron of traces or evolution; repeat it for more.")
]
Scale = Annotated[ScaleName, typer.Option("--scale", help="neuron: each receptive field in its own scale of colours.")]
FigureFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="Folder.  \\[default: figures/ in the workdir]",
        show_default=False,
        rich_help_panel=o.OUTPUT,
    ),
]
Show = Annotated[bool, typer.Option("--show", help="Open the picture as well.", rich_help_panel=o.OUTPUT)]


@o.takes_settings("classifier", file=False)
@takes_networks(several=True)
def plot(
    given: o.GivenSettings,
    kind: Kind,
    names: list[str],
    example: TestImage = 0,
    neuron: Neurons = None,
    scale: Scale = ScaleName["all"],
    data: ResponsesData = None,
    label: ResponsesLabel = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    output: FigureFolder = None,
    show: Show = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw figures of trained networks as PNG and SVG.

    {kinds}

    {of_responses} need recorded responses (snstdp test).

    Example: snstdp plot fields mine

    Example: snstdp plot comparison mine other
    """
    _check_kind(kind)
    folder = output or workdir / "figures"
    if folder.suffix in (".png", ".svg", ".pdf"):
        raise ConfigError(f"--output {folder}: expected a folder; each figure is written there as PNG and SVG")
    networks = _networks(names, workdir)
    options = {
        "classifier": given.classifier,
        "example": example,
        "neurons": neuron or None,
        "scale": scale.value,
        "data": data,
        "mark": label,
        "data_dir": data_dir,
    }

    from snstdp_cli.plots import save_figure

    files: list[Path] = []
    with steps(quiet) as step:
        for stem, figure in _draw(kind, networks, options, step):
            files += save_figure(figure, folder / stem)
    if as_json:
        print_json({"files": files})
    else:
        print_files(files)
    for path in files:
        if show and path.suffix == ".png":
            typer.launch(str(path))


def _kinds_in_help() -> dict[str, str]:
    """Return what the help says of the kinds of figures, line for line."""
    width = max(map(len, FIGURES))
    lines = [f"[cyan]{name}[/]{' ' * (width - len(name) + 2)}{kind.meaning}" for name, kind in FIGURES.items()]
    *most, last = (name for name, kind in FIGURES.items() if kind.of_responses)
    return {"kinds": "\n    ".join(lines), "of_responses": f"{', '.join(most)} and {last}"}


plot.__doc__ = str(plot.__doc__).format(**_kinds_in_help())


def _check_kind(kind: str) -> None:
    if kind not in (*FIGURES, "all"):
        close = difflib.get_close_matches(kind, FIGURES, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"unknown figure '{kind}'; expected one of: {', '.join(FIGURES)}, all{hint}")


def _networks(asked: list[str], workdir: Path) -> list[TrainedNetwork]:
    """Return the networks of these names; without a name, the only one there is."""
    from snstdp_cli.artefacts import Workdir

    place = Workdir(workdir)
    chosen = known_names(asked, "plot", place)

    from snstdp_cli.results import TrainedNetwork

    return [TrainedNetwork(place, name) for name in chosen]


def _draw(
    kind: str, networks: list[TrainedNetwork], options: Mapping[str, Any], step: Step
) -> Iterator[tuple[str, Figure]]:
    """Draw each network's figures, and the one comparison of all; what `all` cannot draw is told and left out."""
    from snstdp_cli.plots import KINDS

    for name in FIGURES if kind == "all" else [kind]:
        compares, draw = FIGURES[name].compares, KINDS[name].draw
        if compares and kind == "all" and len(networks) == 1:
            continue
        chosen = {option: options[option] for option in KINDS[name].options}
        for drawn in [networks] if compares else [[network] for network in networks]:
            stem = f"{joined([network.name for network in drawn])}.{name}"
            step(f"drawing {stem}")
            try:
                yield stem, draw(drawn if compares else drawn[0], **chosen)
            except SnstdpError as error:
                if kind != "all":
                    raise
                print_note(f"{stem}: {error}")
