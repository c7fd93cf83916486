"""The command `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.names import known_names, require_recordings
from snstdp_cli.cli.network_options import takes_networks
from snstdp_cli.cli.table_files import check_table_file, write_rows
from snstdp_cli.errors import ConfigError
from snstdp_cli.fields.readouts import READ_OUTS, Classifier

if TYPE_CHECKING:
    from snstdp_cli.results import Score


AssignFrom = Annotated[
    o.SplitName, typer.Option("--assign-from", help="Responses that label the neurons; test flatters.")
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option("--compare", metavar="A B", help="Compare two networks on the same test images (McNemar)."),
]
FirstImages = Annotated[int | None, typer.Option("--num-examples", min=1, help="Score only the first ones.")]
ScoredData = Annotated[
    str | None, typer.Option("--data", help="Score the responses to this data set, by its name or path.")
]
ScoredLabel = Annotated[str | None, typer.Option("--as", help="Score the responses of this name (test --as).")]
ResponsesFile = Annotated[
    Path | None, typer.Option("--responses", help="The ancestor's resultPopVecs<N>.npy to score.")
]
AssignFile = Annotated[
    Path | None, typer.Option("--assign-responses", help="The ancestor's file of training responses.")
]
ReadOuts = Annotated[
    list[str] | None,
    typer.Option(
        "--read-out",
        metavar="NAME",
        help=f"Score by these read-outs, or by all: {', '.join(READ_OUTS)}; repeat it. Linear is trained by "
        "labels, the others use them only to name neurons.",
        show_default=False,
    ),
]
TiesOption = Annotated[
    o.TiesName,
    typer.Option("--ties", help="Of several best classes, the lowest, or as the ancestor's script the highest."),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option(
        "--per-image",
        metavar="FILE",
        help="Write the answer to each image as well: .csv or .json.",
        rich_help_panel=o.OUTPUT,
    ),
]


@dataclass(frozen=True)
class _Asked:
    """What is to be scored, and how.

    Attributes
    ----------
    names
        Networks; none for the only one there is.
    compare
        Two networks in their place.
    responses, assign_responses
        Files of the ancestor's in the place of networks.
    assign_from, score_on
        Parts of the data set whose responses label the neurons, and are scored.
    how
        The other arguments of `score_network` and `score_ancestor_pairs`.
    which
        Which of several recordings of a network; arguments of `score_network`.
    """

    names: list[str]
    compare: tuple[str, str] | None
    responses: Path | None
    assign_responses: Path | None
    assign_from: o.SplitName
    score_on: o.ScoredName
    how: Mapping[str, Any]
    which: Mapping[str, Any]


@o.takes_settings("classifier", file=False)
@takes_networks(several=True)
def evaluate(
    given: o.GivenSettings,
    names: list[str],
    score_on: o.ScoreOn = o.ScoredName.test,
    assign_from: AssignFrom = o.SplitName.train,
    compare: Compare = None,
    num_examples: FirstImages = None,
    data: ScoredData = None,
    label: ScoredLabel = None,
    responses: ResponsesFile = None,
    assign_responses: AssignFile = None,
    read_out: ReadOuts = None,
    ties: TiesOption = o.TiesName.lowest,
    workdir: o.WorkdirPath = Path(),
    force: o.Force = False,
    per_image: AnswersFile = None,
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
    wanted = _read_outs(read_out)
    how = {"classifier": _first(given, wanted), "read_outs": wanted, "ties": ties.value, "num_examples": num_examples}
    which = {"data": data, "mark": label}
    asked = _Asked(names, compare, responses, assign_responses, assign_from, score_on, how, which)
    _refuse_contradictions(asked)
    if per_image is not None:
        check_table_file(per_image, force=force, flag="--per-image")
    with steps(quiet) as step:
        scores = _score_networks(asked, workdir, step) if responses is None else [_score_files(asked, responses)]

    from snstdp_cli.cli import score_tables

    score_tables.warn_of_scores(scores, workdir)
    if per_image is not None:
        _write_answers(per_image, scores, quiet)
    if compare is not None:
        score_tables.show_comparison(scores[0], scores[1], as_json=as_json)
        return
    score_tables.show_scores(scores, as_json=as_json)
    if len(scores) == 1 and responses is None and not (quiet or as_json) and score_on is o.ScoredName.test:
        _tell_findings(scores[0], workdir)


def _write_answers(path: Path, scores: Sequence[Score], quiet: bool) -> None:
    """Write what each network answered to each of its images."""
    from snstdp_cli.cli.score_tables import score_as_json
    from snstdp_cli.results import score_rows

    write_rows(
        path, [row for score in scores for row in score_rows(score)], {"scores": list(map(score_as_json, scores))}
    )
    if not quiet:
        print_note(f"answers to each image: {path}")


def _tell_findings(score: Score, workdir: Path) -> None:
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli.sentences import tell_findings
    from snstdp_cli.results import TrainedNetwork

    tell_findings(TrainedNetwork(Workdir(workdir), score.name), score)


def _refuse_contradictions(asked: _Asked) -> None:
    """Refuse what would be ignored."""
    compare, responses = asked.compare, asked.responses
    if compare is not None and (asked.names or responses is not None):
        raise ConfigError("--compare: expected two names and no other networks or files")
    if compare is not None and compare[0] == compare[1]:
        raise ConfigError(f"--compare: expected two different networks, found '{compare[0]}' twice")
    if responses is not None and asked.names:
        raise ConfigError("--responses: expected a file and no names of networks")
    if asked.assign_responses is not None and responses is None:
        raise ConfigError("--assign-responses: expected --responses with it, the file to score")
    if responses is not None and asked.assign_responses is None and asked.assign_from is not o.SplitName.test:
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


def _score_files(asked: _Asked, responses: Path) -> Score:
    """Score a file of the ancestor's."""
    from snstdp_cli.results import score_ancestor_pairs

    return score_ancestor_pairs(responses, asked.assign_responses, **asked.how)


def _score_networks(asked: _Asked, workdir: Path, step: Callable[[str], None]) -> list[Score]:
    """Score recordings of networks; without a name, of the only one there is."""
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.results import TrainedNetwork, score_network

    place = Workdir(workdir)
    parts: Mapping[str, Any] = {"assign_from": asked.assign_from.value, "score_on": asked.score_on.value}
    scores = []
    for name in known_names(list(asked.compare or asked.names), "evaluate", place, recorded=parts["score_on"]):
        step(f"scoring {name}")
        require_recordings(place, name, dict.fromkeys(parts.values()))
        scores.append(score_network(TrainedNetwork(place, name), **parts, **asked.which, **asked.how))
    return scores
