"""The Typer application: which commands there are. What takes time to import is imported in the commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from snstdp_cli import __version__
from snstdp_cli.cli import (
    bench,
    config_check,
    config_schema,
    config_show,
    data_convert,
    data_fetch,
    data_info,
    data_show,
    doctor,
    evaluate,
    explain,
    hardware_cost,
    hardware_export,
    init,
    init_weights,
    plot,
    predict,
    report,
    rules,
    run,
    study_init,
    study_plot,
    study_report,
    study_run,
    study_schema,
    study_script,
    study_show,
    study_table,
    study_worker,
    test,
    trace,
    train,
)
from snstdp_cli.cli.console import print_line
from snstdp_cli.cli.failures import reported
from snstdp_cli.cli.options import Command

_FIRST_STEPS = (
    "First steps, in any folder, with digits that come with snstdp (a minute):\n\n"
    "[bold]snstdp run --n-e 100 --num-examples 1500 --data bundled --save-name first[/]\n\n"
    "[bold]snstdp plot classes first[/]\n\n"
    "Then change a parameter ([bold]snstdp rules[/] and [bold]snstdp init my.yaml[/] tell of all): the same "
    "[bold]run[/] with [bold]--set rule.eta=0.02 --save-name second[/]; and compare: "
    "[bold]snstdp report first second[/]."
)
_EXPERIMENT, _LOOKING, _SETUP = "Experiment", "Looking at results", "Settings and data"
_COMMANDS: dict[str, dict[str, Command]] = {
    _EXPERIMENT: {
        "run": run.run,
        "init-weights": init_weights.init_weights,
        "train": train.train,
        "test": test.record,
        "evaluate": evaluate.evaluate,
        "predict": predict.predict,
    },
    _LOOKING: {"explain": explain.explain, "plot": plot.plot, "report": report.report, "trace": trace.trace},
    _SETUP: {"rules": rules.rules, "init": init.init, "doctor": doctor.doctor, "bench": bench.bench},
}
_GROUPS: dict[str, tuple[str, str, dict[str, Command]]] = {
    "study": (
        _EXPERIMENT,
        "Run many experiments from one file, and look at what came out.",
        {
            "init": study_init.init,
            "run": study_run.run,
            "show": study_show.show,
            "table": study_table.table,
            "plot": study_plot.plot,
            "report": study_report.report,
            "worker": study_worker.worker,
            "script": study_script.script,
            "schema": study_schema.schema,
        },
    ),
    "config": (
        _SETUP,
        "Show, check and describe configurations.",
        {"show": config_show.show, "check": config_check.check, "schema": config_schema.schema},
    ),
    "hardware": (
        _LOOKING,
        "What networks cost on a chip, and networks for one.",
        {"cost": hardware_cost.cost, "export": hardware_export.export},
    ),
    "data": (
        _SETUP,
        "Look at data sets, find, download and convert them.",
        {"show": data_show.show, "convert": data_convert.convert, "info": data_info.info, "fetch": data_fetch.fetch},
    ),
}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_FIRST_STEPS,
)


def _print_version(asked: bool) -> None:
    if asked:
        print_line(f"snstdp {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train, test and compare spiking networks that learn with self-normalizing STDP, on Brian 2."""


def _help_of(function: Callable[..., Any]) -> str:
    """Return a docstring as help, to be broken by the terminal: only lists (of styled words) keep their lines."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(text if text.startswith("[") else text.replace("\n", " ") for text in paragraphs)


for _panel, _commands in _COMMANDS.items():
    for _name, _function in _commands.items():
        app.command(_name, help=_help_of(_function), rich_help_panel=_panel)(reported(_function))
for _name, (_panel, _help, _commands) in _GROUPS.items():
    _group = typer.Typer(no_args_is_help=True, help=_help)
    for _inner, _function in _commands.items():
        _group.command(_inner, help=_help_of(_function))(reported(_function))
    app.add_typer(_group, name=_name, rich_help_panel=_panel)
