"""The command `test`; its function is called `record`, because pytest collects what is called `test`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.plans import tell_of_bundled
from snstdp_cli.cli.settings import PRETRAINED, resolve_for_weights

if TYPE_CHECKING:
    from snstdp_cli.artefacts import Responses, Workdir


class FormatName(StrEnum):
    """Formats of a recording."""

    npz = "npz"
    ancestor = "ancestor"


Split = Annotated[
    o.PartName,
    typer.Option(
        "--split",
        help="train: to label the neurons; test: to score; validation: to choose settings by.",
        rich_help_panel=o.EXPERIMENT,
    ),
]
ShownImages = Annotated[
    int | None,
    typer.Option(
        "--num-examples",
        min=1,
        help="Images to show.  \\[default: as configured]",
        show_default=False,
        rich_help_panel=o.EXPERIMENT,
    ),
]
Label = Annotated[
    str | None,
    typer.Option("--as", help="Name of these responses, beside others of the network.", rich_help_panel=o.EXPERIMENT),
]
RecordFormat = Annotated[
    FormatName,
    typer.Option(
        "--format",
        help="npz, or ancestor for resultPopVecs<N>.npy and inputNumbers<N>.npy.",
        rich_help_panel=o.OUTPUT,
    ),
]


@o.takes_settings("load_name", "dt", "seed", "noise_seed", "data", "engine", defaults={"load_name": PRETRAINED})
def record(
    given: o.GivenSettings,
    split: Split = o.PartName.test,
    num_examples: ShownImages = None,
    label: Label = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    resume: o.Resume = False,
    force: o.Force = False,
    record_format: RecordFormat = FormatName.npz,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Record the responses of a trained network; nothing learns.

    Settings that are not given are those of the training.

    Example: snstdp test --load-name mine --split test
    """
    experiment, name = resolve_for_weights(given, workdir)
    tell_of_bundled(experiment.data, data_dir)

    from snstdp_cli.artefacts import Workdir
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
    _tell_of_responses(name, split, responses, files, as_json)
    if not (quiet or as_json) and record_format is FormatName.npz:
        again = {**given.options(), "load_name": name, "label": label, "workers": workers, "data_dir": data_dir}
        _suggest_next(place, name, split, again)


def _tell_of_responses(name: str, split: o.PartName, responses: Responses, files: list[Path], as_json: bool) -> None:
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


def _suggest_next(workdir: Workdir, name: str, split: o.PartName, again: Mapping[str, Any]) -> None:
    """Suggest to record what a score still needs, or to score."""
    from snstdp_cli.artefacts import list_recordings

    validates = bool(list_recordings(workdir, name, "validation"))
    scored = o.PartName.validation if validates and split is not o.PartName.test else o.PartName.test
    other = scored if split is o.PartName.train else o.PartName.train
    if not list_recordings(workdir, name, other.value):
        suggest("test", **again, split=other, workdir=workdir.root)
        return
    which = {} if split is o.PartName.train else {"data": again.get("data"), "label": again.get("label")}
    score_on = scored if scored is not o.PartName.test else None
    suggest("evaluate", name, **which, score_on=score_on, workdir=workdir.root)
