"""The command `init-weights`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.names import checked
from snstdp_cli.cli.settings import resolve


@o.takes_settings("n_e", "rule", "save_name", "seed", defaults={"save_name": "initial_<n_e>"})
def init_weights(
    given: o.GivenSettings,
    signed: Annotated[
        bool, typer.Option("--signed", help="Draw weights of both signs.", rich_help_panel=o.EXPERIMENT)
    ] = False,
    n_input: Annotated[
        int,
        typer.Option(
            "--n-input", min=1, max=1_000_000, help="Number of inputs (pixels).", rich_help_panel=o.EXPERIMENT
        ),
    ] = 784,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    as_json: o.Json = False,
) -> None:
    """Draw random initial weights and save them under a name.

    Example: snstdp init-weights --n-e 400 --seed 1
    """
    experiment = resolve(given).experiment
    name = checked(given.flags.get("save_name", f"initial_{experiment.n_e}"), "--save-name")

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.training import init_weights as draw

    files = draw(experiment, Workdir(workdir), name, n_input, signed=signed, force=force)
    if as_json:
        print_json({"name": name, "n_e": experiment.n_e, "n_input": n_input, "files": files})
        return
    print_line(f"weights of {experiment.n_e:,} neurons with {n_input:,} inputs each, seed {experiment.seed}:")
    print_files(files)
    again = given.options("save_name")
    suggest("train", **{"n_e": experiment.n_e, **again}, load_name=name, save_name="mine", workdir=workdir)
