"""Commands that tell: rules, config, data, and `init`, which writes a configuration to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import out, print_files, print_json, print_next, print_note, print_table
from snstdp_cli.cli.settings import resolve, setting_flags

config_app = typer.Typer(no_args_is_help=True, help="Show, check and describe configurations.")
data_app = typer.Typer(no_args_is_help=True, help="Find and download data sets.")


def rules(name: Annotated[str | None, typer.Argument(help="Only this rule.")] = None, as_json: o.Json = False) -> None:
    """List the learning rules with equations, parameters and citation.

    Example: snstdp rules smin
    """
    from snstdp_cli.rules import RULES, find_rule

    chosen = list(RULES.values()) if name is None else [find_rule(name, run_files=True)]
    if as_json:
        print_json({rule.name: _rule_as_json(rule) for rule in chosen})
        return
    for rule in chosen:
        out.print(f"[bold]{rule.name}[/]  {escape(rule.title)}")
        for line in rule.equations:
            out.print(f"    {escape(line)}", style="green")
        out.print(f"  {escape(rule.notes)}")
        out.print(f"  [dim]{escape(rule.citation)}[/]")
        rows = [(p["key"], str(p["default"]), p["range"], p["description"]) for p in _parameters(rule)]
        print_table("", ("  parameter", "default", "range", "meaning"), [("  " + r[0], *r[1:]) for r in rows])
        out.print()
    if name is None:
        print_note("a rule of your own: --rule my_rules.py:MY_RULE; see docs/own-rule.md of the project")


@config_app.command("show")
def config_show(
    file: Annotated[Path | None, typer.Argument(help="YAML file, the same as --config.", show_default=False)] = None,
    config: o.Config = None,
    n_e: o.NumNeurons = None,
    rule: o.RuleName = None,
    dt: o.TimeStep = None,
    num_examples: o.NumExamples = None,
    load_name: o.LoadName = None,
    save_name: o.SaveName = None,
    seed: o.Seed = None,
    data: o.DataName = None,
    engine: o.Engine = None,
    sets: o.Sets = None,
    as_json: o.Json = False,
) -> None:
    """Print the resolved configuration of a run with the source of each value.

    Example: snstdp config show configs/smax_400.yaml --n-e 100
    """
    from snstdp_cli.config import resolved_rows
    from snstdp_cli.errors import ConfigError

    if file is not None and config is not None:
        raise ConfigError(f"expected one file, found {file} and --config {config}")
    flags = setting_flags(n_e, rule, dt, num_examples, load_name, save_name, seed, data, engine)
    resolved = resolve(file or config, sets, flags)
    rows = resolved_rows(resolved.experiment, resolved.sources)
    if as_json:
        print_json({"experiment": resolved.experiment.model_dump(mode="json"), "sources": {k: s for k, _, s in rows}})
        return
    print_table("", ("setting", "value", "source"), rows)


@config_app.command("check")
def config_check(files: Annotated[list[Path], typer.Argument(help="YAML files.")]) -> None:
    """Validate configuration files.

    Example: snstdp config check configs/smin_400.yaml
    """
    from snstdp_cli.errors import ConfigError

    failures = []
    for path in files:
        try:
            experiment = resolve(path, None, {}).experiment
        except ConfigError as error:
            failures.append(str(error))
        else:
            out.print(f"{path}: valid ({experiment.n_e:,} neurons, rule {experiment.rule.name})", soft_wrap=True)
    if failures:
        raise ConfigError("\n".join(failures))


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of a configuration, for editors.

    Example: snstdp config schema > snstdp.schema.json
    """
    from snstdp_cli.config import json_schema

    print_json(json_schema())


