"""What to do next: commands that can be copied, made from the options that a command really has."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from snstdp_cli.cli.console import print_note
from snstdp_cli.fields.command_lines import option_words


def suggest(command: str, *arguments: str | Path, **options: Any) -> None:
    """Print the command to try next."""
    print_note(f"next: {next_command(command, *arguments, **options)}", to_copy=True)


def next_command(command: str, *arguments: str | Path, **options: Any) -> str:
    """Return a command line, quoted for a shell.

    Parameters
    ----------
    command
        A command's name, such as `test` or `study show`.
    options
        Values by the names of the command's parameters; None, False and a path that is the default are left out.

    Raises
    ------
    LookupError
        If there is no such command, or it has no such option: a fault of the caller's.
    """
    parameters = parameters_of(command)
    if unknown := options.keys() - parameters.keys():
        raise LookupError(f"{command} has no option {', '.join(sorted(unknown))}")
    flags = [word for name in parameters if name in options for word in _words(parameters[name], options[name])]
    positional = [str(argument) for argument in arguments]
    if any(argument.startswith("-") for argument in positional):
        words = [*flags, "--", *positional]
    else:
        words = [*positional, *flags]
    return " ".join([*_program(), command, *map(shlex.quote, words)])


def parameters_of(command: str) -> Mapping[str, Any]:
    """Return the parameters of a command by name, in their order."""
    from snstdp_cli.cli.app import app

    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    return {parameter.name: parameter for parameter in found.params}


def _words(parameter: Any, value: Any) -> Iterator[str]:
    """Yield an option as it is typed; `--name=value` where the value looks like an option."""
    if value is None or value is False or (isinstance(value, Path) and str(value) == str(parameter.default)):
        return
    flag = max(parameter.opts, key=len)
    if value is True:
        yield flag
        return
    for one in value if isinstance(value, list | tuple) else [value]:
        yield from option_words(flag, one.value if isinstance(one, Enum) else one)


def _program() -> list[str]:
    """Return how this program is called: by its name, or by its path where that is not on the search path."""
    started = Path(sys.argv[0])
    if started.parts[-2:] == ("snstdp_cli", "__main__.py"):
        return [shlex.quote(Path(sys.executable).name), "-m", "snstdp_cli"]
    if shutil.which("snstdp"):
        return ["snstdp"]
    try:
        return [shlex.quote(os.path.relpath(started))]
    except OSError:  # the current folder is gone
        return [shlex.quote(str(started))]
