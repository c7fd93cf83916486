"""The command `init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_note
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.settings import resolve

#: Neurons times examples of a run that takes minutes, and the settings of one that takes one minute.
_LONG = 1_000_000
_SHORT: dict[str, Any] = {"n_e": 100, "num_examples": 1500, "save_name": "first", "data": "bundled"}


@o.takes_settings(
    *("n_e", "rule", "dt", "num_examples", "save_name", "seed", "noise_seed", "data", "engine", "classifier"),
    defaults={"save_name": "that of the file"},
)
def init(
    given: o.GivenSettings,
    file: Annotated[Path, typer.Argument(help="YAML file to write.", show_default=False)],
    force: o.Force = False,
) -> None:
    """Write a commented configuration to begin with.

    Example: snstdp init my_experiment.yaml --rule smax --n-e 100 --num-examples 2000 --data bundled
    """
    named = {"save_name": safe_stem(file), **given.flags}
    asked = o.GivenSettings(given.config, named, given.sets)
    # A rule that only the configuration names is somebody's program: it does not run to be described.
    experiment = resolve(asked, run_rule_files=given.names_rule).experiment

    from snstdp_cli.artefacts import write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite
    from snstdp_cli.config import commented_yaml

    refuse_overwrite([file], force)
    write_atomic(file, commented_yaml(experiment).encode())
    print_files([file])
    if experiment.n_e * experiment.num_examples > _LONG:
        size = f"{experiment.n_e:,} neurons, {experiment.num_examples:,} examples"
        print_note(f"{size} take minutes or hours; to try it in one:")
        suggest("run", config=file, **_SHORT)
    suggest("run", config=file)


def safe_stem(file: Path) -> str:
    """Return a name that is like that of a file."""
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "_-+=") else "_" for c in file.stem)
    return cleaned[:100] or "experiment"
