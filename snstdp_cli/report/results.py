"""The parts of a report about accuracy: what was found, comparison, classes, confusion, misclassified images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from snstdp_cli.config import Experiment, differing_settings, setting_notes
from snstdp_cli.evaluation import CLASSIFIERS, Classifier, Evaluation
from snstdp_cli.report.charts import Series, class_axis, draw_points, legend, linear_axis
from snstdp_cli.report.content import Content, Pair, Run
from snstdp_cli.report.embedding import data_uri, grey_png
from snstdp_cli.report.markup import Cell, Markup, duration, number, percent, signed, table, tag
from snstdp_cli.results import Finding, Mistake, Score, SeedGroup, differing_rows, group_seeds

_MEASURED = (
    "Each neuron is labelled with the class of training images that it answers to most; nothing is learnt while "
    "recording. Read-out average (Diehl & Cook 2015): the class whose neurons fire most on average. Read-out "
    "selective: a neuron's spikes speak for the classes in proportion to its responses to training images. The "
    "intervals are Wilson's; they cover the chance in the choice of test images, not that of the seed. Chance is the "
    "share of the commonest class among the scored images: what always answering it would get right."
)
# A larger table could be neither read nor loaded.
_MAX_TABLE_CLASSES = 40
_MAX_SIDE = 56


def headline(content: Content) -> list[Markup]:
    """Return a card for each network, what is to be said of it, and how its accuracy was measured."""
    cards = tag("div", [_card(run, content.classifier) for run in content.runs], class_="cards")
    return [cards, tag("p", _MEASURED, class_="note")] if any(run.scores for run in content.runs) else [cards]


def comparison(content: Content) -> list[Markup]:
    """Return the networks below each other, seeds together, and what tells each pair apart; none for one network."""
    parts = _recordings(content.runs)
    if len(content.runs) < 2:
        return parts
    columns = (
        "network",
        "rule",
        "neurons",
        "training images",
        "scored on",
        *(f"accuracy, {c}" for c in CLASSIFIERS),
        "chance",
        "mean L1 norm",
        "training time",
        "seed",
    )
    scored = [run.score for run in content.runs if run.score is not None]
    rows = map(_comparison_row, content.runs, _differing(content.runs))
    parts.insert(0, table(columns, rows, "The networks side by side, with every setting in which any two differ"))
    groups = [group for group in group_seeds(scored) if len(group.scores) > 1] if scored else []
    if groups:
        parts.insert(1, _seed_table(groups))
    if content.pairs:
        parts += _pairs(content.pairs)
    return parts


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
    parts = [_most_confused(run.score.evaluation)]
    if len(run.score.evaluation.classes) <= _MAX_TABLE_CLASSES:
        parts.insert(0, _confusion_table(run.score.evaluation, run.name))
    return parts


def mistakes(run: Run) -> list[Markup]:
    """Return misclassified images with their numbers and the three best guesses."""
    if not run.mistakes:
        return [tag("p", run.missing.get("mistakes", "Every test image was right."), class_="missing")]
    return [tag("ul", map(_digit, run.mistakes), class_="digits")]


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
        ("95% interval", _interval(result.ci95)),
        *((f"by {c}", _other(score.evaluations[c])) for c in CLASSIFIERS if c != classifier),
        ("chance", f"{percent(result.chance)} (always answering class {result.commonest_class})"),
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
        tag("p", f"{images}, read-out {classifier}"),
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
    return [percent(result.accuracy, 2), " (", _interval(result.ci95), ")"]


def _interval(limits: tuple[float, float]) -> Markup:
    return tag("span", f"{percent(limits[0], 2)} to {percent(limits[1], 2)}", class_="interval-text")


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


def _recordings(runs: Sequence[Run]) -> list[Markup]:
    """Return a table of all recordings of networks that were recorded more than once."""
    several = [run for run in runs if len(run.scores) > 1]
    if not several:
        return []
    rows = []
    for run in several:
        for score, row in zip(run.scores, differing_rows(run.scores), strict=True):
            name = Cell([run.name, *(tag("small", note) for note in setting_notes(row))])
            rows.append((name, score.data, *(_accuracy_cell(score.evaluations[c]) for c in CLASSIFIERS)))
    columns = ("network", "scored on", *(f"accuracy, {c}" for c in CLASSIFIERS))
    return [table(columns, rows, "All recordings, with the settings in which those of a network differ")]


def _differing(runs: Sequence[Run]) -> list[dict[str, object]]:
    """Return for each network the settings in which any two differ, of the recording if there is one."""
    known = [
        run.experiment if run.score is None or run.score.experiment is None else run.score.experiment for run in runs
    ]
    return [dict(row) for row in differing_settings(known)]


def _comparison_row(run: Run, different: Mapping[str, object]) -> tuple[object, ...]:
    experiment: Experiment | None = run.experiment
    figures = None if run.record is None else run.record.figures
    norm = None if run.weights is None else float(np.abs(run.weights.weights).sum(axis=0).mean())
    score = run.score
    return (
        Cell([run.name, *(tag("small", note) for note in setting_notes(different))]),
        "unknown" if experiment is None else experiment.rule.name,
        _number_cell(None if run.weights is None else run.network.n_e),
        _number_cell(None if figures is None else figures.examples),
        "not recorded" if score is None else f"{score.evaluation.num_examples:,} of {score.data}",
        *(Cell("not recorded") if score is None else _accuracy_cell(score.evaluations[c]) for c in CLASSIFIERS),
        _number_cell(None if score is None else score.evaluation.chance, percent),
        _number_cell(norm, lambda v: f"{v:,.1f}"),
        _number_cell(None if run.record is None else run.record.duration_s, duration),
        _number_cell(None if experiment is None else experiment.seed),
    )


def _number_cell(value: float | None, shown: Callable[[float], str] = number) -> Cell:
    return Cell("unknown") if value is None or not math.isfinite(value) else Cell(shown(value), value)


def _accuracy_cell(result: Evaluation) -> Cell:
    return Cell([percent(result.accuracy, 2), " ", _interval(result.ci95)], result.accuracy)


def _seed_table(groups: Sequence[SeedGroup]) -> Markup:
    rows = []
    for group in groups:
        cells = []
        for classifier in CLASSIFIERS:
            mean, sd = group.mean_and_sd(classifier)
            cells.append(Cell(f"{percent(mean, 2)} ± {percent(sd or 0.0, 2)}", mean))
        rows.append((Cell([", ".join(group.names)]), Cell(len(group.scores), len(group.scores)), *cells))
    columns = ("networks", "seeds", *(f"accuracy, {c}" for c in CLASSIFIERS))
    return table(columns, rows, "Networks that differ in nothing but the seed: mean ± standard deviation over seeds")


def _pairs(pairs: list[Pair]) -> list[Markup]:
    rows = [row for pair in pairs for row in _pair_rows(pair)]
    columns = ("networks", "read-out", "only first right", "only second right", "difference", "McNemar's p")
    reasons = [tag("p", f"{pair.a} and {pair.b}: {pair.missing}", class_="missing") for pair in pairs if pair.missing]
    if not rows:
        return reasons
    note = (
        "The difference is that of the accuracies, first minus second, in points of percent with its 95% interval. "
        "McNemar's exact p is the chance of so uneven a split of the images that only one of the two got right, if "
        "both were equally good. It speaks of these trained networks on these images: whether one rule is better than "
        "another takes several seeds of each."
    )
    if len(pairs) > 1:
        note += f" The p-values are not corrected for the {len(pairs)} pairs compared."
    return [table(columns, rows, "Pairs on the same test images"), tag("p", note, class_="note"), *reasons]


def _pair_rows(pair: Pair) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for classifier, result in pair.comparisons.items():
        low, high = result.ci95
        interval = tag("span", f"{signed(100 * low)} to {signed(100 * high)}", class_="interval-text")
        rows.append(
            (
                f"{pair.a} − {pair.b}",
                classifier,
                Cell(f"{result.only_a:,}", result.only_a),
                Cell(f"{result.only_b:,}", result.only_b),
                Cell([signed(100 * result.difference), " ", interval], result.difference),
                Cell(f"{result.p_value:.2g}", result.p_value),
            )
        )
    return rows


def _class_block(scores: Sequence[Score]) -> Markup:
    labels = sorted({result.label for score in scores for result in score.evaluation.per_class})
    names = [score.name for score in scores]
    series = [_class_series(score, labels, (k + 1) / (len(scores) + 1) - 0.5) for k, score in enumerate(scores)]
    chart = draw_points(
        series,
        class_axis("class", [str(label) for label in labels]),
        linear_axis("accuracy", [0.0, 1.0], lambda v: f"{100 * v:.4g}%"),
        "Accuracy by class",
        joined=False,
        shown=lambda v: percent(v),
    )
    rows = [(Cell(label, label), *(_class_cell(score.evaluation, label) for score in scores)) for label in labels]
    note = (
        f"Points are the share of a class's test images that were right by {scores[0].classifier}, bars Wilson's 95% "
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


def _confusion_table(result: Evaluation, name: str) -> Markup:
    undecided = result.undecided_per_class.any()
    counts = np.column_stack([result.confusion, result.undecided_per_class]) if undecided else result.confusion
    columns = [*map(str, result.classes), *(["none"] if undecided else [])]
    head = tag("tr", tag("td", "true"), [tag("th", column, scope="col") for column in columns])
    rows = []
    for c, label in enumerate(result.classes):
        total = max(int(counts[c].sum()), 1)
        cells = [_confusion_cell(int(label), c == k, int(n), int(n) / total) for k, n in enumerate(counts[c])]
        rows.append(tag("tr", tag("th", label, scope="row"), cells))
    caption = tag("caption", "rows: true class, columns: answer")
    content = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="confusion")
    return tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=f"Confusion matrix of {name}")


def _confusion_cell(label: int, right: bool, count: int, share: float) -> Markup:
    depth = math.sqrt(share)  # so that rare mistakes are visible
    kind = ("right" if right else "wrong") + (" deep" if depth > 0.6 else "")
    if not count:
        return tag("td", "·", class_="empty")
    return tag("td", count, class_=kind, style=f"--depth:{depth:.2f}", title=f"{percent(share)} of class {label}")


def _most_confused(result: Evaluation) -> Markup:
    wrong, classes = result.confusion.copy(), result.classes
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:5]
    named = [(*divmod(int(place), len(classes)), int(wrong.flat[place])) for place in order if wrong.flat[place]]
    if not named:
        return tag("p", "No image was taken for another class.", class_="note")
    text = ", ".join(f"{classes[true]} taken for {classes[taken]} ({count:,} times)" for true, taken, count in named)
    return tag("p", f"Most frequent: {text}.", class_="note")


def _digit(mistake: Mistake) -> Markup:
    image = mistake.image
    step = max(1, math.ceil(max(image.shape) / _MAX_SIDE))
    guesses = ", ".join(map(str, mistake.guesses)) or "no answer"
    picture = tag(
        "img",
        src=data_uri(grey_png(np.ascontiguousarray(image[::step, ::step]))),
        alt=f"test image {mistake.number}, a {mistake.label}, taken for {guesses}",
    )
    number_ = tag("small", f"#{mistake.number}")
    return tag("li", picture, tag("span", tag("b", mistake.label), " → ", guesses), number_)
