"""How scores are shown: accuracy, interval, confusion matrix; several networks; two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from snstdp_cli.cli.console import out, print_json, print_line, print_table, print_warning, styled, visible
from snstdp_cli.cli.hints import next_command
from snstdp_cli.config import setting_notes
from snstdp_cli.evaluation import mean_and_sd, read_out_title
from snstdp_cli.fields import percent
from snstdp_cli.results import SEEDS, Score, differing_rows, group_seeds
from snstdp_cli.results.scoring import compare_scores

_LONGEST_HEAD = 3
FLATTERS = (
    "the labels of the neurons come from the very responses that are scored, as with the ancestor's script: this "
    "flatters the accuracy; quote the one with labels from training responses"
)


def score_as_json(score: Score) -> dict[str, Any]:
    """Return the figures of an evaluation for `--json`."""
    return dict(score.as_dict())


def warn_of_scores(scores: Sequence[Score], workdir: Path) -> None:
    """Say what makes figures less than they seem."""
    for note in dict.fromkeys(note for score in scores for note in score.notes):
        print_warning(note)
    if any(score.circular for score in scores):
        print_warning(FLATTERS)
    if any(score.test.record is not None and score.test.record.data.bundled_subset for score in scores):
        print_warning(
            "measured on the bundled subset of MNIST: not comparable with published figures; "
            "run `snstdp data fetch mnist` for all of it"
        )
    for score in scores:
        if (why := score.collapsed) is not None:
            look = next_command("plot", "classes", score.name, workdir=workdir)
            print_warning(
                f"{score.name}: {why}: a training that is too short, or a setting that does not work; try more "
                f"examples (--num-examples), or look at the neurons: {look}"
            )


def show_score(score: Score) -> None:
    """Print accuracy by each read-out, interval, counts and the confusion matrix."""
    result = score.evaluation
    head = Text()
    for kind, other in sorted(score.evaluations.items(), key=lambda pair: pair[0] != score.classifier):
        low, high = other.ci95
        style = "bold green" if kind == score.classifier else ""
        head.append(f"{percent(other.accuracy)}", style=style)
        head.append(f"  by {read_out_title(kind)}, 95 % interval {percent(low)} to {percent(high)}\n")
    chance = f"always answering {score.class_name(result.commonest_class)}: {percent(result.chance)}"
    head.append(visible(f"of {result.num_examples:,} {score.scored_on} images of {score.data}"))
    head.append(visible(f"\n{chance}", lines=True))
    if score.recorded:
        head.append(visible(f"\n{score.recorded}", lines=True), style="yellow")
    head.append(visible(f"\nlabels of neurons from {score.labels_from}", lines=True))
    head.append(
        f"\n{result.silent_examples:,} silent examples, {result.undecided_examples:,} undecided, "
        f"{result.unassigned_neurons:,} of {score.assign.counts.shape[1]:,} neurons without a label, "
        f"{result.never_learned_neurons:,} of them never learned"
    )
    out.print(Panel(head, title=styled(score.name), title_align="left", expand=False, padding=(0, 2)))
    _show_confusion(score)


def _show_confusion(score: Score) -> None:
    result = score.evaluation
    if len(result.confusion) > 12:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("true", justify="right", style="cyan", no_wrap=True)
    table.add_column("correct", justify="right", no_wrap=True)
    heads, names = _class_heads(score)
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True)
    table.add_column("none", justify="right")
    for k, row in enumerate(result.confusion):
        share = result.per_class[k].accuracy
        cells = [Text(str(n), style="bold" if j == k else "" if n else "dim") for j, n in enumerate(row)]
        none = Text(str(result.undecided_per_class[k]), style="dim")
        table.add_row(Text(names[k]), "-" if share is None else percent(share), *cells, none)
    out.print(Text(f"predicted class of each true class, by {read_out_title(result.classifier)}:", style="dim"))
    out.print(table)


def _class_heads(score: Score) -> tuple[list[str], list[str]]:
    """Return what heads the columns and the rows: long names only the rows, with the number that heads the column."""
    names = [visible(name) for name in score.class_names]
    if max(map(len, names)) <= _LONGEST_HEAD:
        return names, names
    numbers = [str(label) for label in score.evaluation.classes]
    return numbers, [f"{name} {number}" for name, number in zip(names, numbers, strict=True)]


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
        chosen = results[a.classifier].as_dict()
        others = {kind: result.as_dict() for kind, result in results.items()}
        print_json({"a": a.as_dict(), "b": b.as_dict(), "comparison": chosen, "read_outs": others})
        return
    for kind, result in sorted(results.items(), key=lambda pair: pair[0] != a.classifier):
        low, high = result.ci95
        accuracies = " and ".join(
            f"{score.name} {percent(score.evaluations[kind].accuracy, 2)} of {score.data}" for score in (a, b)
        )
        print_line((f"by {read_out_title(kind)}: ", "bold"), f"{accuracies} ({result.num_examples:,} test images)")
        print_line(
            f"  only {a.name} right: {result.only_a:,}, only {b.name} right: {result.only_b:,}; difference "
            f"{100 * result.difference:+.2f} points (95 % interval {100 * low:+.2f} to {100 * high:+.2f}), "
            f"McNemar p = {result.p_value:.3g}"
        )


def show_seeds(scores: Sequence[Score], as_json: bool) -> None:
    """Print several networks; the mean and the standard deviation of their accuracies are those over seeds."""
    different = differing_rows(scores)
    others = sorted({key for found in different for key in found}.difference(SEEDS))
    group = None if others else group_seeds(scores)[0]
    counted, copies = (scores, ()) if group is None else (group.scores, group.copies)
    mean, sd = mean_and_sd([score.evaluation.accuracy for score in counted])
    if as_json:
        runs = [{**score_as_json(score), "settings": found} for score, found in zip(scores, different, strict=True)]
        print_json({"mean": mean, "sd": sd, "differ_in": others, "copies": list(copies), "runs": runs})
        return
    kinds = list(scores[0].evaluations)
    rows = [
        (
            score.name,
            *(percent(score.evaluations[kind].accuracy, 2) for kind in kinds),
            " to ".join(percent(v, 2) for v in score.evaluation.ci95),
            score.data,
            ", ".join(setting_notes(found)) or "none",
        )
        for score, found in zip(scores, different, strict=True)
    ]
    interval = f"95 % interval ({scores[0].classifier})"
    print_table(("name", *map(read_out_title, kinds), interval, "images", "settings that differ"), rows)
    if others:
        print_warning(f"no mean over seeds: the networks differ in {', '.join(others)}")
        return
    if copies:
        print_warning(f"a copy of a network is no other seed; the mean is {', '.join(copies)}")
    if sd is None:
        print_line(f"mean {percent(mean, 2)} of one network; a standard deviation takes more seeds")
        return
    print_line(f"mean {percent(mean, 2)}, standard deviation {percent(sd, 2)} over {len(counted)} networks")
