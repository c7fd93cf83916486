"""The data set that a command of `data` is given: a name, or a file or folder of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_note
from snstdp_cli.cli.settings import resolve
from snstdp_cli.errors import DataError

if TYPE_CHECKING:
    from snstdp_cli.datasets import Dataset, Split

Source = Annotated[
    str,
    typer.Argument(
        metavar="SRC", help="mnist, fashion-mnist, bundled, or a file or folder of your own.", show_default=False
    ),
]


def load_source(
    given: o.GivenSettings, source: str, data_dir: Path | None, *, both: bool = False
) -> tuple[dict[Split, Dataset], str]:
    """Load the splits that are there, prepared, and how a command calls the source."""
    experiment = resolve(given, run_rule_files=False).experiment

    from snstdp_cli.config import is_data_path
    from snstdp_cli.datasets import NAMES, load_dataset

    here = source not in NAMES and not is_data_path(source) and Path(source).exists()
    name = (f"{source}/" if source in (".", "..") else f"./{source}") if here else source
    sets: dict[Split, Dataset] = {"train": load_dataset(name, "train", data_dir, inputs=experiment.input)}
    try:
        sets["test"] = load_dataset(name, "test", data_dir, inputs=experiment.input)
    except DataError as error:
        if both:
            raise
        print_note(str(error))
    return sets, name
