"""The commands `config show`, `config check` and `config schema`; none of them runs a rule in a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_note, print_table
from snstdp_cli.cli.hints import next_command
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
    _tell_of_own_rule(resolved.experiment.rule.name, is_own=resolved.experiment.rule.is_own)


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
        _tell_of_own_rule(experiment.rule.name, is_own=experiment.rule.is_own)
    if failures:
        raise ConfigError("\n".join(failures))


def schema() -> None:
    """Print the JSON Schema of a configuration, for editors.

    Example: snstdp config schema > snstdp.schema.json
    """
    from snstdp_cli.config import json_schema

    print_json(json_schema())


def _tell_of_own_rule(name: str, *, is_own: bool) -> None:
    if is_own:
        print_note(
            f"the rule {name} is a program and was not run; this runs and checks it: {next_command('rules', name)}"
        )
