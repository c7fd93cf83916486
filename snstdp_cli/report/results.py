"""The parts of a report about accuracy: what was found, by class, confusion, misclassified images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from snstdp_cli.evaluation import Classifier, Evaluation, read_out_title
from snstdp_cli.report.charts import Series, class_axis, draw_points, legend, linear_axis
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.embedding import data_uri, grey_png
from snstdp_cli.report.markup import Cell, Markup, interval_text, percent, table, tag
from snstdp_cli.results import Finding, Mistake, Score

_MEASURED = (
    "Each neuron is labelled with the class of training images that it answers to most; nothing is learnt while "
    "recording. Read-out average (Diehl & Cook 2015): the class whose neurons fire most on average. Read-out "
    "selective: a neuron's spikes speak for the classes in proportion to its responses to training images. "
    "Read-outs proportion and all_activity are BindsNET's: the first weighs a neuron's spikes by the share of its own "
    "class in its responses, the second labels all neurons. These four use labels only to name neurons; the read-out "
    "linear, if it is shown, is trained by them. The intervals are Wilson's; they cover the chance in the choice of "
    "test images, not that of the seed. Chance is the share of the commonest class among the scored images: what "
    "always answering it would get right."
)
# A larger table could be neither read nor loaded.
_MAX_TABLE_CLASSES = 40
_MAX_SIDE = 56


def headline(content: Content) -> list[Markup]:
    """Return a card for each network, what is to be said of it, and how its accuracy was measured."""
    cards = tag("div", [_card(run, content.classifier) for run in content.runs], class_="cards")
    return [cards, tag("p", _MEASURED, class_="note")] if any(run.scores for run in content.runs) else [cards]


def classes(content: Content) -> list[Markup]:
    """Return accuracy by class as a chart and as a table; networks scored on different data apart."""
    scored = [run.score for run in content.runs if run.score is not None]
    by_data: dict[str, list[Score]] = {}
    for score in scored:
        by_data.setdefault(score.data, []).append(score)
    parts = []
    for data, scores in by_data.items():
        title = [tag("h3", f"On {data}")] if len(by_data) > 1 else []
        parts += [*title, _class_block(scores)]
    return parts


def confusion(run: Run) -> list[Markup]:
    """Return which class was taken for which."""
    assert run.score is not None
    parts = [_most_confused(run.score)]
    if len(run.score.evaluation.classes) <= _MAX_TABLE_CLASSES:
        parts.insert(0, _confusion_table(run.score, run.name))
    return parts


def mistakes(run: Run) -> list[Markup]:
    """Return misclassified images with their numbers and the three best guesses."""
    if not run.mistakes:
        return [tag("p", run.missing.get("mistakes", "Every test image was right."), class_="missing")]
    assert run.score is not None
    return [tag("ul", [_digit(one, run.score) for one in run.mistakes], class_="digits")]


def _card(run: Run, classifier: Classifier) -> Markup:
    name, score = tag("h3", run.name), run.score
    told = [_sentence(finding) for finding in run.findings if finding.kind != "accuracy"]
    told += [tag("p", run.missing["findings"], class_="missing")] if "findings" in run.missing else []
    if score is None:
        missing = tag("p", run.missing.get("scores", "No recordings."), class_="missing")
        return tag("div", name, missing, tag("ul", told, class_="findings") if told else None, class_="card")
    result = score.evaluation
    images = f"{result.num_correct:,} of {result.num_examples:,} test images of {score.data} right"
    facts = [
        ("95 % interval", interval_text(result.ci95)),
        *((f"by {read_out_title(c)}", _other(one)) for c, one in score.evaluations.items() if c != classifier),
        ("chance", f"{percent(result.chance)} (always answering class {score.class_name(result.commonest_class)})"),
        *([("answers", score.recorded)] if score.recorded else []),
        ("labels from", score.labels_from),
        ("no label", f"{result.unassigned_neurons:,} of {len(result.assignment.labels):,} neurons"),
        ("never learned", _never(run)),
        ("no prediction", f"{result.undecided_examples:,} images, counted as wrong"),
        ("too few spikes", f"{result.silent_examples:,} images"),
    ]
    return tag(
        "div",
        name,
        tag("p", tag("strong", percent(result.accuracy, 2), class_="accuracy")),
        tag("p", f"{images}, read-out {read_out_title(classifier)}"),
        tag("dl", [[tag("dt", key), tag("dd", value)] for key, value in facts]),
        *_warnings(score),
        *(tag("p", note, class_="note") for note in score.notes),
        tag("ul", told, class_="findings") if told else None,
        class_="card",
    )


def _never(run: Run) -> str:
    never = None if run.weights is None else run.network.never_learned
    return "not written down" if never is None else f"{int(never.sum()):,} of {len(never):,} neurons"


def _sentence(finding: Finding) -> Markup:
    advice = [" ", tag("em", finding.advice)] if finding.advice else []
    return tag("li", finding.sentence, advice, class_="warning" if finding.alarming else None)


def _other(result: Evaluation) -> list[object]:
    return [percent(result.accuracy, 2), " (", interval_text(result.ci95), ")"]


def _warnings(score: Score) -> list[Markup]:
    record, num = score.test.record, score.evaluation.num_examples
    if record is None:
        return []
    texts = []
    if record.data.bundled_subset:
        texts.append("Measured on the bundled subset: not comparable with figures for all of MNIST.")
    elif num < record.data.num_images:
        texts.append(f"Only the first {num:,} of {record.data.num_images:,} test images were shown.")
    return [tag("p", text, class_="warning") for text in texts]


def _class_block(scores: Sequence[Score]) -> Markup:
    labels = sorted({result.label for score in scores for result in score.evaluation.per_class})
    names = [score.name for score in scores]
    series = [_class_series(score, labels, (k + 1) / (len(scores) + 1) - 0.5) for k, score in enumerate(scores)]
    chart = draw_points(
        series,
        class_axis("class", [scores[0].class_name(label) for label in labels]),
        linear_axis("accuracy", [0.0, 1.0], lambda v: percent(v, None)),
        "Accuracy by class",
        joined=False,
        shown=lambda v: percent(v),
    )
    rows = [
        (Cell(scores[0].class_name(label), label), *(_class_cell(score.evaluation, label) for score in scores))
        for label in labels
    ]
    note = (
        f"Points are the share of a class's test images that were right by {scores[0].classifier}, bars Wilson's 95 % "
        "intervals."
    )
    figure = tag("figure", tag("figcaption", note), chart, legend(names))
    return tag("div", figure, table(("class", *names), rows, "The same as a table"), class_="figures by-class")


def _class_series(score: Score, labels: Sequence[int], offset: float) -> Series:
    known = [result for result in score.evaluation.per_class if result.accuracy is not None]
    return Series(
        score.name,
        [labels.index(result.label) + 0.7 * offset for result in known],
        [result.accuracy or 0.0 for result in known],
        [result.ci95[0] for result in known],
        [result.ci95[1] for result in known],
    )


def _class_cell(result: Evaluation, label: int) -> Cell:
    found = result.by_class.get(label)
    if found is None or found.accuracy is None:
        return Cell("no images")
    return Cell(f"{percent(found.accuracy)} of {found.total:,}", found.accuracy)


def _confusion_table(score: Score, name: str) -> Markup:
    result, names = score.evaluation, score.class_names
    undecided = result.undecided_per_class.any()
    counts = np.column_stack([result.confusion, result.undecided_per_class]) if undecided else result.confusion
    columns = [*names, *(["none"] if undecided else [])]
    head = tag("tr", tag("td", "true"), [tag("th", column, scope="col") for column in columns])
    rows = []
    for c, label in enumerate(names):
        total = max(int(counts[c].sum()), 1)
        cells = [_confusion_cell(label, c == k, int(n), int(n) / total) for k, n in enumerate(counts[c])]
        rows.append(tag("tr", tag("th", label, scope="row"), cells))
    caption = tag("caption", "rows: true class, columns: answer")
    content = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="confusion")
    return tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=f"Confusion matrix of {name}")


def _confusion_cell(label: str, right: bool, count: int, share: float) -> Markup:
    depth = math.sqrt(share)  # so that rare mistakes are visible
    kind = ("right" if right else "wrong") + (" deep" if depth > 0.6 else "")
    if not count:
        return tag("td", "·", class_="empty")
    return tag("td", count, class_=kind, style=f"--depth:{depth:.2f}", title=f"{percent(share)} of class {label}")


def _most_confused(score: Score) -> Markup:
    wrong, classes = score.evaluation.confusion.copy(), score.class_names
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:5]
    named = [(*divmod(int(place), len(classes)), int(wrong.flat[place])) for place in order if wrong.flat[place]]
    if not named:
        return tag("p", "No image was taken for another class.", class_="note")
    text = ", ".join(f"{classes[true]} taken for {classes[taken]} ({count:,} times)" for true, taken, count in named)
    return tag("p", f"Most frequent: {text}.", class_="note")


def _digit(mistake: Mistake, score: Score) -> Markup:
    image, label = mistake.image, score.class_name(mistake.label)
    step = max(1, math.ceil(max(image.shape) / _MAX_SIDE))
    guesses = ", ".join(map(score.class_name, mistake.guesses)) or "no answer"
    picture = tag(
        "img",
        src=data_uri(grey_png(np.ascontiguousarray(image[::step, ::step]))),
        alt=f"test image {mistake.number}, a {label}, taken for {guesses}",
    )
    number_ = tag("small", f"#{mistake.number}")
    return tag("li", picture, tag("span", tag("b", label), " → ", guesses), number_)
