"""The parts of a report about how the networks were made: configuration, provenance and commands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from snstdp_cli.config import Experiment, build_experiment, setting_leaves
from snstdp_cli.report.content import CLASSIFIERS, Content, Run, section
from snstdp_cli.report.markup import Cell, Marked, Markup, duration, table, tag
from snstdp_cli.rules import RULES

_FLAGS = {
    "rule.name": "--rule",
    "n_e": "--n-e",
    "dt": "--dt",
    "num_examples": "--num-examples",
    "load_name": "--load-name",
    "seed": "--seed",
    "data": "--data",
    "save_name": "--save-name",
}
# These are told even where they have their defaults: nobody should have to know them.
_ALWAYS = ("rule.name", "n_e", "num_examples", "seed", "data", "save_name")
_FIGURES = {
    "l1_target": "target of the L1 norm",
    "l1_mean": "L1 norm, mean",
    "l1_sd": "L1 norm, standard deviation",
    "theta_mv": "thresholds, mV (smallest, mean, largest)",
}
# What a recording does not depend on, or what its own flags tell.
_NOT_RECORDED = ("num_examples", "load_name", "save_name", "engine", "chunk", "checkpoint_every", "epochs", "shuffle")


def configuration(content: Content) -> list[Markup]:
    """Return every setting, a column for each network."""
    known = [run for run in content.runs if run.experiment]
    parts = [
        tag("p", f"{run.name}: {run.missing.get('provenance', 'the configuration is not known.')}", class_="missing")
        for run in content.runs
        if run not in known
    ]
    if not known:
        return parts
    settings = [dict(setting_leaves(run.experiment)) for run in known]
    known_keys = list(dict.fromkeys(key for one in settings for key in one))
    sections = list(dict.fromkeys(key.partition(".")[0] for key in known_keys))
    keys = sorted(known_keys, key=lambda key: sections.index(key.partition(".")[0]))
    meanings = _meanings(settings)
    rows = []
    for key in keys:
        shown = [_setting(key, one) for one in settings]
        name = Cell([_breakable(key), tag("small", meanings.get(key))])
        cells = (name, *(tag("span", text, class_="short" if len(text) < 24 else None) for text in shown))
        differs = key != "save_name" and len(set(shown)) > 1
        rows.append(Marked(cells) if differs else cells)
    columns = ("setting", *(run.name for run in known))
    if any(isinstance(row, Marked) for row in rows):
        parts.append(tag("p", "Settings in which the networks differ are marked.", class_="note"))
    parts.append(table(columns, rows, "Every setting of the training", class_="sortable settings"))
    return parts


def provenance(run: Run) -> list[Markup]:
    """Return versions, seed, images, dates and times of the training and of the recordings."""
    columns = [("training", run.provenance)] if run.provenance else []
    score = next(iter(run.scores.values()), None)
    if score is not None:
        columns += [("recording, train", score.assign.provenance), ("recording, test", score.test.provenance)]
    columns = [(name, record) for name, record in columns if record]
    missing = run.missing.get("provenance", run.missing.get("weights"))
    parts = [] if missing is None else [tag("p", missing, class_="missing")]
    if not columns:
        return [*parts, tag("p", "Nothing is written down about recordings either.", class_="missing")]
    facts = [_facts(record) for _, record in columns]
    if run.weights is not None and run.provenance:
        facts[0]["SHA-256 of the weights"] = run.weights.sha256
    keys = list(dict.fromkeys(key for one in facts for key in one))
    rows = [(key, *(one.get(key, "") for one in facts)) for key in keys]
    return [
        *parts,
        table(("fact", *(name for name, _ in columns)), rows, f"{run.name}: where it comes from", class_="facts"),
    ]


def commands(content: Content) -> list[Markup]:
    """Return the commands that make the networks, the recordings and this report again."""
    parts = []
    for run in content.runs:
        parts.append(tag("h3", run.name))
        if run.provenance and not run.experiment:
            parts.append(tag("p", "The settings of the training are not written down.", class_="missing"))
        parts.append(_copyable("\n".join(_commands_of(run))))
    names = " ".join(shlex.quote(run.name) for run in content.runs)
    last = [f"snstdp report {names}"]
    last += [f"snstdp evaluate --compare {shlex.quote(p.a)} {shlex.quote(p.b)}" for p in content.pairs if not p.missing]
    note = (
        "With the versions and images listed above, the same seed gives the same spikes and weights. Run the commands "
        "in a folder without results of these names, or with --force."
    )
    return [*parts, tag("h3", "This report"), _copyable("\n".join(last)), tag("p", note, class_="note")]


def _commands_of(run: Run) -> list[str]:
    name = shlex.quote(run.name)
    lines = _training_command(run) if run.experiment else ["# how these weights were trained is not known"]
    score = next(iter(run.scores.values()), None)
    if score is None:
        return lines
    for split, responses in (("train", score.assign), ("test", score.test)):
        changed = _changed(
            dict(setting_leaves(section(responses.provenance, "experiment"))), dict(setting_leaves(run.experiment))
        )
        sets = [f"--set {shlex.quote(f'{key}={_yaml(value)}')}" for key, value in changed.items()]
        command = f"snstdp test --load-name {name} --split {split} --num-examples {len(responses.labels)}"
        lines.append(" \\\n    ".join([command, *sets]))
    return lines + [f"snstdp evaluate --load-name {name} --classifier {c}" for c in CLASSIFIERS]


def _training_command(run: Run) -> list[str]:
    settings, data, start = (
        dict(setting_leaves(run.experiment)),
        section(run.provenance, "data"),
        section(run.provenance, "start"),
    )
    lines = []
    if data.get("bundled_subset"):
        settings["data"] = "bundled"
    elif data.get("name") in ("mnist", "fashion-mnist"):
        lines.append(f"snstdp data fetch {data['name']}")
    if "name" in start:
        lines.append(_comment(f"starts from the weights {start['name']}, SHA-256 {start.get('sha256')}"))
    if str(settings.get("rule.name", "")).partition(":")[0].endswith(".py"):
        lines.append(_comment("needs the file of the rule; its SHA-256 is checked"))
    defaults = _defaults(settings.get("rule.name"))
    flags = []
    for key in dict.fromkeys((*_ALWAYS, *settings)):
        if key not in settings or (key not in _ALWAYS and key in defaults and defaults[key] == settings[key]):
            continue
        value = settings[key]
        if key in _FLAGS and value is not None:
            flags.append(f"{_FLAGS[key]} {shlex.quote(str(value))}")
        else:
            flags.append(f"--set {shlex.quote(f'{key}={_yaml(value)}')}")
    return [*lines, " \\\n    ".join([" ".join(["snstdp train", *flags[:6]]), *flags[6:]])]


def _comment(text: str) -> str:
    return "# " + " ".join(text.split())


def _defaults(rule: object) -> dict[str, Any]:
    """Return the default of each setting; without those of a rule that is not part of the package."""
    defaults = {
        key: value for key, value in setting_leaves(build_experiment().model_dump()) if not key.startswith("rule.")
    }
    known = RULES.get(str(rule))
    return defaults | ({} if known is None else {f"rule.{k}": v for k, v in known.parameters().model_dump().items()})


def _changed(recorded: Mapping[str, Any], trained: Mapping[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in recorded.items() if k not in _NOT_RECORDED and not k.startswith(("evaluation.", "rule."))}
    return {key: value for key, value in kept.items() if trained and trained.get(key) != value}


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) and value.replace("_", "").isalnum() else json.dumps(value, default=str)


def _setting(key: str, settings: Mapping[str, Any]) -> str:
    if key not in settings:
        return "–"
    value = settings[key]
    if key == "network.theta_step_mv" and value is None:
        n_e = settings.get("n_e")
        step = build_experiment({"n_e": n_e}).theta_step_mv if isinstance(n_e, int) and 1 <= n_e <= 100_000 else None
        return "default for n_e" if step is None else f"{step:g} (default for n_e = {n_e})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _meanings(settings: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, about in Experiment.model_fields.items():
        inner: Mapping[str, Any] | None = getattr(about.annotation, "model_fields", None)
        below = {name: about} if inner is None else {f"{name}.{key}": field for key, field in inner.items()}
        found |= {key: field.description or "" for key, field in below.items()}
    for one in settings:
        rule = RULES.get(str(one.get("rule.name")))
        fields = {} if rule is None else rule.parameters.model_fields
        found |= {f"rule.{key}": field.description or "" for key, field in fields.items()}
    return found


def _facts(record: Mapping[str, Any]) -> dict[str, object]:
    data, versions = section(record, "data"), section(record, "versions")
    seconds, start = record.get("duration_s"), section(record, "start")
    facts: dict[str, object] = {
        "date (UTC)": str(record.get("date", "")).replace("T", " ").removesuffix("+00:00"),
        "duration": duration(seconds) if isinstance(seconds, int | float) else None,
        "engine": record.get("engine"),
        "seed": record.get("seed"),
        "started from": f"weights {start['name']}" if "name" in start else _drawn(start),
        "SHA-256 of the weights": section(record, "weights").get("sha256"),
        "images": _images(data),
        "SHA-256 of the images": data.get("sha256"),
    }
    facts |= {_FIGURES.get(k, k.replace("_", " ")): _figure(v) for k, v in section(record, "figures").items()}
    facts |= {
        f"version of {key}" if key in ("snstdp", "brian2", "numpy", "python") else key.replace("_", " "): v
        for key, v in versions.items()
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _breakable(key: str) -> list[Markup]:
    """Let a narrow window break a dotted key after its dot."""
    *sections, last = key.split(".")
    return [*(tag("span", f"{part}.", tag("wbr")) for part in sections), tag("span", last)]


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_figure, value))
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _drawn(start: Mapping[str, Any]) -> str | None:
    return f"random weights, seed {start['drawn_from_seed']}" if "drawn_from_seed" in start else None


def _images(data: Mapping[str, Any]) -> str | None:
    if not data:
        return None
    shape = data.get("image_shape")
    size = f", {' × '.join(map(str, shape))} pixels" if isinstance(shape, list) else ""
    subset = " (bundled subset)" if data.get("bundled_subset") else ""
    return f"{data.get('name')}, {data.get('split')}: {_figure(data.get('num_images'))} images{size}{subset}"


def _copyable(text: str) -> Markup:
    return tag("div", tag("pre", tag("code", text), tabindex="0"), class_="copyable")
