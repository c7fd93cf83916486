"""The command `config check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_line, print_note
from snstdp_cli.cli.hints import next_command
from snstdp_cli.cli.settings import resolve
from snstdp_cli.errors import ConfigError


def check(files: Annotated[list[Path], typer.Argument(help="YAML files.", show_default=False)]) -> None:
    """Validate configuration files.

    A rule in a file of yours is not run; `snstdp rules my_rules.py:MY_RULE` checks it.

    Example: snstdp config check configs/smin_400.yaml
    """
    failures = []
    for path in files:
        try:
            experiment = resolve(o.GivenSettings(path), run_rule_files=False).experiment
        except ConfigError as error:
            failures.append(str(error))
            continue
        print_line(f"{path}: valid ({experiment.n_e:,} neurons, rule {experiment.rule.name})")
        tell_of_own_rule(experiment.rule.name, is_own=experiment.rule.is_own)
    if failures:
        raise ConfigError("\n".join(failures))


def tell_of_own_rule(name: str, *, is_own: bool) -> None:
    """Say that a rule in a file of the user's was not run, and what runs it."""
    if is_own:
        print_note(
            f"the rule {name} is a program and was not run; this runs and checks it: {next_command('rules', name)}"
        )
