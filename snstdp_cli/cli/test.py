"""The command `test`; its function is called `record`, because pytest collects what is called `test`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.plans import tell_of_bundled
from snstdp_cli.cli.settings import PRETRAINED, resolve_for_weights


class FormatName(StrEnum):
    """Formats of a recording."""

    npz = "npz"
    ancestor = "ancestor"


@o.takes_settings("load_name", "dt", "seed", "noise_seed", "data", "engine", defaults={"load_name": PRETRAINED})
def record(
    given: o.GivenSettings,
    split: Annotated[
        o.SplitName,
        typer.Option("--split", help="train: to label the neurons; test: to score.", rich_help_panel=o.EXPERIMENT),
    ] = o.SplitName.test,
    num_examples: Annotated[
        int | None,
        typer.Option(
            "--num-examples",
            min=1,
            help="Images to show.  \\[default: as configured]",
            show_default=False,
            rich_help_panel=o.EXPERIMENT,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--as", help="Name of these responses, beside others of the network.", rich_help_panel=o.EXPERIMENT
        ),
    ] = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    resume: o.Resume = False,
    force: o.Force = False,
    record_format: Annotated[
        FormatName,
        typer.Option(
            "--format",
            help="npz, or ancestor for resultPopVecs<N>.npy and inputNumbers<N>.npy.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = FormatName.npz,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Record the responses of a trained network; nothing learns.

    Settings that are not given are those of the training.

    Example: snstdp test --load-name mine --split test
    """
    experiment, name = resolve_for_weights(given, workdir)
    tell_of_bundled(experiment.data, data_dir)

    from snstdp_cli.artefacts import Workdir, list_recordings
    from snstdp_cli.recording import record_activity

    place = Workdir(workdir)
    with reporter(quiet) as report:
        responses, files = record_activity(
            experiment,
            place,
            name,
            split.value,
            num_examples=num_examples,
            data_dir=data_dir,
            label=label,
            workers=workers,
            ancestor_format=record_format is FormatName.ancestor,
            resume=resume,
            force=force,
            report=report,
        )
    assert responses.record is not None
    figures, num = responses.record.figures, len(responses.labels)
    if as_json:
        print_json({"name": name, "split": split.value, "num_examples": num, **figures.model_dump(), "files": files})
        return
    print_line(
        *("recorded ", (name, "bold"), f": {num:,} {split.value} images, "),
        f"{figures.spikes_per_example:.1f} spikes an example, {figures.silent_examples:,} without an answer",
    )
    print_files(files)
    if quiet or record_format is FormatName.ancestor:
        return
    other = o.SplitName.train if split is o.SplitName.test else o.SplitName.test
    if list_recordings(place, name, other.value):
        suggest("evaluate", name, workdir=workdir)
    else:
        again = {**given.options(), "load_name": name, "label": label, "workers": workers}
        suggest("test", **again, split=other, data_dir=data_dir, workdir=workdir)
