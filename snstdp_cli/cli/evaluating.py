"""The command `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json
from snstdp_cli.cli.live import reporter
from snstdp_cli.cli.names import known_names


def evaluate(
    names: o.Names = None,
    load_name: o.LoadNames = None,
    assign_from: Annotated[
        o.SplitName, typer.Option("--assign-from", help="Responses that label the neurons; test flatters.")
    ] = o.SplitName.train,
    classifier: o.Classifier = None,
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
    from snstdp_cli.artefacts import Workdir
    from snstdp_cli.cli import results
    from snstdp_cli.cli.scores import compare_pair, score_ancestor, score_names

    kind = "average" if classifier is None else classifier.value
    if compare is not None:
        compare_pair(Workdir(workdir), compare, kind, as_json)
        return
    if responses is not None:
        scores = [score_ancestor(responses, assign_responses, assign_from.value, kind, num_examples)]
    else:
        with reporter(quiet) as report:
            place = Workdir(workdir)
            chosen = known_names([*(names or []), *(load_name or [])], "evaluate", place, recorded=True)
            scores = score_names(place, chosen, assign_from.value, kind, num_examples, report)
    results.warn_of_scores(scores)
    if len(scores) == 1 and as_json:
        print_json(results.score_as_json(scores[0]))
    elif len(scores) == 1:
        results.show_score(scores[0])
    else:
        results.show_seeds(scores, as_json)
