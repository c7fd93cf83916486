"""The command `train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import duration, print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.plans import tell_plan
from snstdp_cli.cli.settings import resolve
from snstdp_cli.errors import ConfigError

if TYPE_CHECKING:
    from snstdp_cli.training import TrainingResult


#: Flags that may stand beside `--more`.
_BESIDE_MORE = {"load_name", "save_name", "rule"}

More = Annotated[
    int | None,
    typer.Option(
        "--more",
        min=1,
        help="Continue the finished training --load-name for so many examples more, with all its settings.",
        show_default=False,
        rich_help_panel=o.EXPERIMENT,
    ),
]


@o.takes_settings("n_e", "rule", "dt", "num_examples", "load_name", "save_name", "seed", "noise_seed", "data", "engine")
def train(
    given: o.GivenSettings,
    more: More = None,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    resume: o.Resume = False,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train a network and save its weights.

    Example: snstdp train --config configs/smax_400.yaml --n-e 100 --num-examples 5000 --save-name mine

    Example: snstdp train --load-name mine --more 5000 --save-name longer
    """
    if more is not None:
        given = _continued(given)
    experiment = resolve(given).experiment

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli.sentences import tell_findings
    from snstdp_cli.results import TrainedNetwork
    from snstdp_cli.training import train_network

    if more is None:
        tell_plan(experiment, workdir, data_dir, quiet)
    with reporter(quiet) as report:
        result = train_network(
            experiment, Workdir(workdir), data_dir=data_dir, more=more, resume=resume, force=force, report=report
        )
    if as_json:
        print_json(_as_json(result))
        return
    _show(result)
    if not quiet:
        tell_findings(TrainedNetwork(Workdir(workdir), experiment.save_name))
        suggest("test", load_name=experiment.save_name, split="train", data_dir=data_dir, workdir=workdir)


def _show(result: TrainingResult) -> None:
    figures = result.record.figures
    assert figures is not None
    print_line(
        *("trained ", (result.experiment.save_name, "bold")),
        f": {figures.examples:,} examples in {duration(result.record.duration_s)}, {figures.retries:,} shown again, "
        f"{figures.silent_examples:,} without an answer, {figures.never_learned:,} of {result.experiment.n_e:,} "
        f"neurons never learned, L1 norm {figures.l1_mean:.1f}",
    )
    print_files(result.files)


def _continued(given: o.GivenSettings) -> o.GivenSettings:
    """Return the names of a continued training; its settings are those of the one that it goes on with."""
    name = given.flags.get("load_name")
    if given.config is not None or given.sets or set(given.flags) - _BESIDE_MORE or name is None:
        raise ConfigError(
            "--more: expected --load-name, the training to continue, and --save-name; all settings are those of that "
            "training (a rule of your own is named by --rule)"
        )
    return replace(given, flags={"save_name": name, **given.flags})


def _as_json(result: TrainingResult) -> dict[str, Any]:
    record = result.record.model_dump(mode="json")
    kept = {key: record[key] for key in ("duration_s", "engine", "figures", "learning_curve", "training")}
    return {"name": result.experiment.save_name, "seed": result.experiment.seed, **kept, "files": result.files}
