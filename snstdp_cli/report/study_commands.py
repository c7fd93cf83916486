"""The commands that make a study again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from snstdp_cli.fields.command_lines import place_words
from snstdp_cli.report.commands import copyable
from snstdp_cli.report.markup import Markup, tag
from snstdp_cli.studies.results import StudyResults

_NOTE = (
    "With the versions above and the same images, equal settings and seeds give the same spikes and weights on any "
    "number of workers. What is finished is not run again; with another --workdir all of it is."
)


def commands(study: StudyResults, against: Sequence[str]) -> list[Markup]:
    """Return the commands that run the study and show it; every name is quoted for the shell."""
    file = shlex.quote(str(study.file or f"{study.name}.yaml"))
    rules = "".join(f" --run-rule {shlex.quote(name)}" for name in study.rule_files)
    compared = "".join(f" --against {shlex.quote(text)}" for text in against)
    place = "".join(f" {shlex.quote(word)}" for word in place_words(study.workdir))
    has_table = study.cells or not study.trials  # a search without a grid has none
    best = [] if study.best_study is None else [f"snstdp study run {shlex.quote(str(study.best_study))}{place}"]
    lines = [
        f"snstdp study run {file}{place}",
        *([f"snstdp study table {file}{rules}{compared}{place}"] if has_table else []),
        f"snstdp study plot {file}{rules}{place}",
        f"snstdp study report {file}{rules}{compared}{place}",
        *best,
    ]
    return [copyable("\n".join(lines)), tag("p", _NOTE, class_="note")]
