"""Commands that look at results: plot and report."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_note
from snstdp_cli.cli.settings import PRETRAINED, checked


def plot(
    kind: Annotated[
        str,
        typer.Argument(
            help="fields, classes, evolution, confusion, accuracy, curve, weights, norm, mistakes, raster, traces, "
            "comparison, or all."
        ),
    ],
    load_name: Annotated[
        list[str] | None, typer.Option("--load-name", help="Name of the weights; several for comparison.")
    ] = None,
    example: Annotated[int, typer.Option("--example", min=0, help="Test image of raster and traces.")] = 0,
    neuron: Annotated[
        list[int] | None, typer.Option("--neuron", help="Neuron of traces or evolution; repeat it for more.")
    ] = None,
    classifier: o.Classifier = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder.  [default: figures/ in the workdir]", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture as well.")] = False,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
) -> None:
    """Draw a figure of a trained network as PNG and SVG.

    Example: snstdp plot fields --load-name mine
    """
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.errors import ConfigError, SnstdpError
    from snstdp_cli.plots import save_figure
    from snstdp_cli.workflows.figures import KINDS, FigureRequest

    if kind != "all" and kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"unknown figure '{kind}'; expected one of: {', '.join(KINDS)}, all{hint}")
    names = [checked(name, "--load-name") for name in load_name or [PRETRAINED]]
    request = FigureRequest(
        Workdir(workdir),
        names[0],
        data_dir,
        "average" if classifier is None else classifier.value,
        tuple(names[1:]),
        example,
        tuple(neuron or ()),
    )
    folder = output or workdir / "figures"
    files = []
    for chosen in KINDS if kind == "all" else [kind]:
        try:
            figure = KINDS[chosen](request)
        except SnstdpError as error:
            if kind != "all":
                raise
            print_note(f"{chosen}: {error}")
            continue
        files += save_figure(figure, folder / f"{names[0]}.{chosen}")
    if as_json:
        print_json({"files": files})
    else:
        print_files(files)
    if show:
        for path in files:
            if path.suffix == ".png":
                typer.launch(str(path))
