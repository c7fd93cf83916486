"""The command `run`."""

from __future__ import annotations

from pathlib import Path

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import duration, print_files, print_json, print_line
from snstdp_cli.cli.hints import suggest
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.plans import tell_plan
from snstdp_cli.cli.settings import resolve


@o.takes_settings(*o.FLAGS)
def run(
    given: o.GivenSettings,
    score_on: o.ScoreOn = o.ScoredName.test,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    workers: o.Workers = None,
    resume: o.Resume = False,
    force: o.Force = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Train, record and evaluate: the whole experiment.

    Example: snstdp run --n-e 100 --num-examples 1500 --data bundled --save-name first

    Example: snstdp run --config my.yaml --set rule.eta=0.02 --save-name second
    """
    experiment = resolve(given).experiment

    from snstdp_cli.artefacts import Workdir, list_recorded
    from snstdp_cli.cli import score_tables
    from snstdp_cli.cli.sentences import tell_findings
    from snstdp_cli.pipeline import run_experiment
    from snstdp_cli.results import TrainedNetwork

    tell_plan(experiment, workdir, data_dir, quiet)
    with reporter(quiet) as report:
        result = run_experiment(
            experiment,
            Workdir(workdir),
            score_on=score_on.value,
            data_dir=data_dir,
            workers=workers,
            resume=resume,
            force=force,
            report=report,
        )
    score_tables.warn_of_scores([result.score], workdir)
    if as_json:
        print_json({**score_tables.score_as_json(result.score), "seconds": result.seconds, "files": result.files})
        return
    score_tables.show_score(result.score)
    print_line(f"{duration(result.seconds)} in all; files:")
    print_files(result.files)
    if quiet or score_on is o.ScoredName.validation:
        return
    tell_findings(TrainedNetwork(Workdir(workdir), experiment.save_name), result.score)
    suggest("plot", "classes", experiment.save_name, workdir=workdir)
    others = [name for name in list_recorded(Workdir(workdir)) if name != experiment.save_name]
    if others:
        suggest("report", others[-1], experiment.save_name, data_dir=data_dir, workdir=workdir)
