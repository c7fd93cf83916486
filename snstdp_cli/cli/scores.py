"""What `evaluate` scores: one network, several, a pair to compare, or the ancestor's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from snstdp_cli.artefacts import Workdir
from snstdp_cli.cli.console import out, percent, print_json
from snstdp_cli.cli.names import known_names
from snstdp_cli.errors import ConfigError
from snstdp_cli.progress import Reporter
from snstdp_cli.results import Score, compare_networks, evaluate_activity, evaluate_ancestor_pairs

Kind = Literal["average", "selective"]


def score_names(
    workdir: Workdir,
    names: list[str],
    assign_from: str,
    classifier: str,
    num_examples: int | None,
    report: Reporter,
) -> list[Score]:
    """Score the networks of these names."""
    return [
        evaluate_activity(
            workdir,
            name,
            assign_from=cast(Literal["train", "test"], assign_from),
            classifier=cast(Kind, classifier),
            num_examples=num_examples,
            report=report,
        )
        for name in names
    ]


def score_ancestor(
    responses: Path, assign: Path | None, assign_from: str, classifier: str, num_examples: int | None
) -> Score:
    """Score a pair of the ancestor's files."""
    if assign is None and assign_from != "test":
        raise ConfigError(
            "--responses: the labels of the neurons need training responses: name them by --assign-responses, or take "
            "them from the same file with --assign-from test (which flatters)"
        )
    return evaluate_ancestor_pairs(
        responses,
        None if assign_from == "test" else assign,
        classifier=cast(Kind, classifier),
        num_examples=num_examples,
    )


def compare_pair(workdir: Workdir, names: tuple[str, str], classifier: str, as_json: bool) -> None:
    """Print McNemar's comparison of two networks on the same test images."""
    a, b = (known_names([name], "--compare", workdir)[0] for name in names)
    result, scores = compare_networks(workdir, a, b, classifier=cast(Kind, classifier))
    if as_json:
        content: dict[str, Any] = {"a": scores[0].as_dict(), "b": scores[1].as_dict(), "comparison": result.as_dict()}
        print_json(content)
        return
    for score in scores:
        out.print(f"{score.name}: {percent(score.evaluation.accuracy, 2)} of {result.num_examples:,} test images")
    low, high = result.ci95
    out.print(
        f"only {a} right: {result.only_a:,}, only {b} right: {result.only_b:,}; difference "
        f"{100 * result.difference:+.2f} points (95 % interval {100 * low:+.2f} to {100 * high:+.2f}), "
        f"McNemar p = {result.p_value:.3g}"
    )
