"""The commands that make the networks of a report again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from snstdp_cli.config import settings_of
from snstdp_cli.config.facets import setting_leaves
from snstdp_cli.datasets import joined_names
from snstdp_cli.fields.command_lines import command_line, place_words
from snstdp_cli.report.content import Content, Run
from snstdp_cli.report.markup import Markup, tag
from snstdp_cli.report.records import default_settings
from snstdp_cli.results import Score

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


def commands(content: Content) -> list[Markup]:
    """Return the commands that make the networks, the recordings and this report again."""
    results, images = place_words(content.workdir), place_words(content.workdir, content.data_dir)
    parts = []
    for run in content.runs:
        parts += [tag("h3", run.name), copyable("\n".join(_commands_of(run, results, images)))]
    last = [command_line("report", *(run.name for run in content.runs), *images)]
    last += [command_line("evaluate", "--compare", p.a, p.b, *results) for p in content.pairs if not p.missing]
    note = (
        "With the versions and images listed above, the same seed gives the same spikes and weights. Run the commands "
        "where there are no results of these names (in another folder, or with another --workdir), or with --force."
    )
    return [*parts, tag("h3", "This report"), copyable("\n".join(last)), tag("p", note, class_="note")]


def _commands_of(run: Run, results: list[str], images: list[str]) -> list[str]:
    """Return the commands of a network; `results` and `images` say where these are."""
    lines = _training_command(run, images)
    if run.cost is not None:
        lines = [*lines, command_line("hardware", "cost", run.name, "--images", str(run.cost.images), *images)]
    if run.score is None:
        return lines
    every = [command for score in run.scores for command in _recording_commands(run, score, images)]
    read_outs = [word for name in run.score.evaluations for word in ("--read-out", name)]
    return [*lines, *dict.fromkeys(every), command_line("evaluate", "--load-name", run.name, *read_outs, *results)]


def _training_command(run: Run, images: list[str]) -> list[str]:
    record = run.record
    if record is None:
        return ["# how these weights were trained is not known"]
    settings, lines = dict(setting_leaves(record.experiment.model_dump(mode="json"))), []
    if record.data is not None and record.data.bundled_subset:
        settings["data"] = "bundled"
    elif record.data is not None:
        names = joined_names(record.data.name) or (record.data.name,)
        lines += [f"snstdp data fetch {name}" for name in names if name in ("mnist", "fashion-mnist")]
    if record.start is not None and record.start.name is not None:
        lines.append(f"# starts from the weights {record.start.name}, SHA-256 {record.start.sha256}")
    if record.experiment.rule.is_own:
        lines.append("# needs the file of the rule")
    defaults = default_settings(record.experiment)
    flags = []
    for key in dict.fromkeys((*_ALWAYS, *settings)):
        if key not in settings or (key not in _ALWAYS and key in defaults and defaults[key] == settings[key]):
            continue
        if key in _FLAGS and settings[key] is not None:
            flags.append(f"{_FLAGS[key]} {shlex.quote(str(settings[key]))}")
        else:
            flags.append(_set(key, settings[key]))
    flags += [shlex.join(images)] if images else []
    return [*lines, " \\\n    ".join([" ".join(["snstdp train", *flags[:6]]), *flags[6:]])]


def _recording_commands(run: Run, score: Score, images: list[str]) -> list[str]:
    lines = []
    for split, responses in (("train", score.assign), ("test", score.test)):
        record = responses.record
        if record is None:
            continue
        flags = [
            f"snstdp test --load-name {shlex.quote(run.name)} --split {split} --num-examples {len(responses.labels)}"
        ]
        if run.record is None or run.record.data is None or not record.data.belongs_to(run.record.data):
            flags.append(f"--data {shlex.quote(record.data.name)}")
        if record.label is not None:
            flags.append(f"--as {shlex.quote(record.label)}")
        trained = {} if run.experiment is None else settings_of(run.experiment, "recording")
        asked = settings_of(record.experiment, "recording")
        flags += [_set(key, value) for key, value in _changed(asked, trained).items()]
        flags += [shlex.join(images)] if images else []
        lines.append(" \\\n    ".join(flags))
    return lines


def _changed(asked: Mapping[str, Any], trained: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if trained and trained.get(key) != value}


def _set(key: str, value: Any) -> str:
    plain = isinstance(value, str) and value.replace("_", "").isalnum()
    return f"--set {shlex.quote(f'{key}={value if plain else json.dumps(value)}')}"


def copyable(text: str) -> Markup:
    """Return commands that the script lets the reader copy."""
    return tag("div", tag("pre", tag("code", text), tabindex="0"), class_="copyable")
