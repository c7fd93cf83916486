"""The command `study table`, and what it prints."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_json, print_line, print_warning, write_file_text
from snstdp_cli.cli.study_options import Against, ReadOuts, StudyPath, StudyWorkdir
from snstdp_cli.cli.text_tables import show_table

if TYPE_CHECKING:
    from snstdp_cli.studies.results import StudyResults
    from snstdp_cli.studies.tables import StudyTable


class TableFormat(StrEnum):
    """Ways to print a table."""

    text = "text"
    csv = "csv"
    json = "json"
    markdown = "markdown"
    latex = "latex"


def table(
    file: StudyPath,
    against: Against = None,
    read_out: ReadOuts = None,
    long: Annotated[
        bool, typer.Option("--long", help="A row for each cell, with every setting and figure, for pandas or R.")
    ] = False,
    format: Annotated[TableFormat, typer.Option("--format", help="How to print it.")] = TableFormat.text,
    workdir: StudyWorkdir = Path(),
    run_rule: o.RunRules = None,
    as_json: o.Json = False,
) -> None:
    """Print a row for each setting of a study: mean and 95 % interval over seeds, and differences to a baseline.

    Example: snstdp study table configs/studies/rules.yaml --against rule=triplet

    Example: snstdp study table configs/studies/rules.yaml --long --format csv > rules.csv
    """
    study_table(
        gather(file, workdir, run_rule),
        against=against or (),
        read_outs=read_out or (),
        long=long,
        format=TableFormat.json if as_json else format,
    )


def gather(
    file: Path, workdir: Path, run_rules: Sequence[str] | None = None, storage: str | None = None
) -> StudyResults:
    """Read a study file, and from its folder what became of it; only the named rules in files run."""
    from snstdp_cli.rules import only_rule_files
    from snstdp_cli.studies import load_study
    from snstdp_cli.studies.results import gather_results

    with only_rule_files(run_rules or ()):
        return gather_results(load_study(file, workdir, run_rules=run_rules or ()), storage)


def study_table(
    study: StudyResults,
    *,
    against: Sequence[str] = (),
    read_outs: Sequence[str] = (),
    long: bool = False,
    format: TableFormat = TableFormat.text,
) -> None:
    """Print the table of a study to standard output, and what to beware of to standard error.

    Parameters
    ----------
    against
        The baseline as `KEY=VALUE`; several narrow it down.
    read_outs
        Which accuracies; those of the study without it.
    long
        A row for each cell in place of one for each setting; nothing is compared then.

    Raises
    ------
    ConfigError
        If the baseline is none of the study.
    DataError
        If the study has no cells.
    """
    from snstdp_cli.studies.read_outs import find_read_out

    wanted = [find_read_out(name) for name in read_outs]
    table = study.table(against=() if long else against, read_outs=wanted)
    if format is TableFormat.json:
        print_json({"cells": table.long_records()} if long else {"study": study.name, **table.as_dict()})
        return
    _show(table, long, format)
    for text in () if long else table.warnings:
        print_warning(text)


def _show(table: StudyTable, long: bool, format: TableFormat) -> None:
    from snstdp_cli.studies.formats import to_csv, to_latex, to_markdown
    from snstdp_cli.studies.text_tables import long_text_table, text_tables

    if format is TableFormat.csv:
        write_file_text(to_csv(table.long_records() if long else table.records()))
        return
    tables = [long_text_table(table.cells)] if long else text_tables(table)
    if format is TableFormat.text:
        for k, one in enumerate(tables):
            if k:
                print_line("")
            show_table(one)
        return
    write_file_text(to_markdown(tables) if format is TableFormat.markdown else to_latex(tables))
