"""The commands that make a study again."""

from __future__ import annotations

from collections.abc import Sequence

from snstdp_cli.fields.command_lines import command_line, option_words, place_words
from snstdp_cli.report.commands import copyable
from snstdp_cli.report.markup import Markup, tag
from snstdp_cli.studies.results import StudyResults

_NOTE = (
    "With the versions above and the same images, equal settings and seeds give the same spikes and weights on any "
    "number of workers. What is finished is not run again; with another --workdir all of it is."
)


def commands(study: StudyResults, against: Sequence[str]) -> list[Markup]:
    """Return the commands that run the study and show it; every name is quoted for the shell."""
    file, place = str(study.file or f"{study.name}.yaml"), place_words(study.workdir)
    rules = [word for name in study.rule_files for word in option_words("--run-rule", name)]
    compared = [word for text in against for word in option_words("--against", text)]
    has_table = study.cells or not study.trials  # a search without a grid has none
    lines = [
        command_line("study", "run", file, *place),
        *([command_line("study", "table", file, *rules, *compared, *place)] if has_table else []),
        command_line("study", "plot", file, *rules, *place),
        command_line("study", "report", file, *rules, *compared, *place),
        *([command_line("study", "run", str(study.best_study), *place)] if study.best_study is not None else []),
    ]
    return [copyable("\n".join(lines)), tag("p", _NOTE, class_="note")]
