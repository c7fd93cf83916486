"""The command `data show`: look at a data set as the network gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_json, print_line, print_note, print_table, print_warning
from snstdp_cli.cli.data_source import Source, load_source
from snstdp_cli.cli.hints import next_command, suggest
from snstdp_cli.cli.settings import resolve
from snstdp_cli.cli.terminal_pictures import PictureWay, chosen_way, show_picture
from snstdp_cli.errors import ConfigError, SnstdpError
from snstdp_cli.fields import percent

if TYPE_CHECKING:
    from snstdp_cli.datasets import Suggestion, Survey

SheetFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "--out",
        help="Contact sheet; an SVG is written beside it.  \\[default: figures/NAME.data.png]",
        show_default=False,
        rich_help_panel=o.OUTPUT,
    ),
]
Picture = Annotated[
    PictureWay, typer.Option("--picture", help="How to show it in the terminal, besides.", rich_help_panel=o.OUTPUT)
]
_DIVIDED = "input.test_share=0.2"
_MOST_CLASSES = 60
#: Training that says within a minute whether a network learns from the images.
_A_MINUTE = {"n_e": 100, "num_examples": 1500}
_SCREEN_DPI = 110


@o.takes_settings()
def show(
    given: o.GivenSettings,
    source: Source,
    data_dir: o.DataDir = None,
    workdir: o.WorkdirPath = Path(),
    output: SheetFile = None,
    picture: Picture = PictureWay.auto,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Show a data set as the network gets it: a contact sheet, counts, brightness, and what to set.

    Settings of the section input are applied: --set input.transpose=true.

    Example: snstdp data show ./letters
    """
    if output is not None and output.suffix != ".png":
        raise ConfigError(f"--output {output}: expected a file name that ends in .png")
    sets, name = load_source(given, source, data_dir)

    from snstdp_cli.datasets import load_dataset, suggest_settings, survey
    from snstdp_cli.plots import drawing, render_figure, save_figure

    found = survey(sets)
    first = next(iter(sets.values()))
    figure = drawing.contact_sheet(
        first.images, first.labels, found.classes, found.class_names, title=_title(found, first.split)
    )
    path = output or workdir / "figures" / f"{_stem(name)}.data.png"
    files = save_figure(figure, path)
    suggestions = _unanswered(suggest_settings(first, load_dataset("bundled", "train")), given)
    if as_json:
        told = [one._asdict() for one in suggestions]
        print_json({**found.as_dict(), "suggestions": told, "files": files})
        return
    for sentence in found.warnings:
        print_warning(sentence)
    _print_survey(found)
    for one in suggestions:
        head = "look" if one.key is None else f"--set {one.key}={_yaml(one.value)}"
        print_line((head, "bold cyan"), f"  {one.why}")
    if (way := chosen_way(picture)) is not PictureWay.none:
        show_picture(render_figure(figure, "png", dpi=_SCREEN_DPI), way)
    print_files(files)
    if not quiet:
        missing = [] if "test" in sets else _dividing(name, data_dir, given)
        options = {**given.options(), "sets": [*given.sets, *missing], "data_dir": data_dir, "workdir": workdir}
        small = {} if given.config else _A_MINUTE
        _print_next(suggestions, name, options, small, trains="test" in sets or missing != [])


def _title(found: Survey, split: str) -> str:
    return f"{found.identity}: {split} images of {' x '.join(map(str, found.image_shape))} pixels"


def _print_survey(found: Survey) -> None:
    rows, cols = found.image_shape
    print_line((found.identity, "bold"), f": images of {rows} x {cols} = {rows * cols:,} pixels")
    splits = list(found.splits.items())
    kinds = [f"{split} images" for split, _ in splits]
    table = [
        (name, *(f"{one.counts[k]:,}" for _, one in splits)) for k, name in enumerate(found.class_names[:_MOST_CLASSES])
    ]
    table.append(("all", *(f"{one.num:,}" for _, one in splits)))
    print_table(("class", *kinds), table)
    if len(found.class_names) > _MOST_CLASSES:
        print_line(f"and {len(found.class_names) - _MOST_CLASSES} classes more")
    for split, one in splits:
        print_line(
            f"{split}: mean grey value {one.mean:.1f}, brightest {one.brightest}, {percent(one.bright_share)} of the "
            "pixels bright (above half of it)"
        )
    if found.shared is not None:
        print_line(f"images in both splits: {found.shared:,}")


def _dividing(name: str, data_dir: Path | None, given: o.GivenSettings) -> list[str]:
    """Return the setting that makes test images of a single split, if it does."""
    from snstdp_cli.datasets import load_dataset

    divided = replace(given, sets=(*given.sets, _DIVIDED))
    try:
        load_dataset(name, "test", data_dir, inputs=resolve(divided, run_rule_files=False).experiment.input)
    except SnstdpError:
        return []
    return [_DIVIDED]


def _unanswered(suggestions: list[Suggestion], given: o.GivenSettings) -> list[Suggestion]:
    """Leave out settings of the training that were given: only those of the section `input` show in the images."""
    answered = resolve(given, run_rule_files=False).sources
    return [one for one in suggestions if one.key is None or _changes_images(one) or one.key not in answered]


def _changes_images(suggestion: Suggestion) -> bool:
    return suggestion.key is not None and suggestion.key.startswith("input.")


def _print_next(
    suggestions: list[Suggestion], name: str, options: Mapping[str, Any], small: Mapping[str, int], *, trains: bool
) -> None:
    """Say what to look at again; or else, if nothing is left that only the user can mend, how to train.

    Parameters
    ----------
    small
        Settings of a run that takes a minute, for those that were not given: the defaults make a long one.
    trains
        Whether there are images of both splits.
    """
    sets = [*options["sets"], *(f"{one.key}={_yaml(one.value)}" for one in suggestions if one.key is not None)]
    if any(map(_changes_images, suggestions)):
        again = next_command("data show", name, **{**options, "sets": sets})
        print_note(f"look again: {again}", to_copy=True)
    elif trains and all(one.key is not None for one in suggestions):
        keys = {one.partition("=")[0] for one in sets}
        left = {key: value for key, value in small.items() if key not in keys}
        suggest("run", data=name, **left, **{**options, "sets": sets})


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stem(name: str) -> str:
    """Return what a file is called after a data set: letters and digits of its last part."""
    last = Path(name).name.split(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in last)[:60] or "data"
