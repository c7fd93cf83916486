"""How scores are shown: accuracy, interval, confusion matrix; several networks; two of them compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import out, percent, print_json, print_line, print_table, print_warning, styled, visible
from snstdp_cli.cli.hints import next_command
from snstdp_cli.config import differing_settings, setting_notes
from snstdp_cli.evaluation import CLASSIFIERS, mean_and_sd
from snstdp_cli.results import Score, compare_scores

FLATTERS = (
    "the neurons were labelled by the very responses that are scored (as by --assign-from test, the ancestor script's "
    "default): this flatters the accuracy; quote the one with labels from training responses"
)
#: A larger confusion matrix fits no terminal.
_MOST_CLASSES = 12


def score_as_json(score: Score) -> dict[str, Any]:
    """Return the figures of an evaluation for `--json`."""
    return dict(score.as_dict())


def warn_of_scores(scores: Sequence[Score], workdir: Path) -> None:
    """Say what makes figures less than they seem."""
    if any(score.circular for score in scores):
        print_warning(FLATTERS)
    if any(score.test.record is not None and score.test.record.data.bundled_subset for score in scores):
        print_warning(
            "measured on the bundled subset of MNIST: not comparable with published figures; "
            "run `snstdp data fetch mnist` for all of it"
        )
    for score in scores:
        for note in score.notes:
            print_warning(f"{score.name}: {note}")
        if score.collapsed is not None:
            look = next_command("plot", "classes", score.name, workdir=workdir)
            print_warning(
                f"{score.name}: {score.collapsed}: a training that is too short, or a setting that does not work; try "
                f"more examples (--num-examples), or look at the neurons: {look}"
            )


def show_score(score: Score) -> None:
    """Print accuracies by read-out, counts and the confusion matrix."""
    result = score.evaluation
    others = [other for kind, other in score.evaluations.items() if kind != score.classifier]
    head = Text()
    for place, shown in enumerate((result, *others)):
        low, high = shown.ci95
        head.append(f"{percent(shown.accuracy)}", style="bold green" if place == 0 else "green")
        head.append(f"  by {shown.classifier} (95 % interval {percent(low)} to {percent(high)})\n")
    head.append(f"of {result.num_examples:,} test images of {visible(score.data)}; by chance {percent(result.chance)}")
    head.append(f" (always class {result.commonest_class})\nlabels of neurons from {visible(score.labels_from)}")
    head.append(
        f"\n{result.silent_examples:,} silent examples, {result.undecided_examples:,} undecided; "
        f"{result.unassigned_neurons:,} of {score.assign.counts.shape[1]:,} neurons without a label"
    )
    if result.never_learned_neurons:
        head.append(f", {result.never_learned_neurons:,} of them never learned")
    out.print(Panel(head, title=styled(score.name), title_align="left", expand=False, padding=(0, 2)))
    _show_confusion(score)


def _show_confusion(score: Score) -> None:
    result = score.evaluation
    if len(result.classes) > _MOST_CLASSES:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("true", justify="right", style="cyan")
    table.add_column("correct", justify="right")
    for label in result.classes:
        table.add_column(str(label), justify="right")
    table.add_column("none", justify="right")
    for c, row in enumerate(result.confusion):
        share = result.per_class[c].accuracy
        cells = [Text(str(n), style="bold" if k == c else "" if n else "dim") for k, n in enumerate(row)]
        none = Text(str(result.undecided_per_class[c]), style="dim")
        table.add_row(str(result.classes[c]), "-" if share is None else percent(share), *cells, none)
    out.print(Text(f"predicted class of each true class, by {score.classifier}:", style="dim"))
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
    """Print McNemar's comparison of two networks on the same images, by each read-out."""
    results = compare_scores(a, b)
    if as_json:
        compared = {kind: result.as_dict() for kind, result in results.items()}
        content = {"a": a.as_dict(), "b": b.as_dict(), "comparison": compared[a.classifier], "by_read_out": compared}
        print_json(content)
        return
    if a.data != b.data:
        print_warning(f"the answers are to different images: {a.name} to {a.data}, {b.name} to {b.data}")
    for kind, result in results.items():
        shares = ", ".join(f"{score.name} {percent(score.evaluations[kind].accuracy, 2)}" for score in (a, b))
        low, high = result.ci95
        print_line(
            f"by {kind}: {shares} of {result.num_examples:,} test images; only {a.name} right {result.only_a:,}, only "
            f"{b.name} right {result.only_b:,}; difference {100 * result.difference:+.2f} points (95 % interval "
            f"{100 * low:+.2f} to {100 * high:+.2f}), McNemar p = {result.p_value:.3g}"
        )


def show_seeds(scores: Sequence[Score], as_json: bool) -> None:
    """Print several networks; the mean and the standard deviation of their accuracies are those over seeds."""
    different = differing_settings([score.experiment for score in scores])
    others = sorted({key for settings in different for key in settings if key != "seed"})
    if len({score.data for score in scores}) > 1:
        others.append("the images that are scored")
    mean, sd = mean_and_sd([score.evaluation.accuracy for score in scores])
    if as_json:
        runs = [{**score_as_json(score), "settings": found} for score, found in zip(scores, different, strict=True)]
        print_json({"mean": mean, "sd": sd, "differ_in": others, "runs": runs})
        return
    rows = [_seed_row(score, found) for score, found in zip(scores, different, strict=True)]
    print_table(("name", "images", *CLASSIFIERS, "settings that differ"), rows)
    if others:
        print_warning(f"no mean over seeds: the networks differ in {', '.join(others)}")
        return
    kind = scores[0].classifier
    print_line(
        f"by {kind}: mean {percent(mean, 2)}, standard deviation {percent(sd or 0.0, 2)} over {len(scores)} networks"
    )


def _seed_row(score: Score, settings: Mapping[str, Any]) -> tuple[str, ...]:
    results = [score.evaluations[kind] for kind in CLASSIFIERS]
    shares = [f"{percent(one.accuracy, 2)} ({' to '.join(percent(v) for v in one.ci95)})" for one in results]
    return (score.name, score.data, *shares, ", ".join(setting_notes(settings)) or "none")
