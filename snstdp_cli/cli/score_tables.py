"""How scores are shown: accuracy, interval, confusion matrix; several networks; two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import out, percent, print_json, print_line, print_table, print_warning, styled, visible
from snstdp_cli.cli.hints import next_command
from snstdp_cli.config import differing_settings, recorded_experiment, setting_notes
from snstdp_cli.evaluation import mean_and_sd
from snstdp_cli.results import Score
from snstdp_cli.results.scoring import compare_scores

#: One class for more than this share of the images is no answer.
_ONE_FOR_ALL = 0.9
FLATTERS = (
    "the labels of the neurons come from the test responses that are scored (--assign-from test, the ancestor script's "
    "default): this flatters the accuracy; quote the one with labels from training responses"
)


def score_as_json(score: Score) -> dict[str, Any]:
    """Return the figures of an evaluation for `--json`."""
    return dict(score.as_dict())


def warn_of_scores(scores: Sequence[Score], workdir: Path) -> None:
    """Say what makes figures less than they seem."""
    if any(score.assign_from == "test" for score in scores):
        print_warning(FLATTERS)
    data = [score.test.provenance.get("data") for score in scores]
    if any(isinstance(found, dict) and found.get("bundled_subset") for found in data):
        print_warning(
            "measured on the bundled subset of MNIST: not comparable with published figures; "
            "run `snstdp data fetch mnist` for all of it"
        )
    for score in scores:
        if (why := _collapsed(score)) is not None:
            look = next_command("plot", "classes", score.name, workdir=workdir)
            print_warning(
                f"{score.name}: {why}: a training that is too short, or a setting that does not work; try more "
                f"examples (--num-examples), or look at the neurons: {look}"
            )


def _collapsed(score: Score) -> str | None:
    """Say in which way a network has hardly learned anything, if it has not."""
    result = score.evaluation
    if result.num_examples < 20 or score.num_classes < 2:
        return None
    predicted = result.confusion.sum(axis=0)
    if predicted.max() > _ONE_FOR_ALL * result.num_examples:
        return f"{predicted.max() / result.num_examples:.1%} of the images are taken for class {predicted.argmax()}"
    if result.ci95[0] <= 1 / score.num_classes:
        return "the accuracy cannot be told from chance"
    return None


def show_score(score: Score) -> None:
    """Print accuracy, interval, counts and the confusion matrix."""
    result = score.evaluation
    low, high = result.ci95
    head = Text()
    head.append(f"{percent(result.accuracy)}", style="bold green")
    head.append(f"  of {result.num_examples:,} {_split_name(score)} images correct")
    head.append(f"\n95 % interval {percent(low)} to {percent(high)}, chance {percent(1 / score.num_classes, 0)}")
    head.append(
        f"\nlabels of neurons from {score.num_assign:,} {score.assign_from} images, classifier {result.classifier}"
    )
    head.append(
        f"\n{result.silent_examples:,} silent examples, {result.undecided_examples:,} undecided, "
        f"{result.unassigned_neurons:,} of {score.assign.counts.shape[1]:,} neurons without a label"
    )
    out.print(Panel(head, title=styled(score.name), title_align="left", expand=False, padding=(0, 2)))
    _show_confusion(score)


def _split_name(score: Score) -> str:
    data = score.test.provenance.get("data")
    return visible(str(data.get("split", "test"))) if isinstance(data, dict) else "recorded"


def _show_confusion(score: Score) -> None:
    result = score.evaluation
    if len(result.confusion) > 12:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("true", justify="right", style="cyan")
    table.add_column("correct", justify="right")
    for c in range(len(result.confusion)):
        table.add_column(str(c), justify="right")
    table.add_column("none", justify="right")
    for c, row in enumerate(result.confusion):
        share = result.per_class[c].accuracy
        cells = [Text(str(n), style="bold" if k == c else "" if n else "dim") for k, n in enumerate(row)]
        none = str(result.undecided_per_class[c])
        table.add_row(str(c), "-" if share is None else percent(share), *cells, Text(none, style="dim"))
    out.print(Text("predicted class of each true class:", style="dim"))
    out.print(table)


def show_scores(scores: Sequence[Score], *, as_json: bool) -> None:
    """Print one score in full, several as a table."""
    if len(scores) > 1:
        show_seeds(scores, as_json)
    elif as_json:
        print_json(score_as_json(scores[0]))
    else:
        show_score(scores[0])


def show_comparison(a: Score, b: Score, *, as_json: bool) -> None:
    """Print McNemar's comparison of two networks on the same images."""
    result = compare_scores(a, b)
    if as_json:
        print_json({"a": a.as_dict(), "b": b.as_dict(), "comparison": result.as_dict()})
        return
    for score in (a, b):
        print_line(f"{score.name}: {percent(score.evaluation.accuracy, 2)} of {result.num_examples:,} test images")
    low, high = result.ci95
    print_line(
        f"only {a.name} right: {result.only_a:,}, only {b.name} right: {result.only_b:,}; difference "
        f"{100 * result.difference:+.2f} points (95 % interval {100 * low:+.2f} to {100 * high:+.2f}), "
        f"McNemar p = {result.p_value:.3g}"
    )


def show_seeds(scores: Sequence[Score], as_json: bool) -> None:
    """Print several networks; the mean and the standard deviation of their accuracies are those over seeds."""
    different = differing_settings(
        [recorded_experiment(score.experiment, score.name) if score.experiment else None for score in scores]
    )
    others = [key for key in different[0] if key != "seed"]
    mean, sd = mean_and_sd([score.evaluation.accuracy for score in scores])
    if as_json:
        runs = [{**score_as_json(score), "settings": found} for score, found in zip(scores, different, strict=True)]
        print_json({"mean": mean, "sd": sd, "differ_in": others, "runs": runs})
        return
    rows = [
        (
            score.name,
            percent(score.evaluation.accuracy, 2),
            " to ".join(percent(v, 2) for v in score.evaluation.ci95),
            ", ".join(setting_notes(found)) or "none",
        )
        for score, found in zip(scores, different, strict=True)
    ]
    print_table(("name", "accuracy", "95 % interval", "settings that differ"), rows)
    if others:
        print_warning(f"no mean over seeds: the networks differ in {', '.join(others)}")
        return
    print_line(f"mean {percent(mean, 2)}, standard deviation {percent(sd or 0.0, 2)} over {len(scores)} networks")
