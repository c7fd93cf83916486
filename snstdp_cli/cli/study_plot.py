"""The command `study plot`, and the figures that it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_note
from snstdp_cli.cli.live import steps
from snstdp_cli.cli.study_options import ReadOut, Storage, StudyPath, StudyWorkdir
from snstdp_cli.cli.study_table import gather
from snstdp_cli.errors import ConfigError, DataError, SnstdpError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from snstdp_cli.evaluation import Classifier
    from snstdp_cli.plots.studies import StudyKind
    from snstdp_cli.studies.results import StudyResults


class StudyFigure(StrEnum):
    """What can be drawn of a study: the same as `plots.studies.STUDY_KINDS`, known before matplotlib is imported."""

    lines = "lines"
    categories = "categories"
    heatmap = "heatmap"
    curves = "curves"
    stages = "stages"
    history = "history"
    importance = "importance"
    parallel = "parallel"


def plot(
    file: StudyPath,
    kind: Annotated[
        StudyFigure | None,
        typer.Option("--kind", help="Which figure.  \\[default: what fits the study]", show_default=False),
    ] = None,
    x: Annotated[
        str | None, typer.Option("--x", help="Varied key along the axis, such as rule.eta.", show_default=False)
    ] = None,
    read_out: ReadOut = None,
    workdir: StudyWorkdir = Path(),
    storage: Storage = None,
    run_rule: o.RunRules = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder, or file of a single figure.  \\[default: figures/ in the study's folder]",
            show_default=False,
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw what a study found as PNG and SVG: accuracy over a setting, learning curves, the course of a search.

    Example: snstdp study plot configs/studies/rules.yaml

    Example: snstdp study plot configs/studies/rules.yaml --x n_e
    """
    study_plot(
        gather(file, workdir, run_rule, storage),
        kind=kind,
        x=x,
        read_out=read_out,
        output=output,
        as_json=as_json,
        quiet=quiet,
    )


def study_plot(
    study: StudyResults,
    *,
    kind: StudyFigure | None = None,
    x: str | None = None,
    read_out: str | None = None,
    output: Path | None = None,
    as_json: bool = False,
    quiet: bool = False,
) -> list[Path]:
    """Draw figures of a study as PNG and SVG, and print their names.

    Parameters
    ----------
    kind
        Which figure; without it the one that fits the study or the axis, and for a search those of its trials.
    x
        The key along the axis.
    read_out
        Which accuracy; the study's first without it.
    output
        Folder, or a file for a single figure; `figures/` in the study's folder without it.

    Raises
    ------
    SnstdpError
        If there is nothing to draw.
    """
    from snstdp_cli.plots import save_figure
    from snstdp_cli.studies.read_outs import find_read_out

    wanted = None if read_out is None else find_read_out(read_out)
    files: list[Path] = []
    with steps(quiet) as step:
        for name, figure in _draw(study, kind, x, wanted, step):
            files += save_figure(figure, _target(study, name, kind is not None or x is not None, output))
    if as_json:
        print_json({"files": files})
    else:
        print_files(files)
    return files


def _draw(
    study: StudyResults,
    kind: StudyFigure | None,
    x: str | None,
    read_out: Classifier | None,
    step: Callable[[str], None],
) -> Iterator[tuple[str, Figure]]:
    """Draw what was asked for; of all that a study may have, what cannot be drawn is told and left out."""
    from snstdp_cli.plots.studies import choose_kind, draw_study, kinds_of

    if not study.cells and not study.trials:
        raise DataError(f"'{study.name}' has neither cells nor trials: nothing to draw")
    asked = kind is not None or x is not None
    wanted: StudyKind = choose_kind(study, x) if kind is None else kind.value
    kinds: Sequence[StudyKind] = [wanted] if asked else kinds_of(study)
    for k, name in enumerate(kinds):
        step(f"drawing {study.name}.{name}")
        try:
            yield name, draw_study(study, name, read_out=read_out, x=x)
        except SnstdpError as error:
            if asked or k == 0:
                raise
            print_note(f"{study.name}.{name}: {error}")


def _target(study: StudyResults, kind: str, single: bool, output: Path | None) -> Path:
    stem = f"{study.name}.{kind}"
    if output is None:
        return study.folder / "figures" / stem
    if output.suffix not in (".png", ".svg"):
        return output / stem
    if not single:
        raise ConfigError(
            f"--output {output}: expected a folder, as there may be several figures; or name one by --kind"
        )
    return output
