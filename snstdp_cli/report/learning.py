"""The parts of a report about the weights: the course of the training, distributions and receptive fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from snstdp_cli.evaluation import wilson_interval
from snstdp_cli.report.charts import Series, draw_histograms, draw_points, legend, linear_axis
from snstdp_cli.report.content import Content, Run, section
from snstdp_cli.report.embedding import FIELDS_BUDGET, Fields, data_uri, embed_fields, to_base64
from snstdp_cli.report.markup import Markup, embedded_json, percent, tag

_GROWTH_BUDGET = 300_000
_PICTURES = {
    "raster": "Spikes of all neurons while the image is shown (grey) and after it",
    "traces": "Voltage and conductances of the three neurons that answer most",
}


def training(content: Content) -> list[Markup]:
    """Return learning curve and L1 norm of all networks that have them."""
    parts = [figure for figure in (_learning_curve(content.runs), _norm(content.runs)) if figure is not None]
    figures = [tag("div", parts, class_="figures")] if parts else []
    return figures + _absent(content.runs, {"learning_curve": "learning curve", "history": "history of the L1 norm"})


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
    spikes = [(run.name, run.assignment.num_spikes) for run in content.runs if run.assignment is not None]
    drawn = [
        tag("figure", tag("figcaption", title), draw_histograms(values, x, y, title, bins, log=log), names)
        for title, x, y, values, bins, log in figures
    ]
    if spikes:
        title, values = "Activity", [s for _, s in spikes]
        chart = draw_histograms(values, "spikes of a neuron for all recorded training images", "neurons", title, 40)
        drawn.append(tag("figure", tag("figcaption", title), chart, legend([name for name, _ in spikes], marks=False)))
    return [tag("div", drawn, class_="figures")]


def explorers(content: Content) -> list[Markup]:
    """Return the receptive fields of all neurons of each network, to look at one by one."""
    drawn = [run for run in content.runs if run.weights is not None]
    return [_explorer(run, k, FIELDS_BUDGET // len(drawn)) for k, run in enumerate(drawn)]


def growth(run: Run, index: int) -> list[Markup]:
    """Return receptive fields of a few neurons during the training."""
    if run.growth is None:
        reason = run.missing.get("evolution")
        return [] if reason is None else [tag("p", f"{run.name}: {reason}", class_="missing")]
    neurons, stages = run.growth.neurons, run.growth.stages
    fields = embed_fields(np.hstack([w for _, w in stages]), run.image_shape, _GROWTH_BUDGET, 0)
    if len(fields.neurons) < len(stages) * len(neurons):
        return [tag("p", f"{run.name}: the images are too large for snapshots in a report.", class_="missing")]
    columns = ["end" if examples is None else f"{examples:,}" for examples, _ in stages]
    rows = [
        tag(
            "tr",
            tag("th", neuron, scope="row"),
            [tag("td", _canvas(f"growth-{index}", k * len(neurons) + row)) for k in range(len(stages))],
        )
        for row, neuron in enumerate(neurons)
    ]
    head = tag("tr", tag("th", "neuron"), [tag("th", column, scope="col") for column in columns])
    caption = tag("caption", f"{run.name}: receptive fields after so many images")
    content = tag("table", caption, tag("thead", head), tag("tbody", rows), class_="growth")
    return [
        tag("div", content, class_="scroll", tabindex="0", role="group", aria_label=f"Growth of {run.name}"),
        embedded_json(_as_json(fields), id=f"growth-{index}"),
    ]


def presentation(run: Run, example: int | None) -> list[Markup]:
    """Return pictures of one presentation, if one was asked for."""
    if example is None:
        return []
    parts = [
        tag(
            "figure",
            tag("img", src=data_uri(png), alt=_PICTURES[kind]),
            tag("figcaption", _PICTURES[kind]),
            class_="picture",
        )
        for kind, png in run.pictures.items()
    ]
    parts += [tag("p", run.missing[kind], class_="missing") for kind in _PICTURES if kind in run.missing]
    return [tag("h3", run.name), *parts] if parts else []


def _learning_curve(runs: Sequence[Run]) -> Markup | None:
    series, held_out = [], set()
    for run in runs:
        points = run.provenance.get("learning_curve")
        num = section(run.experiment, "evaluation").get("curve_examples")
        if not points or not isinstance(num, int) or not _is_curve(points):
            continue
        held_out.add(num)
        intervals = [wilson_interval(round(accuracy * num), num) for _, accuracy in points]
        series.append(
            Series(run.name, [p[0] for p in points], [p[1] for p in points], *map(list, zip(*intervals, strict=True)))
        )
    if not series:
        return None
    values = [v for one in series for v in (*one.lows, *one.highs)]
    chart = draw_points(
        series,
        linear_axis("training images", [x for one in series for x in one.xs], zero=True),
        linear_axis("accuracy", values, lambda v: f"{100 * v:.4g}%"),
        "Learning curve",
        shown=lambda v: percent(v),
    )
    num_text = " or ".join(f"{num:,}" for num in sorted(held_out))
    caption = tag("figcaption", f"Accuracy on {num_text} held-out training images, with 95% intervals")
    return tag("figure", caption, chart, legend([one.name for one in series]))


def _norm(runs: Sequence[Run]) -> Markup | None:
    series, targets = [], set()
    for run in runs:
        history = section(run.provenance, "history")
        columns = [history.get(key) for key in ("examples", "l1_mean", "l1_min", "l1_max")]
        if not all(_is_numbers(column) for column in columns) or len({len(c) for c in columns if c}) != 1:
            continue
        series.append(Series(run.name, *(list(c) for c in columns if c)))
        target = section(run.provenance, "figures").get("l1_target")
        targets |= {float(target)} if isinstance(target, int | float) else set()
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
    return tag("figure", caption, chart, legend([one.name for one in series], *extra, marks=False))


def _absent(runs: Sequence[Run], parts: dict[str, str]) -> list[Markup]:
    found = []
    for run in runs:
        names = [what for key, what in parts.items() if not run.provenance.get(key)]
        if names:
            text = f"{run.name}: no {' and no '.join(names)} was written down during the training."
            found.append(tag("p", text, class_="missing"))
    return found


def _is_numbers(values: Any) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(v, int | float) and not isinstance(v, bool) and np.isfinite(v) for v in values)
    )


def _is_curve(points: Any) -> bool:
    return isinstance(points, list) and all(
        _is_numbers(point) and len(point) == 2 and 0 <= point[1] <= 1 for point in points
    )


def _explorer(run: Run, index: int, budget: int) -> Markup:
    assert run.weights is not None
    weights, theta, assignment = run.weights.weights, run.weights.theta_mv, run.assignment
    if assignment is not None and len(assignment.labels) != weights.shape[1]:
        assignment = None
    num_classes = 0 if assignment is None else len(assignment.mean_response)
    fields = embed_fields(weights, run.image_shape, budget, 8 * num_classes + 45)
    chosen = fields.neurons
    data: dict[str, Any] = {
        **_as_json(fields),
        "name": run.name,
        "neurons": chosen.tolist(),
        "theta": _rounded(theta[chosen]),
        "norm": _rounded(np.abs(weights[:, chosen]).sum(axis=0)),
    }
    if assignment is not None:
        data |= {
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
    assert run.weights is not None
    n_e, texts = run.weights.weights.shape[1], []
    if len(fields.neurons) < n_e:
        texts.append(f"{len(fields.neurons):,} of {n_e:,} neurons, evenly chosen, so that the page stays small.")
    if fields.factor > 1:
        texts.append(f"{fields.factor} × {fields.factor} pixels are averaged into one, so that the page stays small.")
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
