"""The parts of a report about the weights: the course of the training, distributions and receptive fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from snstdp_cli.report.charts import Series, draw_histograms, draw_points, legend, linear_axis
from snstdp_cli.report.content import Content, Picture, Run
from snstdp_cli.report.embedding import FIELDS_BUDGET, Fields, data_uri, embed_fields, to_base64
from snstdp_cli.report.markup import Markup, embedded_json, percent, tag

_GROWTH_BUDGET = 300_000
_PICTURES: dict[Picture, str] = {
    "raster": "Spikes of all neurons while the image is shown (grey) and after it",
    "traces": "Voltage, threshold (dashed) and conductances, in units of the leak, of the neurons that answer most",
}


def training(content: Content) -> list[Markup]:
    """Return learning curve and L1 norm of all networks that have them."""
    parts = [figure for figure in (_learning_curve(content.runs), _norm(content.runs)) if figure is not None]
    figures = [tag("div", parts, class_="figures")] if parts else []
    return figures + _absent(content.runs)


def distributions(content: Content) -> list[Markup]:
    """Return how weights, norms and thresholds of all networks are distributed."""
    known = [(run.name, run.weights) for run in content.runs if run.weights is not None]
    if not known:
        return []
    figures = (
        ("Weights", "weight", "synapses", [w.weights.ravel() for _, w in known], 60, True),
        (
            "L1 norms",
            "L1 norm of a neuron's weights",
            "neurons",
            [np.abs(w.weights).sum(axis=0) for _, w in known],
            40,
            False,
        ),
        ("Thresholds", "adaptive threshold θ (mV)", "neurons", [w.theta_mv for _, w in known], 40, False),
    )
    names = legend([name for name, _ in known], marks=False)
    drawn = [
        tag("figure", tag("figcaption", title), draw_histograms(values, x, y, title, bins, log=log), names)
        for title, x, y, values, bins, log in figures
    ]
    spikes = [(run.name, run.score.evaluation.assignment.num_spikes) for run in content.runs if run.score is not None]
    if spikes:
        title, values = "Activity", [counts for _, counts in spikes]
        chart = draw_histograms(values, "spikes of a neuron for all recorded training images", "neurons", title, 40)
        drawn.append(tag("figure", tag("figcaption", title), chart, legend([name for name, _ in spikes], marks=False)))
    return [tag("div", drawn, class_="figures")]


def explorers(content: Content) -> list[Markup]:
    """Return the receptive fields of all neurons of each network, to look at one by one."""
    drawn = [run for run in content.runs if run.weights is not None]
    return [_explorer(run, k, FIELDS_BUDGET // len(drawn)) for k, run in enumerate(drawn)]


def growth(run: Run, index: int) -> list[Markup]:
    """Return receptive fields of a few neurons during the training."""
    if run.stages is None:
        reason = run.missing.get("evolution")
        return [] if reason is None else [tag("p", f"{run.name}: {reason}", class_="missing")]
    neurons, stages = run.stages.neurons, run.stages
    kept = [weights for weights in stages.weights if weights is not None]
    fields = embed_fields(np.hstack(kept), run.network.image_shape, _GROWTH_BUDGET, 0)
    if len(fields.neurons) < len(kept) * len(neurons):
        return [tag("p", f"{run.name}: the images are too large for snapshots in a report.", class_="missing")]
    places = iter(range(len(kept)))
    columns = [None if weights is None else next(places) for weights in stages.weights]
    rows = [
        tag("tr", tag("th", neuron, scope="row"), [_growth_cell(index, k, len(neurons), row) for k in columns])
        for row, neuron in enumerate(neurons.tolist())
    ]
    names = ["end" if examples is None else f"{examples:,}" for examples in stages.examples]
    head = tag("tr", tag("th", "neuron"), [tag("th", name, scope="col") for name in names])
    uneven = "" if stages.is_even else "; the steps are not even"
    gone = f"; no snapshot after {', '.join(f'{n:,}' for n in stages.missing)}" if stages.missing else ""
    caption = tag("caption", f"{run.name}: receptive fields after so many images{uneven}{gone}")
    content = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="growth")
    return [
        tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=f"Growth of {run.name}"),
        embedded_json(_as_json(fields), id=f"growth-{index}"),
    ]


def presentation(run: Run, example: int | None) -> list[Markup]:
    """Return pictures of one presentation, if one was asked for."""
    if example is None:
        return []
    parts = []
    for kind, (light, dark) in run.pictures.items():
        source = tag("source", srcset=data_uri(dark), media="(prefers-color-scheme: dark)")
        image = tag("img", src=data_uri(light), alt=_PICTURES[kind])
        caption = tag("figcaption", _PICTURES[kind])
        parts.append(tag("figure", tag("picture", source, image), caption, class_="picture"))
    if "presentation" in run.missing:
        return [tag("h3", run.name), tag("p", run.missing["presentation"], class_="missing")]
    return [tag("h3", run.name), tag("div", parts, class_="figures pictures")] if parts else []


def _growth_cell(index: int, stage: int | None, num: int, row: int) -> Markup:
    return tag("td", "–" if stage is None else _canvas(f"growth-{index}", stage * num + row))


def _learning_curve(runs: Sequence[Run]) -> Markup | None:
    series, totals = [], set()
    for run in runs:
        points = () if run.weights is None else run.network.learning_curve
        if not points:
            continue
        totals |= {point.total for point in points}
        lows, highs = zip(*(point.ci95 for point in points), strict=True)
        series.append(Series(run.name, [p.examples for p in points], [p.accuracy for p in points], lows, highs))
    if not series:
        return None
    chart = draw_points(
        series,
        linear_axis("training images", [x for one in series for x in one.xs], zero=True),
        linear_axis("accuracy", [0.0, 1.0], lambda v: percent(v, None)),
        "Learning curve",
        shown=lambda v: percent(v),
    )
    images = f"{min(totals):,}" if len(totals) == 1 else f"{min(totals):,} to {max(totals):,}"
    caption = tag("figcaption", f"Accuracy on {images} withheld training images, with 95 % intervals")
    return tag("figure", caption, chart, legend([one.name for one in series]))


def _norm(runs: Sequence[Run]) -> Markup | None:
    series, targets = [], set[float | None]()
    for run in runs:
        if run.weights is None or not run.network.history.examples:
            continue
        history = run.network.history
        series.append(Series(run.name, history.examples, history.l1_mean, history.l1_min, history.l1_max))
        figures = None if run.record is None else run.record.figures
        targets.add(None if figures is None else figures.l1_target)
    if not series:
        return None
    target = targets.pop() if len(targets) == 1 else None
    values = [v for one in series for v in (*one.lows, *one.highs)] + ([] if target is None else [target])
    chart = draw_points(
        series,
        linear_axis("training images", [x for one in series for x in one.xs], zero=True),
        linear_axis("L1 norm", values, zero=True),
        "L1 norm over training",
        band=True,
        target=target,
    )
    extra = () if target is None else (("target", f"target of the rule, {target:g}"),)
    caption = tag("figcaption", "L1 norm of a neuron's weights: mean (line), smallest and largest (area)")
    told = [
        tag("figcaption", f"{run.name}: {finding.sentence}" if len(runs) > 1 else finding.sentence)
        for run in runs
        for finding in run.findings
        if finding.kind == "norm"
    ]
    return tag("figure", caption, chart, legend([one.name for one in series], *extra, marks=False), told)


def _absent(runs: Sequence[Run]) -> list[Markup]:
    found = []
    for run in runs:
        known = run.weights is not None
        parts = {
            "learning curve": known and bool(run.network.learning_curve),
            "history of the L1 norm": known and bool(run.network.history.examples),
        }
        names = [name for name, there in parts.items() if not there]
        if names:
            text = f"{run.name}: no {' and no '.join(names)} was written down during the training."
            found.append(tag("p", text, class_="missing"))
    return found


def _explorer(run: Run, index: int, budget: int) -> Markup:
    assert run.weights is not None
    weights, theta = run.weights.weights, run.weights.theta_mv
    assignment = None if run.score is None else run.score.evaluation.assignment
    if assignment is not None and len(assignment.labels) != weights.shape[1]:
        assignment = None
    num_classes = 0 if assignment is None else len(assignment.classes)
    fields = embed_fields(weights, run.network.image_shape, budget, 8 * num_classes + 45)
    chosen, never = fields.neurons, run.network.never_learned
    data: dict[str, Any] = {
        **_as_json(fields),
        "name": run.name,
        "neurons": chosen.tolist(),
        "theta": _rounded(theta[chosen]),
        "norm": _rounded(np.abs(weights[:, chosen]).sum(axis=0)),
        # So that each neuron can have a scale of its own: its strongest weight as a share of the common limit.
        "strongest": _rounded(np.abs(weights[:, chosen]).max(axis=0) / fields.limit),
    }
    if never is not None and never.any():
        data["never"] = np.flatnonzero(never[chosen]).tolist()
    if assignment is not None and run.score is not None:
        data |= {
            "classes": assignment.classes.tolist(),
            "names": run.score.class_names,
            "labels": assignment.labels[chosen].tolist(),
            "selectivity": _rounded(assignment.selectivity[chosen]),
            "spikes": assignment.num_spikes[chosen].astype(int).tolist(),
            "means": [_rounded(row) for row in assignment.mean_response[:, chosen].T],
        }
    return tag(
        "section",
        tag("h3", run.name),
        _note(fields, run, num_classes),
        tag(
            "noscript", tag("p", "The receptive fields are drawn by a script, which is switched off.", class_="missing")
        ),
        tag("div", class_="explorer-body"),
        embedded_json(data),
        class_="explorer",
        id=f"fields-{index}",
    )


def _note(fields: Fields, run: Run, num_classes: int) -> Markup | None:
    n_e, texts = run.network.n_e, []
    never = run.network.never_learned
    if len(fields.neurons) < n_e:
        texts.append(f"{len(fields.neurons):,} of {n_e:,} neurons, evenly chosen, so that the page stays small.")
    if fields.factor > 1:
        texts.append(f"{fields.factor} × {fields.factor} pixels are averaged into one, so that the page stays small.")
    if never is not None and never.any():
        texts.append(f"{int(never.sum()):,} neurons never learned; they are crossed out.")
    if not num_classes:
        texts.append("Without recorded responses it is not known which class a neuron answers to.")
    return tag("p", " ".join(texts), class_="note") if texts else None


def _as_json(fields: Fields) -> dict[str, Any]:
    return {
        "height": fields.shape[0],
        "width": fields.shape[1],
        "signed": fields.signed,
        "limit": float(f"{fields.limit:.3g}"),
        "codes": to_base64(fields.codes),
    }


def _canvas(source: str, field: int) -> Markup:
    return tag("canvas", data_source=source, data_field=str(field), class_="field")


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.3g}") for value in values]
