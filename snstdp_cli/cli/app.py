"""The Typer application: which commands there are, and what an error looks like."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from typing import Annotated, Any

import typer

from snstdp_cli import __version__
from snstdp_cli.cli import evaluating, experiments, inspection, looking, machine, reporting
from snstdp_cli.cli.console import out, print_error
from snstdp_cli.errors import InterruptedRunError, SnstdpError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First steps, in any folder, with digits that come with snstdp (a minute):\n\n"
    "[bold]snstdp run --n-e 100 --num-examples 1500 --data bundled --save-name first[/]\n\n"
    "[bold]snstdp plot classes first[/]\n\n"
    "Then change a parameter ([bold]snstdp rules[/] and [bold]snstdp init my.yaml[/] tell of all): the same "
    "[bold]run[/] with [bold]--set rule.eta=0.02 --save-name second[/]; and compare: "
    "[bold]snstdp report first second[/].",
)


def reported(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what a user can cause or meet into a sentence and an exit code."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except SnstdpError as error:
            print_error(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            print_error("interrupted")
            raise typer.Exit(InterruptedRunError.exit_code) from None
        except MemoryError:
            print_error(
                "not enough memory; use fewer neurons (--n-e), a smaller chunk (--set chunk=100) or fewer workers"
            )
            raise typer.Exit(1) from None

    return run


def _print_version(asked: bool) -> None:
    if asked:
        out.print(f"snstdp {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train, test and compare spiking networks that learn with self-normalizing STDP, on Brian 2."""


_EXPERIMENT, _LOOKING, _SETUP = "Experiment", "Looking at results", "Settings and data"

for _name, _command, _panel in (
    ("run", experiments.run, _EXPERIMENT),
    ("init-weights", experiments.init_weights, _EXPERIMENT),
    ("train", experiments.train, _EXPERIMENT),
    ("test", experiments.record, _EXPERIMENT),
    ("evaluate", evaluating.evaluate, _EXPERIMENT),
    ("plot", looking.plot, _LOOKING),
    ("report", reporting.report, _LOOKING),
    ("rules", inspection.rules, _SETUP),
    ("init", inspection.init, _SETUP),
    ("doctor", machine.doctor, _SETUP),
    ("bench", machine.bench, _SETUP),
):
    app.command(_name, rich_help_panel=_panel)(reported(_command))
for _group, _name in ((inspection.config_app, "config"), (inspection.data_app, "data")):
    for _info in _group.registered_commands:
        assert _info.callback is not None
        _info.callback = reported(_info.callback)
    app.add_typer(_group, name=_name, rich_help_panel=_SETUP)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; SIGTERM ends a run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)
    app()