def init(
    file: Annotated[Path, typer.Argument(help="YAML file to write.")],
    n_e: o.NumNeurons = None,
    rule: o.RuleName = None,
    dt: o.TimeStep = None,
    num_examples: o.NumExamples = None,
    save_name: Annotated[
        str | None,
        typer.Option(
            "--save-name",
            help="Name for what a run writes.  \\[default: that of the file]",
            rich_help_panel=o.EXPERIMENT,
            show_default=False,
        ),
    ] = None,
    seed: o.Seed = None,
    data: o.DataName = None,
    sets: o.Sets = None,
    force: o.Force = False,
) -> None:
    """Write a commented configuration to begin with.

    Example: snstdp init my_experiment.yaml --rule smax --n-e 100 --num-examples 2000 --data bundled
    """
    from snstdp_cli.artefacts import write_atomic
    from snstdp_cli.artefacts.files import refuse_overwrite
    from snstdp_cli.config import commented_yaml

    refuse_overwrite([file], force)
    flags = setting_flags(n_e, rule, dt, num_examples, None, save_name or _stem(file), seed, data)
    experiment = resolve(None, sets, flags).experiment
    write_atomic(file, commented_yaml(experiment).encode())
    print_files([file])
    if experiment.n_e * experiment.num_examples > 1_000_000:
        size = f"{experiment.n_e:,} neurons, {experiment.num_examples:,} examples"
        print_note(f"{size} take minutes or hours; to try it in one:")
        print_next(f"run --config {file} --n-e 100 --num-examples 1500 --save-name first --data bundled")
    print_next(f"run --config {file}")


@data_app.command("info")
def data_info(data_dir: o.DataDir = None, as_json: o.Json = False) -> None:
    """Say which data sets are found, where and how large they are.

    Example: snstdp data info
    """
    from snstdp_cli.datasets import NAMES

    rows = [_describe_dataset(name, data_dir) for name in NAMES]
    if as_json:
        print_json({row["name"]: row for row in rows})
        return
    print_table(
        "",
        ("data set", "training", "test", "image", "where"),
        [(r["name"], r["train"], r["test"], r["image"], r["source"]) for r in rows],
    )


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="mnist or fashion-mnist.")],
    target: Annotated[Path | None, typer.Option("--target", help="Folder.  \\[default: your cache]")] = None,
) -> None:
    """Download a data set, checked by SHA-256.

    Example: snstdp data fetch mnist
    """
    from snstdp_cli.datasets import fetch_dataset

    print_note(f"fetching {name}")
    print_files(fetch_dataset(name, target))


def _stem(file: Path) -> str:
    cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "_-+=") else "_" for c in file.stem)
    return cleaned[:100] or "experiment"


def _describe_dataset(name: str, data_dir: Path | None) -> dict[str, str]:
    from snstdp_cli.datasets import load_dataset
    from snstdp_cli.errors import DataError

    row = {"name": name, "train": "-", "test": "-", "image": "-"}
    try:
        loaded = {"train": load_dataset(name, "train", data_dir), "test": load_dataset(name, "test", data_dir)}
    except DataError as error:
        return {**row, "source": str(error).split(":", 1)[-1].strip()}
    rows, cols = loaded["train"].images.shape[1:]
    source = loaded["train"].source
    if loaded["train"].bundled and name == "mnist":
        source += " (MNIST was not found: snstdp data fetch mnist)"
    return {**row, **{k: f"{len(v):,}" for k, v in loaded.items()}, "image": f"{rows} x {cols}", "source": source}


def _parameters(rule: Any) -> list[dict[str, Any]]:
    from snstdp_cli.config import allowed

    schema = rule.parameters.model_json_schema()["properties"]
    found = []
    for key, field in schema.items():
        default = field.get("default")
        found.append(
            {
                "key": key,
                "default": f"{default:.6g}" if isinstance(default, float) else default,
                "range": allowed(field),
                "description": field.get("description", ""),
            }
        )
    return found


def _rule_as_json(rule: Any) -> dict[str, Any]:
    return {
        "title": rule.title,
        "equations": list(rule.equations),
        "notes": rule.notes,
        "citation": rule.citation,
        "parameters": _parameters(rule),
    }
