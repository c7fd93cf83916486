"""The command `data convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snstdp_cli.cli import options as o
from snstdp_cli.cli.console import print_files, print_note, print_warning
from snstdp_cli.cli.data_source import Source, load_source
from snstdp_cli.errors import ConfigError


@o.takes_settings()
def convert(
    given: o.GivenSettings,
    source: Source,
    target: Annotated[Path, typer.Argument(metavar="OUT.npz", help="File to write.", show_default=False)],
    data_dir: o.DataDir = None,
    force: o.Force = False,
) -> None:
    """Write a data set as one .npz file that loads at once; settings of the section input are applied.

    Example: snstdp data convert letters.csv letters.npz --set input.size=28 --set input.test_share=0.2
    """
    if target.suffix != ".npz":
        raise ConfigError(f"{target}: expected a file name that ends in .npz")

    from snstdp_cli.artefacts.files import refuse_overwrite, write_atomic

    refuse_overwrite([target], force)
    sets, name = load_source(given, source, data_dir, both=True)

    from snstdp_cli.datasets import npz_bytes

    first = sets["train"]
    names = dict(zip(first.classes.tolist(), first.class_names, strict=True)) if first.class_names else {}
    for sentence in first.warnings:
        print_warning(sentence)
    write_atomic(target, npz_bytes({split: (one.images, one.labels) for split, one in sets.items()}, names))
    print_note(", ".join(f"{len(one):,} {split} images" for split, one in sets.items()) + f" of {name}")
    print_files([target])
