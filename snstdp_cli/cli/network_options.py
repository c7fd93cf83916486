"""Arguments and options that name networks and what was recorded of them; several commands share them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from snstdp_cli.cli.options import Command, parameter, shown_with

ResponsesData = Annotated[str | None, typer.Option("--data", help="Responses to this data set, by its name or path.")]
ResponsesLabel = Annotated[str | None, typer.Option("--as", help="Responses of this name (test --as).")]
_ONE = (
    Annotated[
        str | None,
        typer.Argument(help="Name of the network.  \\[default: the only one]", metavar="NAME", show_default=False),
    ],
    Annotated[str | None, typer.Option("--load-name", help="The same as NAME.", show_default=False)],
)
_SEVERAL = (
    Annotated[
        list[str] | None,
        typer.Argument(help="Names of the networks.  \\[default: the only one]", metavar="NAME", show_default=False),
    ],
    Annotated[
        list[str] | None, typer.Option("--load-name", help="The same as NAME; repeat it for more.", show_default=False)
    ],
)


def takes_networks(*, several: bool) -> Callable[..., Command]:
    """Let a command name networks: its parameter `names` becomes an argument and `--load-name`, and is a list of both.

    Parameters
    ----------
    several
        Whether each of both may be given more than once.
    """
    shown = zip(("names", "load_names"), _SEVERAL if several else _ONE, strict=True)
    named = [parameter(name, annotation) for name, annotation in shown]

    def decorate(function: Command) -> Command:
        signature = inspect.signature(function, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            parameters += named if one.name == "names" else [one.replace(kind=one.KEYWORD_ONLY)]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            given = [values.pop(one.name) for one in named]
            function(names=[name for one in given for name in _listed(one)], **values)

        return shown_with(command, signature, parameters)

    return decorate


def _listed(given: str | list[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())
