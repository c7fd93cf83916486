"""The command `config show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.config_check import tell_of_own_rule
from snstdp_cli.cli.console import print_json, print_table
from snstdp_cli.cli.settings import resolve
from snstdp_cli.errors import ConfigError


@o.takes_settings(*o.FLAGS)
def show(
    given: o.GivenSettings,
    file: Annotated[Path | None, typer.Argument(help="YAML file, the same as --config.", show_default=False)] = None,
    as_json: o.Json = False,
) -> None:
    """Print the resolved configuration of a run with the source of each value.

    Example: snstdp config show configs/smax_400.yaml --n-e 100
    """
    from snstdp_cli.config import resolved_rows

    if file is not None and given.config is not None:
        raise ConfigError(f"expected one file, found {file} and --config {given.config}")
    chosen = o.GivenSettings(file or given.config, given.flags, given.sets)
    resolved = resolve(chosen, run_rule_files=False)
    rows = resolved_rows(resolved.experiment, resolved.sources)
    if as_json:
        print_json({"experiment": resolved.experiment.model_dump(mode="json"), "sources": {k: s for k, _, s in rows}})
        return
    print_table(("setting", "value", "source"), rows)
    tell_of_own_rule(resolved.experiment.rule.name, is_own=resolved.experiment.rule.is_own)
