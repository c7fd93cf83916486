"""The options that commands share, with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXPERIMENT, RUNNING, OUTPUT = "Experiment", "Files and running", "Output"


class EngineName(StrEnum):
    """Engines that a user can ask for."""

    auto = "auto"
    standalone = "standalone"
    runtime = "runtime"


class SplitName(StrEnum):
    """Parts of a data set."""

    train = "train"
    test = "test"


class ClassifierName(StrEnum):
    """Ways to turn responses into a class."""

    average = "average"
    selective = "selective"


Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file of the experiment.", rich_help_panel=EXPERIMENT)
]
NumNeurons = Annotated[
    int | None,
    typer.Option(
        "--n-e", help="Number of excitatory neurons.  \\[default: 400]", rich_help_panel=EXPERIMENT, show_default=False
    ),
]
RuleName = Annotated[
    str | None,
    typer.Option(
        "--rule",
        help="Learning rule: smax, smin, triplet, or my_rules.py:MY_RULE.  \\[default: smin]",
        rich_help_panel=EXPERIMENT,
        show_default=False,
    ),
]
TimeStep = Annotated[
    float | None,
    typer.Option("--dt", help="Time step, ms.  \\[default: 0.5]", rich_help_panel=EXPERIMENT, show_default=False),
]
NumExamples = Annotated[
    int | None,
    typer.Option(
        "--num-examples", help="Examples to show.  \\[default: 60000]", rich_help_panel=EXPERIMENT, show_default=False
    ),
]
LoadName = Annotated[
    str | None, typer.Option("--load-name", help="Name of the weights to use.", rich_help_panel=EXPERIMENT)
]
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Names of the networks.  \\[default: the only one]", metavar="NAME", show_default=False),
]
LoadNames = Annotated[
    list[str] | None, typer.Option("--load-name", help="The same as NAME; repeat it for more.", show_default=False)
]
SaveName = Annotated[
    str | None,
    typer.Option("--save-name", help="Name for what is written.  \\[default: default]", rich_help_panel=EXPERIMENT),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", help="Seed of everything random.  \\[default: 0]", rich_help_panel=EXPERIMENT, show_default=False
    ),
]
DataName = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Data set: mnist, fashion-mnist, bundled, or a path to your own.  \\[default: mnist]",
        rich_help_panel=EXPERIMENT,
        show_default=False,
    ),
]
Engine = Annotated[
    EngineName | None,
    typer.Option(
        "--engine",
        help="standalone: a C++ program; runtime: Brian 2 in Python.  \\[default: auto, standalone with a compiler]",
        rich_help_panel=EXPERIMENT,
        show_default=False,
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other setting, such as rule.eta=0.02; repeat it for more.",
        rich_help_panel=EXPERIMENT,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder with the IDX files.", rich_help_panel=RUNNING),
]
WorkdirPath = Annotated[
    Path,
    typer.Option("--workdir", help="Folder of weights/ and activity/.", rich_help_panel=RUNNING),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=256,
        help="Processes that record side by side; the result is the same.  \\[default: all cores]",
        rich_help_panel=RUNNING,
        show_default=False,
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an interrupted run stopped.", rich_help_panel=RUNNING)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing results.", rich_help_panel=RUNNING)]
Classifier = Annotated[
    ClassifierName | None,
    typer.Option(
        "--classifier",
        help="average: Diehl & Cook's; selective: neurons weighted by selectivity.  \\[default: average]",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no hints, only the result.", rich_help_panel=OUTPUT)
]
