"""The command `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.hints import next_command
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.names import known_names
from snstdp_cli.errors import ArtefactError, ConfigError

if TYPE_CHECKING:
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.progress import Reporter
    from snstdp_cli.results import Score


@o.takes_settings("classifier", file=False)
def evaluate(
    given: o.GivenSettings,
    names: o.Names = None,
    load_name: o.LoadNames = None,
    assign_from: Annotated[
        o.SplitName, typer.Option("--assign-from", help="Responses that label the neurons; test flatters.")
    ] = o.SplitName.train,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", metavar="A B", help="Compare two networks on the same test images (McNemar)."),
    ] = None,
    num_examples: Annotated[
        int | None, typer.Option("--num-examples", min=1, help="Score only the first ones.")
    ] = None,
    responses: Annotated[
        Path | None, typer.Option("--responses", help="The ancestor's resultPopVecs<N>.npy to score.")
    ] = None,
    assign_responses: Annotated[
        Path | None, typer.Option("--assign-responses", help="The ancestor's file of training responses.")
    ] = None,
    workdir: o.WorkdirPath = Path(),
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Score recorded responses: accuracy, its interval, confusion matrix.

    With several names, the mean and the standard deviation of their accuracies.

    Example: snstdp evaluate --load-name mine --classifier selective

    Example: snstdp evaluate --compare mine other
    """
    asked = [*(names or []), *(load_name or [])]
    _refuse_contradictions(asked, compare, responses, assign_responses, assign_from)
    with reporter(quiet) as report:
        if responses is not None:
            scores = [_score_files(given, responses, assign_responses, num_examples)]
        else:
            scores = _score_names(given, list(compare or asked), assign_from, num_examples, workdir, report)

    from snstdp_cli.cli import score_tables

    score_tables.warn_of_scores(scores, workdir)
    if compare is not None:
        score_tables.show_comparison(scores[0], scores[1], as_json=as_json)
    else:
        score_tables.show_scores(scores, as_json=as_json)


def _refuse_contradictions(
    names: list[str],
    compare: tuple[str, str] | None,
    responses: Path | None,
    assign_responses: Path | None,
    assign_from: o.SplitName,
) -> None:
    """Refuse what would be ignored."""
    if compare is not None and (names or responses is not None):
        raise ConfigError("--compare: expected two names and no other networks or files")
    if compare is not None and compare[0] == compare[1]:
        raise ConfigError(f"--compare: expected two different networks, found '{compare[0]}' twice")
    if responses is not None and names:
        raise ConfigError("--responses: expected a file and no names of networks")
    if assign_responses is not None and responses is None:
        raise ConfigError("--assign-responses: expected --responses with it, the file to score")
    if responses is not None and assign_responses is None and assign_from is not o.SplitName.test:
        raise ConfigError(
            "--responses: the labels of the neurons need training responses: name them by --assign-responses, or take "
            "them from the same file with --assign-from test (which flatters)"
        )


def _score_names(
    given: o.GivenSettings,
    names: list[str],
    assign_from: o.SplitName,
    num_examples: int | None,
    workdir: Path,
    report: Reporter,
) -> list[Score]:
    """Score recordings of networks; without a name, of the only one there is."""
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.results import evaluate_activity

    place = Workdir(workdir)
    chosen = known_names(names, "evaluate", place, recorded=True)
    for name in chosen:
        _require_recordings(place, name, assign_from)
    return [
        evaluate_activity(
            place,
            name,
            assign_from=assign_from.value,
            classifier=given.classifier,
            num_examples=num_examples,
            report=report,
        )
        for name in chosen
    ]


def _require_recordings(workdir: Workdir, name: str, assign_from: o.SplitName) -> None:
    """Refuse a network without recordings, with the command that makes them."""
    from snstdp_cli.artefacts import find_recordings

    for split in dict.fromkeys((assign_from, o.SplitName.test)):
        if not find_recordings(workdir, name, split.value):
            command = next_command("test", load_name=name, split=split, workdir=workdir.root)
            raise ArtefactError(
                f"{workdir.activity}: no responses of '{name}' to the {split.value} split are recorded; record them: "
                f"{command}"
            )


def _score_files(
    given: o.GivenSettings, responses: Path, assign_responses: Path | None, num_examples: int | None
) -> Score:
    """Score files of the ancestor's."""
    from snstdp_cli.results import evaluate_ancestor_pairs

    return evaluate_ancestor_pairs(responses, assign_responses, classifier=given.classifier, num_examples=num_examples)
