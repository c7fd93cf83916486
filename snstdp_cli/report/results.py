"""The parts of a report about accuracy: headline, comparison, classes, confusion, misclassified images."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from snstdp_cli.config import differing_settings, recorded_experiment, setting_notes
from snstdp_cli.evaluation import Classifier
from snstdp_cli.report.charts import Series, class_axis, draw_points, legend, linear_axis
from snstdp_cli.report.content import CLASSIFIERS, Content, Mistake, Pair, Run, section
from snstdp_cli.report.embedding import data_uri, grey_png
from snstdp_cli.report.markup import Cell, Markup, duration, number, percent, signed, table, tag
from snstdp_cli.results.scoring import Score

_MEASURED = (
    "Each neuron is labelled with the class of training images that it answers to most; nothing is learnt while "
    "recording. Classifier average (Diehl & Cook 2015): the class whose neurons fire most on average. Classifier "
    "selective: a neuron's spikes speak for the classes in proportion to its responses to training images. The "
    "intervals are Wilson's; they cover the chance in the choice of test images, not that of the seed."
)
# A larger table could be neither read nor loaded.
_MAX_TABLE_CLASSES = 40
_MAX_SIDE = 56


def headline(content: Content) -> list[Markup]:
    """Return a card for each network, and how its accuracy was measured."""
    cards = tag("div", [_card(run, content.classifier) for run in content.runs], class_="cards")
    return [cards, tag("p", _MEASURED, class_="note")] if any(run.scores for run in content.runs) else [cards]


def comparison(content: Content) -> list[Markup]:
    """Return the networks below each other, and what tells each pair apart; nothing for a single network."""
    if len(content.runs) < 2:
        return []
    columns = (
        "network",
        "rule",
        "neurons",
        "training images",
        *(f"accuracy, {c}" for c in CLASSIFIERS),
        "mean L1 norm",
        "training time",
        "seed",
    )
    different = differing_settings(
        [recorded_experiment(run.experiment, run.name) if run.experiment else None for run in content.runs]
    )
    rows = map(_comparison_row, content.runs, different)
    parts = [table(columns, rows, "The networks side by side, with the settings in which they differ")]
    if content.pairs:
        parts += _pairs(content.pairs)
    return parts


def classes(content: Content) -> list[Markup]:
    """Return accuracy by class as a chart and as a table."""
    scored = [(run.name, run.scores[content.classifier]) for run in content.runs if run.scores]
    if not scored:
        return []
    num = max(score.num_classes for _, score in scored)
    series = [_class_series(name, score, (k + 1) / (len(scored) + 1) - 0.5) for k, (name, score) in enumerate(scored)]
    values = [v for one in series for v in (*one.lows, *one.highs)]
    chart = draw_points(
        series,
        class_axis("class", [str(c) for c in range(num)]),
        linear_axis("accuracy", values, lambda v: f"{100 * v:.4g}%"),
        "Accuracy by class",
        joined=False,
        shown=lambda v: percent(v),
    )
    rows = []
    for c in range(num):
        cells = []
        for _, score in scored:
            result = score.evaluation.per_class[c] if c < score.num_classes else None
            known = result is not None and result.accuracy is not None
            share = result.accuracy if result is not None and result.accuracy is not None else 0.0
            text = f"{percent(share)} of {result.total:,}" if known and result is not None else "no images"
            cells.append(Cell(text, share if known else None))
        rows.append((Cell(c, c), *cells))
    note = "Points are the share of a class's test images that were right, bars Wilson's 95% intervals."
    figure = tag("figure", tag("figcaption", note), chart, legend([name for name, _ in scored]))
    columns = ("class", *(name for name, _ in scored))
    return [tag("div", figure, table(columns, rows, "The same as a table"), class_="figures by-class")]


def confusion(run: Run, classifier: Classifier) -> list[Markup]:
    """Return which class was taken for which."""
    score = run.scores[classifier]
    parts = [_most_confused(score)]
    if score.num_classes <= _MAX_TABLE_CLASSES:
        parts.insert(0, _confusion_table(score, run.name))
    return parts


def mistakes(run: Run) -> list[Markup]:
    """Return misclassified images with the three best guesses."""
    if not run.mistakes:
        return [tag("p", run.missing.get("mistakes", "Every test image was right."), class_="missing")]
    return [tag("ul", map(_digit, run.mistakes), class_="digits")]


def _card(run: Run, classifier: Classifier) -> Markup:
    name = tag("h3", run.name)
    score = run.scores.get(classifier)
    if score is None:
        return tag("div", name, tag("p", run.missing.get("scores", "No recordings."), class_="missing"), class_="card")
    result, data = score.evaluation, section(score.test.provenance, "data")
    images = f"{result.num_correct:,} of {result.num_examples:,} test images"
    facts = [
        ("95% interval", _interval(result.ci95)),
        ("chance", percent(1 / score.num_classes)),
        *((c, _other(run.scores[c])) for c in CLASSIFIERS if c != classifier),
        ("labels from", f"{score.num_assign:,} training images"),
        ("no label", f"{result.unassigned_neurons:,} of {score.assign.counts.shape[1]:,} neurons"),
        ("no prediction", f"{result.undecided_examples:,} images, counted as wrong"),
        ("too few spikes", f"{result.silent_examples:,} images"),
    ]
    return tag(
        "div",
        name,
        tag("p", tag("strong", percent(result.accuracy, 2), class_="accuracy")),
        tag("p", f"{images}{' of ' + str(data['name']) if 'name' in data else ''} right, classifier {classifier}"),
        tag("dl", [[tag("dt", key), tag("dd", value)] for key, value in facts]),
        *_warnings(score),
        class_="card",
    )


def _other(score: Score) -> list[object]:
    return [percent(score.evaluation.accuracy, 2), " (", _interval(score.evaluation.ci95), ")"]


def _interval(limits: tuple[float, float]) -> Markup:
    return tag("span", f"{percent(limits[0], 2)} to {percent(limits[1], 2)}", class_="interval-text")


def _warnings(score: Score) -> list[Markup]:
    data, num = section(score.test.provenance, "data"), score.evaluation.num_examples
    texts = []
    if data.get("bundled_subset"):
        texts.append("Measured on the bundled subset: not comparable with figures for all of MNIST.")
    elif isinstance(data.get("num_images"), int) and num < data["num_images"]:
        texts.append(f"Only the first {num:,} of {data['num_images']:,} test images were shown.")
    return [tag("p", text, class_="warning") for text in texts]


def _comparison_row(run: Run, different: Mapping[str, object]) -> tuple[object, ...]:
    settings, figures = run.experiment, section(run.provenance, "figures")
    n_e = run.weights.weights.shape[1] if run.weights is not None else None
    norm = float(np.abs(run.weights.weights).sum(axis=0).mean()) if run.weights is not None else None
    return (
        Cell([run.name, *(tag("small", note) for note in setting_notes(different))]),
        section(settings, "rule").get("name", "unknown"),
        _number_cell(n_e),
        _number_cell(figures.get("examples")),
        *(_accuracy_cell(run.scores.get(c)) for c in CLASSIFIERS),
        _number_cell(norm, lambda v: f"{v:,.1f}"),
        _number_cell(run.provenance.get("duration_s"), duration),
        _number_cell(run.provenance.get("seed")),
    )


def _number_cell(value: object, shown: object = number) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not callable(shown):
        return Cell("unknown")
    return Cell(shown(value), value)


def _accuracy_cell(score: Score | None) -> Cell:
    if score is None:
        return Cell("not recorded")
    result = score.evaluation
    return Cell([percent(result.accuracy, 2), " ", _interval(result.ci95)], result.accuracy)


def _pairs(pairs: list[Pair]) -> list[Markup]:
    rows = [row for pair in pairs for row in _pair_rows(pair)]
    columns = ("networks", "classifier", "only first right", "only second right", "difference", "McNemar's p")
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


def _class_series(name: str, score: Score, offset: float) -> Series:
    known = [(c, r) for c, r in enumerate(score.evaluation.per_class) if r.accuracy is not None]
    return Series(
        name,
        [c + 0.7 * offset for c, _ in known],
        [r.accuracy or 0.0 for _, r in known],
        [r.ci95[0] for _, r in known],
        [r.ci95[1] for _, r in known],
    )


def _confusion_table(score: Score, name: str) -> Markup:
    result, num = score.evaluation, score.num_classes
    undecided = result.undecided_per_class.any()
    counts = np.column_stack([result.confusion, result.undecided_per_class]) if undecided else result.confusion
    columns = [*map(str, range(num)), *(["none"] if undecided else [])]
    head = tag("tr", tag("td", "true"), [tag("th", column, scope="col") for column in columns])
    rows = []
    for c in range(num):
        total = max(int(counts[c].sum()), 1)
        cells = [_confusion_cell(c, k, int(n), int(n) / total) for k, n in enumerate(counts[c])]
        rows.append(tag("tr", tag("th", c, scope="row"), cells))
    caption = tag("caption", "rows: true class, columns: answer")
    content = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="confusion")
    return tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=f"Confusion matrix of {name}")


def _confusion_cell(true: int, predicted: int, count: int, share: float) -> Markup:
    depth = math.sqrt(share)  # so that rare mistakes are visible
    kind = ("right" if true == predicted else "wrong") + (" deep" if depth > 0.6 else "")
    if not count:
        return tag("td", "·", class_="empty")
    return tag("td", count, class_=kind, style=f"--depth:{depth:.2f}", title=f"{percent(share)} of class {true}")


def _most_confused(score: Score) -> Markup:
    wrong = score.evaluation.confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:5]
    named = [(*divmod(int(place), score.num_classes), int(wrong.flat[place])) for place in order if wrong.flat[place]]
    if not named:
        return tag("p", "No image was taken for another class.", class_="note")
    text = ", ".join(f"{true} taken for {taken} ({count:,} times)" for true, taken, count in named)
    return tag("p", f"Most frequent: {text}.", class_="note")


def _digit(mistake: Mistake) -> Markup:
    image = mistake.image
    step = max(1, math.ceil(max(image.shape) / _MAX_SIDE))
    guesses = ", ".join(map(str, mistake.guesses)) or "no answer"
    picture = tag(
        "img",
        src=data_uri(grey_png(np.ascontiguousarray(image[::step, ::step]))),
        alt=f"test image {mistake.number}, a {mistake.label}, taken for {guesses}",
        title=f"test image {mistake.number}",
    )
    return tag("li", picture, tag("span", tag("b", mistake.label), " → ", guesses))
