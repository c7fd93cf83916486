"""Arguments and options that name a network and what was recorded of it; several commands share them."""

from __future__ import annotations

from typing import Annotated

import typer

NetworkName = Annotated[
    str | None,
    typer.Argument(help="Name of the network.  \\[default: the only one]", metavar="NAME", show_default=False),
]
LoadName = Annotated[str | None, typer.Option("--load-name", help="The same as NAME.", show_default=False)]
ResponsesData = Annotated[str | None, typer.Option("--data", help="Responses to this data set, by its name or path.")]
ResponsesLabel = Annotated[str | None, typer.Option("--as", help="Responses of this name (test --as).")]


def given_names(*names: str | None) -> list[str]:
    """Return the names that were given, as the argument or by `--load-name`."""
    return [name for name in names if name is not None]
