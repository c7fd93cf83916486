"""How an evaluation is shown."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import out, percent, print_json, print_table, print_warning
from snstdp_cli.evaluation import mean_and_sd
from snstdp_cli.workflows import Score

FLATTERS = (
    "the labels of the neurons come from the test responses that are scored (--assign-from test, the ancestor script's "
    "default): this flatters the accuracy; quote the one with labels from training responses"
)


def score_as_json(score: Score) -> dict[str, Any]:
    """Return the figures of an evaluation for `--json`."""
    return dict(score.as_dict())


def warn_of_score(score: Score) -> None:
    """Say what makes a figure less than it seems."""
    if score.assign_from == "test":
        print_warning(FLATTERS)
    data = score.test.provenance.get("data")
    if isinstance(data, dict) and data.get("bundled_subset"):
        print_warning(
            "measured on the bundled subset of MNIST: not comparable with published figures; "
            "run `snstdp data fetch mnist` for all of it"
        )


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
    out.print(Panel(head, title=score.name, title_align="left", expand=False, padding=(0, 2)))
    _show_confusion(score)


def _split_name(score: Score) -> str:
    data = score.test.provenance.get("data")
    return str(data.get("split", "test")) if isinstance(data, dict) else "recorded"


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


def show_seeds(scores: list[Score], as_json: bool) -> None:
    """Print several networks with the mean and the standard deviation of their accuracies."""
    mean, sd = mean_and_sd([score.evaluation.accuracy for score in scores])
    if as_json:
        print_json({"mean": mean, "sd": sd, "runs": [score_as_json(score) for score in scores]})
        return
    rows = [
        (score.name, percent(score.evaluation.accuracy, 2), " to ".join(percent(v, 2) for v in score.evaluation.ci95))
        for score in scores
    ]
    print_table("", ("name", "accuracy", "95 % interval"), rows)
    out.print(f"mean {percent(mean, 2)}, standard deviation {percent(sd or 0.0, 2)} over {len(scores)} networks")
