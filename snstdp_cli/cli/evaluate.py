"""The command `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import known_names, require_recordings
from snstdp_cli.cli.table_files import check_table_file, write_rows
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields.readouts import READ_OUTS, Classifier

if TYPE_CHECKING:
    from snstdp_cli.results import Score


@o.takes_settings("classifier", file=False)
def evaluate(
    given: o.GivenSettings,
    names: o.Names = None,
    load_name: o.LoadNames = None,
    score_on: o.ScoreOn = o.ScoredName.test,
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
    data: Annotated[
        str | None, typer.Option("--data", help="Score the responses to this data set, by its name or path.")
    ] = None,
    label: Annotated[str | None, typer.Option("--as", help="Score the responses of this name (test --as).")] = None,
    responses: Annotated[
        Path | None, typer.Option("--responses", help="The ancestor's resultPopVecs<N>.npy to score.")
    ] = None,
    assign_responses: Annotated[
        Path | None, typer.Option("--assign-responses", help="The ancestor's file of training responses.")
    ] = None,
    read_out: Annotated[
        list[str] | None,
        typer.Option(
            "--read-out",
            metavar="NAME",
            help=f"Score by these read-outs, or by all: {', '.join(READ_OUTS)}; repeat it. Linear is trained by "
            "labels, the others use them only to name neurons.",
            show_default=False,
        ),
    ] = None,
    ties: Annotated[
        o.TiesName,
        typer.Option("--ties", help="Of several best classes, the lowest, or as the ancestor's script the highest."),
    ] = o.TiesName.lowest,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    per_image: Annotated[
        Path | None,
        typer.Option(
            "--per-image",
            metavar="FILE",
            help="Write the answer to each image as well: .csv or .json.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Score recorded responses: accuracy, its interval, confusion matrix.

    With several names, the mean and the standard deviation of their accuracies.

    Example: snstdp evaluate --load-name mine --classifier selective

    Example: snstdp evaluate --compare mine other

    Example: snstdp evaluate mine --read-out all

    Example: snstdp evaluate mine --per-image answers.csv
    """
    asked = [*(names or []), *(load_name or [])]
    _refuse_contradictions(asked, compare, responses, assign_responses, assign_from)
    if per_image is not None:
        check_table_file(per_image, force=force, flag="--per-image")
    wanted = _read_outs(read_out)
    read: dict[str, Any] = {"classifier": _first(given, wanted), "read_outs": wanted, "ties": ties.value}
    read["num_examples"] = num_examples
    with steps(quiet) as step:
        if responses is not None:
            from snstdp_cli.results import score_ancestor_pairs

            scores = [score_ancestor_pairs(responses, assign_responses, **read)]
        else:
            choice = {**read, "assign_from": assign_from.value, "data": data, "mark": label}
            choice["score_on"] = score_on.value
            scores = _score_names(list(compare or asked), workdir, choice, step)

    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli import score_tables
    from snstdp_cli.cli.sentences import tell_findings
    from snstdp_cli.results import TrainedNetwork

    score_tables.warn_of_scores(scores, workdir)
    if per_image is not None:
        _write_answers(per_image, scores, quiet)
    if compare is not None:
        score_tables.show_comparison(scores[0], scores[1], as_json=as_json)
    else:
        score_tables.show_scores(scores, as_json=as_json)
        if len(scores) == 1 and responses is None and not (quiet or as_json) and score_on is o.ScoredName.test:
            tell_findings(TrainedNetwork(Workdir(workdir), scores[0].name), scores[0])


def _write_answers(path: Path, scores: Sequence[Score], quiet: bool) -> None:
    """Write what each network answered to each of its images."""
    from snstdp_cli.cli.score_tables import score_as_json
    from snstdp_cli.results import score_rows

    write_rows(
        path, [row for score in scores for row in score_rows(score)], {"scores": list(map(score_as_json, scores))}
    )
    if not quiet:
        print_note(f"answers to each image: {path}")


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


def _read_outs(names: Sequence[str] | None) -> tuple[Classifier, ...]:
    """Return the read-outs that were asked for, in their order."""
    for name in names or ():
        if name not in (*READ_OUTS, "all"):
            raise ConfigError(f"--read-out: found '{name}', expected {', '.join(READ_OUTS)} or all")
    return READ_OUTS if "all" in (names or ()) else tuple(dict.fromkeys(names or ()))  # type: ignore[arg-type]


def _first(given: o.GivenSettings, read_outs: Sequence[Classifier]) -> Any:
    """Return the read-out that is told first: the chosen classifier, or else the first that was asked for."""
    return given.classifier if "classifier" in given.flags or not read_outs else read_outs[0]


def _score_names(
    names: list[str], workdir: Path, choice: Mapping[str, Any], step: Callable[[str], None]
) -> list[Score]:
    """Score recordings of networks; without a name, of the only one there is."""
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.results import TrainedNetwork, score_network

    place = Workdir(workdir)
    scores = []
    for name in known_names(names, "evaluate", place, recorded=choice["score_on"]):
        step(f"scoring {name}")
        require_recordings(place, name, dict.fromkeys((choice["assign_from"], choice["score_on"])))
        scores.append(score_network(TrainedNetwork(place, name), **choice))
    return scores
