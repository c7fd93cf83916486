"""The parts of a report about how the networks were made: configuration and provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from snstdp_cli.artefacts import DataRecord, RecordingRecord, StartRecord, TrainingRecord
from snstdp_cli.artefacts.records import RunRecord
from snstdp_cli.config import Experiment, build_experiment, setting_leaves
from snstdp_cli.config.facets import affected, setting_fields
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.markup import Cell, Marked, Markup, duration, table, tag
from snstdp_cli.rules import RULES

_FIGURES = {
    "l1_target": "target of the L1 norm",
    "l1_mean": "L1 norm, mean",
    "l1_sd": "L1 norm, standard deviation",
    "theta_mv": "thresholds, mV (smallest, mean, largest)",
    "never_learned": "neurons that never learned",
}


def configuration(content: Content) -> list[Markup]:
    """Return every setting, a column for each network; what differs and what is not a default is marked."""
    known = [(run.name, run.experiment) for run in content.runs if run.experiment is not None]
    parts = [
        tag("p", f"{run.name}: {run.missing.get('provenance', 'the configuration is not known.')}", class_="missing")
        for run in content.runs
        if run.experiment is None
    ]
    if not known:
        return parts
    settings = [dict(setting_leaves(experiment.model_dump(mode="json"))) for _, experiment in known]
    defaults = [default_settings(experiment) for _, experiment in known]
    keys = _sorted_by_section(list(dict.fromkeys(key for one in settings for key in one)))
    meanings = _meanings([experiment for _, experiment in known])
    rows = []
    for key in keys:
        shown = [_setting(key, one) for one in settings]
        cells = [
            _setting_cell(text, one, default, key) for text, one, default in zip(shown, settings, defaults, strict=True)
        ]
        row = (Cell([_breakable(key), tag("small", meanings.get(key))]), *cells)
        rows.append(Marked(row) if affected(key) and len(set(shown)) > 1 else row)
    notes = ["Values in bold are not the defaults."]
    notes += (
        ["Settings in which the networks differ are marked."] if any(isinstance(row, Marked) for row in rows) else []
    )
    parts.append(tag("p", " ".join(notes), class_="note"))
    columns = ("setting", *(name for name, _ in known))
    return [*parts, table(columns, rows, "Every setting of the training", class_="sortable settings")]


def provenance(run: Run) -> list[Markup]:
    """Return versions, seed, images, dates and times of the training and of the recordings."""
    columns: list[tuple[str, RunRecord]] = [] if run.record is None else [("training", run.record)]
    if run.score is not None:
        recordings = (("recording, train", run.score.assign.record), ("recording, test", run.score.test.record))
        columns += [(name, record) for name, record in recordings if record is not None]
    missing = run.missing.get("provenance", run.missing.get("weights"))
    parts = [] if missing is None else [tag("p", missing, class_="missing")]
    if not columns:
        return [*parts, tag("p", "Nothing is written down about recordings either.", class_="missing")]
    facts = [_facts(record) for _, record in columns]
    if run.record is not None and run.weights is not None:
        facts[0]["SHA-256 of the weights"] = run.weights.sha256
    keys = list(dict.fromkeys(key for one in facts for key in one))
    rows = [(key, *(one.get(key, "") for one in facts)) for key in keys]
    names = ("fact", *(name for name, _ in columns))
    return [*parts, table(names, rows, f"{run.name}: where it comes from", class_="facts")]


def default_settings(experiment: Experiment) -> dict[str, Any]:
    """Return the default of each setting for networks of this size, by dotted key; no rule's of the user's own."""
    rule = experiment.rule.name
    content = {"n_e": experiment.n_e, "rule": {"name": rule}} if rule in RULES else {"n_e": experiment.n_e}
    usual = build_experiment().n_e
    leaves = dict(setting_leaves(build_experiment(content).model_dump(mode="json"))) | {"n_e": usual}
    return leaves if rule in RULES else {key: value for key, value in leaves.items() if not key.startswith("rule.")}


def _sorted_by_section(keys: list[str]) -> list[str]:
    sections = list(dict.fromkeys(key.partition(".")[0] for key in keys))
    return sorted(keys, key=lambda key: sections.index(key.partition(".")[0]))


def _setting(key: str, settings: Mapping[str, Any]) -> str:
    if key not in settings:
        return "–"
    value = settings[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _setting_cell(text: str, settings: Mapping[str, Any], defaults: Mapping[str, Any], key: str) -> Markup:
    usual = key not in settings or key not in defaults or settings[key] == defaults[key] or not affected(key)
    return tag("span" if usual else "strong", text, class_="short" if len(text) < 24 else None)


def _meanings(experiments: list[Experiment]) -> dict[str, str]:
    fields = dict(setting_fields(Experiment))
    for experiment in experiments:
        if experiment.rule.name in RULES:
            fields |= setting_fields(RULES[experiment.rule.name].parameters, "rule.")
    return {key: field.description or "" for key, field in fields.items()}


def _facts(record: RunRecord) -> dict[str, object]:
    """Return what a record tells, by name; without what it does not tell."""
    facts: dict[str, object] = {
        "date (UTC)": record.date.replace("T", " ").removesuffix("+00:00"),
        "duration": duration(record.duration_s),
        "engine": record.engine,
        "seed": record.experiment.seed,
        "random numbers": "those of version 0.1" if record.generation == 1 else None,
        "neurons": "with other constants" if isinstance(record.generation, str) else None,
    }
    figures: Mapping[str, Any] = {}
    if isinstance(record, TrainingRecord):
        facts |= {"started from": _start(record.start), "training": record.training} | _images(record.data)
        facts["note"] = record.note
        figures = {} if record.figures is None else record.figures.model_dump()
    elif isinstance(record, RecordingRecord):
        facts |= {"SHA-256 of the weights": record.weights.sha256, "name": record.label} | _images(record.data)
        figures = record.figures.model_dump()
    facts |= {_FIGURES.get(key, key.replace("_", " ")): _figure(value) for key, value in figures.items()}
    facts |= {
        f"version of {key}" if key in ("snstdp", "brian2", "numpy", "python") else key.replace("_", " "): value
        for key, value in record.versions.items()
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _breakable(key: str) -> list[Markup]:
    """Let a narrow window break a dotted key after its dot."""
    *sections, last = key.split(".")
    return [*(tag("span", f"{part}.", tag("wbr")) for part in sections), tag("span", last)]


def _figure(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(str(_figure(one)) for one in value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _start(start: StartRecord | None) -> str | None:
    if start is None:
        return None
    if start.name is not None:
        return f"weights {start.name}"
    return None if start.drawn_from_seed is None else f"random weights, seed {start.drawn_from_seed}"


def _images(data: DataRecord | None) -> dict[str, object]:
    if data is None:
        return {}
    rows, cols = data.image_shape
    asked = "" if data.name == data.identity else f" (asked for as {data.name})"
    return {
        "images": f"{data.identity}{asked}, {data.split}: {data.num_images:,} images, {rows} × {cols} pixels",
        "classes": None if data.classes is None else ", ".join(map(data.class_name, data.classes)),
        "SHA-256 of the images": data.sha256,
    }
